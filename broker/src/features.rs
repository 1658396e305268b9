//! The features of a cluster that this program implements, at which levels. One that it does not implement is not
//! told of: clients would use it.

use strandline_state::metadata::MetadataImage;

/// A feature and the levels of it that can be run.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Kafka's name for it.
    pub name: &'static str,
    /// The lowest level; 0 = it can be off.
    pub level_min: i16,
    /// The highest level, which a new cluster has.
    pub level_max: i16,
}

/// Which protocols of groups there are.
pub const GROUP_VERSION: &str = "group.version";

/// Whether the cluster has groups of the new protocol (KIP-848).
pub fn has_consumer_groups(image: &MetadataImage) -> bool {
    image.feature(GROUP_VERSION) > 0
}

/// All of them.
pub const FEATURES: &[Feature] = &[
    // 0 = classic groups alone, 1 = the protocol of KIP-848 besides.
    Feature { name: GROUP_VERSION, level_min: 0, level_max: 1 },
    // From Kafka 3.3's, the first for clusters without ZooKeeper, to 4.2's, whose APIs these are.
    Feature { name: "metadata.version", level_min: 7, level_max: 29 },
    // With 2 a producer gets another epoch with each transaction (KIP-890). Without, clients speak as they did before.
    Feature { name: "transaction.version", level_min: 1, level_max: 2 },
];
