//! What all messages have in common: a schema, and a way to and from bytes in any of their versions.

use bytes::Bytes;

use crate::apis::ApiKey;
use crate::reader::Reader;
use crate::schema::MessageSchema;
use crate::wire::{DecodeResult, EncodeResult, Layout, Wire};
use crate::writer::Writer;
use crate::{EncodeError, Piece};

/// A message of Kafka's: one annotated struct.
///
/// ```
/// use strandline_protocol::apis::heartbeat::HeartbeatRequest;
/// use strandline_protocol::{Message, Text};
///
/// let request = HeartbeatRequest { group_id: Text::from("g"), generation_id: 7, ..Default::default() };
/// let bytes = request.to_bytes(4).unwrap();
/// assert_eq!(HeartbeatRequest::from_bytes(bytes, 4).unwrap(), request);
/// ```
pub trait Message: Wire {
    /// The message described as data.
    const SCHEMA: &'static MessageSchema;

    /// How the message is laid out in `version`.
    fn layout(version: i16) -> Layout {
        Layout { version, flexible: Self::SCHEMA.flexible_versions.contains(version) }
    }

    /// Reads the message off `reader`, which may hold more behind it.
    fn read(reader: &mut Reader, version: i16) -> DecodeResult<Self> {
        reader.enter_message(Self::SCHEMA.name, version, Self::SCHEMA.versions)?;
        Self::decode(reader, Self::layout(version))
    }

    /// Writes the message behind what `writer` holds.
    fn write(&self, writer: &mut Writer, version: i16) -> EncodeResult {
        writer.enter_message(Self::SCHEMA.name, version, Self::SCHEMA.versions)?;
        self.encode(writer, Self::layout(version))
    }

    /// The message that `bytes` are, all of them.
    fn from_bytes(bytes: Bytes, version: i16) -> DecodeResult<Self> {
        let mut reader = Reader::new(bytes);
        let message = Self::read(&mut reader, version)?;
        reader.finish()?;
        Ok(message)
    }

    /// The message that `bytes` are behind a version of two bytes, as data inside of records is written.
    fn from_versioned_bytes(bytes: Bytes) -> DecodeResult<Self> {
        let mut reader = Reader::new(bytes);
        let version = reader.version_prefix(Self::SCHEMA.name)?;
        let message = Self::read(&mut reader, version)?;
        reader.finish()?;
        Ok(message)
    }

    /// The message's bytes behind a version of two bytes.
    fn to_versioned_bytes(&self, version: i16) -> Result<Bytes, Box<EncodeError>> {
        let mut writer = Writer::new();
        writer.put(&version.to_be_bytes());
        self.write(&mut writer, version)?;
        writer.into_bytes()
    }

    /// The message's bytes in pieces, with large record payloads left out of line.
    fn to_pieces(&self, version: i16) -> Result<Vec<Piece>, Box<EncodeError>> {
        let mut writer = Writer::new();
        self.write(&mut writer, version)?;
        Ok(writer.into_pieces())
    }

    /// The message's bytes in one buffer.
    ///
    /// Records that lie outside of memory cannot be copied into it and are an error here: a message that
    /// holds any is for [`Message::to_pieces`].
    fn to_bytes(&self, version: i16) -> Result<Bytes, Box<EncodeError>> {
        let mut writer = Writer::new();
        self.write(&mut writer, version)?;
        writer.into_bytes()
    }
}

/// A message that a client sends.
pub trait Request: Message {
    /// The API it belongs to.
    const KEY: ApiKey;

    /// What the broker answers.
    type Response: Response;
}

/// A message that a broker sends.
pub trait Response: Message {
    /// The API it belongs to.
    const KEY: ApiKey;
}
