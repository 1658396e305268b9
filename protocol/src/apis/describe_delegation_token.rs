//! DescribeDelegationToken lists delegation tokens: short-lived secrets that let a job act as the user who
//! had them made (KIP-48). An admin client sends it to any broker.
//!
//! A principal sees the tokens that it owns, had made or may renew, and others' only with `DESCRIBE` on
//! the token. The answer holds each token's HMAC, which is the password of SCRAM logins with that token:
//! the listing is as secret as the tokens.
//!
//! `DELEGATION_TOKEN_AUTH_DISABLED` when the cluster has no secret key for tokens;
//! `DELEGATION_TOKEN_REQUEST_NOT_ALLOWED` on a connection that is not authenticated, or was itself with a
//! token. The throttle time stands at the end of the answer, unlike almost everywhere else.
//!
//! - v0: dropped by Kafka 4.0; v1 has the same bytes, but a throttled client gets its answer at once and
//!   waits afterwards.
//! - v2: flexible encoding.
//! - v3: the answer names who requested the token, who since KIP-373 need not be its owner.

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// Whose tokens to list.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenRequest {
    /// The owners whose tokens to list; null = everybody's that the caller may see, empty = none.
    #[wire("0+", nullable = "0+")]
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A principal that owns tokens.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeDelegationTokenOwner {
    /// The kind of principal, `User` unless a plug-in defines others.
    #[wire("0+")]
    pub principal_type: Text,
    /// The name of the principal.
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The tokens that the caller may see.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeDelegationTokenResponse {
    /// Why nothing is listed, if so.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The tokens; none when the request failed.
    #[wire("0+")]
    pub tokens: Vec<DescribedDelegationToken>,
    /// How long the broker holds this client back for exceeding a quota, in milliseconds; 0 = not at all.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A delegation token.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedDelegationToken {
    /// The kind of the principal that logs in with the token, its owner.
    #[wire("0+")]
    pub principal_type: Text,
    /// The name of the owner.
    #[wire("0+")]
    pub principal_name: Text,
    /// The kind of the principal that had the token made; differs from the owner's when made on behalf.
    #[wire("3+")]
    pub token_requester_principal_type: Text,
    /// The name of the principal that had the token made.
    #[wire("3+")]
    pub token_requester_principal_name: Text,
    /// When the token was made, in milliseconds since 1970.
    #[wire("0+")]
    pub issue_timestamp: i64,
    /// When the token ends unless renewed before, in milliseconds since 1970.
    #[wire("0+")]
    pub expiry_timestamp: i64,
    /// The moment beyond which no renewal reaches, in milliseconds since 1970.
    #[wire("0+")]
    pub max_timestamp: i64,
    /// The token's public name; the user name of SCRAM logins with it.
    #[wire("0+")]
    pub token_id: Text,
    /// The token's secret: the HMAC of its id under the cluster's key. Base64 of it is the password.
    #[wire("0+")]
    pub hmac: Bytes,
    /// The principals besides the owner that may renew the token.
    #[wire("0+")]
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A principal that may renew a token.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribedDelegationTokenRenewer {
    /// The kind of principal, `User` unless a plug-in defines others.
    #[wire("0+")]
    pub principal_type: Text,
    /// The name of the principal.
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
