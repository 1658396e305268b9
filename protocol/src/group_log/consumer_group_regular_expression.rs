use crate::{TaggedFields, Text, Wire};

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConsumerGroupRegularExpressionKey {
    #[wire("0")]
    pub group_id: Text,
    #[wire("0")]
    pub regular_expression: Text,
}

#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConsumerGroupRegularExpressionValue {
    #[wire("0+")]
    pub topics: Vec<Text>,
    #[wire("0+")]
    pub version: i64,
    #[wire("0+")]
    pub timestamp: i64,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
