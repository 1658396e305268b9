//! The records of `__consumer_offsets`.

use crate::catalog::RecordType;

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

/// The types of record, by rising number.
pub static RECORD_TYPES: &[RecordType] = &[
    RecordType::of::<
        legacy_offset_commit::LegacyOffsetCommitKey,
        legacy_offset_commit::LegacyOffsetCommitValue,
    >(0),
    RecordType::of::<offset_commit::OffsetCommitKey, offset_commit::OffsetCommitValue>(1),
    RecordType::of::<group_metadata::GroupMetadataKey, group_metadata::GroupMetadataValue>(2),
    RecordType::of::<
        consumer_group_metadata::ConsumerGroupMetadataKey,
        consumer_group_metadata::ConsumerGroupMetadataValue,
    >(3),
    RecordType::of::<
        consumer_group_partition_metadata::ConsumerGroupPartitionMetadataKey,
        consumer_group_partition_metadata::ConsumerGroupPartitionMetadataValue,
    >(4),
    RecordType::of::<
        consumer_group_member_metadata::ConsumerGroupMemberMetadataKey,
        consumer_group_member_metadata::ConsumerGroupMemberMetadataValue,
    >(5),
    RecordType::of::<
        consumer_group_target_assignment_metadata::ConsumerGroupTargetAssignmentMetadataKey,
        consumer_group_target_assignment_metadata::ConsumerGroupTargetAssignmentMetadataValue,
    >(6),
    RecordType::of::<
        consumer_group_target_assignment_member::ConsumerGroupTargetAssignmentMemberKey,
        consumer_group_target_assignment_member::ConsumerGroupTargetAssignmentMemberValue,
    >(7),
    RecordType::of::<
        consumer_group_current_member_assignment::ConsumerGroupCurrentMemberAssignmentKey,
        consumer_group_current_member_assignment::ConsumerGroupCurrentMemberAssignmentValue,
    >(8),
    RecordType::of::<
        share_group_member_metadata::ShareGroupMemberMetadataKey,
        share_group_member_metadata::ShareGroupMemberMetadataValue,
    >(10),
    RecordType::of::<
        share_group_metadata::ShareGroupMetadataKey,
        share_group_metadata::ShareGroupMetadataValue,
    >(11),
    RecordType::of::<
        share_group_target_assignment_metadata::ShareGroupTargetAssignmentMetadataKey,
        share_group_target_assignment_metadata::ShareGroupTargetAssignmentMetadataValue,
    >(12),
    RecordType::of::<
        share_group_target_assignment_member::ShareGroupTargetAssignmentMemberKey,
        share_group_target_assignment_member::ShareGroupTargetAssignmentMemberValue,
    >(13),
    RecordType::of::<
        share_group_current_member_assignment::ShareGroupCurrentMemberAssignmentKey,
        share_group_current_member_assignment::ShareGroupCurrentMemberAssignmentValue,
    >(14),
    RecordType::of::<
        share_group_state_partition_metadata::ShareGroupStatePartitionMetadataKey,
        share_group_state_partition_metadata::ShareGroupStatePartitionMetadataValue,
    >(15),
    RecordType::of::<
        consumer_group_regular_expression::ConsumerGroupRegularExpressionKey,
        consumer_group_regular_expression::ConsumerGroupRegularExpressionValue,
    >(16),
    RecordType::of::<
        streams_group_metadata::StreamsGroupMetadataKey,
        streams_group_metadata::StreamsGroupMetadataValue,
    >(17),
    RecordType::of::<
        streams_group_member_metadata::StreamsGroupMemberMetadataKey,
        streams_group_member_metadata::StreamsGroupMemberMetadataValue,
    >(19),
    RecordType::of::<
        streams_group_target_assignment_metadata::StreamsGroupTargetAssignmentMetadataKey,
        streams_group_target_assignment_metadata::StreamsGroupTargetAssignmentMetadataValue,
    >(20),
    RecordType::of::<
        streams_group_target_assignment_member::StreamsGroupTargetAssignmentMemberKey,
        streams_group_target_assignment_member::StreamsGroupTargetAssignmentMemberValue,
    >(21),
    RecordType::of::<
        streams_group_current_member_assignment::StreamsGroupCurrentMemberAssignmentKey,
        streams_group_current_member_assignment::StreamsGroupCurrentMemberAssignmentValue,
    >(22),
    RecordType::of::<
        streams_group_topology::StreamsGroupTopologyKey,
        streams_group_topology::StreamsGroupTopologyValue,
    >(23),
];
