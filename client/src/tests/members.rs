//! The coordinator of one group of a troubled cluster, by the classic protocol: it forgets whoever is silent, and has
//! everyone join anew whenever somebody comes or goes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::apis::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
use strandline_protocol::embedded::consumer::ConsumerProtocolSubscription;
use strandline_protocol::{ErrorCode, Text};
use tokio::time::Instant;

use super::fake::{Asked, frame};
use super::modern_members::ModernGroup;
use super::troubled::Inner;

/// Whoever is silent for so long is no member any more.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(3);

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Phase {
    #[default]
    Stable,
    Joining,
    Syncing,
}

struct Member {
    metadata: Bytes,
    is_joining: bool,
    assignment: Bytes,
    seen: Instant,
}

#[derive(Default)]
pub(crate) struct Group {
    generation: i32,
    phase: Phase,
    protocol: Text,
    members: BTreeMap<Text, Member>,
    invited: BTreeSet<Text>,
    pub(crate) committed: BTreeMap<i32, i64>,
    pub(crate) modern: ModernGroup,
    /// The racks that those who joined said they are in.
    pub(super) racks: BTreeSet<Option<Text>>,
    /// What every member is refused with from now on.
    pub(super) turned_away: Option<ErrorCode>,
}

impl Group {
    /// Nobody who is in it is a member any more.
    pub(super) fn fence(&mut self) {
        self.members.clear();
        self.modern.fence();
    }

    fn expire(&mut self) {
        let before = self.members.len();
        self.members.retain(|_, member| member.seen.elapsed() < SILENCE_MAX);
        if self.members.len() != before {
            self.phase = Phase::Joining;
        }
        self.form();
    }

    /// All are there: the next generation begins.
    fn form(&mut self) {
        if self.phase != Phase::Joining || self.members.values().any(|member| !member.is_joining) {
            return;
        }
        self.generation += 1;
        self.phase = Phase::Syncing;
        for member in self.members.values_mut() {
            member.is_joining = false;
            member.assignment = Bytes::new();
            member.seen = Instant::now();
        }
    }

    fn check(&mut self, member: &Text, generation: i32) -> Result<(), ErrorCode> {
        if !self.modern.is_empty() {
            return self.modern.check(member, generation);
        }
        self.expire();
        let member = self.members.get_mut(member).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        member.seen = Instant::now();
        if generation == self.generation { Ok(()) } else { Err(ErrorCode::ILLEGAL_GENERATION) }
    }

    fn join(&mut self, request: &JoinGroupRequest, is_first: bool) -> Option<JoinGroupResponse> {
        let id = &request.member_id;
        if id.is_empty() {
            let member_id = Text::from(format!("member {}", self.invited.len()).as_str());
            self.invited.insert(member_id.clone());
            let error_code = ErrorCode::MEMBER_ID_REQUIRED;
            return Some(JoinGroupResponse { error_code, member_id, ..Default::default() });
        }
        if is_first && self.invited.contains(id) {
            let protocol = request.protocols.first().unwrap();
            self.protocol = protocol.name.clone();
            let metadata = protocol.metadata.clone();
            self.racks
                .insert(ConsumerProtocolSubscription::from_member_bytes(metadata.clone()).unwrap().rack_id);
            let member =
                Member { metadata, is_joining: true, assignment: Bytes::new(), seen: Instant::now() };
            self.members.insert(id.clone(), member);
            self.phase = Phase::Joining;
        }
        self.expire();
        let Some(member) = self.members.get_mut(id) else {
            // It was away for too long: it is somebody else when it comes back.
            self.invited.insert(id.clone());
            let error_code = ErrorCode::UNKNOWN_MEMBER_ID;
            return Some(JoinGroupResponse { error_code, ..Default::default() });
        };
        if member.is_joining {
            return None;
        }
        let leader = self.members.keys().next().cloned().unwrap_or_default();
        let described = |(id, member): (&Text, &Member)| JoinGroupResponseMember {
            member_id: id.clone(),
            metadata: member.metadata.clone(),
            ..Default::default()
        };
        let is_leader = leader == *id;
        Some(JoinGroupResponse {
            generation_id: self.generation,
            protocol_name: Some(self.protocol.clone()),
            members: if is_leader { self.members.iter().map(described).collect() } else { Vec::new() },
            leader,
            member_id: id.clone(),
            ..Default::default()
        })
    }

    fn sync(&mut self, request: &SyncGroupRequest) -> Option<SyncGroupResponse> {
        let refused = |error_code| Some(SyncGroupResponse { error_code, ..Default::default() });
        if let Err(code) = self.check(&request.member_id, request.generation_id) {
            return refused(code);
        }
        if self.phase == Phase::Syncing && !request.assignments.is_empty() {
            for given in &request.assignments {
                if let Some(member) = self.members.get_mut(&given.member_id) {
                    member.assignment = given.assignment.clone();
                }
            }
            self.phase = Phase::Stable;
        }
        match self.phase {
            Phase::Joining => refused(ErrorCode::REBALANCE_IN_PROGRESS),
            Phase::Syncing => None,
            Phase::Stable => {
                let assignment = self.members.get(&request.member_id).map(|member| member.assignment.clone());
                let assignment = assignment.unwrap_or_default();
                Some(SyncGroupResponse { assignment, ..Default::default() })
            }
        }
    }

    fn heartbeat(&mut self, request: &HeartbeatRequest) -> HeartbeatResponse {
        let checked = self.check(&request.member_id, request.generation_id);
        let error_code = match checked.and(self.turned_away.map_or(Ok(()), Err)) {
            Err(code) => code,
            Ok(()) if self.phase == Phase::Joining => ErrorCode::REBALANCE_IN_PROGRESS,
            Ok(()) => ErrorCode::NONE,
        };
        HeartbeatResponse { error_code, ..Default::default() }
    }

    fn leave(&mut self, request: &LeaveGroupRequest) -> LeaveGroupResponse {
        for member in &request.members {
            if self.members.remove(&member.member_id).is_some() {
                self.phase = Phase::Joining;
            }
        }
        self.form();
        LeaveGroupResponse::default()
    }

    fn commit(&mut self, request: &OffsetCommitRequest) -> OffsetCommitResponse {
        let checked = self.check(&request.member_id, request.generation_id_or_member_epoch);
        let checked = checked.and(match self.phase {
            Phase::Syncing => Err(ErrorCode::REBALANCE_IN_PROGRESS),
            _ => Ok(()),
        });
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                if checked.is_ok() {
                    let before = self.committed.insert(partition.partition_index, partition.committed_offset);
                    assert!(before <= Some(partition.committed_offset), "{partition:?} goes back");
                }
                partitions.push(OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: checked.err().unwrap_or(ErrorCode::NONE),
                    ..Default::default()
                });
            }
            let name = topic.name.clone();
            topics.push(OffsetCommitResponseTopic { name, partitions, ..Default::default() });
        }
        OffsetCommitResponse { topics, ..Default::default() }
    }

    fn offsets(&self, request: &OffsetFetchRequest) -> OffsetFetchResponse {
        let group = request.groups.first().unwrap();
        let topics = group.topics.iter().flatten().map(|topic| OffsetFetchResponseTopics {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(|partition| self.offset(*partition)).collect(),
            ..Default::default()
        });
        let group = OffsetFetchResponseGroup {
            group_id: group.group_id.clone(),
            topics: topics.collect(),
            ..Default::default()
        };
        OffsetFetchResponse { groups: vec![group], ..Default::default() }
    }

    fn offset(&self, partition_index: i32) -> OffsetFetchResponsePartitions {
        let committed_offset = self.committed.get(&partition_index).copied().unwrap_or(-1);
        OffsetFetchResponsePartitions { partition_index, committed_offset, ..Default::default() }
    }
}

impl Inner {
    /// Whether this is for the coordinator of the group.
    pub(super) fn is_of_group(asked: &Asked) -> bool {
        asked.is::<JoinGroupRequest>()
            || asked.is::<ConsumerGroupHeartbeatRequest>()
            || asked.is::<SyncGroupRequest>()
            || asked.is::<HeartbeatRequest>()
            || asked.is::<LeaveGroupRequest>()
            || asked.is::<OffsetCommitRequest>()
            || asked.is::<OffsetFetchRequest>()
    }

    /// The coordinator's answer; none as long as others are waited for.
    pub(super) fn answer_of_group(&mut self, broker: usize, asked: &Asked, is_first: bool) -> Option<Bytes> {
        let is_elsewhere = self.coordinator.broker != broker;
        let is_refused = is_elsewhere || (is_first && self.is_trouble());
        let code =
            if is_elsewhere { ErrorCode::NOT_COORDINATOR } else { ErrorCode::COORDINATOR_LOAD_IN_PROGRESS };
        let error_code = if is_refused { code } else { ErrorCode::NONE };
        let partitions = i32::try_from(self.logs.len()).unwrap();
        let group = &mut self.group;
        if asked.is::<ConsumerGroupHeartbeatRequest>() {
            let request: ConsumerGroupHeartbeatRequest = asked.decode();
            if request.member_epoch == 0 {
                group.racks.insert(request.rack_id.clone());
            }
            let turned_away = group.turned_away.filter(|_| !is_refused);
            let error_code = turned_away.unwrap_or(error_code);
            let refusal = ConsumerGroupHeartbeatResponse { error_code, ..Default::default() };
            let is_refused = is_refused || turned_away.is_some();
            let answer = if is_refused { refusal } else { group.modern.beat(&request, partitions) };
            return Some(frame(asked, &answer));
        }
        if asked.is::<JoinGroupRequest>() {
            let refusal = JoinGroupResponse { error_code, ..Default::default() };
            let request = asked.decode();
            let answer = if is_refused { Some(refusal) } else { group.join(&request, is_first) };
            return answer.map(|answer| frame(asked, &answer));
        }
        if asked.is::<SyncGroupRequest>() {
            let refusal = SyncGroupResponse { error_code, ..Default::default() };
            let answer = if is_refused { Some(refusal) } else { group.sync(&asked.decode()) };
            return answer.map(|answer| frame(asked, &answer));
        }
        Some(if asked.is::<HeartbeatRequest>() {
            let refusal = HeartbeatResponse { error_code, ..Default::default() };
            frame(asked, &if is_refused { refusal } else { group.heartbeat(&asked.decode()) })
        } else if asked.is::<LeaveGroupRequest>() {
            let refusal = LeaveGroupResponse { error_code, ..Default::default() };
            frame(asked, &if is_refused { refusal } else { group.leave(&asked.decode()) })
        } else if asked.is::<OffsetCommitRequest>() {
            frame(asked, &group.commit_or(&asked.decode(), error_code))
        } else {
            frame(asked, &group.offsets_or(&asked.decode(), error_code))
        })
    }
}

impl Group {
    fn commit_or(&mut self, request: &OffsetCommitRequest, error_code: ErrorCode) -> OffsetCommitResponse {
        if error_code == ErrorCode::NONE {
            return self.commit(request);
        }
        let topics = request.topics.iter().map(|topic| OffsetCommitResponseTopic {
            name: topic.name.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|partition| OffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code,
                    ..Default::default()
                })
                .collect(),
            ..Default::default()
        });
        OffsetCommitResponse { topics: topics.collect(), ..Default::default() }
    }

    fn offsets_or(&self, request: &OffsetFetchRequest, error_code: ErrorCode) -> OffsetFetchResponse {
        if error_code == ErrorCode::NONE {
            return self.offsets(request);
        }
        let group_id = request.groups.first().unwrap().group_id.clone();
        let group = OffsetFetchResponseGroup { group_id, error_code, ..Default::default() };
        OffsetFetchResponse { groups: vec![group], ..Default::default() }
    }
}
