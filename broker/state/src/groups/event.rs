//! What happens to groups, for whoever counts it or tells of it. Nothing is decided by it.
//!
//! What the coordinator decides by itself says about whom and why; what requests and heartbeats bring is a number.

use strandline_protocol::Text;

use super::consumer::TimerKind;

/// Something that happened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
    /// A classic group has a generation whose members know what they have, or a consumer group another epoch.
    Rebalanced(Kind),
    /// A member was thrown out.
    MemberExpired {
        /// The kind of its group.
        kind: Kind,
        /// Its group.
        group: Text,
        /// The member.
        member: Text,
        /// What it did not do in time.
        why: Missed,
    },
    /// So many offsets were committed, in transactions or not.
    OffsetsCommitted(usize),
    /// Offsets of a group went because nobody used them for long, or their own time was over.
    OffsetsExpired {
        /// The group.
        group: Text,
        /// How many.
        count: usize,
        /// Whether the group goes as well, since nothing is left of it.
        is_group_gone: bool,
    },
    /// So many offsets went because somebody said so.
    OffsetsDeleted(usize),
    /// So many offsets went with their topics.
    OffsetsOfTopicsGone(usize),
}

/// The kind of group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Its members choose one of them to assign.
    Classic,
    /// The broker assigns.
    Consumer,
}

/// What a member did not do in the time that it had.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Missed {
    /// It sent no heartbeat.
    Heartbeat,
    /// It did not join the rebalance.
    Join,
    /// It did not ask for what it was assigned.
    Sync,
    /// It did not give up the partitions that others are to have.
    Revocation,
}

impl Missed {
    /// What a timer of a consumer group's member waited for.
    pub(super) fn of_timer(kind: TimerKind) -> Self {
        match kind {
            TimerKind::Rebalance => Self::Revocation,
            TimerKind::Join => Self::Join,
            TimerKind::Sync => Self::Sync,
            // Nobody is thrown out for the next target.
            TimerKind::Session | TimerKind::Assign => Self::Heartbeat,
        }
    }

    /// The reason, for people.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Heartbeat => "it was silent for longer than its session timeout",
            Self::Join => "it did not join the rebalance in time",
            Self::Sync => "it did not ask for its assignment in time",
            Self::Revocation => "it did not give up its partitions within its rebalance timeout",
        }
    }
}
