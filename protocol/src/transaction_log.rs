use crate::catalog::RecordType;
use crate::{TaggedFields, Text, Wire};

/// The types of record, of which there is one.
pub static RECORD_TYPES: &[RecordType] = &[RecordType::of::<TransactionLogKey, TransactionLogValue>(0)];

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct TransactionLogKey {
    #[wire("0")]
    pub transactional_id: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue {
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("1+", default = -1, tag = 0)]
    pub previous_producer_id: i64,
    #[wire("1+", default = -1, tag = 1)]
    pub next_producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("1+", default = -1, tag = 3)]
    pub next_producer_epoch: i16,
    #[wire("0+")]
    pub transaction_timeout_ms: i32,
    #[wire("0+")]
    pub transaction_status: i8,
    #[wire("0+", nullable = "0+")]
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    #[wire("0+")]
    pub transaction_last_update_timestamp_ms: i64,
    #[wire("0+")]
    pub transaction_start_timestamp_ms: i64,
    #[wire("1+", tag = 2)]
    pub client_transaction_version: i16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct PartitionsSchema {
    #[wire("0+")]
    pub topic: Text,
    #[wire("0+")]
    pub partition_ids: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
