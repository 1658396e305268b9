//! An answer as far as it is known. The lists of the message itself are made when it is sent: of a request with one batch
//! nothing lies about for them while the batch is made durable.

use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use strandline_protocol::{Text, Uuid};

use crate::few::Few;

/// Where something belongs in an answer: the topic, and the partition in it.
pub(super) type Place = (usize, usize);

/// An answer, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Outline {
    topics: Few<Topic>,
}

/// What is said of the partitions of a topic.
#[derive(Debug)]
struct Topic {
    name: Text,
    id: Uuid,
    partitions: Few<PartitionProduceResponse>,
}

impl Outline {
    /// Goes on with a topic of the request.
    pub(super) fn begin_topic(&mut self, data: &TopicProduceData) {
        self.topics.push(Topic { name: data.name.clone(), id: data.topic_id, partitions: Few::default() });
    }

    /// Where the next partition of the last topic will be.
    pub(super) fn next_place(&self) -> Place {
        let topic = self.topics.len().saturating_sub(1);
        (topic, self.topics.last().map_or(0, |topic| topic.partitions.len()))
    }

    /// Says something of the next partition of the last topic.
    pub(super) fn push(&mut self, partition: PartitionProduceResponse) {
        let last = self.topics.len().saturating_sub(1);
        if let Some(topic) = self.topics.get_mut(last) {
            topic.partitions.push(partition);
        }
    }

    /// What is said of a partition.
    pub(super) fn partition(&mut self, (topic, partition): Place) -> Option<&mut PartitionProduceResponse> {
        self.topics.get_mut(topic)?.partitions.get_mut(partition)
    }

    /// The answer.
    pub(super) fn into_response(self) -> ProduceResponse {
        let topic = |Topic { name, id, partitions }| TopicProduceResponse {
            name,
            topic_id: id,
            partition_responses: partitions.into_iter().collect(),
            ..Default::default()
        };
        let responses = self.topics.into_iter().map(topic).collect();
        ProduceResponse { responses, ..Default::default() }
    }
}
