//! What the writer's answers are to a producer.

use std::sync::Arc;

use strandline_log::engine::{Done, Outcome, Partition, Refusal};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{PartitionProduceResponse, ProduceResponse};

use super::check::Fault;

/// A batch that the writer has, and where the answer about it belongs.
#[derive(Debug)]
pub(super) struct Pending {
    /// The place of the topic in the answer, and that of the partition in it.
    pub(super) place: (usize, usize),
    pub(super) partition: i32,
    pub(super) log: Arc<Partition>,
    pub(super) log_append_time_ms: i64,
}

impl Pending {
    pub(super) fn response<'a>(
        &self,
        response: &'a mut ProduceResponse,
    ) -> Option<&'a mut PartitionProduceResponse> {
        let (topic, partition) = self.place;
        response.responses.get_mut(topic)?.partition_responses.get_mut(partition)
    }
}

/// The answer about a batch that was not appended.
pub(super) fn refused(index: i32, fault: Fault) -> PartitionProduceResponse {
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

/// Fills in what the writer said, one outcome for each that is pending.
pub(super) fn fill(response: &mut ProduceResponse, pending: Vec<Pending>, outcomes: Vec<Outcome>) {
    for (pending, outcome) in pending.into_iter().zip(outcomes) {
        let Some(partition) = pending.response(response) else { continue };
        *partition = match outcome {
            Ok(Done::Appended { base_offset, .. }) => PartitionProduceResponse {
                index: partition.index,
                base_offset,
                log_append_time_ms: pending.log_append_time_ms,
                log_start_offset: pending.log.offsets().start,
                ..Default::default()
            },
            // The writer answers an append so or not at all.
            Ok(_) => refused(partition.index, Fault::of(ErrorCode::KAFKA_STORAGE_ERROR)),
            Err(refusal) => refused(partition.index, fault(&refusal)),
        };
    }
}

fn fault(refusal: &Refusal) -> Fault {
    let code = match refusal {
        // The leader has changed, which a producer learns by this one.
        Refusal::EpochGoesBack { .. } => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        refusal => refusal.code(),
    };
    // Where our files are is none of a client's business.
    let message = match refusal {
        Refusal::Offline(_) => "the data directory is offline".to_owned(),
        Refusal::Unreadable(_) => "the log cannot be read".to_owned(),
        refusal => refusal.to_string(),
    };
    Fault::new(code, message)
}
