//! A heartbeat: a member joins, stays, changes what it is subscribed to, and is told what it may use.
//!
//! Three steps, each of which writes what it changes. The member is made or updated, and the group's epoch rises if what
//! the group is subscribed to did. If that epoch is above the target's, a new target is computed. Then the member goes as
//! far towards the target as it can.

use std::sync::Arc;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, RequestTopicPartitions,
};
use strandline_protocol::{ErrorCode, Text};

use super::draft::{Context, Draft, Outcome, Refusal};
use super::member::{EPOCH_OF_ABSENT, Member, Owned};
use super::{ConsumerGroup, TimerKind, classic, leave, reconcile, records, subscription, target};
use crate::groups::classic::ClassicGroup;
use crate::groups::{Caller, GroupRecord};

/// The epoch with which a member leaves.
pub(super) const EPOCH_OF_LEAVING: i32 = -1;

/// The first version in which a member chooses its id itself.
const VERSION_OF_OWN_IDS: i16 = 1;

/// A heartbeat, with what is known beside it.
pub struct Heartbeat<'a> {
    /// What was sent.
    pub request: &'a ConsumerGroupHeartbeatRequest,
    /// In which version.
    pub version: i16,
    /// By whom.
    pub caller: &'a Caller,
    /// The id of a member that joins without one; nobody else has it.
    pub new_member_id: &'a Text,
}

/// What the group is that a heartbeat names.
pub enum Base<'a> {
    /// It is there.
    Group(&'a ConsumerGroup),
    /// It is not, and these records make room for it.
    New(Vec<GroupRecord>),
    /// It is a classic group, and becomes one of this kind.
    Classic(&'a ClassicGroup),
}

/// What a heartbeat came to.
pub type Answer = (Outcome, ConsumerGroupHeartbeatResponse);

impl Heartbeat<'_> {
    /// Whether the member joins, so that the group is made if it is not there.
    pub const fn is_join(&self) -> bool {
        self.request.member_epoch == 0
    }

    /// Whether the member goes.
    pub const fn is_leave(&self) -> bool {
        matches!(self.request.member_epoch, EPOCH_OF_LEAVING | EPOCH_OF_ABSENT)
    }

    /// Whether the request can be one at all, whatever the group.
    pub fn check(&self, context: Context<'_>) -> Result<(), Refusal> {
        let request = self.request;
        let invalid = |message: &str| Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
        let is_empty = |text: &Option<Text>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        let needs_id = self.version >= VERSION_OF_OWN_IDS
            || request.member_epoch > 0
            || request.member_epoch == EPOCH_OF_LEAVING;
        if needs_id && request.member_id.trim().is_empty() {
            return invalid("MemberId can't be empty.");
        }
        if request.group_id.trim().is_empty() {
            return invalid("GroupId can't be empty.");
        }
        if is_empty(&request.instance_id) {
            return invalid("InstanceId can't be empty.");
        }
        if is_empty(&request.rack_id) {
            return invalid("RackId can't be empty.");
        }
        match request.member_epoch {
            0 if request.rebalance_timeout_ms == -1 => {
                return invalid("RebalanceTimeoutMs must be provided in first request.");
            }
            0 if request.topic_partitions.as_ref().is_none_or(|owned| !owned.is_empty()) => {
                return invalid("TopicPartitions must be empty when (re-)joining.");
            }
            0 if request.subscribed_topic_names.is_none() && request.subscribed_topic_regex.is_none() => {
                return invalid(
                    "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
                );
            }
            EPOCH_OF_ABSENT if request.instance_id.is_none() => {
                return invalid("InstanceId can't be null.");
            }
            ..EPOCH_OF_ABSENT => return invalid("MemberEpoch is invalid."),
            _ => {}
        }
        match &request.server_assignor {
            Some(name) if context.settings.assignor(name).is_none() => Err(Refusal::new(
                ErrorCode::UNSUPPORTED_ASSIGNOR,
                format!(
                    "ServerAssignor {name} is not supported. Supported assignors: {}.",
                    context.settings.assignor_names()
                ),
            )),
            _ => Ok(()),
        }
    }

    /// What it comes to, once it was found to be possible.
    ///
    /// # Errors
    /// The group cannot take it; nothing changes.
    pub fn decide(&self, context: Context<'_>, base: Base<'_>) -> Result<Answer, Refusal> {
        let mut draft = match base {
            Base::Group(group) => Draft::of(group),
            Base::New(records) => {
                let mut draft = Draft::of_new(self.request.group_id.detached(), Vec::new());
                draft.write(records);
                draft
            }
            Base::Classic(group) => {
                let mut draft = Draft::of_new(self.request.group_id.detached(), Vec::new());
                classic::upgrade(context, &mut draft, group)?;
                draft
            }
        };
        let response = if self.is_leave() {
            leave::leave(context, &mut draft, self.request)?
        } else {
            self.beat(context, &mut draft)?
        };
        Ok((draft.finish(), response))
    }

    fn beat(
        &self,
        context: Context<'_>,
        draft: &mut Draft<'_>,
    ) -> Result<ConsumerGroupHeartbeatResponse, Refusal> {
        let request = self.request;
        check_room(context, draft, &request.member_id)?;
        let member = self.member(draft)?;
        let updated = self.updated(&member);
        let id = updated.id.clone();
        if draft.member(&id) != Some(&updated) {
            draft.write([records::member(draft.id(), &updated)]);
        }
        let changed = subscription::update(context, draft, &self.caller.sight, (&member, &updated))?;
        target::update(context, draft)?;
        reconcile::reconcile(context, draft, &id, changed, request.topic_partitions.as_deref())?;
        let session_ms = context.settings.session_timeout_ms(context.image, draft.id());
        draft.set_timer(TimerKind::Session, &id, context.now_ms.saturating_add(session_ms.into()));
        Ok(self.response(context, draft, &id, &member.assigned))
    }

    fn response(
        &self,
        context: Context<'_>,
        draft: &Draft<'_>,
        member_id: &Text,
        assigned_before: &Owned,
    ) -> ConsumerGroupHeartbeatResponse {
        let request = self.request;
        let member = draft.member(member_id);
        // Who sends everything has lost an answer, or has only begun, and gets everything.
        let is_complete = request.rebalance_timeout_ms != -1
            && (request.subscribed_topic_names.is_some() || request.subscribed_topic_regex.is_some())
            && request.topic_partitions.is_some();
        let assigned = member.map(|member| &member.assigned);
        let is_told = self.is_join() || is_complete || assigned != Some(assigned_before);
        ConsumerGroupHeartbeatResponse {
            member_id: Some(member_id.clone()),
            member_epoch: member.map_or(0, |member| member.epoch),
            heartbeat_interval_ms: context.settings.heartbeat_interval_ms(context.image, draft.id()),
            assignment: assigned.filter(|_| is_told).map(Owned::to_assignment),
            ..Default::default()
        }
    }

    /// The member as it was, or a new one. One that takes the place of a static member that went is written.
    fn member(&self, draft: &mut Draft<'_>) -> Result<Arc<Member>, Refusal> {
        let request = self.request;
        let id = if request.member_id.is_empty() { self.new_member_id } else { &request.member_id };
        let owned = request.topic_partitions.as_deref();
        match (&request.instance_id, self.is_join()) {
            (None, is_join) => {
                let member = known_or_new(draft, id, is_join)?;
                check_epoch(&member, request.member_epoch, owned)?;
                Ok(member)
            }
            (Some(instance_id), true) => {
                let Some(before) = draft.static_member(instance_id).cloned() else {
                    return known_or_new(draft, id, true);
                };
                if !before.is_classic() && before.epoch != EPOCH_OF_ABSENT {
                    return Err(unreleased(&before, id, instance_id));
                }
                Ok(replace(draft, &before, id))
            }
            (Some(instance_id), false) => {
                let member = known_static(draft, instance_id)?;
                check_fenced(&member, id, instance_id)?;
                check_epoch(&member, request.member_epoch, owned)?;
                Ok(member)
            }
        }
    }

    /// The member with what the request says; what it does not say stays.
    fn updated(&self, member: &Member) -> Member {
        let request = self.request;
        let mut updated = member.clone();
        let set = |field: &mut Option<Text>, said: &Option<Text>| {
            if said.is_some() && said != field {
                *field = said.as_ref().map(Text::detached);
            }
        };
        set(&mut updated.instance_id, &request.instance_id);
        set(&mut updated.rack_id, &request.rack_id);
        set(&mut updated.assignor, &request.server_assignor);
        if request.rebalance_timeout_ms != -1 {
            updated.rebalance_timeout_ms = request.rebalance_timeout_ms;
        }
        if let Some(names) = &request.subscribed_topic_names {
            updated.set_topic_names(names);
        }
        if let Some(regex) = &request.subscribed_topic_regex {
            updated.topic_regex = regex.detached();
        }
        updated.client_id = self.caller.client_id.clone();
        updated.client_host = self.caller.client_host.clone();
        updated.classic = None;
        updated
    }
}

/// Whether the group has room for this member, or has it already.
pub(super) fn check_room(context: Context<'_>, draft: &Draft<'_>, member_id: &str) -> Result<(), Refusal> {
    let max = context.settings.members_max;
    if draft.member_count() >= max && draft.member(member_id).is_none() {
        let message = format!("The consumer group has reached its maximum capacity of {max} members.");
        return Err(Refusal::new(ErrorCode::GROUP_MAX_SIZE_REACHED, message));
    }
    Ok(())
}

pub(super) fn known_or_new(draft: &Draft<'_>, id: &Text, is_join: bool) -> Result<Arc<Member>, Refusal> {
    match draft.members.get(id) {
        Some(member) => Ok(Arc::clone(member)),
        None if is_join => Ok(Arc::new(Member::new(id.detached()))),
        None => Err(Refusal::new(
            ErrorCode::UNKNOWN_MEMBER_ID,
            format!("Member {id} is not a member of group {}.", draft.id()),
        )),
    }
}

pub(super) fn known_static(group: &ConsumerGroup, instance_id: &Text) -> Result<Arc<Member>, Refusal> {
    let id = group.static_members.get(instance_id);
    id.and_then(|id| group.members.get(id)).cloned().ok_or_else(|| {
        Refusal::new(ErrorCode::UNKNOWN_MEMBER_ID, format!("Instance id {instance_id} is unknown."))
    })
}

/// Whether a static member speaks for itself: its name may belong to another process by now.
pub(super) fn check_fenced(member: &Member, id: &Text, instance_id: &Text) -> Result<(), Refusal> {
    if member.id == *id {
        return Ok(());
    }
    let message =
        format!("Static member {id} with instance id {instance_id} was fenced by member {}.", member.id);
    Err(Refusal::new(ErrorCode::FENCED_INSTANCE_ID, message))
}

fn unreleased(owner: &Member, id: &Text, instance_id: &Text) -> Refusal {
    Refusal::new(
        ErrorCode::UNRELEASED_INSTANCE_ID,
        format!(
            "Static member {id} with instance id {instance_id} cannot join the group because the instance id is \
             owned by {} member.",
            owner.id
        ),
    )
}

/// Whether a member is where it says it is. It may still be in the epoch before, if it owns no more than it may: then
/// the answer with the new epoch was lost.
fn check_epoch(member: &Member, epoch: i32, owned: Option<&[RequestTopicPartitions]>) -> Result<(), Refusal> {
    let owns_no_more = || {
        owned.is_some_and(|owned| {
            let mut partitions = owned
                .iter()
                .flat_map(|topic| topic.partitions.iter().map(|partition| (topic.topic_id, *partition)));
            partitions.all(|(topic_id, partition)| member.assigned.contains(topic_id, partition))
        })
    };
    let relation = match epoch {
        0 => return Ok(()),
        _ if epoch > member.epoch => "greater",
        _ if epoch == member.epoch || (epoch == member.previous_epoch && owns_no_more()) => return Ok(()),
        _ => "smaller",
    };
    let message = format!(
        "The consumer group member has a {relation} member epoch ({epoch}) than the one known by the group \
         coordinator ({}). The member must abandon all its partitions and rejoin.",
        member.epoch
    );
    Err(Refusal::new(ErrorCode::FENCED_MEMBER_EPOCH, message))
}

/// Puts a member into the place of another of the same configured name, which went.
pub(super) fn replace(draft: &mut Draft<'_>, before: &Member, id: &Text) -> Arc<Member> {
    let group_id = draft.id().clone();
    let target = draft.target(&before.id).cloned().unwrap_or_default();
    let member = Member { id: id.detached(), epoch: 0, previous_epoch: 0, ..before.clone() };
    draft.write(records::no_member(&group_id, &before.id));
    draft.write([
        records::member(&group_id, &member),
        records::target(&group_id, &member.id, &target),
        records::current(&group_id, &member),
    ]);
    leave::stop_timers(draft, &before.id);
    Arc::new(member)
}
