//! What the internal topics of the coordinators have in common: keys that open with the type of the record,
//! values that open with their version.
//!
//! A record without a value (a tombstone) takes back what the key said before. Types and versions that a
//! reader does not know come from a newer broker: replay passes over such a record, and says so.

use bytes::Bytes;

use crate::EncodeError;
use crate::error::DecodeErrorKind;
use crate::message::Message;
use crate::reader::Reader;
use crate::wire::DecodeResult;
use crate::writer::Writer;

// Keys have one version for ever: another layout is another type of record.
const KEY_VERSION: i16 = 0;

/// The type of record that a key opens with, and a reader that stands behind it.
pub(crate) fn read_type(bytes: Bytes) -> DecodeResult<(i16, Reader)> {
    let mut reader = Reader::new(bytes);
    Ok((reader.version_prefix("record key")?, reader))
}

/// The rest of a key behind its type.
pub(crate) fn read_key<M: Message>(reader: &mut Reader) -> DecodeResult<M> {
    let key = M::read(reader, KEY_VERSION)?;
    reader.finish()?;
    Ok(key)
}

pub(crate) fn key_bytes<M: Message>(record_type: i16, key: &M) -> Result<Bytes, Box<EncodeError>> {
    let mut writer = Writer::new();
    writer.put(&record_type.to_be_bytes());
    key.write(&mut writer, KEY_VERSION)?;
    writer.into_bytes()
}

pub(crate) fn unknown_type<T>(record_type: i16, reader: &Reader) -> DecodeResult<T> {
    Err(reader.error(DecodeErrorKind::RecordTypeUnknown(record_type)))
}

/// The keys and values of one internal topic, from one table of record types.
macro_rules! coordinator_log {
    (
        $(#[$key_meta:meta])* $key_enum:ident, $(#[$value_meta:meta])* $value_enum:ident:
        $($name:ident = $record_type:literal => $($module:ident::)? {$key:ident, $value:ident}),+ $(,)?
    ) => {
        $(#[$key_meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each is documented by the struct of its name")]
        pub enum $key_enum {
            $($name($($module::)? $key)),+
        }

        $(#[$value_meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[expect(missing_docs, reason = "each is documented by the struct of its name")]
        pub enum $value_enum {
            $($name($($module::)? $value)),+
        }

        /// The types of record, by rising number.
        pub static RECORD_TYPES: &[crate::any::RecordType] = &[
            $(crate::any::RecordType::of::<$($module::)? $key, $($module::)? $value>($record_type)),+
        ];

        impl $key_enum {
            /// The key that a record's key bytes are.
            pub fn from_bytes(bytes: bytes::Bytes) -> crate::wire::DecodeResult<Self> {
                let (record_type, mut reader) = crate::coordinator_log::read_type(bytes)?;
                match record_type {
                    $($record_type => crate::coordinator_log::read_key(&mut reader).map(Self::$name),)+
                    _ => crate::coordinator_log::unknown_type(record_type, &reader),
                }
            }

            /// The bytes for a record's key.
            pub fn to_bytes(&self) -> Result<bytes::Bytes, Box<crate::EncodeError>> {
                match self {
                    $(Self::$name(key) => crate::coordinator_log::key_bytes($record_type, key),)+
                }
            }

            /// The value that belongs to this key; a record without value bytes is a tombstone.
            pub fn value_from_bytes(&self, bytes: bytes::Bytes) -> crate::wire::DecodeResult<$value_enum> {
                match self {
                    $(Self::$name(_) => crate::Message::from_versioned_bytes(bytes).map($value_enum::$name),)+
                }
            }
        }

        impl $value_enum {
            /// The bytes for a record's value.
            pub fn to_bytes(&self, version: i16) -> Result<bytes::Bytes, Box<crate::EncodeError>> {
                match self {
                    $(Self::$name(value) => crate::Message::to_versioned_bytes(value, version),)+
                }
            }
        }
    };
}

pub(crate) use coordinator_log;
