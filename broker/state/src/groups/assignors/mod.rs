//! Who of a group reads which partitions: the assignors on the broker's side, by Kafka's names.
//!
//! An assignor is a function of the members, what each is subscribed to and what it shall own so far. What it gives out
//! is complete (each partition that anybody is subscribed to has an owner who is), disjoint (no more than one), balanced
//! and sticky, as far as each says of itself. The same input gives the same assignment.

mod range;
mod uniform;

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::{Text, Uuid};

use super::partitions::Partitions;

/// A way to give out partitions.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Assignor {
    /// As even as can be over all topics together, and no partition moves that need not.
    Uniform,
    /// Of each topic a run of partitions, the members always in the same order: topics with as many partitions as each
    /// other are given out alike, so that who joins them finds both sides in one place.
    Range,
}

impl Assignor {
    /// All of them, the default first.
    pub const ALL: &'static [Self] = &[Self::Uniform, Self::Range];

    /// Kafka's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Range => "range",
        }
    }

    /// The one of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|assignor| assignor.name() == name)
    }

    /// Gives out the partitions; for each member, in the order of `members`, what it shall own.
    pub fn assign(self, members: &[MemberSpec], partition_counts: &PartitionCounts) -> Vec<Partitions> {
        match self {
            Self::Uniform => uniform::assign(members, partition_counts),
            Self::Range => range::assign(members, partition_counts),
        }
    }
}

/// How many partitions each topic has.
pub type PartitionCounts = BTreeMap<Uuid, i32>;

/// What an assignor knows of a member.
#[derive(Clone, Debug)]
pub struct MemberSpec {
    /// The member's id.
    pub member_id: Text,
    /// The configured name of a static member.
    pub instance_id: Option<Text>,
    /// The topics that it is subscribed to, rising, each once. Topics without a partition count do not exist.
    pub topics: Arc<[Uuid]>,
    /// What it shall own so far.
    pub current: Partitions,
}

impl MemberSpec {
    fn is_subscribed(&self, topic_id: Uuid) -> bool {
        self.topics.binary_search(&topic_id).is_ok()
    }
}

#[cfg(test)]
mod tests;
