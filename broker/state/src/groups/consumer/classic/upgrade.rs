//! A classic group becomes a consumer group, when a member of the new protocol joins it.

use strandline_protocol::embedded::consumer::ConsumerProtocolAssignment;
use strandline_protocol::group_log::consumer_group_member_metadata::{
    ClassicMemberMetadata, ClassicProtocol,
};
use strandline_protocol::{ErrorCode, Text};

use super::super::draft::{Context, Draft, Refusal};
use super::super::member::{Member, Owned};
use super::super::{TimerKind, records, subscription as subscriptions};
use super::subscription;
use crate::groups::classic::{ClassicGroup, Member as ClassicMember};
use crate::groups::partitions::Partitions;

/// Makes a draft, of a group that is not there, what the classic group is: the same generation, the same members, each
/// with what it was assigned. Whoever waits for a rebalance has to be told to join anew.
///
/// # Errors
/// The group cannot become one, or may not.
pub(in super::super) fn upgrade(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    classic: &ClassicGroup,
) -> Result<(), Refusal> {
    let id = draft.id().clone();
    let refused = |why: String| {
        let message = format!("Cannot upgrade classic group {id} to consumer group because {why}.");
        Err(Refusal::new(ErrorCode::GROUP_ID_NOT_FOUND, message))
    };
    if !context.settings.migration_policy.allows_upgrade() {
        return refused("online upgrade is disabled".to_owned());
    }
    if !classic.is_of_consumers() {
        return refused("the group does not use the consumer embedded protocol".to_owned());
    }
    if classic.members().count() > context.settings.members_max {
        return refused("the group size exceeds the consumer group maximum size".to_owned());
    }
    let mut members = Vec::new();
    for (member_id, member) in classic.members() {
        match upgraded(context, classic, member_id, member) {
            Ok(member) => members.push(member),
            Err(refusal) => return refused(refusal.message),
        }
    }
    draft.write([ClassicGroup::tombstone(&id)]);
    draft.write(members.iter().map(|member| records::member(&id, member)));
    let hash = subscriptions::metadata_hash(draft, context.image);
    let generation = classic.generation();
    draft.write([records::epoch(&id, generation, hash)]);
    for member in &members {
        let pairs = member.assigned.iter().map(|(topic_id, partition, _)| (topic_id, partition));
        draft.write([records::target(&id, &member.id, &pairs.collect::<Partitions>())]);
    }
    draft.write([records::target_epoch(&id, generation, 0)]);
    draft.write(members.iter().map(|member| records::current(&id, member)));
    for member in &members {
        let session_ms = member.classic.as_ref().map_or(0, |classic| classic.session_timeout_ms);
        draft.set_timer(TimerKind::Session, &member.id, context.now_ms.saturating_add(session_ms.into()));
    }
    Ok(())
}

fn upgraded(
    context: Context<'_>,
    classic: &ClassicGroup,
    id: &Text,
    member: &ClassicMember,
) -> Result<Member, Refusal> {
    let of_group = classic.protocol().and_then(|protocol| member.metadata(protocol));
    let metadata = of_group.or_else(|| member.protocols.first().map(|(_, metadata)| metadata));
    let subscription = match metadata {
        Some(metadata) => subscription(metadata)?,
        None => Default::default(),
    };
    let generation = classic.generation();
    let mut upgraded = Member::new(id.clone());
    (upgraded.epoch, upgraded.previous_epoch) = (generation, generation);
    upgraded.instance_id = member.instance_id.clone();
    upgraded.rack_id = subscription.rack_id.as_ref().filter(|rack| !rack.is_empty()).map(Text::detached);
    upgraded.rebalance_timeout_ms = member.rebalance_timeout_ms;
    upgraded.client_id = member.client_id.clone();
    upgraded.client_host = member.client_host.clone();
    upgraded.set_topic_names(&subscription.topics);
    upgraded.assigned = assigned(context, member, generation)?;
    let protocols = member.protocols.iter().map(|(name, metadata)| ClassicProtocol {
        name: name.clone(),
        metadata: metadata.clone(),
        ..Default::default()
    });
    upgraded.classic = Some(ClassicMemberMetadata {
        session_timeout_ms: member.session_timeout_ms,
        supported_protocols: protocols.collect(),
        ..Default::default()
    });
    Ok(upgraded)
}

/// What the leader gave a member, of topics that are there. What an assignor of its own noted beside would be lost.
fn assigned(context: Context<'_>, member: &ClassicMember, generation: i32) -> Result<Owned, Refusal> {
    let refused = |message: &str| Refusal::new(ErrorCode::GROUP_ID_NOT_FOUND, message);
    if member.assignment.is_empty() {
        return Ok(Owned::default());
    }
    let assignment = ConsumerProtocolAssignment::from_member_bytes(member.assignment.clone())
        .map_err(|_| refused("the embedded consumer protocol is malformed"))?;
    if assignment.user_data.is_some_and(|data| !data.is_empty()) {
        return Err(refused("an unsupported custom assignor is in use"));
    }
    let topics = assignment.assigned_partitions.iter();
    let known = topics.filter_map(|topic| Some((context.image.topic(&topic.topic)?.id(), &topic.partitions)));
    let pairs = known.flat_map(|(topic_id, partitions)| partitions.iter().map(move |one| (topic_id, *one)));
    Ok(pairs.map(|(topic_id, partition)| (topic_id, partition, generation)).collect())
}
