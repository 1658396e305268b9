//! Mistakes that the checker has to find, made by whoever stands between the machine and its clients.

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};

use super::super::world::{GROUP, World};
use super::Run;
use crate::coordinator::{Decision, Machine, Record};
use crate::groups::consumer::{self, TimerKind};
use crate::groups::{Command, GroupRecord, Timer};
use crate::metadata::MetadataImage;

/// A mistake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Planted {
    /// A partition is free as soon as its owner is told to give it up.
    HandedOverTooEarly,
    /// Whoever sends a heartbeat is taken for being in the right epoch.
    EpochNotChecked,
    /// What a member says that it owns is not looked at: it has given up whatever it was told to.
    RevocationNotAwaited,
    /// Nobody is ever silent for too long.
    NoSessionTimeout,
    /// Commits are accepted from whoever believes that a partition is its own.
    CommitsNotChecked,
    /// Another assignment is not told.
    AssignmentNotTold,
    /// A new target is not written, only acted upon.
    TargetNotWritten,
    /// What a member has is not written, only acted upon.
    OwnershipNotWritten,
    /// The last tombstone of one who left is not written, only acted upon.
    DepartureNotWritten,
    /// Topics that come and go are not told to the group.
    TopicsNotNoticed,
    /// After replay, nobody waits for those who were there before.
    NoTimersAfterReplay,
    /// A member is told an epoch that it has not reached.
    WrongEpochTold,
}

impl Planted {
    pub(super) const ALL: [Self; 12] = [
        Self::HandedOverTooEarly,
        Self::EpochNotChecked,
        Self::RevocationNotAwaited,
        Self::NoSessionTimeout,
        Self::CommitsNotChecked,
        Self::AssignmentNotTold,
        Self::TargetNotWritten,
        Self::OwnershipNotWritten,
        Self::DepartureNotWritten,
        Self::TopicsNotNoticed,
        Self::NoTimersAfterReplay,
        Self::WrongEpochTold,
    ];

    /// Between a client and the machine.
    pub(super) fn alter_request(self, request: &mut ConsumerGroupHeartbeatRequest, world: &World) {
        let group = world.groups.consumer_group(GROUP);
        let member = group.and_then(|group| group.member(&request.member_id));
        match (self, member) {
            (Self::EpochNotChecked, Some(member)) if request.member_epoch > 0 => {
                request.member_epoch = member.epoch;
            }
            (Self::RevocationNotAwaited, _) if request.member_epoch > 0 => {
                request.topic_partitions = Some(Vec::new());
            }
            _ => {}
        }
    }

    /// Between the machine and a client.
    pub(super) fn alter_answer(self, response: &mut ConsumerGroupHeartbeatResponse) {
        match self {
            Self::AssignmentNotTold => response.assignment = None,
            Self::WrongEpochTold => response.member_epoch += 1,
            _ => {}
        }
    }

    /// Between the machine and its log.
    pub(super) fn alter_records(self, world: &mut World, batches: usize) {
        if self == Self::HandedOverTooEarly {
            free_what_is_revoked(world);
        }
        let is_lost = |key: &GroupLogKey, is_tombstone: bool| match self {
            Self::TargetNotWritten => matches!(key, GroupLogKey::ConsumerGroupTargetAssignmentMember(_)),
            Self::OwnershipNotWritten => {
                matches!(key, GroupLogKey::ConsumerGroupCurrentMemberAssignment(_)) && !is_tombstone
            }
            Self::DepartureNotWritten => {
                matches!(key, GroupLogKey::ConsumerGroupMemberMetadata(_)) && is_tombstone
            }
            _ => false,
        };
        for batch in world.log.iter_mut().skip(batches) {
            batch.retain(|(key, value)| {
                let record = GroupRecord::from_bytes(key.clone(), value.clone()).unwrap().unwrap();
                !is_lost(&record.key, value.is_none())
            });
        }
    }

    /// Before timers go off.
    pub(super) fn drop_timers(self, timers: &mut BTreeMap<Timer, i64>) {
        if self == Self::NoSessionTimeout {
            timers.retain(|timer, _| {
                !matches!(timer, Timer::Consumer(consumer::Timer { kind: TimerKind::Session, .. }))
            });
        }
    }
}

/// Writes once more what members have, as if they had given up what they were told to.
fn free_what_is_revoked(world: &mut World) {
    let Some(group) = world.groups.consumer_group(GROUP) else { return };
    let revoking = group.members().filter(|member| !member.revoking.is_empty());
    let records: Vec<GroupRecord> = revoking
        .map(|member| {
            let mut record = crate::groups::consumer::records::current(group.id(), member);
            if let Some(GroupLogValue::ConsumerGroupCurrentMemberAssignment(value)) = &mut record.value {
                value.partitions_pending_revocation.clear();
            }
            record
        })
        .collect();
    world.apply(Decision { records, ..Decision::default() });
}

impl Run {
    /// The group goes on with the topics that there were at first.
    pub(super) fn hide_metadata(&mut self) {
        let mut image = MetadataImage::default();
        image.advance_to(self.world.image.offset());
        let command =
            Command::MetadataChanged { image: Arc::new(image), changed: Vec::new(), deleted: Vec::new() };
        let decision = self.world.groups.decide(self.world.now_ms(), command);
        self.world.apply(decision);
    }
}
