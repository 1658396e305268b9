use crate::{ErrorCode, TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersRequest {
    #[wire("0+")]
    pub markers: Vec<WritableTxnMarker>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarker {
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub producer_epoch: i16,
    #[wire("0+")]
    pub transaction_result: bool,
    #[wire("0+")]
    pub topics: Vec<WritableTxnMarkerTopic>,
    #[wire("0+")]
    pub coordinator_epoch: i32,
    #[wire("2+", ignorable)]
    pub transaction_version: i8,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerTopic {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partition_indexes: Vec<i32>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "1-2", flexible = "1+")]
pub struct WriteTxnMarkersResponse {
    #[wire("0+")]
    pub markers: Vec<WritableTxnMarkerResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerResult {
    #[wire("0+")]
    pub producer_id: i64,
    #[wire("0+")]
    pub topics: Vec<WritableTxnMarkerTopicResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerTopicResult {
    #[wire("0+")]
    pub name: Text,
    #[wire("0+")]
    pub partitions: Vec<WritableTxnMarkerPartitionResult>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

#[derive(Clone, Debug, PartialEq, Wire)]
pub struct WritableTxnMarkerPartitionResult {
    #[wire("0+")]
    pub partition_index: i32,
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
