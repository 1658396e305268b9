//! DescribeUserScramCredentials tells which users have SCRAM passwords, and with which mechanism
//! (KIP-554). An admin client sends it to any broker. It needs `DESCRIBE` on the cluster.
//!
//! Salts, keys and passwords are never told, so credentials cannot be copied through this API.
//!
//! A user that has no credential is `RESOURCE_NOT_FOUND` when named; a name given twice is
//! `DUPLICATE_RESOURCE`. Both stand in that user's result, not at the top.
//!
//! - Only v0 exists, flexible from the start.

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The users whose credentials to describe.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsRequest {
    /// The users; null or empty = everyone with a credential.
    #[wire("0+", nullable = "0+")]
    pub users: Option<Vec<UserName>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A user of the request.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct UserName {
    /// The user's name, without the principal type.
    #[wire("0+")]
    pub name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The credentials by user.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct DescribeUserScramCredentialsResponse {
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Why nothing is told, if so: a refusal, or a broker in trouble.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// One entry for each user.
    #[wire("0+")]
    pub results: Vec<DescribeUserScramCredentialsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The credentials of one user.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeUserScramCredentialsResult {
    /// The user's name.
    #[wire("0+")]
    pub user: Text,
    /// Why this user is not described, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The failure in words; null when there was none.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// One entry for each mechanism that the user has a password for.
    #[wire("0+")]
    pub credential_infos: Vec<CredentialInfo>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential without its secrets.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CredentialInfo {
    /// The mechanism: 1 = SCRAM-SHA-256, 2 = SCRAM-SHA-512; 0 = unknown.
    #[wire("0+")]
    pub mechanism: i8,
    /// How many rounds of hashing protect the password.
    #[wire("0+")]
    pub iterations: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
