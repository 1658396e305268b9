//! An answer as far as it is known. The lists of the message itself are made when it is sent: of a request with one batch
//! nothing lies about for them while the batch is made durable.

use strandline_protocol::apis::produce::{PartitionProduceResponse, ProduceResponse, TopicProduceResponse};
use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::wire::{EncodeResult, Layout};
use strandline_protocol::{ErrorCode, TaggedFields, Text, Uuid, Wire, Writer};

use super::check::Fault;
use super::plan::BY_ID_VERSION_MIN;
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
    pub(super) fn begin_topic(&mut self, name: Text, id: Uuid) {
        self.topics.push(Topic { name, id, partitions: Few::default() });
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

    /// The answer's frame, where all batches are in the log. No message is put together for it.
    ///
    /// None where anything is wrong, which takes more to say, or it cannot be written.
    pub(super) fn frame_of_success(&self, version: i16, correlation_id: i32) -> Option<OutboundFrame> {
        if !self.topics.iter().all(Topic::is_appended) {
            return None;
        }
        let write = |writer: &mut Writer, layout: Layout| {
            writer.put_count(self.topics.len(), layout)?;
            self.topics.iter().try_for_each(|topic| topic.write(writer, layout))?;
            let throttle_time_ms = 0_i32;
            throttle_time_ms.encode(writer, layout)?;
            end_fields(writer, layout)
        };
        OutboundFrame::response_by_fields::<ProduceResponse>(version, correlation_id, write).ok()
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

impl Topic {
    fn is_appended(&self) -> bool {
        let is_appended = |partition: &Partition| {
            matches!(partition.said, Said::Appended(Appended { code: ErrorCode::NONE, .. }))
        };
        self.partitions.iter().all(is_appended)
    }

    /// As a [`TopicProduceResponse`] is written.
    fn write(&self, writer: &mut Writer, layout: Layout) -> EncodeResult {
        let Self { name, id, partitions } = self;
        if layout.version >= BY_ID_VERSION_MIN {
            id.encode(writer, layout)?;
        } else {
            name.encode(writer, layout)?;
        }
        writer.put_count(partitions.len(), layout)?;
        for Partition { index, said } in partitions {
            if let Said::Appended(appended) = said {
                appended.response(*index).encode(writer, layout)?;
            }
        }
        end_fields(writer, layout)
    }
}

impl Appended {
    fn response(&self, index: i32) -> PartitionProduceResponse {
        let Self { base_offset, log_append_time_ms, log_start_offset, code } = *self;
        PartitionProduceResponse {
            index,
            error_code: code,
            base_offset,
            log_append_time_ms,
            log_start_offset,
            ..Default::default()
        }
    }
}

/// Ends a structure that has no tagged fields.
fn end_fields(writer: &mut Writer, layout: Layout) -> EncodeResult {
    if layout.flexible {
        writer.tagged_fields(0, &TaggedFields::NONE)?.finish(writer)?;
    }
    Ok(())
}

impl Partition {
    fn into_response(self) -> PartitionProduceResponse {
        let Self { index, said } = self;
        match said {
            Said::Appended(appended) => appended.response(index),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(codes: &[&[ErrorCode]]) -> Outline {
        let mut outline = Outline::default();
        for (topic, codes) in codes.iter().enumerate() {
            let name = format!("topic-{topic}").into();
            outline.begin_topic(name, Uuid([7; 16]));
            for (index, code) in (0..).zip(*codes) {
                let said = Said::Appended(Appended {
                    base_offset: i64::from(index) << 40,
                    log_append_time_ms: i64::from(index) - 1,
                    log_start_offset: 5,
                    code: *code,
                });
                outline.push(index, said);
            }
        }
        outline
    }

    #[test]
    fn success_is_written_as_the_message_is() {
        const FINE: ErrorCode = ErrorCode::NONE;
        let versions = <ProduceResponse as strandline_protocol::Message>::SCHEMA.versions;
        let codes: [&[&[ErrorCode]]; 4] = [&[], &[&[]], &[&[FINE]], &[&[FINE; 3], &[FINE], &[FINE; 200]]];
        for codes in codes {
            for version in versions.first..=versions.last {
                let written = outline(codes).frame_of_success(version, 77).unwrap();
                let message = outline(codes).into_response();
                assert_eq!(written, OutboundFrame::response(version, 77, &message).unwrap(), "{version}");
            }
        }
        let refused = outline(&[&[FINE], &[FINE, ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND]]);
        assert_eq!(refused.frame_of_success(9, 77), None);
    }

    #[test]
    fn what_nobody_has_answered_is_no_success() {
        for said in [Said::Nothing, Said::refused(Fault::of(ErrorCode::NONE))] {
            let mut outline = outline(&[&[ErrorCode::NONE]]);
            outline.push(1, said);
            assert_eq!(outline.frame_of_success(13, 77), None);
        }
    }
}
