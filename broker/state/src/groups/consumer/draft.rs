//! A decision in the making: a group as it will be, and what has to be written for it to become so.

use std::borrow::Cow;
use std::ops::Deref;

use strandline_protocol::{ErrorCode, Text};

use super::classic::Downgrade;
use super::group::ConsumerGroup;
use super::{Passing, Settings, Timer, TimerKind};
use crate::groups::GroupRecord;
use crate::metadata::MetadataImage;

/// What is the same for everything that is asked of a group.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The time by the wall clock.
    pub now_ms: i64,
    /// The cluster.
    pub image: &'a MetadataImage,
    /// What is set.
    pub settings: &'a Settings,
}

/// Why a request is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// Kafka's code.
    pub code: ErrorCode,
    /// The same for people.
    pub message: String,
}

impl Refusal {
    /// With this code, in these words.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// What a request or a timer comes to, the answer apart.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// To be appended, in this order.
    pub records: Vec<GroupRecord>,
    /// To be taken in after that.
    pub passing: Vec<Passing>,
    /// Timers, each with the moment when it goes off, or none to take it back.
    pub timers: Vec<(Timer, Option<i64>)>,
    /// The classic group that the group becomes with these records, if it does.
    pub downgrade: Option<Downgrade>,
}

/// A group as it will be. Each record is taken in at once, so what is decided next is decided for the group as replay
/// will make it.
pub(super) struct Draft<'a> {
    group: Cow<'a, ConsumerGroup>,
    outcome: Outcome,
}

impl Deref for Draft<'_> {
    type Target = ConsumerGroup;

    fn deref(&self) -> &ConsumerGroup {
        &self.group
    }
}

impl<'a> Draft<'a> {
    /// Of a group that is there.
    pub(super) fn of(group: &'a ConsumerGroup) -> Self {
        Self { group: Cow::Borrowed(group), outcome: Outcome::default() }
    }

    /// Of a group that is not there yet; these records go first.
    pub(super) fn of_new(id: Text, records: Vec<GroupRecord>) -> Self {
        let outcome = Outcome { records, ..Outcome::default() };
        Self { group: Cow::Owned(ConsumerGroup::new(id)), outcome }
    }

    /// Writes records.
    pub(super) fn write(&mut self, records: impl IntoIterator<Item = GroupRecord>) {
        for record in records {
            self.group.to_mut().evolve(&record);
            self.outcome.records.push(record);
        }
    }

    /// Ends the group, which goes on as a classic one.
    pub(super) fn end(&mut self, records: Vec<GroupRecord>, downgrade: Downgrade) {
        self.outcome.records.extend(records);
        self.outcome.downgrade = Some(downgrade);
    }

    /// Changes what is in memory alone.
    pub(super) fn pass(&mut self, passing: Passing) {
        self.outcome.passing.push(passing);
    }

    /// Sets a timer of a member.
    pub(super) fn set_timer(&mut self, kind: TimerKind, member_id: &Text, at_ms: i64) {
        self.outcome.timers.push((Timer::new(kind, self.group.id(), member_id), Some(at_ms)));
    }

    /// Takes a timer of a member back.
    pub(super) fn stop_timer(&mut self, kind: TimerKind, member_id: &Text) {
        self.outcome.timers.push((Timer::new(kind, self.group.id(), member_id), None));
    }

    /// All that has to be done.
    pub(super) fn finish(self) -> Outcome {
        self.outcome
    }
}
