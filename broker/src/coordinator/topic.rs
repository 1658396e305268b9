//! The topics that coordinators keep their records in: how they are made, and what belongs where.

use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{CreateTopics, NewTopic};
use strandline_state::settings::BrokerSettings;

use crate::metadata::Metadata;

/// A topic that the brokers keep notes of their own in.
#[derive(Clone, Copy, Debug)]
pub struct InternalTopic {
    /// What it is called.
    pub name: &'static str,
    /// How many partitions it gets.
    pub partition_count: fn(&BrokerSettings) -> i32,
    /// How many replicas these get, if there are so many brokers.
    pub replication_factor: fn(&BrokerSettings) -> i16,
    /// How large its segments are.
    pub segment_bytes: fn(&BrokerSettings) -> i32,
}

/// Where groups are kept, and what they committed.
pub static OFFSETS_TOPIC: InternalTopic = InternalTopic {
    name: "__consumer_offsets",
    partition_count: |settings| settings.offsets_topic_num_partitions,
    replication_factor: |settings| settings.offsets_topic_replication_factor,
    segment_bytes: |settings| settings.offsets_topic_segment_bytes,
};

/// Where transactions are kept.
pub static TRANSACTIONS_TOPIC: InternalTopic = InternalTopic {
    name: "__transaction_state",
    partition_count: |settings| settings.transaction_topic_num_partitions,
    replication_factor: |settings| settings.transaction_topic_replication_factor,
    segment_bytes: |settings| settings.transaction_topic_segment_bytes,
};

/// All of them.
static INTERNAL_TOPICS: &[&InternalTopic] = &[&OFFSETS_TOPIC, &TRANSACTIONS_TOPIC];

/// The internal topic of this name, if it is one.
pub fn internal_topic(name: &str) -> Option<&'static InternalTopic> {
    INTERNAL_TOPICS.iter().find(|topic| topic.name == name).copied()
}

impl InternalTopic {
    /// The topic as it is made.
    pub fn new_topic(&self, metadata: &Metadata) -> NewTopic {
        let settings = metadata.settings();
        let brokers = metadata.image().brokers().filter(|(_, broker)| !broker.fenced).count();
        let brokers = i16::try_from(brokers).unwrap_or(i16::MAX).max(1);
        let set = |name: &'static str, value: String| (Text::from_static(name), Some(Text::from(value)));
        NewTopic {
            name: Text::from_static(self.name),
            topic_id: metadata.new_id(),
            partition_count: (self.partition_count)(&settings),
            replication_factor: (self.replication_factor)(&settings).min(brokers),
            configs: vec![
                set("cleanup.policy", "compact".to_owned()),
                set("compression.type", "producer".to_owned()),
                set("segment.bytes", (self.segment_bytes)(&settings).to_string()),
            ],
            is_internal: true,
            ..NewTopic::default()
        }
    }
}

/// Makes a topic. That it is there already is as good.
pub(super) async fn create(metadata: &Arc<Metadata>, topic: &InternalTopic) -> Result<(), ErrorCode> {
    let topics = vec![topic.new_topic(metadata)];
    let command = CreateTopics { topics, validate_only: false, settings: metadata.settings() };
    let created = metadata.run(command).await.map_err(|refusal| {
        tracing::warn!(topic = topic.name, %refusal, "an internal topic is not made");
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    })?;
    for created in created {
        match created.result {
            Err(refusal) if refusal.code != ErrorCode::TOPIC_ALREADY_EXISTS => {
                tracing::warn!(topic = topic.name, %refusal, "an internal topic is not made");
                return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
            }
            _ => tracing::info!(topic = topic.name, "an internal topic is there"),
        }
    }
    Ok(())
}

/// The partition that a key belongs to, out of so many: Java's hash of a string, over its units of UTF-16, without its
/// sign. The lowest number has no such twin, and counts as zero.
pub fn partition_of(key: &str, partition_count: usize) -> Option<i32> {
    let hash = key.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(unit.into()));
    let hash = usize::try_from(hash.checked_abs().unwrap_or(0)).ok()?;
    i32::try_from(hash.checked_rem(partition_count)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // From `Utils.abs(key.hashCode()) % 50` in Java.
    #[test]
    fn keys_go_where_kafka_puts_them() {
        let cases = [
            ("", 0),
            ("a", 47),
            ("readers", 28),
            ("hello world", 2),
            // Negative hashes, the lowest of all, and what is not in ASCII.
            ("my-group", 12),
            ("orders-consumer", 40),
            ("polygenelubricants", 0),
            ("Gruppe-ä", 26),
            ("𝄞", 44),
        ];
        for (key, partition) in cases {
            assert_eq!(partition_of(key, 50), Some(partition), "{key}");
        }
        assert_eq!(partition_of("a", 0), None);
    }
}
