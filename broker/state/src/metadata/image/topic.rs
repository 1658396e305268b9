//! A topic and its partitions, as the image holds them.

use std::ops::Bound;
use std::sync::Arc;

use strandline_protocol::{TaggedFields, Text, Uuid};

use crate::metadata::record::PartitionValue;
use crate::tree::TreeMap;

/// A topic with its partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Topic {
    pub(super) id: Uuid,
    pub(super) name: Text,
    pub(super) is_internal: bool,
    pub(super) unknown_tagged_fields: TaggedFields,
    pub(super) partitions: TreeMap<i32, Partition>,
}

impl Topic {
    /// The id, which no other topic ever had.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// The name.
    pub const fn name(&self) -> &Text {
        &self.name
    }

    /// Whether it belongs to the brokers, not to a user.
    pub const fn is_internal(&self) -> bool {
        self.is_internal
    }

    /// The partition of this number.
    pub fn partition(&self, index: i32) -> Option<&Partition> {
        self.partitions.get(&index)
    }

    /// The partitions by rising number.
    pub fn partitions(&self) -> impl Iterator<Item = (i32, &Partition)> {
        self.partitions.iter().map(|(index, partition)| (*index, partition))
    }

    /// The partitions by rising number, from one on; those before it are not walked.
    pub fn partitions_from(&self, index: i32) -> impl Iterator<Item = (i32, &Partition)> {
        self.partitions.iter_from(Bound::Included(&index)).map(|(index, partition)| (*index, partition))
    }

    /// How many partitions there are.
    pub const fn partition_count(&self) -> usize {
        self.partitions.len()
    }
}

/// A partition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Partition {
    // Partitions side by side mostly have the same replicas, and then they share this.
    replication: Arc<Replication>,
    leader: i32,
    leader_epoch: i32,
    partition_epoch: i32,
    unknown_tagged_fields: TaggedFields,
}

/// Which brokers have a copy of a partition, and how far they are.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Replication {
    /// The brokers that have a copy, the one that leads if it can first.
    pub replicas: Box<[i32]>,
    /// For each replica, the directory that the copy is in.
    pub directory_ids: Box<[Uuid]>,
    /// The replicas that are in sync.
    pub isr: Box<[i32]>,
    /// Replicas that left the in-sync set and still have all that was committed.
    pub eligible_leader_replicas: Box<[i32]>,
    /// What the eligible leader replicas were before an unclean shutdown of one of them.
    pub last_known_elr: Box<[i32]>,
}

impl Partition {
    /// The partition that a record says; it shares with its neighbour what both have.
    pub(super) fn new(value: &PartitionValue, neighbour: Option<&Self>) -> Self {
        let replication = Replication {
            replicas: value.replicas.as_slice().into(),
            directory_ids: value.directory_ids.as_slice().into(),
            isr: value.isr.as_slice().into(),
            eligible_leader_replicas: value.eligible_leader_replicas.as_slice().into(),
            last_known_elr: value.last_known_elr.as_slice().into(),
        };
        let replication = match neighbour {
            Some(neighbour) if *neighbour.replication == replication => Arc::clone(&neighbour.replication),
            _ => Arc::new(replication),
        };
        Self {
            replication,
            leader: value.leader,
            leader_epoch: value.leader_epoch,
            partition_epoch: value.partition_epoch,
            unknown_tagged_fields: value.unknown_tagged_fields.clone(),
        }
    }

    /// The partition as a record says it.
    pub fn to_value(&self) -> PartitionValue {
        let replication = &self.replication;
        PartitionValue {
            replicas: replication.replicas.to_vec(),
            directory_ids: replication.directory_ids.to_vec(),
            isr: replication.isr.to_vec(),
            eligible_leader_replicas: replication.eligible_leader_replicas.to_vec(),
            last_known_elr: replication.last_known_elr.to_vec(),
            leader: self.leader,
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
            unknown_tagged_fields: self.unknown_tagged_fields.clone(),
        }
    }

    /// The broker that leads; -1 = none.
    pub const fn leader(&self) -> i32 {
        self.leader
    }

    /// Rises with each leader.
    pub const fn leader_epoch(&self) -> i32 {
        self.leader_epoch
    }

    /// Rises with each change.
    pub const fn partition_epoch(&self) -> i32 {
        self.partition_epoch
    }

    /// Which brokers have a copy, and how far they are.
    pub fn replication(&self) -> &Replication {
        &self.replication
    }

    /// The brokers that have a copy, the one that leads if it can first.
    pub fn replicas(&self) -> &[i32] {
        &self.replication.replicas
    }

    /// The replicas that are in sync.
    pub fn isr(&self) -> &[i32] {
        &self.replication.isr
    }
}

/// The name with `_` for each `.`, if it holds any of the two: names that fold to the same collide, since the
/// names of metrics could not tell them apart.
pub(super) fn folded(name: &str) -> Option<Text> {
    name.contains(['.', '_']).then(|| Text::from(name.replace('.', "_")))
}
