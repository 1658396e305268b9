//! DescribeAcls: lists the access rules that match a filter (KIP-140).
//!
//! A tool sends it to any broker, or to a controller, and each answers from its own copy of the metadata.
//! All parts of the filter must match; a part can be left open, and a filter open in every part lists all
//! rules. The rules come grouped by resource pattern. It takes DESCRIBE rights on the cluster.
//!
//! A filter that matches nothing is no error: the list is empty. `SECURITY_DISABLED` = the cluster has no
//! authorizer; `INVALID_REQUEST` = the filter has an unknown kind in it. The codes of kinds are those of
//! [`create_acls`](super::create_acls), and 1 (any) leaves a kind open.
//!
//! - v0: gone since Kafka 4.0; it knew literal names only.
//! - v1: adds the pattern types (KIP-290); a throttled client does the waiting itself (KIP-219).
//! - v2: flexible.
//! - v3: knows the resource type 7, user (KIP-373).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// One filter, spread over the fields: what a rule must look like to be listed.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeAclsRequest {
    /// The type of resource; 1 = any.
    #[wire("0+")]
    pub resource_type_filter: i8,
    /// The name, compared as `pattern_type_filter` says; null = any.
    #[wire("0+", nullable = "0+")]
    pub resource_name_filter: Option<Text>,
    /// 3 = literal rules with just this name, 4 = prefix rules with just this prefix, 1 = either kind
    /// with just this name, 2 = all rules that affect a resource of this name: literal, by prefix and
    /// `*`.
    #[wire("1+", default = 3)]
    pub pattern_type_filter: i8,
    /// The principal, exactly as in the rule; null = any. `User:*` finds only rules for `User:*`.
    #[wire("0+", nullable = "0+")]
    pub principal_filter: Option<Text>,
    /// The host, exactly as in the rule; null = any. `*` finds only rules for `*`.
    #[wire("0+", nullable = "0+")]
    pub host_filter: Option<Text>,
    /// The operation; 1 = any. 2 (all) finds only rules for all operations.
    #[wire("0+")]
    pub operation: i8,
    /// 1 = any, 2 = rules that deny, 3 = rules that allow.
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The rules found.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DescribeAclsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// `NONE`, or why nothing is listed.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// One entry per resource pattern that has matching rules.
    #[wire("0+")]
    pub resources: Vec<DescribeAclsResource>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A resource pattern with its matching rules.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DescribeAclsResource {
    /// 2 = topic, 3 = group, 4 = cluster, 5 = transactional id, 6 = delegation token, 7 = user.
    #[wire("0+")]
    pub resource_type: i8,
    /// The name or prefix; `*` as a literal name stands for every resource of the type.
    #[wire("0+")]
    pub resource_name: Text,
    /// 3 = literal, 4 = prefix.
    #[wire("1+", default = 3)]
    pub pattern_type: i8,
    /// The rules for the pattern.
    #[wire("0+")]
    pub acls: Vec<AclDescription>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct AclDescription {
    /// Whom the rule is for, such as `User:alice`.
    #[wire("0+")]
    pub principal: Text,
    /// The client's address for which it holds; `*` = all.
    #[wire("0+")]
    pub host: Text,
    /// The operation that it allows or denies.
    #[wire("0+")]
    pub operation: i8,
    /// 2 = denies, 3 = allows.
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
