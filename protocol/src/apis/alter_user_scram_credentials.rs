use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsRequest {
    #[wire("0+")]
    pub deletions: Vec<ScramCredentialDeletion>,
    #[wire("0+")]
    pub upsertions: Vec<ScramCredentialUpsertion>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ScramCredentialDeletion {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub mechanism: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ScramCredentialUpsertion {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub mechanism: i8,
    #[wire("0+")]
    pub iterations: i32,
    #[wire("0+")]
    pub salt: Bytes,
    #[wire("0+")]
    pub salted_password: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub results: Vec<AlterUserScramCredentialsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterUserScramCredentialsResult {
    #[wire("0+")]
    pub user: Text,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
