//! Kafka's wire protocol.

extern crate self as strandline_protocol;

pub mod apis;
pub mod compression;
pub mod control;
pub mod embedded;
pub mod error;
pub mod error_code;
pub mod group_log;
pub mod headers;
pub mod message;
pub mod reader;
pub mod records;
pub mod schema;
pub mod tagged;
pub mod text;
pub mod transaction_log;
pub mod uuid;
pub mod varint;
pub mod wire;
pub mod writer;

pub use bytes::Bytes;
pub use compression::{Compression, CompressionError, Compressor, Decompressor};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind};
pub use error_code::{ErrorCode, Retry};
pub use message::{Message, Request, Response};
pub use reader::Reader;
pub use records::{External, Piece, Records};
pub use strandline_protocol_derive::Wire;
pub use tagged::{TaggedFields, UnknownTag};
pub use text::Text;
pub use uuid::Uuid;
pub use wire::Wire;
pub use writer::Writer;
