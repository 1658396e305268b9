//! Requests about offsets: first what the group says to them, then what becomes of them.

use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use strandline_protocol::apis::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
use strandline_protocol::apis::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::super::classic::State;
use super::super::group::Committer;
use super::super::{Decision, Event, Group, Groups, Reply, Timer};
use super::{commit, delete, fetch};
use crate::coordinator::{Origin, Ticket};

/// The first version of OffsetCommit that has a code for a group that is not there, and for a stale member.
const FIRST_COMMIT_VERSION_OF_NEW_GROUPS: i16 = 9;

/// OffsetCommit.
pub(in super::super) fn decide_commit(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    request: &OffsetCommitRequest,
    version: i16,
) -> Decision {
    if let Err(code) = check_commit(groups, request, version) {
        return Decision::reply(ticket, Reply::OffsetCommit(commit_refused(request, code)));
    }
    let (records, response) = commit::commit(now_ms, groups.settings.offset_metadata_max, request);
    let timers = sign_of_life(groups, now_ms, request).into_iter().collect();
    let events = vec![Event::OffsetsCommitted(records.len())];
    Decision { records, timers, events, ..Decision::reply(ticket, Reply::OffsetCommit(response)) }
}

fn check_commit(groups: &Groups, request: &OffsetCommitRequest, version: i16) -> Result<(), ErrorCode> {
    let generation = request.generation_id_or_member_epoch;
    let Some(group) = groups.group(&request.group_id) else {
        return match generation {
            ..0 => Ok(()),
            _ if version >= FIRST_COMMIT_VERSION_OF_NEW_GROUPS => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            _ => Err(ErrorCode::ILLEGAL_GENERATION),
        };
    };
    let committer = Committer {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_ref(),
        generation,
        is_transactional: false,
        version,
    };
    let partitions = || {
        let topics = request.topics.iter();
        let pairs = topics.flat_map(|topic| {
            let topic_id = topic_id(groups, &topic.name, topic.topic_id);
            topic.partitions.iter().map(move |partition| (topic_id, partition.partition_index))
        });
        pairs.collect()
    };
    group.check_commit(committer, partitions).map_err(|code| match code {
        ErrorCode::STALE_MEMBER_EPOCH if version < FIRST_COMMIT_VERSION_OF_NEW_GROUPS => {
            ErrorCode::UNSUPPORTED_VERSION
        }
        code => code,
    })
}

/// The id of a topic that is named by one or the other.
fn topic_id(groups: &Groups, name: &Text, topic_id: Uuid) -> Uuid {
    if topic_id.is_zero() { groups.image.topic(name).map_or(topic_id, |topic| topic.id()) } else { topic_id }
}

/// A member of a classic group that commits is alive.
fn sign_of_life(groups: &Groups, now_ms: i64, request: &OffsetCommitRequest) -> Option<(Timer, Option<i64>)> {
    let (id, group) = groups.groups.get_key_value(&request.group_id)?;
    let Group::Classic(group) = group else { return None };
    let counts = matches!(group.state(), State::Stable | State::PreparingRebalance);
    let renewed = counts.then(|| group.renewed_session(now_ms, id, &request.member_id)).flatten();
    renewed.map(|(timer, due_ms)| (timer, Some(due_ms)))
}

/// Every partition refused alike.
pub fn commit_refused(request: &OffsetCommitRequest, error_code: ErrorCode) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| OffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code,
            ..Default::default()
        });
        OffsetCommitResponseTopic {
            name: topic.name.clone(),
            topic_id: topic.topic_id,
            partitions: partitions.collect(),
            ..Default::default()
        }
    });
    OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

/// TxnOffsetCommit, which has one code for whatever is wrong with a generation or an epoch.
pub(in super::super) fn decide_commit_in_transaction(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    request: &TxnOffsetCommitRequest,
) -> Decision {
    let committer = Committer {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_ref(),
        generation: request.generation_id,
        is_transactional: true,
        version: 0,
    };
    let partitions = || {
        let topics = request.topics.iter();
        let pairs = topics.flat_map(|topic| {
            let topic_id = topic_id(groups, &topic.name, Uuid::ZERO);
            topic.partitions.iter().map(move |partition| (topic_id, partition.partition_index))
        });
        pairs.collect()
    };
    let checked = match groups.group(&request.group_id) {
        Some(group) => group.check_commit(committer, partitions),
        None if request.generation_id < 0 => Ok(()),
        None => Err(ErrorCode::ILLEGAL_GENERATION),
    };
    if let Err(code) = checked {
        let code = if code == ErrorCode::STALE_MEMBER_EPOCH { ErrorCode::ILLEGAL_GENERATION } else { code };
        return Decision::reply(ticket, Reply::TxnOffsetCommit(commit_in_transaction_refused(request, code)));
    }
    let (records, response) = commit::commit_in_transaction(groups, now_ms, request);
    let TxnOffsetCommitRequest { producer_id, producer_epoch, .. } = *request;
    Decision {
        origin: Origin::Transaction { producer_id, producer_epoch },
        events: vec![Event::OffsetsCommitted(records.len())],
        records,
        ..Decision::reply(ticket, Reply::TxnOffsetCommit(response))
    }
}

/// Every partition refused alike.
pub fn commit_in_transaction_refused(
    request: &TxnOffsetCommitRequest,
    error_code: ErrorCode,
) -> TxnOffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| TxnOffsetCommitResponsePartition {
            partition_index: partition.partition_index,
            error_code,
            ..Default::default()
        });
        let partitions = partitions.collect();
        TxnOffsetCommitResponseTopic { name: topic.name.clone(), partitions, ..Default::default() }
    });
    TxnOffsetCommitResponse { topics: topics.collect(), ..Default::default() }
}

/// OffsetDelete.
pub(in super::super) fn decide_delete(
    groups: &Groups,
    ticket: Ticket,
    request: &OffsetDeleteRequest,
) -> Decision {
    let found = groups.group(&request.group_id).ok_or(ErrorCode::GROUP_ID_NOT_FOUND);
    let checked = found.and_then(|group| group.check_offset_delete().map(|()| group));
    let (records, response) = match checked {
        Ok(group) => delete::delete(&groups.offsets, group, request),
        Err(error_code) => (Vec::new(), OffsetDeleteResponse { error_code, ..Default::default() }),
    };
    // What is named in few bytes may be taken away by many.
    let divisible = records.len();
    let events = vec![Event::OffsetsDeleted(records.len())];
    Decision { records, divisible, events, ..Decision::reply(ticket, Reply::OffsetDelete(response)) }
}

/// OffsetFetch.
pub(in super::super) fn decide_fetch(
    groups: &Groups,
    ticket: Ticket,
    request: &OffsetFetchRequestGroup,
    require_stable: bool,
) -> Decision {
    let checked = groups.group(&request.group_id).map_or(Ok(()), |group| group.check_fetch(request));
    let response = match checked {
        Ok(()) => fetch::fetch(&groups.offsets, request, require_stable),
        Err(error_code) => {
            let group_id = request.group_id.clone();
            OffsetFetchResponseGroup { group_id, error_code, ..Default::default() }
        }
    };
    Decision::reply(ticket, Reply::OffsetFetch(response))
}
