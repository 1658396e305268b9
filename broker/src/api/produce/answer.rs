//! What the writer's answers are to a producer.

use std::sync::Arc;

use strandline_log::engine::{Done, Outcome, Partition, Refusal};
use strandline_log::producers::ProducerError;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{
    LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse, ProduceResponse,
};

use super::check::Fault;
use super::outline::{Appended, Outline, Place, Said};
use super::replicated::Unreplicated;
use crate::api::topics::{Found, Leadership};
use crate::broker::Broker;
use crate::context::Call;
use crate::few::Few;

/// The version from which on an answer says where a leader can be reached.
const ENDPOINTS_VERSION_MIN: i16 = 10;

/// From this version on a producer knows that it may abort.
const ABORTABLE_VERSION: i16 = 11;

/// A batch that the writer has, and where the answer about it belongs.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) place: Place,
    /// Where it goes, and the epoch that this broker leads that in, as far as was known when it was sent to the writer.
    pub(super) found: Arc<Found>,
    /// So many replicas have to be in sync.
    pub(super) in_sync_min: usize,
    pub(super) log_append_time_ms: i64,
    /// What it is counted as.
    pub(super) bytes: u64,
    pub(super) records: u64,
}

impl Pending {
    pub(super) fn log(&self) -> &Arc<Partition> {
        &self.found.led.log
    }

    /// The epoch that a record was appended in. A batch that was sent again has one that may be long gone by.
    fn epoch_of(&self, offset: i64, is_duplicate: bool) -> Option<i32> {
        if is_duplicate { self.log().epoch_at(offset) } else { Some(self.found.led.leader_epoch) }
    }
}

/// Fills in what the writer said, one outcome for each that is pending; gives what is not replicated yet.
pub(super) fn fill(
    outline: &mut Outline,
    version: i16,
    pending: Few<Pending>,
    outcomes: Few<Outcome>,
) -> Vec<Unreplicated> {
    let mut unreplicated = Vec::new();
    for (pending, outcome) in pending.into_iter().zip(outcomes) {
        let Some(said) = outline.said(pending.place) else { continue };
        *said = match outcome {
            Ok(Done::Appended {
                base_offset,
                last_offset,
                is_duplicate,
                timestamp,
                log_start,
                high_watermark,
            }) => {
                if !is_duplicate {
                    pending.found.topic.tally.add_received(pending.bytes, pending.records);
                }
                let log_append_time_ms = match timestamp {
                    // It was appended when the original was.
                    Some(original) if pending.log_append_time_ms >= 0 => original,
                    _ => pending.log_append_time_ms,
                };
                // Where one replica is enough, nothing can have changed that was looked at before.
                if high_watermark <= last_offset || pending.in_sync_min > 1 {
                    let epoch = pending.epoch_of(last_offset, is_duplicate);
                    unreplicated.push(Unreplicated { pending, last_offset, epoch });
                }
                let (log_start_offset, code) = (log_start, ErrorCode::NONE);
                Said::Appended(Appended { base_offset, log_append_time_ms, log_start_offset, code })
            }
            // The writer answers an append so or not at all.
            Ok(_) => Said::refused(Fault::of(ErrorCode::KAFKA_STORAGE_ERROR)),
            Err(refusal) => {
                let mut fault = fault(&refusal, version);
                // As in Kafka: where a producer is out of step, it is told where the log begins.
                if matches!(refusal, Refusal::Producer(_)) {
                    fault.log_start_offset = Some(pending.log().offsets().start);
                }
                Said::refused(fault)
            }
        };
    }
    unreplicated
}

/// Says who leads the partitions that this broker does not lead, and where that one is, so that the producer need not
/// ask.
pub(super) fn name_leaders(broker: &Broker, call: &Call, response: &mut ProduceResponse) {
    if call.version < ENDPOINTS_VERSION_MIN {
        return;
    }
    let mut is_own_named = false;
    for topic in &mut response.responses {
        let is_elsewhere =
            |partition: &PartitionProduceResponse| partition.error_code == ErrorCode::NOT_LEADER_OR_FOLLOWER;
        if !topic.partition_responses.iter().any(is_elsewhere) {
            continue;
        }
        let known = if topic.topic_id.is_zero() {
            broker.topics.by_name(&topic.name)
        } else {
            broker.topics.by_id(topic.topic_id)
        };
        let Some(known) = known else { continue };
        for partition in topic.partition_responses.iter_mut().filter(|partition| is_elsewhere(partition)) {
            let Ok(Leadership { leader, leader_epoch, .. }) = known.leadership(partition.index) else {
                continue;
            };
            partition.current_leader =
                LeaderIdAndEpoch { leader_id: leader, leader_epoch, ..Default::default() };
            is_own_named |= leader == broker.topics.node_id();
        }
    }
    if is_own_named {
        let (node_id, endpoint) = (broker.topics.node_id(), &call.connection.endpoint);
        let (host, port) = (endpoint.host.clone(), endpoint.port.into());
        response.node_endpoints.push(NodeEndpoint { node_id, host, port, ..Default::default() });
    }
}

fn fault(refusal: &Refusal, version: i16) -> Fault {
    let code = match refusal {
        // Its transaction ended between being asked about and getting here: the producer may abort, and go on.
        Refusal::Producer(ProducerError::Unverified { .. }) if version >= ABORTABLE_VERSION => {
            ErrorCode::TRANSACTION_ABORTABLE
        }
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
