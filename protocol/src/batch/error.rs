//! What can be wrong with a record batch, where in it, and which error code Kafka's clients get to see.

use std::fmt;

use crate::ErrorCode;
use crate::compression::CompressionError;

/// Bytes that are not the record batch they claim to be.
///
/// ```
/// use strandline_protocol::ErrorCode;
/// use strandline_protocol::batch::BatchView;
///
/// let mut old = [0; 80];
/// old[11] = 68; // the length of what follows it
/// old[16] = 1; // the magic
/// let error = BatchView::parse(&old).unwrap_err();
/// assert_eq!(error.to_string(), "record batch, byte 16: message format 1 is no longer supported");
/// assert_eq!(error.code(), ErrorCode::INVALID_RECORD);
/// ```
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{place}, byte {offset}: {kind}")]
pub struct BatchError {
    /// What the offset is counted in.
    pub place: Place,
    /// Where reading stopped.
    pub offset: usize,
    /// What was wrong there.
    #[source]
    pub kind: BatchErrorKind,
}

/// The bytes that the offset of a [`BatchError`] is counted in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The batch as it is sent and stored, counted from its first byte.
    Batch,
    /// The records of a compressed batch after decompression, counted from the first record.
    DecompressedRecords,
    /// The records field of a partition, which holds the batches, counted from its first byte.
    Field,
}

/// What was wrong with the bytes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BatchErrorKind {
    /// The batch claims more bytes than there are. A fetch response may end so, in the middle of a batch.
    #[error("the batch takes {wanted} bytes where {remaining} remain")]
    Incomplete {
        /// What the batch takes, as far as it can be told.
        wanted: usize,
        /// Bytes that are left.
        remaining: usize,
    },
    /// The length field leaves no room for the header, or is negative.
    #[error("a batch cannot have the length {0}")]
    Length(i32),
    /// A message set in the format of Kafka 0.10 or older.
    #[error("message format {0} is no longer supported")]
    MagicOld(i8),
    /// A format that does not exist.
    #[error("message format {0} is unknown")]
    MagicUnknown(i8),
    /// The bytes were changed after the checksum was made.
    #[error("the checksum is {computed:#010x}, the header says {stored:#010x}")]
    Checksum {
        /// The one in the header.
        stored: u32,
        /// The one that the bytes have.
        computed: u32,
    },
    /// The attributes name a codec that does not exist.
    #[error("compression type {0} is unknown")]
    CompressionUnknown(u8),
    /// The compressed records cannot be decompressed.
    #[error("the records cannot be decompressed")]
    Decompression(#[source] CompressionError),
    /// The records would take more than the reader allows once they are decompressed.
    #[error("the decompressed records take more than {0} bytes")]
    DecompressedTooLarge(usize),
    /// A producer sent no batch, or more than one for a partition.
    #[error("{0} batches where a producer sends exactly one")]
    BatchCount(usize),
    /// A producer sent a batch without records, or any batch claims fewer than none.
    #[error("a batch cannot have {0} records")]
    RecordCount(i32),
    /// The last offset does not agree with the number of records.
    #[error("the last offset delta {last_offset_delta} does not fit {record_count} records")]
    LastOffsetDelta {
        /// What the header says.
        last_offset_delta: i32,
        /// The number of records in the header.
        record_count: i32,
    },
    /// A record's offset is not the one its place in the batch gives it.
    #[error("the record's offset delta is {found}, expected {expected}")]
    OffsetDelta {
        /// The lowest delta possible here; for a producer the only one.
        expected: i64,
        /// The record's.
        found: i32,
    },
    /// The batch ends within a record, or before as many records as its header says.
    #[error("the records end too early")]
    RecordsEnd,
    /// Bytes follow the last record.
    #[error("{0} bytes follow the last record")]
    TrailingBytes(usize),
    /// A length or count is negative, or more than its record holds.
    #[error("{what} {value} where {remaining} bytes remain in the record")]
    RecordField {
        /// What it is the length or count of.
        what: &'static str,
        /// The length or count.
        value: i32,
        /// Bytes that are left in the record.
        remaining: usize,
    },
    /// A record ends in the middle of a field.
    #[error("the record ends within a field")]
    RecordEnd,
    /// A number takes more bytes than its type can.
    #[error("the varint is too long")]
    VarintTooLong,
    /// A record's length does not agree with the fields in it.
    #[error("{0} bytes follow the record's last field")]
    RecordLength(usize),
    /// A record's timestamp is outside of what 64 bits hold.
    #[error("base timestamp {base} and delta {delta} overflow")]
    TimestampOverflow {
        /// The batch's base timestamp.
        base: i64,
        /// The record's difference to it.
        delta: i64,
    },
    /// A record says that it is compressed itself, as only the old formats had it.
    #[error("the record says that it is compressed on its own")]
    NestedCompression,
    /// Only brokers write control batches.
    #[error("a producer may not write control batches")]
    ControlFromProducer,
    /// A control record whose key or value is not what its type has.
    #[error("the control record is malformed: {0}")]
    ControlRecord(&'static str),
    /// A batch with a producer id has no sequence number.
    #[error("producer {producer_id} sent the sequence number {base_sequence}")]
    Sequence {
        /// The producer id in the header.
        producer_id: i64,
        /// The base sequence in the header.
        base_sequence: i32,
    },
    /// A transactional batch without a producer id: no marker could ever end its transaction.
    #[error("a transactional batch needs a producer id")]
    TransactionalWithoutProducer,
}

impl BatchError {
    /// The error code that a broker answers with.
    ///
    /// These are Kafka's, with three exceptions where Kafka's own broker answers UNKNOWN_SERVER_ERROR,
    /// which an idempotent producer takes for the end of its life: an unknown codec is
    /// UNSUPPORTED_COMPRESSION_TYPE, records that cannot be decompressed are INVALID_RECORD, and records that
    /// decompress to more than the limit are MESSAGE_TOO_LARGE, upon which a client splits the batch.
    pub const fn code(&self) -> ErrorCode {
        match self.kind {
            BatchErrorKind::Length(_) | BatchErrorKind::MagicUnknown(_) | BatchErrorKind::Checksum { .. } => {
                ErrorCode::CORRUPT_MESSAGE
            }
            BatchErrorKind::CompressionUnknown(_) => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            BatchErrorKind::Decompression(error) => error.error_code(),
            BatchErrorKind::DecompressedTooLarge(_) => ErrorCode::MESSAGE_TOO_LARGE,
            BatchErrorKind::TimestampOverflow { .. } => ErrorCode::INVALID_TIMESTAMP,
            _ => ErrorCode::INVALID_RECORD,
        }
    }

    /// The batch is cut off, which at the end of a fetch response is no error.
    pub const fn is_incomplete(&self) -> bool {
        matches!(self.kind, BatchErrorKind::Incomplete { .. })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Batch => "record batch",
            Self::DecompressedRecords => "decompressed records",
            Self::Field => "records field",
        })
    }
}

/// An error in the batch's own bytes.
#[cold]
pub(crate) const fn in_batch(offset: usize, kind: BatchErrorKind) -> BatchError {
    BatchError { place: Place::Batch, offset, kind }
}
