//! Classic groups: the members agree on a protocol, one of them assigns.
//!
//! A rebalance has two phases. While a group *prepares*, members join and wait; when all are there, or have had their
//! time, a generation begins and each is told so. While it *completes*, they wait for what the leader assigns to them.
//! Then it is stable. Of all that the log has the last complete generation; a rebalance that was under way when the
//! process ended begins anew, since its members join again.

mod due;
mod edit;
mod join;
mod member;
mod migrate;
mod record;
mod requests;
mod waits;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};

pub use self::join::Join;
pub use self::member::Member;
pub use self::waits::Waits;

pub(super) use self::due::{join_over, session_over, sessions_after_replay, sync_over};
pub(super) use self::join::decide_join;
pub(super) use self::migrate::decide_downgrade;
pub(super) use self::requests::{decide_heartbeat, decide_leave, decide_sync, heed};

use super::group::Committer;
use super::offsets::CommittedOffset;

/// What consumers call the protocol that they share.
pub const CONSUMER_PROTOCOL_TYPE: &str = "consumer";

/// Where a classic group stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// It has no members.
    #[default]
    Empty,
    /// It waits for members to join.
    PreparingRebalance,
    /// It waits for its leader's assignment.
    CompletingRebalance,
    /// Each member knows what it has.
    Stable,
}

impl State {
    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A classic group.
#[derive(Clone, Debug, Default)]
pub struct ClassicGroup {
    state: State,
    /// When it came there by the wall clock, if that is known.
    state_since_ms: Option<i64>,
    generation: i32,
    /// What its members are; none before the first.
    protocol_type: Option<Text>,
    /// What they have agreed on.
    protocol: Option<Text>,
    leader: Option<Text>,
    members: BTreeMap<Text, Arc<Member>>,
    /// The members that have a configured name, by that.
    static_members: BTreeMap<Text, Text>,
    /// Ids that were given to newcomers who have not come back with them.
    pending_joins: BTreeSet<Text>,
    /// Members that have not asked for what they are assigned in this generation.
    pending_syncs: BTreeSet<Text>,
    /// Whether the rebalance that is being prepared is the first one after the group was empty.
    is_initial: bool,
    /// Whether anybody came while that was being put off, for how long it is now, and for how long it may be yet.
    has_new_member: bool,
    initial_delay_ms: i64,
    initial_delay_left_ms: i64,
    /// What its members read; none if that is not known.
    subscribed: Option<Arc<BTreeSet<Text>>>,
}

impl ClassicGroup {
    /// Where it stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// Its generation.
    pub fn generation(&self) -> i32 {
        self.generation
    }

    /// What its members are.
    pub fn protocol_type(&self) -> Option<&Text> {
        self.protocol_type.as_ref()
    }

    /// What they have agreed on.
    pub fn protocol(&self) -> Option<&Text> {
        self.protocol.as_ref()
    }

    /// The id of the one that assigns.
    pub fn leader(&self) -> Option<&Text> {
        self.leader.as_ref()
    }

    /// Its members, by their ids.
    pub fn members(&self) -> impl Iterator<Item = (&Text, &Arc<Member>)> {
        self.members.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.state == State::Empty
    }

    pub(super) fn is_of_consumers(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL_TYPE)
    }

    /// Whether a request speaks for a member: the one of this id and, if it is named, of this configured name.
    pub(super) fn check_member(&self, member_id: &str, instance_id: Option<&Text>) -> Result<(), ErrorCode> {
        if let Some(instance_id) = instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some(known) if known != member_id => return Err(ErrorCode::FENCED_INSTANCE_ID),
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) { Ok(()) } else { Err(ErrorCode::UNKNOWN_MEMBER_ID) }
    }

    /// Members commit in their generation; others do while there are none, and in transactions of old clients, which
    /// do not say who they are.
    pub(super) fn check_commit(&self, committer: Committer<'_>) -> Result<(), ErrorCode> {
        let Committer { member_id, instance_id, generation, is_transactional, .. } = committer;
        if generation < 0 && self.is_empty() {
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance_id.is_some() {
            self.check_member(member_id, instance_id)?;
            if generation != self.generation {
                return Err(ErrorCode::ILLEGAL_GENERATION);
            }
        } else if !is_transactional {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        // It knows of the generation already, and not what it is to read in it.
        if !is_transactional && self.state == State::CompletingRebalance {
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }

    /// Consumers whose subscription cannot be read may read anything.
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed {
            Some(topics) => topics.contains(topic),
            None => self.is_of_consumers(),
        }
    }

    pub(super) fn retention_base_ms(&self, offset: &CommittedOffset) -> Option<i64> {
        if self.protocol_type.is_none() {
            return Some(offset.commit_ms);
        }
        match self.state {
            State::Empty => Some(self.state_since_ms.unwrap_or(offset.commit_ms)),
            State::Stable if self.is_of_consumers() && self.subscribed.is_some() => Some(offset.commit_ms),
            _ => None,
        }
    }
}
