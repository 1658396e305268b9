//! A member of the classic protocol joins a consumer group, or comes again.

use std::sync::Arc;

use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupResponse};
use strandline_protocol::embedded::consumer::ConsumerProtocolSubscription;
use strandline_protocol::group_log::consumer_group_member_metadata::{
    ClassicMemberMetadata, ClassicProtocol,
};
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::draft::{Context, Draft, Refusal};
use super::super::heartbeat::{check_fenced, check_room, known_or_new, known_static, replace};
use super::super::member::Member;
use super::super::{Passing, TimerKind, reconcile, records, subscription as subscriptions, target};
use super::{downgrade, may_downgrade, owned, protocol_name, subscription};
use crate::groups::Caller;
use crate::groups::classic::{CONSUMER_PROTOCOL_TYPE, Join};
use crate::settings::MigrationPolicy;

/// What a join comes to. A newcomer is given an id first, if it has to come with one.
pub(in super::super) fn join(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    caller: &Caller,
    join: &Join,
) -> Result<JoinGroupResponse, Refusal> {
    let request = &join.request;
    if context.settings.migration_policy == MigrationPolicy::Disabled {
        let message = format!(
            "Cannot join the consumer group {} with the classic protocol because the group migration is disabled.",
            draft.id()
        );
        return Err(Refusal::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, message));
    }
    let is_new = request.member_id.is_empty();
    let new_id = Text::from(join.random_id.to_string());
    let id = if is_new { &new_id } else { &request.member_id };
    check_room(context, draft, id)?;
    check_protocols(draft, request, id)?;
    if is_new && join.needs_member_id && request.group_instance_id.is_none() {
        let error_code = ErrorCode::MEMBER_ID_REQUIRED;
        return Ok(JoinGroupResponse { member_id: new_id, error_code, ..Default::default() });
    }
    let metadata = request.protocols.first().map(|protocol| protocol.metadata.clone()).unwrap_or_default();
    let subscription = subscription(&metadata)?;
    let (member, goes_back) = member(context, draft, request, id)?;
    let updated = updated(&member, caller, request, &subscription);
    if draft.member(&updated.id) != Some(&updated) {
        draft.write([records::member(draft.id(), &updated)]);
    }
    let changed = subscriptions::update(context, draft, &caller.sight, (&member, &updated))?;
    if !goes_back {
        target::update(context, draft)?;
    }
    let needs_rebalance = goes_back && draft.target_epoch < draft.epoch;
    if !needs_rebalance {
        let owned = owned(&subscription, context.image);
        reconcile::reconcile(context, draft, &updated.id, changed, Some(&owned))?;
    }
    let response = response(draft, &updated.id);
    if goes_back {
        downgrade(context, draft, |_| false, needs_rebalance);
    } else {
        await_sync(context, draft, request, &updated.id);
    }
    Ok(response)
}

/// Whether the member can do something that all others of the classic protocol can.
fn check_protocols(draft: &Draft<'_>, request: &JoinGroupRequest, id: &Text) -> Result<(), Refusal> {
    let knows = |member: &Member, name: &Text| {
        let classic = member.classic.as_ref();
        classic.is_none_or(|classic| classic.supported_protocols.iter().any(|known| known.name == *name))
    };
    let is_common = |name: &Text| draft.members().all(|member| knows(member, name));
    let is_supported = request.protocol_type == CONSUMER_PROTOCOL_TYPE
        && request.protocols.iter().any(|protocol| is_common(&protocol.name));
    if is_supported {
        return Ok(());
    }
    let message = format!("Member {id}'s protocols are not supported.");
    Err(Refusal::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, message))
}

/// The member as it was, or a new one; and whether it is the last of the new protocol whose place it takes.
fn member(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    request: &JoinGroupRequest,
    id: &Text,
) -> Result<(Arc<Member>, bool), Refusal> {
    let Some(instance_id) = &request.group_instance_id else {
        return Ok((known_or_new(draft, id, true)?, false));
    };
    let before = draft.static_member(instance_id).cloned();
    let is_last =
        |before: &Member| !before.is_classic() && may_downgrade_by(context, draft, before.id.clone());
    let goes_back = before.as_ref().is_some_and(is_last);
    if !request.member_id.is_empty() {
        let member = known_static(draft, instance_id)?;
        check_fenced(&member, id, instance_id)?;
        return Ok((member, goes_back));
    }
    match before {
        None => Ok((known_or_new(draft, id, true)?, false)),
        Some(before) => Ok((replace(draft, &before, id), goes_back)),
    }
}

/// Whether the group is to be a classic one when this member is. Alone, it is enough.
fn may_downgrade_by(context: Context<'_>, draft: &Draft<'_>, id: Text) -> bool {
    let is_alone = draft.member_count() == 1;
    let policy = context.settings.migration_policy;
    (is_alone && policy.allows_downgrade()) || may_downgrade(context, draft, |member| member.id == id)
}

fn updated(
    member: &Member,
    caller: &Caller,
    request: &JoinGroupRequest,
    subscription: &ConsumerProtocolSubscription,
) -> Member {
    let mut updated = member.clone();
    if let Some(instance_id) = &request.group_instance_id {
        updated.instance_id = Some(instance_id.detached());
    }
    if let Some(rack_id) = subscription.rack_id.as_ref().filter(|rack| !rack.is_empty()) {
        updated.rack_id = Some(rack_id.detached());
    }
    updated.rebalance_timeout_ms = match request.rebalance_timeout_ms {
        // The first version has none.
        ..0 => request.session_timeout_ms,
        timeout_ms => timeout_ms,
    };
    updated.set_topic_names(&subscription.topics);
    updated.topic_regex = Text::new();
    updated.client_id = caller.client_id.clone();
    updated.client_host = caller.client_host.clone();
    let protocols = request.protocols.iter().map(|protocol| ClassicProtocol {
        name: protocol.name.detached(),
        metadata: Bytes::copy_from_slice(&protocol.metadata),
        ..Default::default()
    });
    updated.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: request.session_timeout_ms,
        supported_protocols: protocols.collect(),
        ..Default::default()
    });
    updated
}

fn response(draft: &Draft<'_>, member_id: &Text) -> JoinGroupResponse {
    let member = draft.member(member_id);
    JoinGroupResponse {
        member_id: member_id.clone(),
        generation_id: member.map_or(-1, |member| member.epoch),
        protocol_type: Some(Text::from_static(CONSUMER_PROTOCOL_TYPE)),
        protocol_name: member.and_then(protocol_name),
        ..Default::default()
    }
}

/// It is not waited for any more to join; it is, to fetch what it was assigned.
fn await_sync(context: Context<'_>, draft: &mut Draft<'_>, request: &JoinGroupRequest, id: &Text) {
    let after = |ms: i32| context.now_ms.saturating_add(ms.into());
    let rebalance_ms = draft.member(id).map_or(0, |member| member.rebalance_timeout_ms);
    draft.stop_timer(TimerKind::Join, id);
    if draft.soft.joins_awaited.contains(id) {
        let (group_id, member_id) = (draft.id().clone(), id.detached());
        draft.pass(Passing::JoinAwaited { group_id, member_id, is_awaited: false });
    }
    draft.set_timer(TimerKind::Session, id, after(request.session_timeout_ms));
    draft.set_timer(TimerKind::Sync, id, after(rebalance_ms));
}
