//! CreateDelegationToken: an authenticated client obtains a secret that others can log in with in its
//! name, for a limited time (KIP-48).
//!
//! It lets a job hand its workers something that expires instead of its own password. A worker logs in by
//! SASL/SCRAM with the token id as user and the HMAC, as base64 text, as password. The broker computes
//! the HMAC from the token id with a key that all nodes share; besides this answer only
//! DescribeDelegationToken's shows it.
//!
//! `DELEGATION_TOKEN_AUTH_DISABLED` = no such key is configured; `DELEGATION_TOKEN_REQUEST_NOT_ALLOWED` =
//! the connection is unauthenticated, or itself logged in with a token; `INVALID_PRINCIPAL_TYPE` = a
//! renewer is no user; `DELEGATION_TOKEN_AUTHORIZATION_FAILED` = the caller may not create tokens for
//! that owner.
//!
//! - v0: gone since Kafka 4.0.
//! - v1: a throttled request is answered at once, and the client does the waiting (KIP-219).
//! - v2: flexible.
//! - v3: a token can be created for someone else: owner in the request, requester in the answer
//!   (KIP-373).

use crate::{Bytes, ErrorCode, TaggedFields, Text, Wire};

/// For whom the token is, who may renew it and how long it can live at most.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenRequest {
    /// From v3: the type of the principal in whose name the token logs in; null = the caller itself.
    #[wire("3+", nullable = "3+")]
    pub owner_principal_type: Option<Text>,
    /// From v3: that principal's name; null = the caller itself.
    #[wire("3+", nullable = "3+")]
    pub owner_principal_name: Option<Text>,
    /// Who may push out the token's expiry, besides its owner; may be empty.
    #[wire("0+")]
    pub renewers: Vec<CreatableRenewers>,
    /// Milliseconds after which the token is dead however often it was renewed. -1 = the broker's limit,
    /// which also caps every other value.
    #[wire("0+")]
    pub max_lifetime_ms: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A principal that may renew the token.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct CreatableRenewers {
    /// The principal's type; only `User` is accepted.
    #[wire("0+")]
    pub principal_type: Text,
    /// The principal's name.
    #[wire("0+")]
    pub principal_name: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The new token. It is a secret: the answer must not be logged.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateDelegationTokenResponse {
    /// `NONE`, or why there is no token.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The owner's principal type.
    #[wire("0+")]
    pub principal_type: Text,
    /// The owner's name: who someone is that logs in with the token.
    #[wire("0+")]
    pub principal_name: Text,
    /// From v3: the type of the principal that asked for the token.
    #[wire("3+")]
    pub token_requester_principal_type: Text,
    /// From v3: that principal's name.
    #[wire("3+")]
    pub token_requester_principal_name: Text,
    /// When the token was made, in milliseconds since 1970.
    #[wire("0+")]
    pub issue_timestamp_ms: i64,
    /// Until when it is valid unless renewed, in milliseconds since 1970; never later than
    /// `max_timestamp_ms`.
    #[wire("0+")]
    pub expiry_timestamp_ms: i64,
    /// The time beyond which no renewal reaches, in milliseconds since 1970.
    #[wire("0+")]
    pub max_timestamp_ms: i64,
    /// The token's public name, which serves as user name at login.
    #[wire("0+")]
    pub token_id: Text,
    /// The secret, raw; at login it is sent as base64 text.
    #[wire("0+")]
    pub hmac: Bytes,
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded. It stands last
    /// here.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
