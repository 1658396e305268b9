//! The features of a cluster that this program implements, at which levels. One that it does not implement is not
//! told of: clients would use it.

/// A feature and the levels of it that can be run.
#[derive(Clone, Copy, Debug)]
pub struct Feature {
    /// Kafka's name for it.
    pub name: &'static str,
    /// The lowest level. Above 0: older Java clients throw at a feature that can be off (KAFKA-17011).
    pub level_min: i16,
    /// The highest level, which a new cluster has.
    pub level_max: i16,
}

/// All of them.
pub const FEATURES: &[Feature] = &[
    // From Kafka 3.3's, the first for clusters without ZooKeeper, to 4.2's, whose APIs these are.
    Feature { name: "metadata.version", level_min: 7, level_max: 29 },
    // With 2 a producer gets another epoch with each transaction (KIP-890). Without, clients speak as they did before.
    Feature { name: "transaction.version", level_min: 1, level_max: 2 },
];
