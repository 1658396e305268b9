//! SyncGroup, Heartbeat and LeaveGroup of members of the classic protocol in a consumer group.

use std::sync::Arc;

use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity, MemberResponse};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
use strandline_protocol::{ErrorCode, Text};

use super::super::draft::{Context, Draft};
use super::super::member::{Member, MemberState};
use super::super::{ConsumerGroup, Passing, TimerKind, leave as leaving};
use super::{assignment, metadata, protocol_name};
use crate::groups::classic::CONSUMER_PROTOCOL_TYPE;

type Checked<T> = Result<T, ErrorCode>;

/// The member that a request speaks for, if it is one of the classic protocol, in this generation.
fn member(
    group: &ConsumerGroup,
    member_id: &Text,
    instance_id: Option<&Text>,
    generation: i32,
) -> Checked<Arc<Member>> {
    let found = match instance_id {
        None => group.members.get(member_id),
        Some(instance_id) => {
            let id = group.static_members.get(instance_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
            if id != member_id {
                return Err(ErrorCode::FENCED_INSTANCE_ID);
            }
            group.members.get(id)
        }
    };
    let member = found.filter(|member| member.is_classic()).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
    if member.epoch == generation { Ok(Arc::clone(member)) } else { Err(ErrorCode::ILLEGAL_GENERATION) }
}

/// Gives a member another session.
fn renew(context: Context<'_>, draft: &mut Draft<'_>, member: &Member) {
    let session_ms = member.classic.as_ref().map_or(0, |classic| classic.session_timeout_ms);
    draft.set_timer(TimerKind::Session, &member.id, context.now_ms.saturating_add(session_ms.into()));
}

/// Waits for a member to join anew, from the first time on that it was told to.
fn await_join(context: Context<'_>, draft: &mut Draft<'_>, member: &Member) {
    if !draft.soft.joins_awaited.contains(&member.id) {
        let until_ms = context.now_ms.saturating_add(member.rebalance_timeout_ms.into());
        draft.set_timer(TimerKind::Join, &member.id, until_ms);
        let (group_id, member_id) = (draft.id().clone(), member.id.clone());
        draft.pass(Passing::JoinAwaited { group_id, member_id, is_awaited: true });
    }
}

/// A member fetches what it may use.
pub(in super::super) fn sync(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    request: &SyncGroupRequest,
) -> Checked<SyncGroupResponse> {
    let member =
        member(draft, &request.member_id, request.group_instance_id.as_ref(), request.generation_id)?;
    let is_of_type = request.protocol_type.as_ref().is_none_or(|name| name == CONSUMER_PROTOCOL_TYPE);
    let is_of_name = request.protocol_name.is_none() || request.protocol_name == protocol_name(&member);
    if !is_of_type || !is_of_name {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    // One that has to give something up has joined already, and finishes that first.
    if draft.target_epoch > member.epoch && member.state != MemberState::Unrevoked {
        await_join(context, draft, &member);
        let error_code = ErrorCode::REBALANCE_IN_PROGRESS;
        return Ok(SyncGroupResponse { error_code, ..Default::default() });
    }
    draft.stop_timer(TimerKind::Sync, &member.id);
    renew(context, draft, &member);
    let assigned = member.assigned.iter().map(|(topic_id, partition, _)| (topic_id, partition));
    Ok(SyncGroupResponse {
        protocol_type: request.protocol_type.clone(),
        protocol_name: request.protocol_name.clone(),
        assignment: assignment(assigned, metadata(&member), context.image),
        ..Default::default()
    })
}

/// A member lives. It is told to join anew if the target is another, if it has to give something up, or if what it waits
/// for is free.
pub(in super::super) fn heartbeat(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    request: &HeartbeatRequest,
) -> Checked<()> {
    let member =
        member(draft, &request.member_id, request.group_instance_id.as_ref(), request.generation_id)?;
    renew(context, draft, &member);
    let has_to_join = member.epoch < draft.target_epoch
        || member.state == MemberState::Unrevoked
        || (member.state == MemberState::Unreleased && !waits_for_others(draft, &member));
    if has_to_join {
        await_join(context, draft, &member);
        return Err(ErrorCode::REBALANCE_IN_PROGRESS);
    }
    Ok(())
}

/// Whether another member has something that this one shall have.
fn waits_for_others(group: &ConsumerGroup, member: &Member) -> bool {
    let target = group.target(&member.id).into_iter().flat_map(|target| target.iter());
    let mut missing = target.filter(|(topic_id, partition)| !member.assigned.contains(*topic_id, *partition));
    missing.any(|(topic_id, partition)| {
        group.owner(topic_id, partition).is_some_and(|owner| *owner != member.id)
    })
}

/// Members leave, or are taken out by their names. Each has its own result.
pub(in super::super) fn leave(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    request: &LeaveGroupRequest,
) -> Vec<MemberResponse> {
    let mut gone: Vec<Arc<Member>> = Vec::new();
    let members = request.members.iter().map(|identity| {
        let error_code = match find_leaving(draft, identity) {
            Ok(member) => {
                if !gone.iter().any(|known| known.id == member.id) {
                    gone.push(member);
                }
                ErrorCode::NONE
            }
            Err(code) => code,
        };
        let MemberIdentity { member_id, group_instance_id, .. } = identity.clone();
        MemberResponse { member_id, group_instance_id, error_code, ..Default::default() }
    });
    let members = members.collect();
    leaving::remove(context, draft, &gone);
    members
}

fn find_leaving(group: &ConsumerGroup, identity: &MemberIdentity) -> Checked<Arc<Member>> {
    let id = match &identity.group_instance_id {
        None => &identity.member_id,
        Some(instance_id) => {
            let id = group.static_members.get(instance_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
            if !identity.member_id.is_empty() && *id != identity.member_id {
                return Err(ErrorCode::FENCED_INSTANCE_ID);
            }
            id
        }
    };
    group.members.get(id).cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID)
}
