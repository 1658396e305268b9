//! How a member gets from what it has to what it shall have.
//!
//! It keeps what is in both. If it has anything else, it is told to give that up, and stays in its epoch until it says
//! that it did. Only then does it go on to the target's epoch, with all partitions of the target that nobody else has;
//! for the others it waits. So a partition has one owner at a time, as far as owners told.

use strandline_protocol::apis::consumer_group_heartbeat::RequestTopicPartitions;
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::draft::{Context, Draft, Refusal};
use super::member::{Member, MemberState, Owned};
use super::{ConsumerGroup, TimerKind, records};
use crate::groups::partitions::Partitions;
use crate::metadata::MetadataImage;

/// Brings a member as near to its target as it can get, and sets its timer for giving up partitions.
///
/// `is_resubscribed`: it has just changed what it is subscribed to. `owned`: what it says it has; none if it does not
/// say.
pub(super) fn reconcile(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    member_id: &Text,
    is_resubscribed: bool,
    owned: Option<&[RequestTopicPartitions]>,
) -> Result<(), Refusal> {
    let Some(member) = draft.members.get(member_id).cloned() else { return Ok(()) };
    if !is_resubscribed && member.is_reconciled_to(draft.target_epoch) {
        return Ok(());
    }
    let target = draft.target(member_id).cloned().unwrap_or_default();
    let step = Step { group: draft, image: context.image, member: &member, target: &target, owned };
    let next = step.next(is_resubscribed)?;
    if next == *member {
        return Ok(());
    }
    draft.write([records::current(draft.id(), &next)]);
    // Those of the classic protocol have other timers.
    if !next.is_classic() {
        if next.state == MemberState::Unrevoked {
            let until_ms = context.now_ms.saturating_add(next.rebalance_timeout_ms.into());
            draft.set_timer(TimerKind::Rebalance, member_id, until_ms);
        } else {
            draft.stop_timer(TimerKind::Rebalance, member_id);
        }
    }
    Ok(())
}

/// Whether a member is subscribed to a topic that is there.
fn is_subscribed(group: &ConsumerGroup, member: &Member, image: &MetadataImage, topic_id: Uuid) -> bool {
    let Some(topic) = image.topic_by_id(topic_id) else { return false };
    let has = |names: &[Text]| names.binary_search(topic.name()).is_ok();
    has(&member.topic_names)
        || member
            .regex()
            .and_then(|regex| group.resolved(regex))
            .is_some_and(|resolved| has(&resolved.topics))
}

struct Step<'a> {
    group: &'a ConsumerGroup,
    image: &'a MetadataImage,
    member: &'a Member,
    target: &'a Partitions,
    owned: Option<&'a [RequestTopicPartitions]>,
}

impl Step<'_> {
    fn next(&self, is_resubscribed: bool) -> Result<Member, Refusal> {
        let member = self.member;
        match member.state {
            MemberState::Stable if member.epoch != self.group.target_epoch => Ok(self.towards_target()),
            MemberState::Unrevoked if self.has_any(&member.revoking) => {
                Ok(if is_resubscribed { self.without_unsubscribed() } else { member.clone() })
            }
            MemberState::Stable if is_resubscribed => Ok(self.without_unsubscribed()),
            MemberState::Stable => Ok(member.clone()),
            MemberState::Unrevoked | MemberState::Unreleased => Ok(self.towards_target()),
            // Nobody here knows what it may have. It begins anew, with nothing.
            MemberState::Unknown if self.owned.is_none_or(|owned| !owned.is_empty()) => Err(Refusal::new(
                ErrorCode::FENCED_MEMBER_EPOCH,
                "The consumer group member is in a unknown state. The member must abandon all its partitions \
                 and rejoin.",
            )),
            MemberState::Unknown => Ok(self.towards_target()),
        }
    }

    /// Whether the member has, or may have, one of these: who does not say what it has may have all.
    fn has_any(&self, partitions: &Owned) -> bool {
        let Some(owned) = self.owned else { return true };
        owned.iter().any(|topic| {
            topic.partitions.iter().any(|partition| partitions.contains(topic.topic_id, *partition))
        })
    }

    fn reads(&self, topic_id: Uuid) -> bool {
        is_subscribed(self.group, self.member, self.image, topic_id)
    }

    fn towards_target(&self) -> Member {
        let (mut kept, mut revoked) = (Owned::default(), Owned::default());
        for (topic_id, partitions) in self.member.assigned.topics() {
            let is_read = self.reads(topic_id);
            for (partition, epoch) in partitions {
                let is_kept = is_read && self.target.contains(topic_id, *partition);
                let to = if is_kept { &mut kept } else { &mut revoked };
                to.insert(topic_id, *partition, *epoch);
            }
        }
        let mut next = self.member.clone();
        if !revoked.is_empty() && self.has_any(&revoked) {
            next.state = MemberState::Unrevoked;
            next.advance_to(self.member.epoch);
            (next.assigned, next.revoking) = (kept, revoked);
            return next;
        }
        next.state = if self.take_free(&mut kept) { MemberState::Stable } else { MemberState::Unreleased };
        next.advance_to(self.group.target_epoch);
        (next.assigned, next.revoking) = (kept, Owned::default());
        next
    }

    /// Adds what the member shall have and nobody else has; says whether that is all.
    fn take_free(&self, kept: &mut Owned) -> bool {
        let mut is_all = true;
        for (topic_id, partitions) in self.target.topics() {
            if !self.reads(topic_id) {
                continue;
            }
            for partition in partitions {
                let owner = self.group.owner(topic_id, *partition);
                // What it has itself it keeps, or has just given up.
                if owner.is_some_and(|owner| *owner != self.member.id) {
                    is_all = false;
                } else if !kept.contains(topic_id, *partition) {
                    kept.insert(topic_id, *partition, self.group.target_epoch);
                }
            }
        }
        is_all
    }

    /// Takes from the member what it is not subscribed to any more, before there is another target.
    fn without_unsubscribed(&self) -> Member {
        let mut next = self.member.clone();
        next.assigned = Owned::default();
        for (topic_id, partitions) in self.member.assigned.topics() {
            let to = if self.reads(topic_id) { &mut next.assigned } else { &mut next.revoking };
            partitions.iter().for_each(|(partition, epoch)| to.insert(topic_id, *partition, *epoch));
        }
        if next.assigned == self.member.assigned {
            return self.member.clone();
        }
        next.advance_to(self.member.epoch);
        if self.has_any(&next.revoking) {
            next.state = MemberState::Unrevoked;
        } else {
            next.revoking = self.member.revoking.clone();
        }
        next
    }
}
