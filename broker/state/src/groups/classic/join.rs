//! JoinGroup: who may come in, and what happens then.

use std::sync::Arc;

use strandline_protocol::apis::join_group::JoinGroupRequest;
use strandline_protocol::{Bytes, ErrorCode, Text, Uuid};

use super::super::{Caller, Decision, Group, Groups, Reply};
use super::edit::{Edit, join_refused, sync_refused};
use super::{ClassicGroup, Member, State, waits};
use crate::coordinator::Ticket;

/// What the members of a group say of themselves has so many bytes at most in all: as a record, the group has to fit
/// into one batch.
const METADATA_BYTES_MAX: usize = 8 << 20;

/// So many ids are given out and not come back with at once, in one group.
const PENDING_MAX: usize = 10_000;

/// A member that wants to join.
#[derive(Clone, Debug)]
pub struct Join {
    /// What it says.
    pub request: JoinGroupRequest,
    /// What is random in the id that it gets if it is new.
    pub random_id: Uuid,
    /// Whether it has to come again with the id that it is given (KIP-394).
    pub needs_member_id: bool,
    /// Whether a leader that is told not to assign understands it (KIP-814).
    pub knows_skip_assignment: bool,
}

/// What a join comes to.
pub(in super::super) fn decide_join(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    caller: &Caller,
    join: &Join,
) -> Decision {
    let request = &join.request;
    let group = match groups.group(&request.group_id) {
        None => None,
        Some(Group::Classic(group)) => Some(&**group),
        // It makes room.
        Some(Group::Consumer(group)) if group.is_empty() => None,
        Some(Group::Consumer(_)) => {
            let response = join_refused(request.member_id.clone(), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
            return Decision::reply(ticket, Reply::JoinGroup(response));
        }
    };
    let checked = check(groups, join, group);
    if checked.is_ok()
        && let Some(decision) = group.and_then(|group| waits::decide_rejoin(ticket, join, group))
    {
        return decision;
    }
    let none = ClassicGroup::default();
    let mut joining = Joining::new(groups, now_ms, ticket, caller, join, group.unwrap_or(&none));
    match checked {
        Ok(()) if group.is_none() => joining.create(),
        Ok(()) => joining.join(),
        Err(ErrorCode::GROUP_MAX_SIZE_REACHED) => {
            // One that was in, and has no place any more, is out.
            let response = join_refused(Text::new(), ErrorCode::GROUP_MAX_SIZE_REACHED);
            if !joining.edit.group.members.contains_key(&request.member_id) {
                return Decision::reply(ticket, Reply::JoinGroup(response));
            }
            joining.edit.remove_member(&request.member_id);
            joining.edit.end_session(&request.member_id);
            joining.edit.reply(ticket, Reply::JoinGroup(response));
            joining.edit.finish()
        }
        Err(code) => Decision::reply(ticket, Reply::JoinGroup(join_refused(request.member_id.clone(), code))),
    }
}

/// Whether one may join the group, or make it.
fn check(groups: &Groups, join: &Join, group: Option<&ClassicGroup>) -> Result<(), ErrorCode> {
    let request = &join.request;
    let (is_new, settings) = (request.member_id.is_empty(), &groups.settings);
    let timeouts = settings.session_timeout_min_ms..=settings.session_timeout_max_ms;
    if !timeouts.contains(&request.session_timeout_ms) {
        return Err(ErrorCode::INVALID_SESSION_TIMEOUT);
    }
    if group.is_none() && !is_new {
        return Err(ErrorCode::UNKNOWN_MEMBER_ID);
    }
    let bytes = request.protocols.iter().map(|protocol| protocol.name.len() + protocol.metadata.len()).sum();
    let accepts = match group {
        Some(group) => {
            let is_pending = is_new && join.needs_member_id;
            group.accepts(&request.member_id, settings.members_max, bytes, is_pending)
        }
        None => bytes <= METADATA_BYTES_MAX,
    };
    if !accepts {
        return Err(ErrorCode::GROUP_MAX_SIZE_REACHED);
    }
    let protocols = protocols(request);
    let is_supported = match group {
        Some(group) => group.supports(&request.protocol_type, &protocols),
        None => ClassicGroup::default().supports(&request.protocol_type, &protocols),
    };
    if is_supported { Ok(()) } else { Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL) }
}

fn protocols(request: &JoinGroupRequest) -> Vec<(Text, Bytes)> {
    let protocols = request.protocols.iter();
    protocols.map(|protocol| (protocol.name.clone(), protocol.metadata.clone())).collect()
}

/// Has a member be as its request describes it, and wait. Gives who waited in its place before.
pub(super) fn describe(member: &mut Member, ticket: Ticket, request: &JoinGroupRequest) -> Option<Ticket> {
    let protocols = protocols(request).into_iter();
    let protocols = protocols.map(|(name, metadata)| (name.detached(), Bytes::copy_from_slice(&metadata)));
    member.rebalance_timeout_ms = match request.rebalance_timeout_ms {
        // The first version has none.
        ..0 => request.session_timeout_ms,
        timeout_ms => timeout_ms,
    };
    member.session_timeout_ms = request.session_timeout_ms;
    member.protocols = Arc::new(protocols.collect());
    member.joining.replace(ticket)
}

struct Joining<'a> {
    edit: Edit<'a>,
    ticket: Ticket,
    caller: &'a Caller,
    join: &'a Join,
}

impl<'a> Joining<'a> {
    fn new(
        groups: &'a Groups,
        now_ms: i64,
        ticket: Ticket,
        caller: &'a Caller,
        join: &'a Join,
        group: &ClassicGroup,
    ) -> Self {
        let edit = Edit::new(groups, now_ms, join.request.group_id.detached(), group);
        Self { edit, ticket, caller, join }
    }

    fn create(mut self) -> Decision {
        self.edit.group.state_since_ms = Some(self.edit.now_ms());
        self.edit.record();
        self.join()
    }

    fn join(mut self) -> Decision {
        let request = &self.join.request;
        let instance_id = request.group_instance_id.as_ref();
        if !request.member_id.is_empty() {
            return self.rejoin();
        }
        let new_id = new_member_id(instance_id.unwrap_or(&self.caller.client_id), self.join.random_id);
        match instance_id.and_then(|instance_id| self.edit.group.static_members.get(instance_id)).cloned() {
            Some(old_id) => return self.take_over(&old_id, new_id),
            None if instance_id.is_none() && self.join.needs_member_id => {
                self.edit.group.pending_joins.insert(new_id.clone());
                self.edit.set_session(&new_id, i64::from(request.session_timeout_ms));
                let response = join_refused(new_id, ErrorCode::MEMBER_ID_REQUIRED);
                self.edit.reply(self.ticket, Reply::JoinGroup(response));
            }
            None => self.enter(&new_id),
        }
        self.edit.finish()
    }

    /// The member as it describes itself.
    fn member(&self) -> Member {
        let request = &self.join.request;
        let mut member = Member {
            instance_id: request.group_instance_id.as_ref().map(Text::detached),
            client_id: self.caller.client_id.detached(),
            client_host: self.caller.client_host.detached(),
            protocol_type: request.protocol_type.detached(),
            is_new: true,
            ..Member::default()
        };
        describe(&mut member, self.ticket, request);
        member
    }

    fn enter(&mut self, id: &Text) {
        let member = self.member();
        self.edit.add_member(id, member);
    }

    /// One that has an id comes again.
    fn rejoin(mut self) -> Decision {
        let request = &self.join.request;
        let id = request.member_id.detached();
        let instance_id = request.group_instance_id.as_ref();
        if instance_id.is_none() && self.edit.group.pending_joins.contains(&id) {
            self.enter(&id);
            return self.edit.finish();
        }
        if let Err(code) = self.edit.group.check_member(&id, instance_id) {
            return Decision::reply(self.ticket, Reply::JoinGroup(join_refused(id, code)));
        }
        let group = &self.edit.group;
        let is_leader = group.leader.as_ref() == Some(&id);
        let protocols = protocols(request);
        let is_same = group.members.get(&id).is_some_and(|member| *member.protocols == protocols);
        match group.state {
            State::Empty => {
                let response = join_refused(id, ErrorCode::UNKNOWN_MEMBER_ID);
                Decision::reply(self.ticket, Reply::JoinGroup(response))
            }
            // Its answer was lost, or it wants to hear the same once more. A leader that joins wants a rebalance.
            State::CompletingRebalance if is_same => self.tell_again(&id),
            State::Stable if is_same && !is_leader => self.tell_again(&id),
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => {
                self.update(&id);
                self.edit.rebalance_or_complete();
                self.edit.finish()
            }
        }
    }

    fn tell_again(self, id: &Text) -> Decision {
        Decision::reply(self.ticket, Reply::JoinGroup(self.edit.group.joined(id, false)))
    }

    /// Has a member be as it describes itself, and wait. Who waited in its place before does not any more.
    fn update(&mut self, id: &Text) {
        let (ticket, request) = (self.ticket, &self.join.request);
        let before = self.edit.group.update(id, |member| describe(member, ticket, request));
        if let Some(before) = before.flatten() {
            let response = join_refused(id.clone(), ErrorCode::REBALANCE_IN_PROGRESS);
            self.edit.reply(before, Reply::JoinGroup(response));
        }
    }

    /// A static member comes back under a new id: whoever has the old one is fenced.
    fn take_over(mut self, old_id: &Text, new_id: Text) -> Decision {
        self.replace(old_id, &new_id);
        self.update(&new_id);
        self.edit.renew_session(&new_id);
        match self.edit.group.state {
            State::Stable if self.edit.group.select_protocol() == self.edit.group.protocol => {
                self.go_on(old_id, &new_id);
            }
            State::Stable => self.edit.rebalance_or_complete(),
            // The leader may be assigning to the old id at this moment.
            State::CompletingRebalance => self.edit.prepare_rebalance(),
            State::PreparingRebalance | State::Empty => self.edit.complete_if_all_joined(),
        }
        self.edit.finish()
    }

    fn replace(&mut self, old_id: &Text, new_id: &Text) {
        let group = &mut self.edit.group;
        let Some(mut member) = group.members.remove(old_id) else { return };
        let (joining, syncing) = {
            let member = Arc::make_mut(&mut member);
            (member.joining.take(), member.syncing.take())
        };
        if let Some(instance_id) = &member.instance_id {
            group.static_members.insert(instance_id.clone(), new_id.clone());
        }
        if group.leader.as_ref() == Some(old_id) {
            group.leader = Some(new_id.clone());
        }
        if group.pending_syncs.remove(old_id) {
            group.pending_syncs.insert(new_id.clone());
        }
        group.members.insert(new_id.clone(), member);
        if let Some(ticket) = joining {
            let response = join_refused(old_id.clone(), ErrorCode::FENCED_INSTANCE_ID);
            self.edit.reply(ticket, Reply::JoinGroup(response));
        }
        if let Some(ticket) = syncing {
            self.edit.reply(ticket, Reply::SyncGroup(sync_refused(ErrorCode::FENCED_INSTANCE_ID)));
        }
        self.edit.end_session(old_id);
    }

    /// Nothing has changed but an id: there is no rebalance. An old leader that understands no better is told of the
    /// id that it had, so that it takes itself for a follower and does not assign.
    fn go_on(&mut self, old_id: &Text, new_id: &Text) {
        self.edit.group.update(new_id, |member| member.joining = None);
        self.edit.record();
        let mut response = self.edit.group.joined(new_id, true);
        if !self.join.knows_skip_assignment {
            if response.leader == *new_id {
                response.leader = old_id.clone();
            }
            response.members.clear();
            response.skip_assignment = false;
        }
        self.edit.reply(self.ticket, Reply::JoinGroup(response));
    }
}

impl ClassicGroup {
    /// Whether there is room for one that joins.
    fn accepts(&self, member_id: &Text, members_max: usize, bytes: usize, is_pending: bool) -> bool {
        let member = self.members.get(member_id);
        let fits = match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                member.is_some_and(|member| member.joining.is_some()) || self.joined_count() < members_max
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.members.len() < members_max
            }
        };
        let known: usize = self.members.values().map(|member| member.bytes()).sum();
        let known = known - member.map_or(0, |member| member.bytes());
        fits && known + bytes <= METADATA_BYTES_MAX && (!is_pending || self.pending_joins.len() < PENDING_MAX)
    }
}

/// An id as Kafka makes them: what the member calls itself, and something random.
fn new_member_id(name: &Text, random_id: Uuid) -> Text {
    let random = u128::from_be_bytes(random_id.0);
    let (high, low) = (random >> 64, random & u128::from(u64::MAX));
    let [first, second, third] = [high >> 32, (high >> 16) & 0xffff, high & 0xffff];
    let [fourth, fifth] = [low >> 48, low & 0xffff_ffff_ffff];
    Text::from(format!("{name}-{first:08x}-{second:04x}-{third:04x}-{fourth:04x}-{fifth:012x}"))
}
