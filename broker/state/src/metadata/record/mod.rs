//! The records of the metadata log: how they are laid out, and how they are read and written.
//!
//! A key is the type of record, two bytes, and a message that says what the record is about. A value is a
//! version, two bytes, and a message in that version with room for tagged fields: those that this program does
//! not know are kept and written back. Another version than it knows is an error, and so is a type.
//!
//! ```
//! use strandline_state::metadata::MetadataRecord;
//! use strandline_state::metadata::record::{FeatureKey, FeatureValue};
//!
//! let key = FeatureKey { name: "group.version".into() };
//! let value = FeatureValue { level: 1, ..Default::default() };
//! let record = MetadataRecord::Feature(key, Some(value));
//! let (key, value) = record.to_bytes().unwrap();
//! assert_eq!(MetadataRecord::from_bytes(key, value).unwrap(), record);
//! ```

mod layout;

use bytes::Bytes;
use strandline_protocol::{DecodeError, EncodeError, Message, Writer};

pub use layout::{
    BrokerEndpoint, BrokerKey, BrokerValue, ClusterKey, ClusterValue, ConfigEntry, ConfigKey, ConfigValue,
    FeatureKey, FeatureValue, PartitionKey, PartitionValue, ProducerIdsKey, ProducerIdsValue, TopicKey,
    TopicValue,
};

/// Why bytes are no record of the metadata log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum RecordError {
    /// A record of a type that this program does not know, from a newer one.
    #[error("metadata record of type {0}, which this version of Strandline does not know")]
    TypeUnknown(i16),
    /// The key ends before its type does.
    #[error("metadata record with a key of {0} bytes")]
    KeyShort(usize),
    /// The key or the value is not what its type says, or of a newer version.
    #[error("metadata record: {0}")]
    Bad(#[from] Box<DecodeError>),
}

// Keys have one version for ever: another layout is another type of record.
const KEY_VERSION: i16 = 0;

fn key_bytes<M: Message>(record_type: i16, key: &M) -> Result<Bytes, Box<EncodeError>> {
    let mut writer = Writer::new();
    writer.put(&record_type.to_be_bytes());
    key.write(&mut writer, KEY_VERSION)?;
    writer.into_bytes()
}

/// The value in the newest version that this program knows.
fn value_bytes<M: Message>(value: &M) -> Result<Bytes, Box<EncodeError>> {
    value.to_versioned_bytes(M::SCHEMA.versions.last)
}

macro_rules! metadata_records {
    ($($(#[doc = $doc:literal])+ $name:ident = $record_type:literal => {$key:ident, $value:ident},)+) => {
        /// A record of the metadata log: what it is about, and its whole new state; none takes it back.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $($(#[doc = $doc])+ $name($key, Option<$value>),)+
        }

        impl MetadataRecord {
            /// The record that a key and a value are; no value, or an empty one, takes back.
            pub fn from_bytes(key: Bytes, value: Option<Bytes>) -> Result<Self, RecordError> {
                let mut key = key;
                let Some(record_type) = key.first_chunk::<2>().map(|bytes| i16::from_be_bytes(*bytes)) else {
                    return Err(RecordError::KeyShort(key.len()));
                };
                let rest = key.split_off(size_of::<i16>());
                let value = value.filter(|value| !value.is_empty());
                Ok(match record_type {
                    $($record_type => Self::$name(
                        $key::from_bytes(rest, KEY_VERSION)?,
                        value.map($value::from_versioned_bytes).transpose()?,
                    ),)+
                    _ => return Err(RecordError::TypeUnknown(record_type)),
                })
            }

            /// The record's key and value; no value takes back.
            pub fn to_bytes(&self) -> Result<(Bytes, Option<Bytes>), Box<EncodeError>> {
                Ok(match self {
                    $(Self::$name(key, value) => (
                        key_bytes($record_type, key)?,
                        value.as_ref().map(value_bytes).transpose()?,
                    ),)+
                })
            }

            /// The record that takes back what this one says.
            #[must_use]
            pub fn tombstone(&self) -> Self {
                match self {
                    $(Self::$name(key, _) => Self::$name(key.clone(), None),)+
                }
            }

            /// Whether the record takes back.
            pub const fn is_tombstone(&self) -> bool {
                match self {
                    $(Self::$name(_, value) => value.is_none(),)+
                }
            }
        }
    };
}

metadata_records! {
    /// The cluster itself.
    Cluster = 0 => {ClusterKey, ClusterValue},
    /// A broker that has registered.
    Broker = 1 => {BrokerKey, BrokerValue},
    /// A topic. Its partitions and its configuration have records of their own.
    Topic = 2 => {TopicKey, TopicValue},
    /// A partition of a topic.
    Partition = 3 => {PartitionKey, PartitionValue},
    /// What is set on a resource.
    Config = 4 => {ConfigKey, ConfigValue},
    /// The level of a feature that the whole cluster has agreed on.
    Feature = 5 => {FeatureKey, FeatureValue},
    /// Which producer ids have been handed out.
    ProducerIds = 6 => {ProducerIdsKey, ProducerIdsValue},
}

#[cfg(test)]
mod tests;
