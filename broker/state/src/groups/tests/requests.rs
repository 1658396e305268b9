//! Requests as members send them.

use std::sync::atomic::{AtomicU64, Ordering};

use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use strandline_protocol::apis::leave_group::MemberIdentity;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use strandline_protocol::{Bytes, Text, Uuid};

use super::super::classic::Join;

pub(super) fn protocols(names: &[&str]) -> Vec<JoinGroupRequestProtocol> {
    let protocols = names.iter().map(|name| JoinGroupRequestProtocol {
        name: Text::from(*name),
        metadata: Bytes::from(format!("of {name}").into_bytes()),
        ..Default::default()
    });
    protocols.collect()
}

/// Someone who joins as new clients do.
pub(super) fn joining(group: &str, member_id: &str) -> Join {
    let request = JoinGroupRequest {
        group_id: group.into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: protocols(&["range"]),
        ..Default::default()
    };
    Join { request, random_id: random_id(), needs_member_id: true, knows_skip_assignment: true }
}

/// An id that nothing else has.
pub(super) fn random_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0; 16];
    bytes[8..].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    Uuid(bytes)
}

pub(super) fn syncing(
    group: &str,
    joined: &JoinGroupResponse,
    assignments: &[(Text, Text)],
) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member_id, assignment)| SyncGroupRequestAssignment {
        member_id: member_id.clone(),
        assignment: assignment.as_bytes().clone(),
        ..Default::default()
    });
    SyncGroupRequest {
        group_id: group.into(),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        assignments: assignments.collect(),
        ..Default::default()
    }
}

pub(super) fn committing(
    group: &str,
    member: (&str, i32),
    place: (&str, i32),
    offset: i64,
) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        partition_index: place.1,
        committed_offset: offset,
        ..Default::default()
    };
    let topic =
        OffsetCommitRequestTopic { name: place.0.into(), partitions: vec![partition], ..Default::default() };
    OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: member.1,
        member_id: member.0.into(),
        topics: vec![topic],
        ..Default::default()
    }
}

pub(super) fn leaving(member_id: &str) -> MemberIdentity {
    MemberIdentity { member_id: member_id.into(), ..Default::default() }
}
