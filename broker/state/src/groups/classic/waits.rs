//! Members that wait while nothing else of their group changes: what most requests of a rebalance come to.
//!
//! A group of hundreds of members is not copied for each of them. Whatever changes more than one member is
//! [`super::edit`]'s.

use std::sync::Arc;

use strandline_protocol::apis::sync_group::SyncGroupRequest;
use strandline_protocol::{ErrorCode, Text};

use super::super::{Decision, Passing, Reply, Timer};
use super::edit::{join_refused, sync_refused};
use super::join::describe;
use super::{ClassicGroup, Join, Member, State};
use crate::coordinator::Ticket;

/// A member as it is now, while all else of its group stays.
#[derive(Clone, Debug)]
pub struct Waits {
    id: Text,
    member: Arc<Member>,
    has_synced: bool,
}

/// A member joins again while others are awaited; none if it is no such request, or anything else follows from it. The
/// group accepts it.
pub(super) fn decide_rejoin(ticket: Ticket, join: &Join, group: &ClassicGroup) -> Option<Decision> {
    let request = &join.request;
    let (id, member) = group.members.get_key_value(&request.member_id)?;
    group.check_member(id, request.group_instance_id.as_ref()).ok()?;
    if !group.awaits_others_than(id) {
        return None;
    }
    let mut member = Member::clone(member);
    let before = describe(&mut member, ticket, request);
    let mut decision =
        waits(&request.group_id, Waits { id: id.clone(), member: Arc::new(member), has_synced: false });
    if let Some(before) = before {
        let response = join_refused(id.clone(), ErrorCode::REBALANCE_IN_PROGRESS);
        decision.replies.push((before, Reply::JoinGroup(response)));
    }
    Some(decision)
}

/// A member asks for its assignment, and it is there already, or it is not the one who assigns. The request was
/// checked.
pub(super) fn decide_sync(
    ticket: Ticket,
    request: &SyncGroupRequest,
    group: &ClassicGroup,
) -> Option<Decision> {
    let (id, member) = group.members.get_key_value(&request.member_id)?;
    let is_stable = group.state == State::Stable;
    if !is_stable && group.leader.as_ref() == Some(id) {
        return None;
    }
    let mut member = Arc::clone(member);
    let before = if is_stable { None } else { Arc::make_mut(&mut member).syncing.replace(ticket) };
    let mut decision = waits(&request.group_id, Waits { id: id.clone(), member, has_synced: true });
    if is_stable {
        decision.replies.push((ticket, Reply::SyncGroup(group.synced(id))));
    }
    if let Some(before) = before {
        let response = sync_refused(ErrorCode::REBALANCE_IN_PROGRESS);
        decision.replies.push((before, Reply::SyncGroup(response)));
    }
    if group.pending_syncs.iter().all(|pending| pending == id) {
        decision.timers.push((Timer::Sync(request.group_id.detached()), None));
    }
    Some(decision)
}

fn waits(group_id: &Text, waits: Waits) -> Decision {
    Decision { passing: vec![Passing::ClassicWaits(group_id.detached(), waits)], ..Decision::default() }
}

impl ClassicGroup {
    /// Whether the rebalance that is being prepared goes on waiting when this member has joined.
    fn awaits_others_than(&self, id: &Text) -> bool {
        let is_awaited = |(other, member): (&Text, &Arc<Member>)| member.joining.is_none() && other != id;
        self.state == State::PreparingRebalance
            && (self.is_initial || !self.pending_joins.is_empty() || self.members.iter().any(is_awaited))
    }

    /// Takes in how a member is now.
    pub(in super::super) fn take_in(&mut self, waits: Waits) {
        let Waits { id, member, has_synced } = waits;
        if has_synced {
            self.pending_syncs.remove(&id);
        }
        self.members.insert(id, member);
    }
}
