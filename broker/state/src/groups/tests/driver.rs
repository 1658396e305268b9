//! Drives a machine as a shard does, with a log in memory and a clock of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponsePartitions,
};
use strandline_protocol::apis::sync_group::SyncGroupResponse;
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use strandline_protocol::{Bytes, ErrorCode, Text, Uuid};

use super::super::classic::{ClassicGroup, Join};
use super::super::{
    Ask, Caller, Command, Decision, Event, Group, GroupRecord, GroupSettings, Groups, Reply, Request, Sign,
    Timer,
};
pub(super) use super::requests::{committing, joining, leaving, protocols, syncing};
use crate::coordinator::{Machine, Origin, Record, Ticket, TransactionEnd};
use crate::metadata::MetadataImage;
use crate::metadata::MetadataRecord;
use crate::metadata::evolve;
use crate::metadata::record::{TopicKey, TopicValue};

/// One thing in a log.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Record(Origin, Bytes, Option<Bytes>),
    End(TransactionEnd),
}

/// A machine, the log that it is replayed from, and everybody who waits.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) groups: Groups,
    pub(super) log: Vec<Entry>,
    /// The wall clock, which tests may set.
    pub(super) now_ms: i64,
    /// The clock that nobody sets: timers go by it.
    monotonic_ms: i64,
    pub(super) timers: BTreeMap<Timer, i64>,
    pub(super) replies: BTreeMap<Ticket, Reply>,
    /// What was told of what the machine decided by itself.
    pub(super) told: Vec<Event>,
    next_ticket: u64,
}

pub(super) fn settings() -> GroupSettings {
    GroupSettings { initial_rebalance_delay_ms: 0, ..GroupSettings::default() }
}

/// A cluster with these topics; the id of each is its place, from 1 on.
pub(super) fn image(names: &[&str]) -> Arc<MetadataImage> {
    let mut image = MetadataImage::default();
    for (place, name) in (0..).zip(names) {
        let key = TopicKey { topic_id: topic_id(place) };
        let value = TopicValue { name: Text::from(*name), ..Default::default() };
        evolve(&mut image, i64::from(place), &MetadataRecord::Topic(key, Some(value))).unwrap();
    }
    Arc::new(image)
}

/// Whether it is nothing that a request asked for.
fn is_of_its_own(event: &Event) -> bool {
    matches!(event, Event::MemberExpired { .. } | Event::OffsetsExpired { .. })
}

pub(super) fn topic_id(place: u8) -> Uuid {
    Uuid([place + 1; 16])
}

impl Driver {
    pub(super) fn new(settings: GroupSettings, topics: &[&str]) -> Self {
        Self {
            groups: Groups::new(Arc::new(settings), image(topics)),
            log: Vec::new(),
            now_ms: 1_000_000,
            monotonic_ms: 0,
            timers: BTreeMap::new(),
            replies: BTreeMap::new(),
            told: Vec::new(),
            next_ticket: 0,
        }
    }

    /// A machine that is replayed from so much of the log.
    pub(super) fn replayed(&self, entries: usize) -> Groups {
        self.replay((0..).zip(&self.log[..entries]))
    }

    /// A machine that is replayed from these, with their offsets.
    pub(super) fn replay<'a>(&self, entries: impl IntoIterator<Item = (i64, &'a Entry)>) -> Groups {
        let mut groups = Groups::new(Arc::clone(self.groups.settings()), Arc::clone(self.groups.image()));
        for (offset, entry) in entries {
            match entry {
                Entry::Record(origin, key, value) => {
                    let record = GroupRecord::from_bytes(key.clone(), value.clone()).unwrap().unwrap();
                    groups.evolve(offset, *origin, record);
                }
                Entry::End(end) => groups.end_transaction(offset, *end),
            }
        }
        groups
    }

    /// The process dies, and the log is replayed. Nobody waits any more.
    pub(super) fn restart(&mut self) {
        self.groups = self.replayed(self.log.len());
        self.timers.clear();
        self.replies.clear();
        let decision = self.groups.loaded(self.now_ms);
        self.carry_out(decision);
    }

    pub(super) fn carry_out(&mut self, decision: Decision) {
        let Decision { origin, records, passing, replies, timers, events, .. } = decision;
        for record in records {
            let (key, value) = record.to_bytes().unwrap();
            let offset = i64::try_from(self.log.len()).unwrap();
            self.log.push(Entry::Record(origin, key, value));
            self.groups.evolve(offset, origin, record);
        }
        passing.into_iter().for_each(|passing| self.groups.pass(passing));
        self.told.extend(events.into_iter().filter(is_of_its_own));
        for (ticket, reply) in replies {
            assert!(self.replies.insert(ticket, reply).is_none(), "{ticket:?} is answered twice");
        }
        for (timer, due_ms) in timers {
            match due_ms {
                Some(due_ms) => drop(self.timers.insert(timer, due_ms - self.now_ms + self.monotonic_ms)),
                None => drop(self.timers.remove(&timer)),
            }
        }
    }

    pub(super) fn command(&mut self, command: Command) {
        let decision = self.groups.decide(self.now_ms, command);
        self.carry_out(decision);
    }

    /// Asks, and says by which ticket. Every other sign of life is heeded, where it can be.
    pub(super) fn ask(&mut self, request: Request) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        let heeded = match &request {
            Request::Heartbeat(request) if ticket.0.is_multiple_of(2) => {
                self.groups.heed(self.monotonic(), self.now_ms, Sign::Classic(request))
            }
            _ => None,
        };
        let caller =
            Caller { client_id: "client".into(), client_host: "/10.0.0.1".into(), ..Caller::default() };
        let command = Command::Ask(Box::new(Ask { ticket, caller, request }));
        match heeded {
            Some(heeded) => {
                let decision = self.groups.decide(self.now_ms, command);
                assert!(decision.records.is_empty() && decision.passing.is_empty(), "more is to be done");
                assert_eq!(decision.replies, [(ticket, heeded.reply)]);
                // Its timer stays as it is: that its session is another one comes to light when that goes off.
                self.carry_out(Decision { timers: Vec::new(), ..decision });
            }
            None => self.command(command),
        }
        ticket
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.unsigned_abs())
    }

    /// Asks what is answered at once.
    pub(super) fn call(&mut self, request: Request) -> Reply {
        let ticket = self.ask(request);
        self.take(ticket).expect("it is answered at once")
    }

    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Reply> {
        self.replies.remove(&ticket)
    }

    /// Lets time pass, and has go off what is due, in order.
    pub(super) fn pass_ms(&mut self, ms: i64) {
        let end_ms = self.monotonic_ms + ms;
        loop {
            let due = self.timers.iter().filter(|(_, due_ms)| **due_ms <= end_ms);
            let Some((timer, due_ms)) = due.min_by_key(|(_, due_ms)| **due_ms) else { break };
            let (timer, due_ms) = (timer.clone(), *due_ms);
            self.timers.remove(&timer);
            self.advance(due_ms.max(self.monotonic_ms));
            let now = self.monotonic();
            match self.groups.put_off(&timer).filter(|until| *until > now) {
                Some(until) => drop(self.timers.insert(timer, i64::try_from(until.as_millis()).unwrap())),
                None => self.command(Groups::due(timer)),
            }
        }
        self.advance(end_ms);
    }

    fn advance(&mut self, to_ms: i64) {
        self.now_ms += to_ms - self.monotonic_ms;
        self.monotonic_ms = to_ms;
    }

    pub(super) fn group(&self, id: &str) -> &ClassicGroup {
        match self.groups.group(id) {
            Some(Group::Classic(group)) => group,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn join(&mut self, join: Join) -> Ticket {
        self.ask(Request::JoinGroup(join))
    }

    pub(super) fn joined(&mut self, ticket: Ticket) -> JoinGroupResponse {
        match self.take(ticket) {
            Some(Reply::JoinGroup(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    /// A member that comes in by the two steps of new clients, and waits.
    pub(super) fn enter(&mut self, group: &str) -> (Text, Ticket) {
        let ticket = self.join(joining(group, ""));
        let response = self.joined(ticket);
        assert_eq!(response.error_code, ErrorCode::MEMBER_ID_REQUIRED);
        let id = response.member_id;
        let ticket = self.join(joining(group, &id));
        (id, ticket)
    }

    /// A group with so many members that is stable.
    pub(super) fn stable(&mut self, group: &str, count: usize) -> Vec<Text> {
        let waiting: Vec<_> = (0..count).map(|_| self.enter(group)).collect();
        self.pass_ms(0);
        let joined: Vec<_> = waiting.into_iter().map(|(_, ticket)| self.joined(ticket)).collect();
        let leader = joined.iter().find(|joined| joined.leader == joined.member_id).unwrap().clone();
        let assignments = joined.iter().map(|joined| (joined.member_id.clone(), joined.member_id.clone()));
        let assignments: Vec<_> = assignments.collect();
        for joined in joined.iter().filter(|joined| joined.member_id != leader.member_id) {
            self.sync(group, joined, &[]);
        }
        self.sync(group, &leader, &assignments);
        self.replies.clear();
        joined.into_iter().map(|joined| joined.member_id).collect()
    }

    pub(super) fn sync(
        &mut self,
        group: &str,
        joined: &JoinGroupResponse,
        assignments: &[(Text, Text)],
    ) -> Ticket {
        self.ask(Request::SyncGroup(syncing(group, joined, assignments)))
    }

    pub(super) fn synced(&mut self, ticket: Ticket) -> SyncGroupResponse {
        match self.take(ticket) {
            Some(Reply::SyncGroup(response)) => response,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn heartbeat(&mut self, group: &str, id: &str, generation: i32) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: group.into(),
            generation_id: generation,
            member_id: id.into(),
            ..Default::default()
        };
        match self.call(Request::Heartbeat(request)) {
            Reply::Heartbeat(code) => code,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn leave(&mut self, group: &str, members: Vec<MemberIdentity>) -> LeaveGroupResponse {
        let request = LeaveGroupRequest { group_id: group.into(), members, ..Default::default() };
        match self.call(Request::LeaveGroup(request)) {
            Reply::LeaveGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// Commits, and says what came of it.
    pub(super) fn commit(
        &mut self,
        group: &str,
        member: (&str, i32),
        place: (&str, i32),
        offset: i64,
    ) -> ErrorCode {
        self.commit_in(9, group, member, place, offset)
    }

    pub(super) fn commit_in(
        &mut self,
        version: i16,
        group: &str,
        member: (&str, i32),
        place: (&str, i32),
        offset: i64,
    ) -> ErrorCode {
        let request = committing(group, member, place, offset);
        match self.call(Request::OffsetCommit { request, version }) {
            Reply::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
            other => panic!("{other:?}"),
        }
    }

    /// Commits in a producer's transaction.
    pub(super) fn commit_in_transaction(
        &mut self,
        producer_id: i64,
        group: &str,
        member: (&str, i32),
        place: (&str, i32),
        offset: i64,
    ) -> ErrorCode {
        let partition = TxnOffsetCommitRequestPartition {
            partition_index: place.1,
            committed_offset: offset,
            ..Default::default()
        };
        let topic = TxnOffsetCommitRequestTopic {
            name: place.0.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = TxnOffsetCommitRequest {
            group_id: group.into(),
            producer_id,
            generation_id: member.1,
            member_id: member.0.into(),
            topics: vec![topic],
            ..Default::default()
        };
        match self.call(Request::TxnOffsetCommit(request)) {
            Reply::TxnOffsetCommit(response) => response.topics[0].partitions[0].error_code,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn end(&mut self, producer_id: i64, is_commit: bool) {
        let end = TransactionEnd { producer_id, producer_epoch: 0, is_commit };
        let offset = i64::try_from(self.log.len()).unwrap();
        self.log.push(Entry::End(end));
        self.groups.end_transaction(offset, end);
    }

    pub(super) fn fetch(
        &mut self,
        group: &str,
        place: (&str, i32),
        require_stable: bool,
    ) -> OffsetFetchResponsePartitions {
        let topic = OffsetFetchRequestTopics {
            name: place.0.into(),
            partition_indexes: vec![place.1],
            ..Default::default()
        };
        let request = OffsetFetchRequestGroup {
            group_id: group.into(),
            topics: Some(vec![topic]),
            ..Default::default()
        };
        match self.call(Request::OffsetFetch { request, require_stable }) {
            Reply::OffsetFetch(mut response) => response.topics.remove(0).partitions.remove(0),
            other => panic!("{other:?}"),
        }
    }

    /// What is committed; -1 for nothing.
    pub(super) fn offset(&mut self, group: &str, place: (&str, i32)) -> i64 {
        self.fetch(group, place, false).committed_offset
    }
}
