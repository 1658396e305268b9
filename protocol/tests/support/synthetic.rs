//! A message that no API has, with what is possible on the wire and does not happen in Kafka's own: tags with
//! room between them, each in versions of its own, of every type.

use strandline_protocol::{Bytes, ErrorCode, Records, TaggedFields, Text, Uuid, Wire};

/// What it holds in which version means nothing.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-3", flexible = "1+")]
pub(crate) struct Synthetic {
    #[wire("0+", default = true)]
    pub(crate) truth: bool,
    #[wire("1+", tag = 130, default = -7)]
    pub(crate) small: i8,
    #[wire("0-1")]
    pub(crate) code: ErrorCode,
    #[wire("2+", tag = 3)]
    pub(crate) port: u16,
    #[wire("1-2", tag = 4, ignorable)]
    pub(crate) wide: u32,
    #[wire("1", ignorable)]
    pub(crate) ratio: f64,
    #[wire("3+", tag = 16_500)]
    pub(crate) id: Uuid,
    #[wire("1+", tag = 2, nullable = "2+")]
    pub(crate) text: Option<Text>,
    #[wire("2+", tag = 9, nullable = "2+", default = null)]
    pub(crate) bytes: Option<Bytes>,
    #[wire("0+", nullable = "1+", default = null, ignorable)]
    pub(crate) records: Option<Records>,
    #[wire("0+", nullable = "2", never_flexible)]
    pub(crate) old_text: Option<Text>,
    #[wire("1+", tag = 12, nullable = "1+", default = null)]
    pub(crate) inner: Option<Inner>,
    #[wire("1+", nullable = "3+")]
    pub(crate) place: Option<Inner>,
    #[wire("1+", tag = 13)]
    pub(crate) many: Vec<Inner>,
    /// Tagged fields that this codec does not know.
    pub(crate) unknown_tagged_fields: TaggedFields,
}

/// A structure with a tag that is known in the middle version only.
#[derive(Clone, Debug, PartialEq, Wire)]
pub(crate) struct Inner {
    #[wire("0+", default = -1)]
    pub(crate) number: i64,
    #[wire("2", tag = 1)]
    pub(crate) names: Vec<Text>,
    /// Tagged fields that this codec does not know.
    pub(crate) unknown_tagged_fields: TaggedFields,
}
