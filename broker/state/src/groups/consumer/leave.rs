//! Members go: they say so, or are silent for too long, or do not give up what they have to.

use std::sync::Arc;

use strandline_protocol::Text;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::draft::{Context, Draft, Refusal};
use super::heartbeat::{check_fenced, known_or_new, known_static};
use super::member::{EPOCH_OF_ABSENT, Member, MemberState, Owned};
use super::{TimerKind, classic, records, subscription};

/// A member says that it goes, for good or, if it is static, for a while.
pub(super) fn leave(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
    let member = match &request.instance_id {
        None => known_or_new(draft, &request.member_id, false)?,
        Some(instance_id) => {
            let member = known_static(draft, instance_id)?;
            check_fenced(&member, &request.member_id, instance_id)?;
            member
        }
    };
    if request.member_epoch == EPOCH_OF_ABSENT && request.instance_id.is_some() {
        go_absent(draft, &member);
    } else {
        remove(context, draft, &[Arc::clone(&member)]);
    }
    Ok(ConsumerGroupHeartbeatResponse {
        member_id: Some(member.id.clone()),
        member_epoch: request.member_epoch,
        ..Default::default()
    })
}

/// The place of a static member is kept, as long as its session lasts. What it had to give up it has given up; and what
/// it commits from now on counts for nothing.
fn go_absent(draft: &mut Draft<'_>, member: &Member) {
    let absent = Member {
        epoch: EPOCH_OF_ABSENT,
        assigned: member.assigned.with_epoch_zero(),
        revoking: Owned::default(),
        ..member.clone()
    };
    draft.write([records::current(draft.id(), &absent)]);
}

/// Takes members out of the group, which is in another epoch then, or is a classic group if the others speak only that
/// protocol.
pub(super) fn remove(context: Context<'_>, draft: &mut Draft<'_>, members: &[Arc<Member>]) {
    if members.is_empty() {
        return;
    }
    let is_leaving = |member: &Member| members.iter().any(|leaving| leaving.id == member.id);
    if classic::may_downgrade(context, draft, is_leaving) {
        return classic::downgrade(context, draft, is_leaving, true);
    }
    let group_id = draft.id().clone();
    for member in members {
        draft.write(records::no_member(&group_id, &member.id));
    }
    for member in members {
        subscription::forget_unused(draft, member.regex());
        stop_timers(draft, &member.id);
    }
    let hash = subscription::metadata_hash(draft, context.image);
    draft.write([records::epoch(&group_id, draft.epoch.saturating_add(1), hash)]);
    // The heartbeats of members of the classic protocol compute no target, and there may be no others.
    if draft.members().any(Member::is_classic) {
        draft.set_timer(TimerKind::Assign, &Text::new(), context.now_ms);
    }
}

/// Nothing happens to a member any more by the passing of time.
pub(super) fn stop_timers(draft: &mut Draft<'_>, member_id: &Text) {
    for kind in TimerKind::OF_MEMBERS {
        draft.stop_timer(kind, member_id);
    }
}

/// Whether a timer that went off means that its member is to go.
pub(super) fn is_overdue(kind: TimerKind, member: &Member) -> bool {
    match kind {
        TimerKind::Session | TimerKind::Join | TimerKind::Sync => true,
        TimerKind::Rebalance => member.state == MemberState::Unrevoked && member.epoch != EPOCH_OF_ABSENT,
        TimerKind::Assign => false,
    }
}
