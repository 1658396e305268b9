//! Messages without their types: described, read and written through a table entry instead of a generic.
//!
//! For the tables of APIs and record types, and for those who go through them. Code that knows which message it
//! wants uses [`Message`] and pays for no indirection.

use std::any::Any;
use std::fmt;

use crate::message::Message;
use crate::reader::Reader;
use crate::schema::MessageSchema;
use crate::wire::{DecodeResult, EncodeResult};
use crate::writer::Writer;

/// A message of some type: what it looks like, and how to read it.
#[derive(Clone, Copy)]
pub struct Entry {
    /// The message described as data.
    pub schema: &'static MessageSchema,
    read: fn(&mut Reader, i16) -> DecodeResult<Box<dyn AnyMessage>>,
}

impl Entry {
    /// The entry of any message, whether or not the catalog lists it.
    pub const fn of<M: Message + AnyMessage>() -> Self {
        Self { schema: M::SCHEMA, read: read_any::<M> }
    }

    /// Reads the message without naming its type.
    pub fn read(&self, reader: &mut Reader, version: i16) -> DecodeResult<Box<dyn AnyMessage>> {
        (self.read)(reader, version)
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.schema.name)
    }
}

/// A message of some type.
pub trait AnyMessage: Any + fmt::Debug + Send + Sync {
    /// Writes the message behind what `writer` holds.
    fn write_any(&self, writer: &mut Writer, version: i16) -> EncodeResult;
}

impl<M: Message + Any + fmt::Debug + Send + Sync> AnyMessage for M {
    fn write_any(&self, writer: &mut Writer, version: i16) -> EncodeResult {
        self.write(writer, version)
    }
}

fn read_any<M: Message + AnyMessage>(reader: &mut Reader, version: i16) -> DecodeResult<Box<dyn AnyMessage>> {
    Ok(Box::new(M::read(reader, version)?))
}

/// One type of record in an internal topic: the number in front of its key, and what key and value hold.
///
/// Both key and value begin with an `int16`. In front of a key it is the type of record; in front of a value
/// it is the version of the value's schema.
#[derive(Clone, Copy, Debug)]
pub struct RecordType {
    /// The number that opens the key.
    pub id: i16,
    /// What follows in the key; keys have no version but 0.
    pub key: Entry,
    /// What follows in the value.
    pub value: Entry,
}

impl RecordType {
    pub(crate) const fn of<K: Message + AnyMessage, V: Message + AnyMessage>(id: i16) -> Self {
        Self { id, key: Entry::of::<K>(), value: Entry::of::<V>() }
    }
}
