//! What was read, as an answer.

use strandline_log::engine::{Slice, UpTo};
use strandline_protocol::apis::fetch::{
    AbortedTransaction, EpochEndOffset, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch,
    NodeEndpoint, PartitionData,
};
use strandline_protocol::{ErrorCode, Piece, Records};

use super::read::{Found, Reads, Target};
use super::sessions::{Context, Told};
use super::wanted::TopicKey;
use crate::broker::Broker;
use crate::context::Call;
use crate::storage::piece;

/// The version from which on an answer says where a leader can be reached.
const ENDPOINTS_VERSION_MIN: i16 = 16;

/// The answer to a fetch.
pub(super) fn response(broker: &Broker, call: &Call, context: &Context, reads: Reads) -> FetchResponse {
    let Reads { topics, tallies, mut targets, terms, .. } = reads;
    let told = targets.iter().map(|target| {
        static NO_TOPIC: TopicKey = TopicKey::none();
        (topics.get(target.wanted.topic).unwrap_or(&NO_TOPIC), target.wanted, target.found.told())
    });
    let mut is_told = Vec::with_capacity(targets.len());
    let now = broker.clock.monotonic();
    let finished = broker.fetch_sessions.finish(context, told, |told| is_told.push(told), now);
    let session_id = match finished {
        Ok(session_id) => session_id,
        Err(error_code) => return FetchResponse { error_code, ..Default::default() },
    };
    for target in &targets {
        let tally = tallies.get(target.wanted.topic).and_then(Option::as_ref);
        tally.into_iter().for_each(|tally| tally.add_sent(target.found.bytes()));
    }
    let mut is_told = is_told.into_iter();
    targets.retain(|_| is_told.next().unwrap_or(true));
    let mut response = FetchResponse { session_id, ..Default::default() };
    add_partitions(&mut response, broker, call, &topics, targets, terms.up_to);
    response
}

fn add_partitions(
    response: &mut FetchResponse,
    broker: &Broker,
    call: &Call,
    topics: &[TopicKey],
    targets: Vec<Target>,
    up_to: UpTo,
) {
    let own_id = broker.topics.node_id();
    let mut last_topic = None;
    for mut target in targets {
        if call.version < ENDPOINTS_VERSION_MIN {
            target.found.leader = None;
        }
        let is_own = target.found.leader.is_some_and(|(leader, _)| leader == own_id);
        if is_own && response.node_endpoints.is_empty() {
            response.node_endpoints.push(own_endpoint(own_id, call));
        }
        if last_topic.replace(target.wanted.topic) != Some(target.wanted.topic) {
            let key = topics.get(target.wanted.topic).cloned().unwrap_or_default();
            let topic = FetchableTopicResponse { topic: key.name, topic_id: key.id, ..Default::default() };
            response.responses.push(topic);
        }
        if let Some(topic) = response.responses.last_mut() {
            topic.partitions.push(partition_data(target, up_to));
        }
    }
}

fn own_endpoint(node_id: i32, call: &Call) -> NodeEndpoint {
    let endpoint = &call.connection.endpoint;
    NodeEndpoint { node_id, host: endpoint.host.clone(), port: endpoint.port.into(), ..Default::default() }
}

impl Found {
    /// What of it decides whether a session's client is told.
    fn told(&self) -> Told {
        Told {
            high_watermark: self.offsets.map_or(-1, |offsets| offsets.high_watermark),
            log_start_offset: self.offsets.map_or(-1, |offsets| offsets.start),
            has_records: !self.slices.is_empty(),
            is_error: self.error != ErrorCode::NONE,
            is_diverging: self.diverging.is_some(),
        }
    }
}

fn partition_data(target: Target, up_to: UpTo) -> PartitionData {
    let Found { error, leader, offsets, slices, aborted, diverging, .. } = target.found;
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
