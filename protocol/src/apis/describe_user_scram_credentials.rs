use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsRequest {
    #[wire("0+", nullable = "0+")]
    pub users: Option<Vec<UserName>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UserName {
    #[wire("0+")]
    pub name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub results: Vec<DescribeUserScramCredentialsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeUserScramCredentialsResult {
    #[wire("0+")]
    pub user: Text,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    #[wire("0+")]
    pub credential_infos: Vec<CredentialInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CredentialInfo {
    #[wire("0+")]
    pub mechanism: i8,
    #[wire("0+")]
    pub iterations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
