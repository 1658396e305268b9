//! Which topics a pattern stands for that members of a consumer group subscribe with (KIP-848).
//!
//! Matching all topics of a cluster takes time, so a coordinator does it in the background, writes the
//! result each time, and raises the group's epoch if other topics came out. A reader takes the topics for
//! the subscription of every member that has this pattern. The tombstone comes when no member has it any
//! more.

use crate::{TaggedFields, Text, Wire};

/// Which pattern in which group.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupRegularExpressionKey {
    /// The group's id.
    #[wire("0")]
    pub group_id: Text,
    /// The pattern as the members sent it, in the syntax of RE2.
    #[wire("0")]
    pub regular_expression: Text,
}

/// The last result of matching the pattern.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue {
    /// The names that matched, without topics that the client may not describe; Kafka writes them sorted.
    #[wire("0+")]
    pub topics: Vec<Text>,
    /// The version of the cluster's metadata that was matched against.
    #[wire("0+")]
    pub version: i64,
    /// When the pattern was matched, in milliseconds since 1970.
    #[wire("0+")]
    pub timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
