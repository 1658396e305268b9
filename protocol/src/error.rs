//! What can go wrong between bytes and messages, and where exactly.

use crate::schema::VersionRange;

/// Bytes that are not the message they claim to be: which message, version, field and byte.
///
/// Displays as one line fit for a log:
///
/// ```
/// use strandline_protocol::apis::heartbeat::HeartbeatRequest;
/// use strandline_protocol::{Bytes, Message};
///
/// let error = HeartbeatRequest::from_bytes(Bytes::from_static(&[0, 9, b'g']), 0).unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "HeartbeatRequest v0: HeartbeatRequest.GroupId at byte 2: length 9 where 1 bytes remain"
/// );
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message} v{version}: {field} at byte {offset}: {kind}")]
pub struct DecodeError {
    /// The message, after Kafka's name for it.
    pub message: &'static str,
    /// The version it was read as.
    pub version: i16,
    /// The innermost structure and field that was being read, as `Structure.Field`.
    pub field: &'static str,
    /// Where reading stopped, counted from the start of the input.
    pub offset: usize,
    /// What was wrong there.
    #[source]
    pub kind: DecodeErrorKind,
}

/// What was wrong with the bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// A fixed-size value does not fit into what is left.
    #[error("{wanted} bytes wanted where {remaining} remain")]
    Truncated {
        /// Bytes that the value takes.
        wanted: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// A length or an element count exceeds what is left.
    #[error("length {length} where {remaining} bytes remain")]
    LengthBeyondInput {
        /// The length that was claimed.
        length: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// A length below -1, or -1 where nothing may be null.
    #[error("length {0} is not allowed here")]
    LengthNegative(i32),
    /// Null in a version in which the field is not nullable.
    #[error("null is not allowed here")]
    NullNotAllowed,
    /// A string that is not UTF-8.
    #[error("the string is not UTF-8")]
    Utf8,
    /// A string longer than [`STRING_BYTES_MAX`](crate::reader::STRING_BYTES_MAX).
    #[error("a string of {0} bytes is too long")]
    StringTooLong(usize),
    /// A varint of more bytes or bits than its type holds.
    #[error("the varint is too long")]
    VarintTooLong,
    /// Tags must rise; this one does not.
    #[error("tag {0} is repeated or out of order")]
    TagOutOfOrder(u32),
    /// A known tagged field did not fill the length it announced.
    #[error("tag {tag} announced {announced} bytes, its value takes {taken}")]
    TagLength {
        /// The tag.
        tag: u32,
        /// The length that preceded it.
        announced: usize,
        /// What its value took.
        taken: usize,
    },
    /// Decoding would take far more memory than the input is long.
    #[error("decoding would need more than {0} bytes of memory")]
    MemoryBeyondBudget(usize),
    /// Bytes follow the end of the message.
    #[error("{0} bytes follow the end of the message")]
    TrailingBytes(usize),
    /// The codec does not know this version.
    #[error("the version is not among {0}")]
    VersionUnsupported(VersionRange),
    /// The codec does not know an API of this key.
    #[error("no API has the key {0}")]
    ApiUnknown(i16),
    /// A coordinator's log holds a type of record that the codec does not know.
    #[error("no record has the type {0}")]
    RecordTypeUnknown(i16),
}

/// A value that cannot be written in the version asked for.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message} v{version}: {field}: {kind}")]
pub struct EncodeError {
    /// The message, after Kafka's name for it.
    pub message: &'static str,
    /// The version it was to be written in.
    pub version: i16,
    /// The innermost structure and field that was being written, as `Structure.Field`.
    pub field: &'static str,
    /// Why it cannot be written.
    #[source]
    pub kind: EncodeErrorKind,
}

/// Why a value cannot be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeErrorKind {
    /// The field holds something that the version has no place for, and that may not be dropped.
    #[error("the version has no such field, and its value is not the default")]
    FieldNotInVersion,
    /// Null in a version in which the field is not nullable.
    #[error("null is not allowed in this version")]
    NullNotAllowed,
    /// Longer than the length prefix can say.
    #[error("{0} is too long for the length prefix")]
    TooLong(usize),
    /// An unknown tagged field uses the tag of a known one, or the list is not in rising order.
    #[error("tag {0} is repeated, out of order or belongs to a known field")]
    TagConflict(u32),
    /// Unknown tagged fields in a version that has no room for tags.
    #[error("the version has no tagged fields")]
    TagsNotInVersion,
    /// Records that lie outside of memory, where one buffer in memory was asked for.
    #[error("the records lie outside of memory")]
    NotInMemory,
    /// The codec does not know this version.
    #[error("the version is not among {0}")]
    VersionUnsupported(VersionRange),
}
