use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsRequest {
    #[wire("0+")]
    pub state_filters: Vec<Text>,
    #[wire("0+")]
    pub producer_id_filters: Vec<i64>,
    #[wire("1+", default = -1)]
    pub duration_filter: i64,
    #[wire("2+", nullable = "2+", default = null)]
    pub transactional_id_pattern: Option<Text>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-2", flexible = "0+")]
pub struct ListTransactionsResponse {
    #[wire("0+")]
    pub throttle_time_ms: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    #[wire("0+")]
    pub unknown_state_filters: Vec<Text>,
    #[wire("0+")]
    pub transaction_states: Vec<TransactionState>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct TransactionState {
    #[wire("0+")]
    pub transactional_id: Text,
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub transaction_state: Text,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
