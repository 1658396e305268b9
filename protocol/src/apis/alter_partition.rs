use crate::{ErrorCode, TaggedFields, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-3", flexible = "0+")]
pub struct AlterPartitionRequest {
    #[wire("0+")]
    pub broker_id: i32,
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    #[wire("2+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("0-2")]
    pub new_isr: Vec<i32>,
    #[wire("3+")]
    pub new_isr_with_epochs: Vec<BrokerState>,
    #[wire("1+")]
    pub leader_recovery_state: i8,
    #[wire("0+")]
    pub partition_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct BrokerState {
    #[wire("3+")]
    pub broker_id: i32,
    #[wire("3+", default = -1)]
    pub broker_epoch: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "2-3", flexible = "0+")]
pub struct AlterPartitionResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    #[wire("2+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub leader_id: i32,
    #[wire("0+")]
    pub leader_epoch: i32,
    #[wire("0+")]
    pub isr: Vec<i32>,
    #[wire("1+", ignorable)]
    pub leader_recovery_state: i8,
    #[wire("0+")]
    pub partition_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
