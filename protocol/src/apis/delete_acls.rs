//! DeleteAcls: removes every access rule that matches one of some filters (KIP-140).
//!
//! A tool sends it to a broker, which forwards it to the controller, or to a controller. A filter has the
//! same parts as a rule, each of which may be left open, so one careless filter can remove everything:
//! tools ask DescribeAcls with the same filter first. What each filter found comes back in full. It takes
//! ALTER rights on the cluster.
//!
//! A filter that matches nothing is no error: its list is empty. `SECURITY_DISABLED` = the cluster has no
//! authorizer; `INVALID_REQUEST` = a filter has an unknown kind in it. The codes of kinds are those of
//! [`create_acls`](super::create_acls), and 1 (any) leaves a kind open.
//!
//! - v0: gone since Kafka 4.0; it knew literal names only.
//! - v1: adds the pattern types (KIP-290); a throttled client does the waiting itself (KIP-219).
//! - v2: flexible.
//! - v3: knows the resource type 7, user (KIP-373).

use crate::{ErrorCode, TaggedFields, Text, Wire};

/// The filters. They are independent of one another.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DeleteAclsRequest {
    /// A rule goes when any filter matches it.
    #[wire("0+")]
    pub filters: Vec<DeleteAclsFilter>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// What a rule must look like to be removed: all parts must match.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsFilter {
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

/// The result for each filter.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-3", flexible = "2+")]
pub struct DeleteAclsResponse {
    /// Milliseconds for which a quota holds the client back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// One entry per filter, in the order of the request.
    #[wire("0+")]
    pub filter_results: Vec<DeleteAclsFilterResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for the filter at the same place in the request.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsFilterResult {
    /// `NONE`, or why the filter was not applied at all.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// The rules that matched, each with its own fate.
    #[wire("0+")]
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// A rule that matched.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct DeleteAclsMatchingAcl {
    /// `NONE` = removed; otherwise it is still in force.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Says more about `error_code`, for people; null without an error.
    #[wire("0+", nullable = "0+")]
    pub error_message: Option<Text>,
    /// 2 = topic, 3 = group, 4 = cluster, 5 = transactional id, 6 = delegation token, 7 = user.
    #[wire("0+")]
    pub resource_type: i8,
    /// The name or prefix of the rule.
    #[wire("0+")]
    pub resource_name: Text,
    /// 3 = literal, 4 = prefix.
    #[wire("1+", default = 3)]
    pub pattern_type: i8,
    /// Whom the rule was for, such as `User:alice`.
    #[wire("0+")]
    pub principal: Text,
    /// The client's address for which it held; `*` = all.
    #[wire("0+")]
    pub host: Text,
    /// The operation that it allowed or denied.
    #[wire("0+")]
    pub operation: i8,
    /// 2 = denied, 3 = allowed.
    #[wire("0+")]
    pub permission_type: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
