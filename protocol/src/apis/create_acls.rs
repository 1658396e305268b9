//! CreateAcls: adds rules that say who may do what to which resource (KIP-140).
//!
//! A tool sends it to a broker, which forwards it to the controller, or to a controller. An ACL binds a
//! principal at a host to an operation on the resources that a pattern covers, and either allows or
//! denies it; deny wins over allow. It takes ALTER rights on the cluster. Creating a rule that exists
//! already succeeds and changes nothing.
//!
//! All kinds are numbers, where 0 (unknown), 1 (any) and, for patterns, 2 (match) make sense in filters
//! only and are refused here with `INVALID_REQUEST`. `SECURITY_DISABLED` = the cluster has no authorizer.
//! Results carry no names: the n-th result answers the n-th creation.
//!
//! - v0: gone since Kafka 4.0; it knew literal names only.
//! - v1: adds `resource_pattern_type` (KIP-290); a throttled client does the waiting itself (KIP-219).
//! - v2: flexible.
//! - v3: adds the resource type 7, user (KIP-373).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The rules to add. They are independent: one may fail while others succeed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateAclsRequest {
    /// The rules.
    #[wire("0+")]
    pub creations: Vec<AclCreation>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AclCreation {
    /// 2 = topic, 3 = group, 4 = cluster, 5 = transactional id, 6 = delegation token, 7 = user (from v3).
    #[wire("0+")]
    pub resource_type: i8,
    /// The name or prefix, read as `resource_pattern_type` says; must not be empty. The cluster is always
    /// named `kafka-cluster`.
    #[wire("0+")]
    pub resource_name: Text,
    /// 3 = literal, where the name `*` stands for every resource of the type; 4 = every name with this
    /// prefix.
    #[wire("1+", default = 3)]
    pub resource_pattern_type: i8,
    /// Who: the principal's type and name, such as `User:alice`. `User:*` = everyone.
    #[wire("0+")]
    pub principal: Text,
    /// The client's address from which the rule holds; `*` = from everywhere.
    #[wire("0+")]
    pub host: Text,
    /// 2 = all, 3 = read, 4 = write, 5 = create, 6 = delete, 7 = alter, 8 = describe, 9 = cluster action,
    /// 10 = describe configs, 11 = alter configs, 12 = idempotent write, 13 = create tokens, 14 =
    /// describe tokens, 15 = two-phase commit.
    #[wire("0+")]
    pub operation: i8,
    /// 2 = deny, 3 = allow.
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each rule.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct CreateAclsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per rule, in the order of the request.
    #[wire("0+")]
    pub results: Vec<AclCreationResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for the rule at the same place in the request.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AclCreationResult {
    /// `NONE` = the rule is in force, be it new or old.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
