//! A consumer of either protocol: what it believes, and what it does next.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::apis::consumer_group_heartbeat::RequestTopicPartitions;
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::sync_group::SyncGroupRequest;
use strandline_protocol::embedded::consumer::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, OwnedPartitions,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::super::simulation::Random;
use super::super::world::{Beat, GROUP, World, topic_id};
use super::leader::assign;
use super::{Planted, TOPIC};
use crate::coordinator::Ticket;
use crate::groups::classic::Join;
use crate::groups::consumer::member::Member;
use crate::groups::{Reply, Request};

/// What a consumer speaks, and how it gives up partitions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    New,
    /// Classic: it gives up everything before it joins anew.
    Eager,
    /// Classic: it gives up what it is not given again, and joins once more.
    Cooperative,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Out,
    Joining(Ticket),
    Syncing(Ticket),
    In,
}

#[derive(Clone, Debug)]
pub(super) struct Client {
    number: usize,
    processes: u128,
    protocol: Protocol,
    pub(super) instance_id: Option<Text>,
    pub(super) id: Text,
    /// The member's epoch, or the generation.
    pub(super) epoch: i32,
    state: State,
    /// What it reads from, and how far it got.
    pub(super) owned: BTreeMap<i32, i64>,
    /// Whether it tells everything with its next heartbeat, of the new protocol.
    is_whole_next: bool,
    acknowledged: Option<BTreeSet<i32>>,
    pub(super) is_stalled: bool,
}

impl Client {
    pub(super) fn new(number: usize, random: &mut Random) -> Self {
        let instance_id = random.is_one_in(3).then(|| Text::from(format!("instance-{number}")));
        let mut client = Self {
            number,
            processes: 0,
            protocol: Protocol::New,
            instance_id,
            id: Text::new(),
            epoch: 0,
            state: State::Out,
            owned: BTreeMap::new(),
            is_whole_next: true,
            acknowledged: None,
            is_stalled: false,
        };
        client.restart(None, random);
        client
    }

    /// Another process takes its place.
    pub(super) fn restart(&mut self, protocol: Option<Protocol>, random: &mut Random) {
        self.processes += 1;
        let any = [Protocol::New, Protocol::Eager, Protocol::Cooperative][random.below(3)];
        self.protocol = protocol.unwrap_or(any);
        self.is_stalled = false;
        self.lost();
    }

    /// It is no member any more, as it has just learned.
    fn lost(&mut self) {
        self.id = match self.protocol {
            Protocol::New => format!("member-{}-{}", self.number, self.processes).into(),
            _ => Text::new(),
        };
        (self.epoch, self.state) = (0, State::Out);
        self.owned.clear();
        (self.is_whole_next, self.acknowledged) = (true, None);
    }

    pub(super) fn is_in(&self) -> bool {
        self.state == State::In
    }

    /// Whether a member of a consumer group is in the epoch that the client knows, or had it before. One of the classic
    /// protocol that was thrown out and joins with the id that it had is a new member, and learns so when it syncs.
    pub(super) fn has_epoch_of(&self, member: &Member) -> bool {
        let is_known = self.is_in() || member.previous_epoch > 0;
        is_known
            && (self.protocol == Protocol::New) != member.is_classic()
            && (self.epoch == member.epoch || self.epoch == member.previous_epoch)
    }

    /// Whoever waits for an answer that did not come connects anew, and asks again.
    pub(super) fn disconnected(&mut self, world: &World) {
        if let State::Joining(ticket) | State::Syncing(ticket) = self.state
            && !world.later.contains_key(&ticket)
        {
            self.state = State::Out;
        }
        self.is_whole_next = true;
    }

    /// Does what is next; says whether it learned that it is out.
    pub(super) fn act(&mut self, world: &mut World, planted: Option<Planted>, is_lost: bool) -> bool {
        match self.state {
            _ if self.protocol == Protocol::New => self.beat(world, is_lost),
            State::Out => {
                let ticket = world.ask_and_wait(self.join_request(planted));
                self.state = State::Joining(ticket);
                false
            }
            State::Joining(ticket) => match world.later.remove(&ticket) {
                Some(Reply::JoinGroup(response)) if !is_lost => self.joined(world, response),
                Some(_) => self.again(),
                None => false,
            },
            State::Syncing(ticket) => match world.later.remove(&ticket) {
                Some(Reply::SyncGroup(response)) if !is_lost => match response.error_code {
                    ErrorCode::NONE => {
                        let read = ConsumerProtocolAssignment::from_member_bytes(response.assignment);
                        let topics = read.unwrap().assigned_partitions.into_iter();
                        let given = topics.flat_map(|topic| topic.partitions).collect();
                        self.given(world, &given)
                    }
                    code => self.refused(code),
                },
                Some(_) => self.again(),
                None => false,
            },
            State::In => self.heartbeat(world, planted),
        }
    }

    /// It joins anew, with what it still has.
    fn again(&mut self) -> bool {
        if self.protocol == Protocol::Eager {
            self.owned.clear();
        }
        self.state = State::Out;
        false
    }

    fn refused(&mut self, code: ErrorCode) -> bool {
        match code {
            ErrorCode::REBALANCE_IN_PROGRESS => self.again(),
            ErrorCode::ILLEGAL_GENERATION => {
                self.owned.clear();
                self.state = State::Out;
                true
            }
            _ => {
                self.lost();
                true
            }
        }
    }

    /// It has exactly this from now on, and reads on from where its group is.
    fn given(&mut self, world: &World, given: &BTreeSet<i32>) -> bool {
        let had = self.owned.len();
        self.owned.retain(|partition, _| given.contains(partition));
        let gave_up = self.owned.len() < had;
        for partition in given {
            let committed = world.groups.offsets().get(GROUP, TOPIC, *partition);
            self.owned.entry(*partition).or_insert_with(|| committed.map_or(0, |offset| offset.offset));
        }
        let joins_again = gave_up && self.protocol == Protocol::Cooperative;
        self.state = if joins_again { State::Out } else { State::In };
        false
    }

    fn joined(&mut self, world: &mut World, response: JoinGroupResponse) -> bool {
        if response.error_code != ErrorCode::NONE {
            return self.refused(response.error_code);
        }
        (self.id, self.epoch) = (response.member_id.clone(), response.generation_id);
        let is_leader = response.leader == self.id && !response.members.is_empty();
        let assignments = if is_leader { assign(world, &response) } else { Vec::new() };
        let request = SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: self.epoch,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments,
            ..Default::default()
        };
        self.state = State::Syncing(world.ask_and_wait(Request::SyncGroup(request)));
        false
    }

    fn join_request(&self, planted: Option<Planted>) -> Request {
        let is_told = !self.owned.is_empty() && planted != Some(Planted::OwnedNotLookedAt);
        let owned = OwnedPartitions { topic: TOPIC.into(), partitions: self.owned.keys().copied().collect() };
        let subscription = ConsumerProtocolSubscription {
            topics: vec![TOPIC.into()],
            owned_partitions: if is_told { vec![owned] } else { Vec::new() },
            ..Default::default()
        };
        let metadata = subscription.to_member_bytes(1).unwrap();
        let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata, ..Default::default() };
        let request = JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 30_000,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![protocol],
            ..Default::default()
        };
        let random_id = Uuid::from((self.processes << 32) | (self.number as u128 + 1));
        Request::JoinGroup(Join { request, random_id, needs_member_id: false, knows_skip_assignment: true })
    }

    fn heartbeat(&mut self, world: &mut World, planted: Option<Planted>) -> bool {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: self.told_epoch(world, &self.id, planted),
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            ..Default::default()
        };
        match world.ask(Request::Heartbeat(request)) {
            Reply::Heartbeat(ErrorCode::NONE) => false,
            Reply::Heartbeat(code) => self.refused(code),
            other => panic!("{other:?}"),
        }
    }

    /// A heartbeat of the new protocol.
    fn beat(&mut self, world: &mut World, is_lost: bool) -> bool {
        let mut beat = Beat::stay(&self.id, self.epoch);
        if let Some(instance_id) = &self.instance_id {
            beat = beat.named(instance_id);
        }
        let owned: BTreeSet<i32> = self.owned.keys().copied().collect();
        if self.epoch == 0 || self.is_whole_next {
            beat.0.rebalance_timeout_ms = 20_000;
            beat.0.subscribed_topic_names = Some(vec![TOPIC.into()]);
        }
        if self.epoch == 0 || self.is_whole_next || self.acknowledged.as_ref() != Some(&owned) {
            let partitions: Vec<i32> = owned.iter().copied().collect();
            let topic =
                RequestTopicPartitions { topic_id: topic_id(TOPIC), partitions, ..Default::default() };
            beat.0.topic_partitions = Some(if owned.is_empty() { Vec::new() } else { vec![topic] });
        }
        match world.beat(beat) {
            _ if is_lost => {
                self.is_whole_next = true;
                false
            }
            Ok(response) => {
                (self.is_whole_next, self.acknowledged, self.epoch) =
                    (false, Some(owned), response.member_epoch);
                self.state = State::In;
                if let Some(assignment) = &response.assignment {
                    let topics = assignment.topic_partitions.iter();
                    let given = topics.flat_map(|topic| topic.partitions.iter().copied()).collect();
                    self.given(world, &given);
                }
                false
            }
            Err(ErrorCode::UNRELEASED_INSTANCE_ID) => {
                self.is_whole_next = true;
                false
            }
            Err(_) => {
                self.lost();
                true
            }
        }
    }

    pub(super) fn leave(&mut self, world: &mut World) {
        if self.protocol == Protocol::New {
            let mut beat = Beat::stay(&self.id, -1);
            if let Some(instance_id) = &self.instance_id {
                beat = beat.named(instance_id);
            }
            let _ = world.beat(beat);
            return;
        }
        let member = MemberIdentity {
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            ..Default::default()
        };
        let request =
            LeaveGroupRequest { group_id: GROUP.into(), members: vec![member], ..Default::default() };
        let _ = world.ask(Request::LeaveGroup(request));
    }

    /// Reads on, and commits for each partition; says what came of it. Under the name of another, if one is given.
    pub(super) fn work(
        &mut self,
        world: &mut World,
        heir: &str,
        planted: Option<Planted>,
    ) -> Vec<(i32, i64, bool)> {
        if self.state == State::Out && self.owned.is_empty() {
            return Vec::new();
        }
        let id = if heir.is_empty() { self.id.clone() } else { heir.into() };
        let mut commits = Vec::new();
        for (partition, position) in &mut self.owned {
            *position += 1;
            commits.push((*partition, *position));
        }
        let epoch =
            if heir.is_empty() { self.told_epoch(world, &id, planted) } else { present_epoch(world, &id) };
        let mut commit = |(partition, offset)| {
            let code = commit(world, &id, epoch, partition, offset);
            (partition, offset, code == ErrorCode::NONE)
        };
        commits.into_iter().map(&mut commit).collect()
    }

    /// The epoch that it names.
    fn told_epoch(&self, world: &World, id: &Text, planted: Option<Planted>) -> i32 {
        let is_altered = planted == Some(Planted::GenerationNotChecked);
        if is_altered { present_epoch(world, id) } else { self.epoch }
    }
}

/// The epoch or generation that a member is in.
fn present_epoch(world: &World, id: &Text) -> i32 {
    match world.groups.group(GROUP) {
        Some(crate::groups::Group::Consumer(group)) => group.member(id).map_or(0, |member| member.epoch),
        Some(crate::groups::Group::Classic(group)) => group.generation(),
        None => 0,
    }
}

fn commit(world: &mut World, id: &Text, epoch: i32, partition: i32, offset: i64) -> ErrorCode {
    let partition = OffsetCommitRequestPartition {
        partition_index: partition,
        committed_offset: offset,
        ..Default::default()
    };
    let topic =
        OffsetCommitRequestTopic { name: TOPIC.into(), partitions: vec![partition], ..Default::default() };
    let request = OffsetCommitRequest {
        group_id: GROUP.into(),
        generation_id_or_member_epoch: epoch,
        member_id: id.clone(),
        topics: vec![topic],
        ..Default::default()
    };
    match world.ask(Request::OffsetCommit { request, version: 9 }) {
        Reply::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
        other => panic!("{other:?}"),
    }
}
