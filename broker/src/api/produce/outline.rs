//! An answer as far as it is known. The lists of the message itself are made when it is sent: of a request with one batch
//! nothing lies about for them while the batch is made durable.

use strandline_protocol::apis::produce::{
    PartitionProduceResponse, ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::check::Fault;
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
    partitions: Few<Partition>,
}

#[derive(Debug)]
struct Partition {
    index: i32,
    said: Said,
}

/// What is said of a partition.
#[derive(Debug)]
pub(super) enum Said {
    /// Nothing yet: it is for the writer to say.
    Nothing,
    /// The batch is in the log.
    Appended(Appended),
    /// It is not. In a box, which few need.
    Refused(Box<Fault>),
}

/// Where a batch was put.
#[derive(Debug)]
pub(super) struct Appended {
    pub(super) base_offset: i64,
    pub(super) log_append_time_ms: i64,
    pub(super) log_start_offset: i64,
    /// What is wrong with it all the same, if anything is.
    pub(super) code: ErrorCode,
}

impl Said {
    pub(super) fn refused(fault: Fault) -> Self {
        Self::Refused(Box::new(fault))
    }
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

    /// Says something of the next partition of the last topic, which has this number.
    pub(super) fn push(&mut self, index: i32, said: Said) {
        let last = self.topics.len().saturating_sub(1);
        if let Some(topic) = self.topics.get_mut(last) {
            topic.partitions.push(Partition { index, said });
        }
    }

    /// What is said of a partition.
    pub(super) fn said(&mut self, (topic, partition): Place) -> Option<&mut Said> {
        let partition = self.topics.get_mut(topic)?.partitions.get_mut(partition)?;
        Some(&mut partition.said)
    }

    /// The answer.
    pub(super) fn into_response(self) -> ProduceResponse {
        let topic = |Topic { name, id, partitions }| TopicProduceResponse {
            name,
            topic_id: id,
            partition_responses: partitions.into_iter().map(Partition::into_response).collect(),
            ..Default::default()
        };
        let responses = self.topics.into_iter().map(topic).collect();
        ProduceResponse { responses, ..Default::default() }
    }
}

impl Partition {
    fn into_response(self) -> PartitionProduceResponse {
        let Self { index, said } = self;
        match said {
            Said::Appended(Appended { base_offset, log_append_time_ms, log_start_offset, code }) => {
                PartitionProduceResponse {
                    index,
                    error_code: code,
                    base_offset,
                    log_append_time_ms,
                    log_start_offset,
                    ..Default::default()
                }
            }
            Said::Refused(fault) => refused(index, *fault),
            // The writer answers all that it gets.
            Said::Nothing => refused(index, Fault::of(ErrorCode::KAFKA_STORAGE_ERROR)),
        }
    }
}

fn refused(index: i32, fault: Fault) -> PartitionProduceResponse {
    PartitionProduceResponse {
        index,
        error_code: fault.code,
        base_offset: -1,
        log_start_offset: fault.log_start_offset.unwrap_or(-1),
        record_errors: fault.records,
        error_message: fault.message,
        ..Default::default()
    }
}
