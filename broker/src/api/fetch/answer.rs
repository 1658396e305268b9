//! What was read, as an answer.

use strandline_log::engine::Slice;
use strandline_protocol::apis::fetch::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use strandline_protocol::{Piece, Records};

use strandline_log::engine::UpTo;

use super::read::{Found, Reads, Target};
use crate::broker::Broker;
use crate::context::Call;
use crate::storage::piece;

/// The version from which on an answer says where a leader can be reached.
const ENDPOINTS_VERSION_MIN: i16 = 16;

/// The answer to a fetch.
pub(super) fn response(broker: &Broker, call: &Call, reads: Reads) -> FetchResponse {
    let Reads { topics, targets, terms, .. } = reads;
    let mut response = FetchResponse::default();
    let mut last_topic = None;
    for mut target in targets {
        if call.version < ENDPOINTS_VERSION_MIN {
            target.found.leader = None;
        }
        let own_id = broker.topics.node_id();
        if target.found.leader.is_some_and(|(leader, _)| leader == own_id)
            && response.node_endpoints.is_empty()
        {
            response.node_endpoints.push(own_endpoint(own_id, call));
        }
        if last_topic.replace(target.wanted.topic) != Some(target.wanted.topic) {
            let key = topics.get(target.wanted.topic).cloned().unwrap_or_default();
            let topic = FetchableTopicResponse { topic: key.name, topic_id: key.id, ..Default::default() };
            response.responses.push(topic);
        }
        if let Some(topic) = response.responses.last_mut() {
            topic.partitions.push(partition_data(target, terms.up_to));
        }
    }
    response
}

fn own_endpoint(node_id: i32, call: &Call) -> NodeEndpoint {
    let endpoint = &call.connection.endpoint;
    NodeEndpoint { node_id, host: endpoint.host.clone(), port: endpoint.port.into(), ..Default::default() }
}

fn partition_data(target: Target, up_to: UpTo) -> PartitionData {
    let Found { error, leader, offsets, slices, aborted, diverging } = target.found;
    let mut data = PartitionData {
        partition_index: target.wanted.partition,
        error_code: error,
        high_watermark: offsets.map_or(-1, |offsets| offsets.high_watermark),
        last_stable_offset: offsets.map_or(-1, |offsets| offsets.last_stable),
        log_start_offset: offsets.map_or(-1, |offsets| offsets.start),
        aborted_transactions: (up_to == UpTo::LastStable).then(|| aborted.iter().map(listed).collect()),
        records: Some(records(slices)),
        ..Default::default()
    };
    if let Some(end) = diverging {
        let (epoch, end_offset) = (end.epoch, end.end_offset);
        data.diverging_epoch = EpochEndOffset { epoch, end_offset, ..Default::default() };
    }
    if let Some((leader_id, leader_epoch)) = leader {
        data.current_leader = LeaderIdAndEpoch { leader_id, leader_epoch, ..Default::default() };
    }
    data
}

fn listed(aborted: &strandline_log::segment::AbortedTransaction) -> AbortedTransaction {
    let (producer_id, first_offset) = (aborted.producer_id, aborted.first_offset);
    AbortedTransaction { producer_id, first_offset, ..Default::default() }
}

/// Batches as pieces of the answer, none of them copied.
fn records(slices: Vec<Slice>) -> Records {
    slices.into_iter().map(piece).collect::<Vec<Piece>>().into()
}
