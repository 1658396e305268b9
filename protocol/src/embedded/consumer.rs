//! What members and leader of a classic consumer group tell each other, in bytes that the broker passes on:
//! the subscription in JoinGroup's metadata, the assignment in SyncGroup's.
//!
//! Both start with their version. A reader takes what comes from a newer member for the highest version it
//! knows, and passes over the bytes that follow it: that is how members of different age share a group.
//!
//! ```
//! use strandline_protocol::embedded::consumer::ConsumerProtocolSubscription;
//! use strandline_protocol::Text;
//!
//! let subscription =
//!     ConsumerProtocolSubscription { topics: vec![Text::from("orders")], ..Default::default() };
//! let metadata = subscription.to_member_bytes(1).unwrap();
//! assert_eq!(ConsumerProtocolSubscription::from_member_bytes(metadata).unwrap(), subscription);
//! ```

use crate::message::Message;
use crate::reader::Reader;
use crate::wire::DecodeResult;
use crate::{Bytes, EncodeError, Text, Wire};

/// What a member of a consumer group wants to read, and what it holds already.
///
/// | version | what changed |
/// | --- | --- |
/// | 1 | the partitions that the member holds, for cooperative rebalancing |
/// | 2 | the generation in which it got them |
/// | 3 | the rack that it runs in |
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolSubscription {
    /// The topics to read.
    #[wire("0+")]
    pub topics: Vec<Text>,
    /// Whatever the assignor wants its members to tell the leader.
    #[wire("0+", nullable = "0+", default = null)]
    pub user_data: Option<Bytes>,
    /// The partitions that the member still holds.
    #[wire("1+", ignorable)]
    pub owned_partitions: Vec<OwnedPartitions>,
    /// The generation in which it got them; -1 where it does not say.
    #[wire("2+", default = -1, ignorable)]
    pub generation_id: i32,
    /// Where the member runs, for assignments to near replicas.
    #[wire("3+", nullable = "3+", default = null, ignorable)]
    pub rack_id: Option<Text>,
}

/// Partitions of one topic that a member holds.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartition")]
pub struct OwnedPartitions {
    /// The topic.
    #[wire("1+")]
    pub topic: Text,
    /// The partitions.
    #[wire("1+")]
    pub partitions: Vec<i32>,
}

/// What the leader of the group gives a member to read. All versions have the same fields.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolAssignment {
    /// The partitions to read.
    #[wire("0+")]
    pub assigned_partitions: Vec<AssignedPartitions>,
    /// Whatever the assignor wants the leader to tell its members.
    #[wire("0+", nullable = "0+", default = null)]
    pub user_data: Option<Bytes>,
}

/// Partitions of one topic that a member gets.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicPartition")]
pub struct AssignedPartitions {
    /// The topic.
    #[wire("0+")]
    pub topic: Text,
    /// The partitions.
    #[wire("0+")]
    pub partitions: Vec<i32>,
}

impl ConsumerProtocolSubscription {
    /// The subscription in a member's metadata.
    pub fn from_member_bytes(bytes: Bytes) -> DecodeResult<Self> {
        read_from_member(bytes)
    }

    /// The bytes for a member's metadata.
    pub fn to_member_bytes(&self, version: i16) -> Result<Bytes, Box<EncodeError>> {
        self.to_versioned_bytes(version)
    }
}

impl ConsumerProtocolAssignment {
    /// The assignment in a member's bytes.
    pub fn from_member_bytes(bytes: Bytes) -> DecodeResult<Self> {
        read_from_member(bytes)
    }

    /// The bytes for a member's assignment.
    pub fn to_member_bytes(&self, version: i16) -> Result<Bytes, Box<EncodeError>> {
        self.to_versioned_bytes(version)
    }
}

/// Unlike [`Message::from_versioned_bytes`], puts up with a version and with bytes that it does not know.
fn read_from_member<M: Message>(bytes: Bytes) -> DecodeResult<M> {
    let mut reader = Reader::new(bytes);
    let version = reader.version_prefix(M::SCHEMA.name)?;
    M::read(&mut reader, version.min(M::SCHEMA.versions.last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecodeErrorKind;

    #[test]
    fn a_newer_member_is_read_as_far_as_it_is_known() {
        let subscription =
            ConsumerProtocolSubscription { rack_id: Some(Text::from("a")), ..Default::default() };
        let mut bytes = subscription.to_member_bytes(3).unwrap().to_vec();
        bytes[1] = 9;
        bytes.extend_from_slice(b"from the future");
        assert_eq!(ConsumerProtocolSubscription::from_member_bytes(bytes.into()), Ok(subscription));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let kind = |bytes| ConsumerProtocolAssignment::from_member_bytes(bytes).unwrap_err().kind;
        assert!(matches!(kind(Bytes::from_static(&[0xFF, 0xFF])), DecodeErrorKind::VersionUnsupported(_)));
        assert!(matches!(kind(Bytes::new()), DecodeErrorKind::Truncated { .. }));
    }
}
