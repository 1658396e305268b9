//! A classic group while a command changes it: a copy, and what follows from the changes.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::apis::join_group::{JoinGroupResponse, JoinGroupResponseMember};
use strandline_protocol::apis::sync_group::SyncGroupResponse;
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::{Decision, Event, GroupSettings, Groups, Kind, Missed, Passing, Reply, Timer};
use super::{ClassicGroup, Member, State};
use crate::coordinator::Ticket;

/// A member that is new is not heard of until its rebalance is over. Where the client gave up meanwhile, and came again
/// as somebody else, nobody will ever be: so long it has.
const NEW_MEMBER_TIMEOUT_MS: i64 = 5 * 60 * 1_000;

/// A group on its way to what it will be.
pub(super) struct Edit<'a> {
    settings: &'a GroupSettings,
    now_ms: i64,
    pub(super) id: Text,
    pub(super) group: ClassicGroup,
    pub(super) decision: Decision,
}

impl<'a> Edit<'a> {
    pub(super) fn new(groups: &'a Groups, now_ms: i64, id: Text, group: &ClassicGroup) -> Self {
        let (settings, group) = (&*groups.settings, group.clone());
        Self { settings, now_ms, id, group, decision: Decision::default() }
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// What all of it comes to.
    pub(super) fn finish(self) -> Decision {
        let Self { id, group, mut decision, .. } = self;
        decision.passing.push(Passing::Classic(id, Some(Arc::new(group))));
        decision
    }

    pub(super) fn reply(&mut self, ticket: Ticket, reply: Reply) {
        self.decision.replies.push((ticket, reply));
    }

    /// Has the group recorded as it is.
    pub(super) fn record(&mut self) {
        self.decision.records.push(self.group.to_record(&self.id));
    }

    fn set_timer(&mut self, timer: Timer, after_ms: i64) {
        self.decision.timers.push((timer, Some(self.now_ms.saturating_add(after_ms))));
    }

    fn cancel_timer(&mut self, timer: Timer) {
        self.decision.timers.push((timer, None));
    }

    fn session_timer(&self, member: &Text) -> Timer {
        Timer::Session { group: self.id.clone(), member: member.clone() }
    }

    /// Gives a member its session once more.
    pub(super) fn renew_session(&mut self, member: &Text) {
        let timeout_ms = self.group.members.get(member).map_or(0, |member| member.session_timeout_ms);
        self.set_session(member, i64::from(timeout_ms));
    }

    pub(super) fn set_session(&mut self, member: &Text, timeout_ms: i64) {
        let timer = self.session_timer(member);
        self.set_timer(timer, timeout_ms);
    }

    pub(super) fn end_session(&mut self, member: &Text) {
        let timer = self.session_timer(member);
        self.cancel_timer(timer);
    }

    fn become_state(&mut self, state: State) {
        self.group.state = state;
        self.group.state_since_ms = Some(self.now_ms);
    }

    /// Takes a member in that waits for the next generation, and sees to a rebalance.
    pub(super) fn add_member(&mut self, id: &Text, member: Member) {
        let group = &mut self.group;
        if group.state == State::PreparingRebalance && group.is_initial {
            group.has_new_member = true;
        }
        if group.members.is_empty() {
            group.protocol_type = Some(member.protocol_type.clone());
        }
        group.leader.get_or_insert_with(|| id.clone());
        group.pending_joins.remove(id);
        if let Some(instance_id) = &member.instance_id {
            group.static_members.insert(instance_id.clone(), id.clone());
        }
        group.members.insert(id.clone(), Arc::new(member));
        self.set_session(id, NEW_MEMBER_TIMEOUT_MS);
        self.rebalance_or_complete();
    }

    /// Takes a member out, and tells whoever waits for it that it is none.
    pub(super) fn remove_member(&mut self, id: &Text) {
        let group = &mut self.group;
        group.pending_joins.remove(id);
        group.pending_syncs.remove(id);
        let Some(member) = group.members.remove(id) else { return };
        if let Some(instance_id) = &member.instance_id {
            group.static_members.remove(instance_id);
        }
        if group.leader.as_ref() == Some(id) {
            group.leader = group.members.keys().next().cloned();
        }
        if let Some(ticket) = member.joining {
            self.reply(ticket, Reply::JoinGroup(join_refused(Text::new(), ErrorCode::UNKNOWN_MEMBER_ID)));
        }
        if let Some(ticket) = member.syncing {
            self.reply(ticket, Reply::SyncGroup(sync_refused(ErrorCode::UNKNOWN_MEMBER_ID)));
        }
    }

    /// Begins a rebalance where one may begin, and goes on with the one that is under way otherwise.
    pub(super) fn rebalance_or_complete(&mut self) {
        match self.group.state {
            State::PreparingRebalance => self.complete_if_all_joined(),
            State::Empty | State::CompletingRebalance | State::Stable => self.prepare_rebalance(),
        }
    }

    /// Goes on with a rebalance if everybody is there. The first one of a group takes its time.
    pub(super) fn complete_if_all_joined(&mut self) {
        let group = &self.group;
        if group.state == State::PreparingRebalance && !group.is_initial && group.have_all_joined() {
            self.complete_join();
        }
    }

    /// Has everybody join anew.
    pub(super) fn prepare_rebalance(&mut self) {
        if self.group.state == State::CompletingRebalance {
            self.refuse_syncs(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        self.group.pending_syncs.clear();
        self.cancel_timer(Timer::Sync(self.id.clone()));
        let is_initial = self.group.state == State::Empty;
        self.group.is_initial = is_initial;
        self.become_state(State::PreparingRebalance);
        if is_initial {
            let delay_ms = i64::from(self.settings.initial_rebalance_delay_ms);
            self.group.has_new_member = false;
            self.group.initial_delay_ms = delay_ms;
            self.group.initial_delay_left_ms = (self.group.rebalance_timeout_ms() - delay_ms).max(0);
            self.set_timer(Timer::Join(self.id.clone()), delay_ms);
        } else if self.group.have_all_joined() {
            self.complete_join();
        } else {
            self.set_timer(Timer::Join(self.id.clone()), self.group.rebalance_timeout_ms());
        }
    }

    /// The first rebalance has waited: once more if somebody came meanwhile, and there is time left.
    pub(super) fn complete_or_put_off(&mut self) {
        let group = &mut self.group;
        if !group.is_initial || !group.has_new_member || group.initial_delay_left_ms == 0 {
            return self.complete_join();
        }
        group.has_new_member = false;
        let delay_ms = i64::from(self.settings.initial_rebalance_delay_ms).min(group.initial_delay_left_ms);
        group.initial_delay_left_ms = (group.initial_delay_left_ms - group.initial_delay_ms).max(0);
        group.initial_delay_ms = delay_ms;
        self.set_timer(Timer::Join(self.id.clone()), delay_ms);
    }

    /// Ends the wait for members: those that are not there are out, but for static ones, and a generation begins.
    pub(super) fn complete_join(&mut self) {
        self.cancel_timer(Timer::Join(self.id.clone()));
        let missing = self.group.members.iter();
        let missing = missing.filter(|(_, member)| member.joining.is_none() && member.instance_id.is_none());
        for id in missing.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.remove_member(&id);
            self.end_session(&id);
        }
        if !self.group.elect_joined_leader() && !self.group.members.is_empty() {
            // Static members alone are left, and none is there: their sessions will end, or they come.
            return self.set_timer(Timer::Join(self.id.clone()), self.group.rebalance_timeout_ms());
        }
        self.begin_generation();
    }

    fn begin_generation(&mut self) {
        let group = &mut self.group;
        group.generation = group.generation.wrapping_add(1).max(0);
        group.protocol = group.select_protocol();
        group.subscribed = group.compute_subscribed();
        group.pending_syncs.clear();
        if group.members.is_empty() {
            self.become_state(State::Empty);
            return self.record();
        }
        self.become_state(State::CompletingRebalance);
        let ids: Vec<Text> = self.group.members.keys().cloned().collect();
        for id in ids {
            if let Some(ticket) = self.group.update(&id, |member| member.joining.take()).flatten() {
                let response = self.group.joined(&id, false);
                self.reply(ticket, Reply::JoinGroup(response));
            }
            self.group.update(&id, |member| member.is_new = false);
            self.renew_session(&id);
            self.group.pending_syncs.insert(id);
        }
        self.set_timer(Timer::Sync(self.id.clone()), self.group.rebalance_timeout_ms());
    }

    /// Tells all who wait for their assignment that there is none.
    fn refuse_syncs(&mut self, code: ErrorCode) {
        let ids: Vec<Text> = self.group.members.keys().cloned().collect();
        for id in ids {
            let ticket = self.group.update(&id, |member| {
                member.assignment = Bytes::new();
                member.syncing.take()
            });
            if let Some(ticket) = ticket.flatten() {
                self.reply(ticket, Reply::SyncGroup(sync_refused(code)));
                self.renew_session(&id);
            }
        }
    }

    /// Gives each member what the leader says, and tells those who wait.
    pub(super) fn assign(&mut self, mut assignments: BTreeMap<Text, Bytes>) {
        self.become_state(State::Stable);
        let ids: Vec<Text> = self.group.members.keys().cloned().collect();
        for id in ids {
            let assignment = assignments.remove(&id).unwrap_or_default();
            let ticket = self.group.update(&id, |member| {
                member.assignment = assignment;
                member.syncing.take()
            });
            if let Some(ticket) = ticket.flatten() {
                let response = self.group.synced(&id);
                self.reply(ticket, Reply::SyncGroup(response));
                self.renew_session(&id);
            }
        }
        self.decision.events.push(Event::Rebalanced(Kind::Classic));
        self.record();
    }

    /// Notes which members the group has lost since it was this, and why.
    pub(super) fn note_expired(&mut self, before: &ClassicGroup, why: Missed) {
        let lost = before.members.keys().filter(|id| !self.group.members.contains_key(*id));
        let lost = lost.map(|member| Event::MemberExpired {
            kind: Kind::Classic,
            group: self.id.clone(),
            member: member.clone(),
            why,
        });
        self.decision.events.extend(lost);
    }

    /// A member has asked for its assignment. Once all have, nobody is waited for.
    pub(super) fn has_synced(&mut self, id: &Text) {
        self.group.pending_syncs.remove(id);
        if self.group.pending_syncs.is_empty() {
            self.cancel_timer(Timer::Sync(self.id.clone()));
        }
    }
}

impl ClassicGroup {
    /// Changes a member, if it is one.
    pub(super) fn update<R>(&mut self, id: &Text, change: impl FnOnce(&mut Member) -> R) -> Option<R> {
        self.members.get_mut(id).map(|member| change(Arc::make_mut(member)))
    }

    pub(super) fn have_all_joined(&self) -> bool {
        self.pending_joins.is_empty() && self.members.values().all(|member| member.joining.is_some())
    }

    /// How many have joined.
    pub(super) fn joined_count(&self) -> usize {
        self.members.values().filter(|member| member.joining.is_some()).count()
    }

    /// As long as the most patient member waits.
    pub(super) fn rebalance_timeout_ms(&self) -> i64 {
        let timeouts = self.members.values().map(|member| i64::from(member.rebalance_timeout_ms));
        timeouts.max().unwrap_or(0)
    }

    /// Sees to it that the leader is there, if anybody is.
    fn elect_joined_leader(&mut self) -> bool {
        let has_joined = |id: &Text| self.members.get(id).is_some_and(|member| member.joining.is_some());
        if self.leader.as_ref().is_some_and(has_joined) {
            return true;
        }
        let found = self.members.iter().find(|(_, member)| member.joining.is_some());
        match found.map(|(id, _)| id.clone()) {
            Some(id) => {
                self.leader = Some(id);
                true
            }
            None => false,
        }
    }

    /// Whether a member can do something that all the others can.
    pub(super) fn supports(&self, protocol_type: &Text, protocols: &[(Text, Bytes)]) -> bool {
        if self.is_empty() {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let is_common = |name: &Text| self.members.values().all(|member| member.metadata(name).is_some());
        self.protocol_type.as_ref() == Some(protocol_type)
            && protocols.iter().any(|(name, _)| is_common(name))
    }

    /// The protocol that most members like best of those that all can do; the first by name of equals.
    pub(super) fn select_protocol(&self) -> Option<Text> {
        let is_common = |name: &Text| self.members.values().all(|member| member.metadata(name).is_some());
        let mut first = self.members.values().next()?.protocols.iter().map(|(name, _)| name);
        let candidates: Vec<&Text> = first.by_ref().filter(|name| is_common(name)).collect();
        let mut votes: BTreeMap<&Text, usize> = BTreeMap::new();
        for member in self.members.values() {
            let liked = member.protocols.iter().map(|(name, _)| name).find(|name| candidates.contains(name));
            if let Some(liked) = liked {
                *votes.entry(liked).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(name, count)| (*count, Reverse(*name))).map(|(name, _)| name.clone())
    }

    /// What a member is told of the generation. The leader is told who the others are, unless it is not to assign and
    /// would not understand so.
    pub(super) fn joined(&self, id: &Text, skip_assignment: bool) -> JoinGroupResponse {
        let is_leader = self.leader.as_ref() == Some(id);
        let protocol = self.protocol.as_deref().unwrap_or_default();
        let members = self.members.iter().filter(|_| is_leader).map(|(id, member)| JoinGroupResponseMember {
            member_id: id.clone(),
            group_instance_id: member.instance_id.clone(),
            metadata: member.metadata(protocol).cloned().unwrap_or_default(),
            ..Default::default()
        });
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            leader: self.leader.clone().unwrap_or_default(),
            skip_assignment: skip_assignment && is_leader,
            member_id: id.clone(),
            members: members.collect(),
            ..Default::default()
        }
    }

    /// What a member is told of its assignment.
    pub(super) fn synced(&self, id: &Text) -> SyncGroupResponse {
        let assignment = self.members.get(id).map(|member| member.assignment.clone());
        SyncGroupResponse {
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol.clone(),
            assignment: assignment.unwrap_or_default(),
            ..Default::default()
        }
    }
}

/// An answer to one that is not in.
pub(super) fn join_refused(member_id: Text, error_code: ErrorCode) -> JoinGroupResponse {
    JoinGroupResponse { error_code, member_id, ..Default::default() }
}

/// An answer to one that gets nothing.
pub(super) fn sync_refused(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code, ..Default::default() }
}
