use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsRequest {
    #[wire("6+")]
    pub topics: Vec<DeleteTopicState>,
    #[wire("0-5", ignorable)]
    pub topic_names: Vec<Text>,
    #[wire("0+")]
    pub timeout_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteTopicState {
    #[wire("6+", nullable = "6+", default = null)]
    pub name: Option<Text>,
    #[wire("6+")]
    pub topic_id: Uuid,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-6", flexible = "4+")]
pub struct DeleteTopicsResponse {
    #[wire("1+", ignorable)]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub responses: Vec<DeletableTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeletableTopicResult {
    #[wire("0+", nullable = "6+")]
    pub name: Option<Text>,
    #[wire("6+", ignorable)]
    pub topic_id: Uuid,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("5+", nullable = "5+", default = null, ignorable)]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
