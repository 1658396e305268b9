use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterRequest {
    #[wire("0+")]
    pub include_cluster_authorized_operations: bool,
    #[wire("1+", default = 1)]
    pub endpoint_type: i8,
    #[wire("2+")]
    pub include_fenced_brokers: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct DescribeClusterResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+", default = null)]
    pub error_message: Option<Text>,
    #[wire("1+", default = 1)]
    pub endpoint_type: i8,
    #[wire("0+")]
    pub cluster_id: Text,
    #[wire("0+", default = -1)]
    pub controller_id: i32,
    #[wire("0+")]
    pub brokers: Vec<DescribeClusterBroker>,
    #[wire("0+", default = -2147483648)]
    pub cluster_authorized_operations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeClusterBroker {
    #[wire("0+")]
    pub broker_id: i32,
    #[wire("0+")]
    pub host: Text,
    #[wire("0+")]
    pub port: i32,
    #[wire("0+", nullable = "0+", default = null)]
    pub rack: Option<Text>,
    #[wire("2+")]
    pub is_fenced: bool,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
