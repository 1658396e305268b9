//! SyncGroup, Heartbeat, LeaveGroup, and what a group is described as.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::apis::describe_groups::{DescribedGroup, DescribedGroupMember};
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::leave_group::{
    LeaveGroupRequest, LeaveGroupResponse, MemberIdentity, MemberResponse,
};
use strandline_protocol::apis::sync_group::SyncGroupRequest;
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::{Decision, Groups, Reply, Timer};
use super::edit::{Edit, sync_refused};
use super::{ClassicGroup, State, waits};
use crate::coordinator::{Heeded, Ticket};

/// What a member's request for its assignment comes to.
pub(in super::super) fn decide_sync(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    request: &SyncGroupRequest,
    group: &ClassicGroup,
) -> Decision {
    if let Err(code) = check_sync(request, group) {
        return Decision::reply(ticket, Reply::SyncGroup(sync_refused(code)));
    }
    if let Some(decision) = waits::decide_sync(ticket, request, group) {
        return decision;
    }
    // It is the leader, who says what everybody gets.
    let id = request.member_id.detached();
    let mut edit = Edit::new(groups, now_ms, request.group_id.detached(), group);
    edit.has_synced(&id);
    let before = edit.group.update(&id, |member| member.syncing.replace(ticket)).flatten();
    if let Some(before) = before {
        edit.reply(before, Reply::SyncGroup(sync_refused(ErrorCode::REBALANCE_IN_PROGRESS)));
    }
    let assignments = request.assignments.iter();
    let assignments: BTreeMap<Text, Bytes> = assignments
        .map(|entry| (entry.member_id.clone(), Bytes::copy_from_slice(&entry.assignment)))
        .collect();
    edit.assign(assignments);
    edit.finish()
}

fn check_sync(request: &SyncGroupRequest, group: &ClassicGroup) -> Result<(), ErrorCode> {
    group.check_member(&request.member_id, request.group_instance_id.as_ref())?;
    if request.generation_id != group.generation {
        return Err(ErrorCode::ILLEGAL_GENERATION);
    }
    let differs = |said: &Option<Text>, is: &Option<Text>| {
        said.as_ref().zip(is.as_ref()).is_some_and(|(said, is)| said != is)
    };
    if differs(&request.protocol_type, &group.protocol_type)
        || differs(&request.protocol_name, &group.protocol)
    {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    match group.state {
        State::Empty => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        State::PreparingRebalance => Err(ErrorCode::REBALANCE_IN_PROGRESS),
        State::CompletingRebalance | State::Stable => Ok(()),
    }
}

/// What a sign of life comes to: another session, and word of a rebalance.
pub(in super::super) fn decide_heartbeat(
    now_ms: i64,
    ticket: Ticket,
    request: &HeartbeatRequest,
    group: &ClassicGroup,
) -> Decision {
    let (code, renewed) = match check_heartbeat(request, group) {
        Ok(code) => (code, group.renewed_session(now_ms, &request.group_id.detached(), &request.member_id)),
        Err(code) => (code, None),
    };
    let timers = renewed.into_iter().map(|(timer, due_ms)| (timer, Some(due_ms)));
    Decision { timers: timers.collect(), ..Decision::reply(ticket, Reply::Heartbeat(code)) }
}

/// The same where nothing has to be decided: when its member was heard of is kept with it, since to look its timer up each
/// time costs a third of heeding it. One that is new has no session yet that could be renewed.
pub(in super::super) fn heed(
    now: Duration,
    group: &mut ClassicGroup,
    request: &HeartbeatRequest,
) -> Option<Heeded<Groups>> {
    let answer = check_heartbeat(request, group);
    if answer.is_ok() {
        let member = group.members.get_mut(&request.member_id).filter(|member| !member.is_new)?;
        Arc::make_mut(member).heard = Some(now);
    }
    let (Ok(code) | Err(code)) = answer;
    Some(Heeded { reply: Reply::Heartbeat(code), timer: None })
}

fn check_heartbeat(request: &HeartbeatRequest, group: &ClassicGroup) -> Result<ErrorCode, ErrorCode> {
    group.check_member(&request.member_id, request.group_instance_id.as_ref())?;
    match group.state {
        _ if request.generation_id != group.generation => Err(ErrorCode::ILLEGAL_GENERATION),
        State::Empty => Err(ErrorCode::UNKNOWN_MEMBER_ID),
        State::PreparingRebalance => Ok(ErrorCode::REBALANCE_IN_PROGRESS),
        State::CompletingRebalance | State::Stable => Ok(ErrorCode::NONE),
    }
}

/// What a request to take members out comes to. Each has its own result.
pub(in super::super) fn decide_leave(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    request: &LeaveGroupRequest,
    group: &ClassicGroup,
) -> Decision {
    let mut edit = Edit::new(groups, now_ms, request.group_id.detached(), group);
    let members: Vec<MemberResponse> = request
        .members
        .iter()
        .map(|leaving| {
            let MemberIdentity { member_id, group_instance_id, .. } = leaving;
            let error_code = match find_leaving(&edit.group, leaving) {
                Ok(id) => {
                    edit.remove_member(&id);
                    edit.end_session(&id);
                    ErrorCode::NONE
                }
                Err(code) => code,
            };
            let (member_id, group_instance_id) = (member_id.clone(), group_instance_id.clone());
            MemberResponse { member_id, group_instance_id, error_code, ..Default::default() }
        })
        .collect();
    let has_left = members.iter().any(|member| member.error_code == ErrorCode::NONE);
    let response = LeaveGroupResponse { members, ..Default::default() };
    if !has_left {
        return Decision::reply(ticket, Reply::LeaveGroup(response));
    }
    if edit.group.state != State::Empty {
        edit.rebalance_or_complete();
    }
    edit.reply(ticket, Reply::LeaveGroup(response));
    edit.finish()
}

/// The id of the one that leaves. Administrators name static members without it.
fn find_leaving(group: &ClassicGroup, leaving: &MemberIdentity) -> Result<Text, ErrorCode> {
    let MemberIdentity { member_id, group_instance_id, .. } = leaving;
    if member_id.is_empty() {
        let found = group_instance_id.as_ref().and_then(|instance_id| group.static_members.get(instance_id));
        return found.cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID);
    }
    if !group.pending_joins.contains(member_id) {
        group.check_member(member_id, group_instance_id.as_ref())?;
    }
    Ok(member_id.detached())
}

impl ClassicGroup {
    /// The timer of a member that has just been heard of, and when it goes off now. The id is the group's own, and no part
    /// of a request.
    pub(in super::super) fn renewed_session(
        &self,
        now_ms: i64,
        group_id: &Text,
        member_id: &str,
    ) -> Option<(Timer, i64)> {
        let (id, member) = self.members.get_key_value(member_id)?;
        let due_ms = now_ms.saturating_add(member.session_timeout_ms.into());
        Some((Timer::Session { group: group_id.clone(), member: id.clone() }, due_ms))
    }

    /// When the session ends of a member that was heeded, by the clock that it was heeded by.
    pub(in super::super) fn heard_session_end(&self, member_id: &str) -> Option<Duration> {
        let member = self.members.get(member_id)?;
        let session_ms = u64::try_from(member.session_timeout_ms).unwrap_or(0);
        member.heard.map(|heard| heard.saturating_add(Duration::from_millis(session_ms)))
    }

    /// What people are told of the group. What members want, and have, is shown while it is stable.
    pub(in super::super) fn described(&self, id: &Text) -> DescribedGroup {
        let is_stable = self.state == State::Stable;
        let protocol = self.protocol.clone().filter(|_| is_stable).unwrap_or_default();
        let members = self.members.iter().map(|(id, member)| DescribedGroupMember {
            member_id: id.clone(),
            group_instance_id: member.instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            member_metadata: member.metadata(&protocol).filter(|_| is_stable).cloned().unwrap_or_default(),
            member_assignment: if is_stable { member.assignment.clone() } else { Bytes::new() },
            ..Default::default()
        });
        DescribedGroup {
            group_id: id.clone(),
            group_state: Text::from_static(self.state.name()),
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            members: members.collect(),
            protocol_data: protocol,
            ..Default::default()
        }
    }
}
