//! How the engine keeps a log, by what is set for its topic.

use strandline_log::config::{Cleanup, Durability, LogConfig};
use strandline_state::settings::{self, TopicSettings};

/// The engine's settings for the logs of a topic.
pub fn log_config(topic: &TopicSettings) -> LogConfig {
    let size = |bytes: i32| u32::try_from(bytes).unwrap_or(0);
    LogConfig {
        durability: match topic.durability {
            settings::Durability::Fsync => Durability::Fsync,
            settings::Durability::Async => Durability::Async,
        },
        cleanup: Cleanup { deletes: topic.cleanup_policy.deletes, compacts: topic.cleanup_policy.compacts },
        segment_bytes: size(topic.internal_segment_bytes.unwrap_or(topic.segment_bytes)),
        segment_ms: topic.segment_ms,
        index_interval_bytes: size(topic.index_interval_bytes),
        index_bytes_max: size(topic.segment_index_bytes),
        retention_ms: topic.retention_ms,
        retention_bytes: topic.retention_bytes,
        delete_retention_ms: topic.delete_retention_ms,
        compaction_lag_min_ms: topic.min_compaction_lag_ms,
        compaction_lag_max_ms: topic.max_compaction_lag_ms,
        dirty_ratio_min: topic.min_cleanable_dirty_ratio,
    }
}
