//! Consumer groups of the new protocol (KIP-848): the broker assigns, and brings each member to its target alone.
//!
//! The group has an epoch, which rises with whatever calls for another assignment; the target was computed for an epoch;
//! each member has reached one. A [`Heartbeat`] moves the group and the one member that sent it, and no other: these come
//! with theirs. Everything that lasts is in the group's records, as Kafka writes them.
//!
//! Owns what becomes of one group. Which groups there are, and of which kind, is the typed map's, and offsets are next
//! door. Nothing here reads a clock or makes an id: both come with the request.

mod classic;
mod commit;
mod describe;
mod draft;
mod evolve;
mod group;
mod heartbeat;
mod leave;
mod member;
mod reconcile;
mod records;
mod serve;
mod settings;
mod steady;
mod subscription;
mod target;

use std::sync::Arc;

use strandline_protocol::Text;

pub use self::classic::{Downgrade, DowngradedMember};
pub use self::commit::{CommitCheck, Committer};
pub use self::describe::describe;
pub use self::draft::{Context, Outcome, Refusal};
pub use self::evolve::group_id;
pub use self::group::{ConsumerGroup, ResolvedRegex, State};
pub use self::heartbeat::{Answer, Base, Heartbeat};
pub use self::member::{Member, MemberState, Owned};
pub(super) use self::serve::{
    decide_classic, decide_describe, decide_due, decide_heartbeat, evolve, heed, pass, timers,
};
pub use self::settings::{Settings, Time};

use self::draft::Draft;
use crate::groups::GroupRecord;

/// What a timer is for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TimerKind {
    /// A member is silent for too long.
    Session,
    /// A member does not give up what it has to.
    Rebalance,
    /// A member of the classic protocol does not join anew.
    Join,
    /// A member of the classic protocol does not ask for what it was assigned.
    Sync,
    /// The group's target has stood long enough for the next.
    Assign,
}

impl TimerKind {
    /// Those that are about a member.
    const OF_MEMBERS: [Self; 4] = [Self::Session, Self::Rebalance, Self::Join, Self::Sync];
}

/// What is to happen to a group, or to a member of it, after a while.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timer {
    /// The group.
    pub group_id: Text,
    /// The member; empty if it is about the group.
    pub member_id: Text,
    /// What.
    pub kind: TimerKind,
}

impl Timer {
    /// About this member.
    fn new(kind: TimerKind, group_id: &Text, member_id: &Text) -> Self {
        Self { group_id: group_id.clone(), member_id: member_id.detached(), kind }
    }
}

/// What changes in memory alone.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Passing {
    /// A group's topics are as its epoch knows them, up to a version of the metadata.
    TopicsChecked {
        /// The group.
        group_id: Text,
        /// The version.
        version: i64,
    },
    /// A group's patterns were held against the topics of a version of the metadata.
    RegexesChecked {
        /// The group.
        group_id: Text,
        /// The version.
        version: i64,
        /// When.
        at_ms: i64,
    },
    /// A member of the classic protocol has to join anew, or has done so.
    JoinAwaited {
        /// The group.
        group_id: Text,
        /// The member.
        member_id: Text,
        /// Whether it has to.
        is_awaited: bool,
    },
}

impl Passing {
    /// The group that it is about.
    pub const fn group_id(&self) -> &Text {
        match self {
            Self::TopicsChecked { group_id, .. }
            | Self::RegexesChecked { group_id, .. }
            | Self::JoinAwaited { group_id, .. } => group_id,
        }
    }
}

impl ConsumerGroup {
    /// Takes in what is in memory alone.
    pub fn pass(&mut self, passing: &Passing) {
        match passing {
            Passing::TopicsChecked { version, .. } => self.soft.topics_checked = Some(*version),
            Passing::RegexesChecked { version, at_ms, .. } => {
                self.soft.regexes_checked = Some((*version, *at_ms));
            }
            Passing::JoinAwaited { member_id, is_awaited: true, .. } => {
                self.soft.joins_awaited.insert(member_id.clone());
            }
            Passing::JoinAwaited { member_id, is_awaited: false, .. } => {
                self.soft.joins_awaited.remove(member_id);
            }
        }
    }

    /// What a timer comes to that went off.
    pub fn due(&self, context: Context<'_>, timer: &Timer) -> Outcome {
        let mut draft = Draft::of(self);
        if timer.kind == TimerKind::Assign {
            // Whoever is refused here would be refused again with its own heartbeat.
            if !self.is_empty() {
                drop(target::update(context, &mut draft));
            }
        } else if let Some(member) = self.members.get(&timer.member_id)
            && leave::is_overdue(timer.kind, member)
        {
            leave::remove(context, &mut draft, &[Arc::clone(member)]);
        }
        draft.finish()
    }

    /// The timers that run after replay, each afresh.
    pub fn timers(&self, context: Context<'_>) -> Vec<(Timer, Option<i64>)> {
        let mut timers = Vec::new();
        let session_ms = context.settings.session_timeout_ms(context.image, &self.id);
        for member in self.members() {
            let mut start = |kind, after_ms: i32| {
                let at_ms = context.now_ms.saturating_add(after_ms.into());
                timers.push((Timer::new(kind, &self.id, &member.id), Some(at_ms)));
            };
            let own_ms = member.classic.as_ref().map(|classic| classic.session_timeout_ms);
            start(TimerKind::Session, own_ms.unwrap_or(session_ms));
            if leave::is_overdue(TimerKind::Rebalance, member) && !member.is_classic() {
                start(TimerKind::Rebalance, member.rebalance_timeout_ms);
            }
        }
        timers
    }

    /// The records that end the group.
    pub fn tombstones(&self) -> Vec<GroupRecord> {
        records::no_group(self)
    }
}

#[cfg(test)]
mod tests;
