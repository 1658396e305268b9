//! The records of `__consumer_offsets`: groups of every kind, and the offsets they committed.
//!
//! Tools in the field read this topic, so the formats are Kafka's to the byte. One file holds the key and the
//! value of one type of record.
//!
//! ```
//! use strandline_protocol::group_log::offset_commit::{OffsetCommitKey, OffsetCommitValue};
//! use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};
//! use strandline_protocol::Text;
//!
//! let group = Text::from("readers");
//! let key = OffsetCommitKey { group, topic: Text::from("orders"), partition: 3 };
//! let key = GroupLogKey::OffsetCommit(key);
//! let value = GroupLogValue::OffsetCommit(OffsetCommitValue { offset: 42, ..Default::default() });
//!
//! let (key_bytes, value_bytes) = (key.to_bytes().unwrap(), value.to_bytes(3).unwrap());
//! assert_eq!(key_bytes[..2], [0, 1], "the type of the record");
//! assert_eq!(value_bytes[..2], [0, 3], "the version of the value");
//! assert_eq!(GroupLogKey::from_bytes(key_bytes).unwrap(), key);
//! assert_eq!(key.value_from_bytes(value_bytes).unwrap(), value);
//! ```

use crate::coordinator_log::coordinator_log;

pub mod consumer_group_current_member_assignment;
pub mod consumer_group_member_metadata;
pub mod consumer_group_metadata;
pub mod consumer_group_partition_metadata;
pub mod consumer_group_regular_expression;
pub mod consumer_group_target_assignment_member;
pub mod consumer_group_target_assignment_metadata;
pub mod group_metadata;
pub mod legacy_offset_commit;
pub mod offset_commit;
pub mod share_group_current_member_assignment;
pub mod share_group_member_metadata;
pub mod share_group_metadata;
pub mod share_group_state_partition_metadata;
pub mod share_group_target_assignment_member;
pub mod share_group_target_assignment_metadata;
pub mod streams_group_current_member_assignment;
pub mod streams_group_member_metadata;
pub mod streams_group_metadata;
pub mod streams_group_target_assignment_member;
pub mod streams_group_target_assignment_metadata;
pub mod streams_group_topology;

coordinator_log! {
    /// What a record of `__consumer_offsets` is about.
    GroupLogKey,
    /// What a record of `__consumer_offsets` says about it.
    GroupLogValue:
    LegacyOffsetCommit = 0 => legacy_offset_commit::{LegacyOffsetCommitKey, LegacyOffsetCommitValue},
    OffsetCommit = 1 => offset_commit::{OffsetCommitKey, OffsetCommitValue},
    GroupMetadata = 2 => group_metadata::{GroupMetadataKey, GroupMetadataValue},
    ConsumerGroupMetadata = 3 => consumer_group_metadata::{ConsumerGroupMetadataKey, ConsumerGroupMetadataValue},
    ConsumerGroupPartitionMetadata = 4 => consumer_group_partition_metadata::{ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue},
    ConsumerGroupMemberMetadata = 5 => consumer_group_member_metadata::{ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue},
    ConsumerGroupTargetAssignmentMetadata = 6 => consumer_group_target_assignment_metadata::{ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue},
    ConsumerGroupTargetAssignmentMember = 7 => consumer_group_target_assignment_member::{ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue},
    ConsumerGroupCurrentMemberAssignment = 8 => consumer_group_current_member_assignment::{ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue},
    ShareGroupMemberMetadata = 10 => share_group_member_metadata::{ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue},
    ShareGroupMetadata = 11 => share_group_metadata::{ShareGroupMetadataKey, ShareGroupMetadataValue},
    ShareGroupTargetAssignmentMetadata = 12 => share_group_target_assignment_metadata::{ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue},
    ShareGroupTargetAssignmentMember = 13 => share_group_target_assignment_member::{ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue},
    ShareGroupCurrentMemberAssignment = 14 => share_group_current_member_assignment::{ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue},
    ShareGroupStatePartitionMetadata = 15 => share_group_state_partition_metadata::{ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue},
    ConsumerGroupRegularExpression = 16 => consumer_group_regular_expression::{ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue},
    StreamsGroupMetadata = 17 => streams_group_metadata::{StreamsGroupMetadataKey, StreamsGroupMetadataValue},
    StreamsGroupMemberMetadata = 19 => streams_group_member_metadata::{StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue},
    StreamsGroupTargetAssignmentMetadata = 20 => streams_group_target_assignment_metadata::{StreamsGroupTargetAssignmentMetadataKey, StreamsGroupTargetAssignmentMetadataValue},
    StreamsGroupTargetAssignmentMember = 21 => streams_group_target_assignment_member::{StreamsGroupTargetAssignmentMemberKey, StreamsGroupTargetAssignmentMemberValue},
    StreamsGroupCurrentMemberAssignment = 22 => streams_group_current_member_assignment::{StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue},
    StreamsGroupTopology = 23 => streams_group_topology::{StreamsGroupTopologyKey, StreamsGroupTopologyValue},
}

#[cfg(test)]
mod tests {
    use super::consumer_group_member_metadata::{ClassicMemberMetadata, ConsumerGroupMemberMetadataValue};
    use crate::{Bytes, Message};

    // Kafka's own class starts out with an empty structure in this place. A reader that took absence for null
    // would turn members of the classic protocol into members of the new one, and the other way round.
    #[test]
    fn a_member_that_is_not_classic_says_so() {
        let member = ConsumerGroupMemberMetadataValue { classic_member_metadata: None, ..Default::default() };
        let bytes = member.to_bytes(0).unwrap();
        assert!(bytes.ends_with(&[1, 0, 1, 0]), "one tagged field, tag 0, one byte, null: {bytes:?}");

        let mut absent = bytes.slice(..bytes.len() - 4).to_vec();
        absent.push(0);
        let member = ConsumerGroupMemberMetadataValue::from_bytes(Bytes::from(absent), 0).unwrap();
        assert_eq!(member.classic_member_metadata, Some(ClassicMemberMetadata::default()));
    }

    // The bytes are Kafka's own: of a structure in a tagged field, a varint says whether it is there.
    #[test]
    fn a_classic_member_is_as_kafka_writes_it() {
        let classic = ClassicMemberMetadata { session_timeout_ms: 45_000, ..Default::default() };
        let member =
            ConsumerGroupMemberMetadataValue { classic_member_metadata: Some(classic), ..Default::default() };
        let bytes = member.to_bytes(0).unwrap();
        assert!(bytes.ends_with(&[1, 0, 7, 1, 0, 0, 0xAF, 0xC8, 1, 0]), "{bytes:?}");
        assert_eq!(ConsumerGroupMemberMetadataValue::from_bytes(bytes, 0).unwrap(), member);
    }
}
