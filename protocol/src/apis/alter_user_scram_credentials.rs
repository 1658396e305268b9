//! AlterUserScramCredentials: creates, changes and deletes the passwords of SASL/SCRAM users (KIP-554).
//!
//! A tool sends it to a broker, which forwards it to the controller. The password itself never travels:
//! the client salts and stretches it (PBKDF2) and sends the result. The controller derives from that the
//! stored key and server key and keeps only these. The salted password is as good as the password for
//! this cluster all the same, so the connection should be encrypted. There is no API to read a credential
//! back; DescribeUserScramCredentials shows mechanisms and iterations alone.
//!
//! Results are per user. `RESOURCE_NOT_FOUND` answers the deletion of what is not there,
//! `DUPLICATE_RESOURCE` the same user and mechanism twice in one request, `UNSUPPORTED_SASL_MECHANISM` an
//! unknown mechanism, and `UNACCEPTABLE_CREDENTIAL` an empty name or an iteration count that is too low
//! or too high. It takes ALTER rights on the cluster.
//!
//! - v0: the only version, flexible.

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// Credentials to delete and credentials to write.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsRequest {
    /// Credentials to remove; each must exist.
    #[wire("0+")]
    pub deletions: Vec<ScramCredentialDeletion>,
    /// Credentials to create or to overwrite.
    #[wire("0+")]
    pub upsertions: Vec<ScramCredentialUpsertion>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential to remove. Those of the same user for other mechanisms stay.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ScramCredentialDeletion {
    /// The user.
    #[wire("0+")]
    pub name: Text,
    /// 1 = SCRAM-SHA-256, 2 = SCRAM-SHA-512.
    #[wire("0+")]
    pub mechanism: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A credential to create or to overwrite.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct ScramCredentialUpsertion {
    /// The user; must not be empty.
    #[wire("0+")]
    pub name: Text,
    /// 1 = SCRAM-SHA-256, 2 = SCRAM-SHA-512.
    #[wire("0+")]
    pub mechanism: i8,
    /// How often the hash was applied to stretch the password; Kafka takes 4096 to 16384.
    #[wire("0+")]
    pub iterations: i32,
    /// Random bytes that the client chose and mixed into the password.
    #[wire("0+")]
    pub salt: Bytes,
    /// The outcome of PBKDF2 over password, salt and iterations: a secret, never to be logged.
    #[wire("0+")]
    pub salted_password: Bytes,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each user.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AlterUserScramCredentialsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per user that the request names, even if it names the user several times.
    #[wire("0+")]
    pub results: Vec<AlterUserScramCredentialsResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one user.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AlterUserScramCredentialsResult {
    /// The user, as in the request.
    #[wire("0+")]
    pub user: Text,
    /// `NONE`, or why the user's credentials stay as they were.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
