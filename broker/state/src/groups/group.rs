//! What a group can be, and what is asked of every kind.

use std::sync::Arc;

use strandline_protocol::apis::list_groups::ListedGroup;
use strandline_protocol::apis::offset_fetch::OffsetFetchRequestGroup;
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::GroupRecord;
use super::classic::{CONSUMER_PROTOCOL_TYPE, ClassicGroup};
use super::consumer::{self, ConsumerGroup};
use super::offsets::CommittedOffset;

/// Who commits offsets for a group, as far as the group checks it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Committer<'a> {
    pub(super) member_id: &'a str,
    pub(super) instance_id: Option<&'a Text>,
    /// The generation or, of a consumer group, the member's epoch; negative = none.
    pub(super) generation: i32,
    pub(super) is_transactional: bool,
    /// The version of OffsetCommit; of no interest in a transaction.
    pub(super) version: i16,
}

/// A group of one kind or another. There is one for each id, whatever its kind.
#[derive(Clone, Debug)]
pub enum Group {
    /// Its members choose one of them to assign. A group that nobody ever joined, and that only has offsets, is of
    /// this kind too.
    Classic(Arc<ClassicGroup>),
    /// The broker assigns.
    Consumer(Arc<ConsumerGroup>),
}

impl Group {
    /// What Kafka calls the kind.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Classic(_) => "classic",
            Self::Consumer(_) => "consumer",
        }
    }

    /// What Kafka calls its state.
    pub fn state_name(&self) -> &'static str {
        match self {
            Self::Classic(group) => group.state().name(),
            Self::Consumer(group) => group.state().name(),
        }
    }

    /// Whether it is in one of these states, in small letters.
    pub(super) fn is_in_states(&self, states: &[Text]) -> bool {
        states.iter().any(|state| state.eq_ignore_ascii_case(self.state_name()))
    }

    /// What lists show of it.
    pub(super) fn listed(&self, id: &Text) -> ListedGroup {
        let protocol_type = match self {
            Self::Classic(group) => group.protocol_type().cloned().unwrap_or_default(),
            Self::Consumer(_) => Text::from_static(CONSUMER_PROTOCOL_TYPE),
        };
        ListedGroup {
            group_id: id.clone(),
            protocol_type,
            group_state: Text::from_static(self.state_name()),
            group_type: Text::from_static(self.type_name()),
            ..Default::default()
        }
    }

    /// Whether it has no members.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Classic(group) => group.is_empty(),
            Self::Consumer(group) => group.is_empty(),
        }
    }

    /// Whether it goes by itself when it has no members and no offsets any more.
    pub(super) fn goes_when_empty(&self) -> bool {
        match self {
            Self::Classic(_) | Self::Consumer(_) => true,
        }
    }

    /// Whether this one may commit offsets for it, of all these partitions.
    pub(super) fn check_commit(
        &self,
        committer: Committer<'_>,
        partitions: impl FnOnce() -> Vec<(Uuid, i32)>,
    ) -> Result<(), ErrorCode> {
        match self {
            Self::Classic(group) => group.check_commit(committer),
            Self::Consumer(group) => {
                let Committer { member_id, instance_id, generation: epoch, is_transactional, version } =
                    committer;
                let committer =
                    consumer::Committer { member_id, instance_id, epoch, is_transactional, version };
                match group.check_commit(committer)? {
                    consumer::CommitCheck::All => Ok(()),
                    check => partitions()
                        .into_iter()
                        .try_for_each(|(topic_id, partition)| check.check(topic_id, partition)),
                }
            }
        }
    }

    /// Whether its offsets may be fetched by this one.
    pub(super) fn check_fetch(&self, request: &OffsetFetchRequestGroup) -> Result<(), ErrorCode> {
        match self {
            Self::Classic(_) => Ok(()),
            Self::Consumer(group) => group.check_fetch(request.member_id.as_ref(), request.member_epoch),
        }
    }

    /// Whether offsets of it may be deleted.
    pub(super) fn check_offset_delete(&self) -> Result<(), ErrorCode> {
        match self {
            Self::Classic(group) if group.is_empty() || group.is_of_consumers() => Ok(()),
            Self::Classic(_) => Err(ErrorCode::NON_EMPTY_GROUP),
            Self::Consumer(_) => Ok(()),
        }
    }

    /// Whether it may be deleted.
    pub(super) fn check_delete(&self) -> Result<(), ErrorCode> {
        if self.is_empty() { Ok(()) } else { Err(ErrorCode::NON_EMPTY_GROUP) }
    }

    /// The records that take it away.
    pub(super) fn tombstones(&self, id: &Text, records: &mut Vec<GroupRecord>) {
        match self {
            Self::Classic(_) => records.push(ClassicGroup::tombstone(id)),
            Self::Consumer(group) => records.extend(group.tombstones()),
        }
    }

    /// Whether a member reads this topic, so that its offsets stay.
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        match self {
            Self::Classic(group) => group.is_subscribed_to(topic),
            Self::Consumer(group) => group.is_subscribed_to(topic),
        }
    }

    /// The moment from which on the retention of one of its offsets counts; none while it does not.
    pub(super) fn retention_base_ms(&self, offset: &CommittedOffset) -> Option<i64> {
        match self {
            Self::Classic(group) => group.retention_base_ms(offset),
            Self::Consumer(_) => Some(offset.commit_ms),
        }
    }
}
