//! The partitions that a fetch is about.

use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest};
use strandline_protocol::{Text, Uuid};

/// A topic as a client calls it: by its name up to v12, by its id from then on. The other is empty.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub(super) struct TopicKey {
    pub(super) name: Text,
    pub(super) id: Uuid,
}

/// What is wanted from one partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct WantedPartition {
    /// The topic's place among the topics.
    pub(super) topic: usize,
    /// The partition's place in its session.
    pub(super) place: usize,
    pub(super) partition: i32,
    pub(super) offset: i64,
    /// So much at most.
    pub(super) bytes_max: u64,
    /// -1 for not known, and so with the next one.
    pub(super) current_leader_epoch: i32,
    pub(super) last_fetched_epoch: i32,
}

/// All that is wanted, in the order in which it is read.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) topics: Vec<TopicKey>,
    pub(super) partitions: Vec<WantedPartition>,
}

impl TopicKey {
    /// No topic.
    pub(super) const fn none() -> Self {
        Self { name: Text::new(), id: Uuid::ZERO }
    }

    /// The same, without keeping the request alive that it came in.
    pub(super) fn detached(&self) -> Self {
        Self { name: self.name.detached(), id: self.id }
    }
}

impl WantedPartition {
    pub(super) fn new(topic: usize, place: usize, partition: &FetchPartition) -> Self {
        Self {
            topic,
            place,
            partition: partition.partition,
            offset: partition.fetch_offset,
            bytes_max: u64::try_from(partition.partition_max_bytes).unwrap_or(0),
            current_leader_epoch: partition.current_leader_epoch,
            last_fetched_epoch: partition.last_fetched_epoch,
        }
    }
}

impl Wanted {
    /// What a request names, in its order.
    pub(super) fn of_request(request: &FetchRequest) -> Self {
        let topics = request.topics.iter();
        let topics = topics.map(|topic| TopicKey { name: topic.topic.clone(), id: topic.topic_id }).collect();
        let partitions = request.topics.iter().enumerate().flat_map(|(place, topic)| {
            topic.partitions.iter().map(move |partition| WantedPartition::new(place, 0, partition))
        });
        Self { topics, partitions: partitions.collect() }
    }
}
