//! What the data APIs have to know of topics: who leads a partition, in which epoch, and what a producer's batch
//! is held against.

use std::fmt;
use std::sync::Arc;

use strandline_log::engine::Partition;
use strandline_log::epochs::EpochEnd;
use strandline_protocol::batch::TimestampType;
use strandline_protocol::{Compression, ErrorCode, Text, Uuid};

use crate::broker::Broker;
use crate::metrics::TopicTally;
use crate::storage::{Storage, TopicPartition};

/// What a topic's settings say about batches.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRules {
    /// The largest batch that is taken, as it is compressed.
    pub message_bytes_max: usize,
    /// Whose timestamps count.
    pub timestamp_type: TimestampType,
    /// How far a record's timestamp may be behind the broker's clock.
    pub timestamp_before_max_ms: i64,
    /// How far it may be ahead of it.
    pub timestamp_after_max_ms: i64,
    /// How records are compressed, and at which level; as they came if there is none.
    pub compression: Option<(Compression, Option<i32>)>,
    /// Whether of the records with one key the last stays, so that each has to have one.
    pub compacts: bool,
    /// Whether old records go.
    pub deletes: bool,
    /// So many replicas have to be in sync for a producer that waits for all of them, or all if there are fewer.
    pub in_sync_replicas_min: usize,
}

impl Default for TopicRules {
    /// Kafka's.
    fn default() -> Self {
        Self {
            message_bytes_max: 1_048_588,
            timestamp_type: TimestampType::CreateTime,
            timestamp_before_max_ms: i64::MAX,
            timestamp_after_max_ms: 60 * 60 * 1_000,
            compression: None,
            compacts: false,
            deletes: true,
            in_sync_replicas_min: 1,
        }
    }
}

/// Who leads a partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Leadership {
    /// The leading broker; -1 if there is none.
    pub leader: i32,
    /// The epoch of that leadership.
    pub leader_epoch: i32,
    /// How many replicas are in sync.
    pub in_sync_replicas: usize,
    /// How many there are.
    pub replicas: usize,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct Topic {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: Text,
    /// Whether the brokers keep notes of their own in it, so that no client writes there.
    pub is_internal: bool,
    /// What its settings say.
    pub rules: TopicRules,
    /// Its partitions, by their number.
    pub partitions: Vec<Leadership>,
    /// Where what goes in and out is counted.
    pub tally: Arc<TopicTally>,
}

/// Where topics are looked up.
pub trait Topics: Send + Sync + fmt::Debug {
    /// The topic of this name.
    fn by_name(&self, name: &str) -> Option<Arc<Topic>>;

    /// The topic of this id.
    fn by_id(&self, id: Uuid) -> Option<Arc<Topic>>;

    /// The number of this broker.
    fn node_id(&self) -> i32;

    /// How often anything about any topic has changed: whoever waits need not look again while it is the same.
    fn changes(&self) -> u64;
}

/// A partition that this broker leads.
#[derive(Clone, Debug)]
pub(crate) struct Led {
    /// Its number.
    pub(crate) index: i32,
    pub(crate) log: Arc<Partition>,
    pub(crate) leader_epoch: i32,
    pub(super) in_sync_replicas: usize,
    pub(super) replicas: usize,
}

impl Topic {
    /// The partition with this number, if this broker leads it.
    ///
    /// # Errors
    /// What Kafka answers otherwise.
    pub(super) fn led(&self, broker: &Broker, index: i32) -> Result<Led, ErrorCode> {
        self.led_by(broker.topics.node_id(), &broker.storage, index)
    }

    /// The partition with this number, if the broker with that number leads it.
    ///
    /// # Errors
    /// What Kafka answers otherwise.
    pub(crate) fn led_by(&self, node_id: i32, storage: &Storage, index: i32) -> Result<Led, ErrorCode> {
        let leadership = self.leadership(index)?;
        if leadership.leader != node_id {
            return Err(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        let Leadership { leader_epoch, in_sync_replicas, replicas, .. } = leadership;
        let place = TopicPartition { topic_id: self.id, index };
        // It is known before its log is there, and for a moment after the log is gone.
        let log = storage.partition(place).ok_or_else(|| match storage.is_missing(place) {
            true => ErrorCode::KAFKA_STORAGE_ERROR,
            false => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        })?;
        Ok(Led { index, log, leader_epoch, in_sync_replicas, replicas })
    }

    /// Who leads the partition with this number.
    pub(crate) fn leadership(&self, index: i32) -> Result<Leadership, ErrorCode> {
        let place = usize::try_from(index).ok();
        let leadership = place.and_then(|place| self.partitions.get(place)).copied();
        leadership.ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }
}

/// A partition that was looked up, and its topic.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) topic: Arc<Topic>,
    pub(crate) led: Led,
}

/// Holds the leader epoch that a client knows against the partition's; -1 is for those who know none.
pub(super) fn check_leader_epoch(known_epoch: i32, leader_epoch: i32) -> Result<(), ErrorCode> {
    match known_epoch {
        -1 => Ok(()),
        epoch if epoch < leader_epoch => Err(ErrorCode::FENCED_LEADER_EPOCH),
        epoch if epoch > leader_epoch => Err(ErrorCode::UNKNOWN_LEADER_EPOCH),
        _ => Ok(()),
    }
}

/// The offset behind the last one of an epoch, with the epoch that it is of; none if it cannot be told.
///
/// A leader's epoch begins where the log ends when it takes over, though no batch of it is there yet.
pub(super) fn end_of_epoch(log: &Partition, epoch: i32, leader_epoch: i32) -> Option<EpochEnd> {
    let found = log.end_of_epoch(epoch);
    if found.is_some() || epoch < 0 || epoch > leader_epoch {
        return found;
    }
    let known = if epoch == leader_epoch { None } else { log.latest_epoch() };
    Some(EpochEnd { epoch: known.unwrap_or(epoch), end_offset: log.offsets().end })
}
