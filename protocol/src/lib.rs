//! Kafka's wire protocol as data: what travels between clients and brokers, and nothing else.
//!
//! This crate owns the bytes. It knows no sockets, no clocks and no threads: whoever uses it reads from and
//! writes to whatever they like. It reads nothing that it has not checked, and a hostile peer gets an error
//! that says which message, version, field and byte, for no more memory than a small multiple of what it sent.
//!
//! # From the outside in
//!
//! On a connection, each side writes *frames*: four bytes of length, then a header and a message ([`frame`]).
//!
//! A *header* ([`headers`]) names the API by its key, the version that the client speaks, and a correlation id
//! that the answer repeats. The answer's header does not say what it answers: the client has to remember.
//!
//! A *message* is a request or a response of one API, in one version. [`apis`] has a file for each API, with
//! both of its messages and what their versions changed; [`apis::ApiKey`] is the table of them all. Each
//! message is a struct with the fields of all versions, where a field that a version lacks has its default.
//!
//! *Flexible* versions, newer ones, write lengths as varints and end each structure with *tagged fields*,
//! which a reader that does not know them passes over. This crate keeps those ([`TaggedFields`]) and writes
//! them back.
//!
//! Producers and consumers exchange *record batches* inside of Produce and Fetch. They are bytes to the
//! message around them ([`Records`]), and are laid out in a format of their own that brokers keep on disk as
//! it came.
//!
//! Some messages travel inside of others ([`embedded`]), or as records in Kafka's internal topics
//! ([`group_log`], [`transaction_log`], [`control`]).
//!
//! # Asking a broker
//!
//! ```
//! use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic, MetadataResponse};
//! use strandline_protocol::frame::{OutboundFrame, read_response};
//! use strandline_protocol::{Bytes, DecodeError, EncodeError, Text};
//!
//! fn question() -> Result<OutboundFrame, Box<EncodeError>> {
//!     let topic = MetadataRequestTopic { name: Some(Text::from("orders")), ..Default::default() };
//!     let request = MetadataRequest { topics: Some(vec![topic]), ..Default::default() };
//!     OutboundFrame::request(12, 1, Some(Text::from("me")), &request)
//! }
//!
//! fn answer(content: Bytes) -> Result<MetadataResponse, Box<DecodeError>> {
//!     let (_correlation_id, metadata) = read_response::<MetadataRequest>(content, 12)?;
//!     Ok(metadata)
//! }
//! # assert!(question().unwrap().len() > 20);
//! # assert!(answer(Bytes::from_static(b"?")).is_err());
//! ```

// The derive names this crate as its users do, and this crate is one of them.
extern crate self as strandline_protocol;

pub mod any;
pub mod apis;
pub mod batch;
pub mod catalog;
pub mod compression;
pub mod control;
mod coordinator_log;
pub mod embedded;
pub mod error;
pub mod error_code;
pub mod frame;
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
