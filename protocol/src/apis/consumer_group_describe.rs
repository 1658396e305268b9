use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeRequest {
    #[wire("0+")]
    pub group_ids: Vec<Text>,
    #[wire("0+")]
    pub include_authorized_operations: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "0+")]
pub struct ConsumerGroupDescribeResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub groups: Vec<DescribedGroup>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedGroup {
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub group_id: Text,
    #[wire("0+")]
    pub group_state: Text,
    #[wire("0+")]
    pub group_epoch: i32,
    #[wire("0+")]
    pub assignment_epoch: i32,
    #[wire("0+")]
    pub assignor_name: Text,
    #[wire("0+")]
    pub members: Vec<Member>,
    #[wire("0+", default = -2147483648)]
    pub authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Member {
    #[wire("0+")]
    pub member_id: Text,
    #[wire("0+", nullable = "0+", default = null)]
    pub instance_id: Option<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack_id: Option<Text>,
    #[wire("0+")]
    pub member_epoch: i32,
    #[wire("0+")]
    pub client_id: Text,
    #[wire("0+")]
    pub client_host: Text,
    #[wire("0+")]
    pub subscribed_topic_names: Vec<Text>,
    #[wire("0+", nullable = "0+", default = null)]
    pub subscribed_topic_regex: Option<Text>,
    #[wire("0+")]
    pub assignment: Assignment,
    #[wire("0+")]
    pub target_assignment: Assignment,
    #[wire("1+", default = -1, ignorable)]
    pub member_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TopicPartitions {
    #[wire("0+")]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub topic_name: Text,
    #[wire("0+")]
    pub partitions: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct Assignment {
    #[wire("0+")]
    pub topic_partitions: Vec<TopicPartitions>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
