//! A heartbeat of a member that has what it shall have, and says nothing new, in a group where nothing is to be done: most
//! heartbeats are so. What it comes to is what [`super::Heartbeat`] would come to, without the way there.

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};

use super::draft::Context;
use super::member::Member;
use super::{ConsumerGroup, Timer, TimerKind, subscription};
use crate::groups::Caller;

/// What it comes to: the answer, and when the member's session ends now. None if there is more to be done.
pub(super) fn heed(
    context: Context<'_>,
    group: &ConsumerGroup,
    (request, caller): (&ConsumerGroupHeartbeatRequest, &Caller),
) -> Option<(ConsumerGroupHeartbeatResponse, Timer, i64)> {
    let member = group.members.get(&request.member_id)?;
    let is_steady = says_nothing_new(request)
        && is_known(group, member, request, caller)
        && member.is_reconciled_to(group.target_epoch)
        && is_settled(context, group);
    if !is_steady {
        return None;
    }
    let session_ms = context.settings.session_timeout_ms(context.image, &group.id);
    let timer = Timer { group_id: group.id.clone(), member_id: member.id.clone(), kind: TimerKind::Session };
    let response = ConsumerGroupHeartbeatResponse {
        member_id: Some(member.id.clone()),
        member_epoch: member.epoch,
        heartbeat_interval_ms: context.settings.heartbeat_interval_ms(context.image, &group.id),
        ..Default::default()
    };
    Some((response, timer, context.now_ms.saturating_add(session_ms.into())))
}

/// Whether a request has nothing in it that a member that stays does not have to say.
fn says_nothing_new(request: &ConsumerGroupHeartbeatRequest) -> bool {
    request.member_epoch > 0
        && request.rack_id.is_none()
        && request.rebalance_timeout_ms == -1
        && request.subscribed_topic_names.is_none()
        && request.subscribed_topic_regex.is_none()
        && request.server_assignor.is_none()
}

/// Whether it comes from this member, as it is known.
fn is_known(
    group: &ConsumerGroup,
    member: &Member,
    request: &ConsumerGroupHeartbeatRequest,
    caller: &Caller,
) -> bool {
    let instance_id = request.instance_id.as_ref();
    request.member_epoch == member.epoch
        && !member.is_classic()
        && instance_id.is_none_or(|instance_id| group.static_members.get(instance_id) == Some(&member.id))
        && member.client_id == caller.client_id
        && member.client_host == caller.client_host
}

/// Whether neither the group nor its target will be another one.
fn is_settled(context: Context<'_>, group: &ConsumerGroup) -> bool {
    let version = context.image.offset();
    group.soft.topics_checked == Some(version)
        && group.target_epoch >= group.epoch
        && (group.regexes.is_empty() || subscription::are_regexes_fresh(context, group))
}
