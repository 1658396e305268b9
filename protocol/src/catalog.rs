//! Every message of the crate, described and readable without naming its type: for tools, tests and whatever
//! else treats all messages alike. Owns no schema and no table of its own but the list of those messages that
//! belong to no API; requests and responses come from the table of APIs, log records from [`crate::group_log`]
//! and [`crate::transaction_log`].
//!
//! ```
//! use strandline_protocol::{Bytes, Reader, catalog};
//!
//! let marker = catalog::find("EndTxnMarker").unwrap();
//! assert_eq!(marker.schema.versions.to_string(), "0");
//! let message = marker.read(&mut Reader::new(Bytes::from_static(&[0, 0, 0, 7])), 0).unwrap();
//! assert!(format!("{message:?}").contains("coordinator_epoch: 7"));
//! ```

use std::any::Any;
use std::fmt;

use crate::apis::API_KEYS;
use crate::control::{
    ControlRecordTypeSchema, EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
    SnapshotHeaderRecord, VotersRecord,
};
use crate::embedded::consumer::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use crate::embedded::principal::DefaultPrincipalData;
use crate::headers::{RequestHeader, ResponseHeader};
use crate::message::Message;
use crate::reader::Reader;
use crate::schema::MessageSchema;
use crate::wire::{DecodeResult, EncodeResult};
use crate::writer::Writer;
use crate::{group_log, transaction_log};

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

// What belongs neither to an API nor to a log of its own.
static OTHERS: &[Entry] = &[
    Entry::of::<RequestHeader>(),
    Entry::of::<ResponseHeader>(),
    Entry::of::<ConsumerProtocolSubscription>(),
    Entry::of::<ConsumerProtocolAssignment>(),
    Entry::of::<DefaultPrincipalData>(),
    Entry::of::<ControlRecordTypeSchema>(),
    Entry::of::<EndTxnMarker>(),
    Entry::of::<LeaderChangeMessage>(),
    Entry::of::<SnapshotHeaderRecord>(),
    Entry::of::<SnapshotFooterRecord>(),
    Entry::of::<KRaftVersionRecord>(),
    Entry::of::<VotersRecord>(),
];

/// Every message once: requests and responses by rising key, then the rest.
pub fn all() -> impl Iterator<Item = Entry> {
    let apis = API_KEYS.iter().flat_map(|key| [key.api().request, key.api().response]);
    let logs = group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES);
    apis.chain(OTHERS.iter().copied()).chain(logs.flat_map(|record| [record.key, record.value]))
}

/// The message of this name.
pub fn find(name: &str) -> Option<Entry> {
    all().find(|entry| entry.schema.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn no_message_is_listed_twice() {
        let mut names = HashSet::new();
        for entry in all() {
            assert!(names.insert(entry.schema.name), "{entry:?}");
        }
        assert_eq!(names.len(), 2 * API_KEYS.len() + OTHERS.len() + 2 * 23);
    }

    #[test]
    fn record_types_rise_and_keys_have_one_version() {
        assert!(group_log::RECORD_TYPES.is_sorted_by(|left, right| left.id < right.id));
        for record in group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES) {
            assert_eq!(record.key.schema.versions.to_string(), "0", "{record:?}");
        }
    }
}
