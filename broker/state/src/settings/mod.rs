//! Everything that can be set, in one table each for topics ([`TOPIC_SETTINGS`]), groups ([`GROUP_SETTINGS`])
//! and brokers ([`BROKER_SETTINGS`]): name, type, default, bounds, unit, text.
//!
//! Owns the tables, the parsing of values as Kafka parses them, and what of several sources is in force. Never
//! reads a file or an environment. Defaults, bounds and the texts of refusals are those of Kafka 4.3.1, read
//! out of its own definitions; `strandline.` begins the name of what Kafka does not have.
//!
//! ```
//! use strandline_state::settings::{BrokerSettings, TopicSettings};
//!
//! let broker = BrokerSettings::from_pairs([("log.retention.hours", "1"), ("num.partitions", "3")]).unwrap();
//! assert_eq!(broker.num_partitions, 3);
//!
//! let topic = TopicSettings::resolve(&broker.topic_defaults, [("segment.bytes", "1048576")]).unwrap();
//! assert_eq!((topic.retention_ms, topic.segment_bytes), (3_600_000, 1 << 20));
//!
//! let refusal = TopicSettings::resolve(&broker.topic_defaults, [("retention.m", "1")]).unwrap_err();
//! assert_eq!(refusal.to_string(), "Unknown topic config name: retention.m (retention.ms is known)");
//! ```

mod broker;
mod effective;
mod error;
mod given;
mod group;
mod groups;
mod names;
mod setting;
mod source;
mod suggest;
mod topic;
mod units;
mod value;

pub use broker::{BROKER_SETTINGS, BrokerSettings};
pub use effective::{
    ConfigSynonym, EffectiveConfig, cluster_default_configs, effective_broker_configs,
    effective_group_configs, effective_topic_configs,
};
pub use error::{InvalidValue, SettingError};
pub use given::Given;
pub use group::{GROUP_SETTINGS, GroupOverrides};
pub use groups::{Assignors, MigrationPolicy};
pub use names::{BrokerName, ENVIRONMENT};
pub use setting::{Bounds, Kind, Setting, Synonym, Unit};
pub use source::ConfigSource;
pub use suggest::nearest;
pub use topic::{TOPIC_SETTINGS, TopicSettings};
pub use value::{CleanupPolicy, CompressionType, Durability, SettingValue, ThrottledReplicas, TimestampType};

#[cfg(test)]
mod tests;
