//! What is laid out by a schema, in words: messages, and the records of the cluster's own topics.
//!
//! It goes by the schemas that the codec itself is made from, and believes no length.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use strandline_client::ConsumerRecord;
use strandline_protocol::any::RecordType;
use strandline_protocol::batch::ControlRecord;
use strandline_protocol::schema::{FieldSchema, FieldType, MessageSchema, StructSchema};
use strandline_protocol::{Uuid, catalog, group_log, transaction_log};

/// The topics that have records of their own kind.
const GROUPS: &str = "__consumer_offsets";
const TRANSACTIONS: &str = "__transaction_state";

/// A record as a line of JSON.
pub(crate) fn print(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    let mut fields = Map::new();
    fields.insert("topic".to_owned(), json!(record.topic.as_str()));
    fields.insert("partition".to_owned(), json!(record.partition));
    fields.insert("offset".to_owned(), json!(record.offset));
    fields.insert("timestamp".to_owned(), json!(record.timestamp));
    let internal = internal(&record.topic, key, value);
    fields.extend(internal.unwrap_or_else(|| {
        Map::from_iter([
            ("key".to_owned(), key.map_or(Value::Null, bytes)),
            ("value".to_owned(), value.map_or(Value::Null, bytes)),
        ])
    }));
    writeln!(out, "{}", Value::Object(fields))
}

/// What a record of one of the cluster's own topics says: `type`, `key` and `value`; none of another topic, or of a
/// type that is not known.
pub(crate) fn internal(topic: &str, key: Option<&[u8]>, value: Option<&[u8]>) -> Option<Map<String, Value>> {
    let types: &[RecordType] = match topic {
        GROUPS => group_log::RECORD_TYPES,
        TRANSACTIONS => transaction_log::RECORD_TYPES,
        _ => return None,
    };
    let mut key = Cursor(key?);
    let id = i16::from_be_bytes(key.take()?);
    let kind = types.iter().find(|kind| kind.id == id)?;
    let mut fields = Map::new();
    let name = kind.key.schema.name;
    fields.insert("type".to_owned(), json!(name.strip_suffix("Key").unwrap_or(name)));
    fields.insert("key".to_owned(), key.message(kind.key.schema, 0)?);
    let value = match value {
        // It takes back what was said.
        None => Value::Null,
        Some(value) => versioned(kind.value.schema, value)?,
    };
    fields.insert("value".to_owned(), value);
    Some(fields)
}

/// A control record in words.
pub(crate) fn control(key: Option<&[u8]>, value: Option<&[u8]>) -> String {
    match ControlRecord::read(key, value) {
        Ok(ControlRecord::Abort { coordinator_epoch }) => {
            format!("abort, by coordinator epoch {coordinator_epoch}")
        }
        Ok(ControlRecord::Commit { coordinator_epoch }) => {
            format!("commit, by coordinator epoch {coordinator_epoch}")
        }
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("no control record: {error}"),
    }
}

/// A message behind its version.
fn versioned(schema: &MessageSchema, bytes: &[u8]) -> Option<Value> {
    let mut cursor = Cursor(bytes);
    let version = i16::from_be_bytes(cursor.take()?);
    schema.versions.contains(version).then(|| cursor.message(schema, version))?
}

/// Bytes as text, or in hexadecimal digits where they are none.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    match str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|character| character.is_control() && !character.is_whitespace()) => {
            json!(text)
        }
        _ => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!(format!("0x{digits}"))
        }
    }
}

/// What is left to be read.
struct Cursor<'a>(&'a [u8]);

/// How a message is laid out.
#[derive(Clone, Copy)]
struct Layout {
    version: i16,
    is_flexible: bool,
}

impl<'a> Cursor<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn slice(&mut self, length: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(head)
    }

    fn varint(&mut self) -> Option<u32> {
        let mut number = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.take()?;
            number |= u32::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    /// The length of a string, a field of bytes or an array; none inside where it is null.
    fn length(&mut self, layout: Layout, is_short: bool) -> Option<Option<usize>> {
        let length = if layout.is_flexible {
            i64::from(self.varint()?) - 1
        } else if is_short {
            i64::from(i16::from_be_bytes(self.take()?))
        } else {
            i64::from(i32::from_be_bytes(self.take()?))
        };
        Some(usize::try_from(length).ok())
    }

    /// A whole message.
    fn message(&mut self, schema: &MessageSchema, version: i16) -> Option<Value> {
        let layout = Layout { version, is_flexible: schema.flexible_versions.contains(version) };
        self.structure(schema.body, layout)
    }

    fn structure(&mut self, structure: &StructSchema, layout: Layout) -> Option<Value> {
        let mut fields = Map::new();
        let is_there = |field: &&FieldSchema| field.versions.contains(layout.version);
        for field in structure.fields.iter().filter(is_there).filter(|field| field.tag.is_none()) {
            fields.insert(camel(field.name), self.field(field, layout)?);
        }
        if layout.is_flexible {
            for _ in 0..self.varint()? {
                let (tag, length) = (self.varint()?, self.varint()?);
                let mut content = Cursor(self.slice(usize::try_from(length).ok()?)?);
                match structure.fields.iter().filter(is_there).find(|field| field.tag == Some(tag)) {
                    Some(field) => fields.insert(camel(field.name), content.field(field, layout)?),
                    None => fields.insert(format!("tag{tag}"), bytes(content.0)),
                };
            }
        }
        Some(Value::Object(fields))
    }

    fn field(&mut self, field: &FieldSchema, layout: Layout) -> Option<Value> {
        let is_flexible = layout.is_flexible && !field.never_flexible;
        let is_nullable = field.nullable_versions.contains(layout.version);
        let layout = Layout { is_flexible, ..layout };
        if let (FieldType::Struct(_), true) = (field.field_type, is_nullable) {
            // Behind a tag another marker says that there is nothing.
            let is_null = if field.tag.is_some() { self.varint()? == 0 } else { self.take()? == [0xff] };
            if is_null {
                return Some(Value::Null);
            }
        }
        if field.field_type == FieldType::Bytes {
            return Some(match self.length(layout, false)? {
                None => Value::Null,
                Some(length) => embedded(field.name, self.slice(length)?),
            });
        }
        self.value(field.field_type, layout)
    }

    fn value(&mut self, field_type: FieldType, layout: Layout) -> Option<Value> {
        Some(match field_type {
            FieldType::Bool => json!(self.take()? != [0]),
            FieldType::Int8 => json!(i8::from_be_bytes(self.take()?)),
            FieldType::Int16 => json!(i16::from_be_bytes(self.take()?)),
            FieldType::Uint16 => json!(u16::from_be_bytes(self.take()?)),
            FieldType::Int32 => json!(i32::from_be_bytes(self.take()?)),
            FieldType::Uint32 => json!(u32::from_be_bytes(self.take()?)),
            FieldType::Int64 => json!(i64::from_be_bytes(self.take()?)),
            FieldType::Float64 => json!(f64::from_be_bytes(self.take()?)),
            FieldType::Uuid => json!(Uuid(self.take()?).to_string()),
            FieldType::String => match self.length(layout, true)? {
                None => Value::Null,
                Some(length) => json!(str::from_utf8(self.slice(length)?).ok()?),
            },
            FieldType::Bytes | FieldType::Records => match self.length(layout, false)? {
                None => Value::Null,
                Some(length) => bytes(self.slice(length)?),
            },
            FieldType::Struct(structure) => self.structure(structure, layout)?,
            FieldType::Array(element) => match self.length(layout, false)? {
                None => Value::Null,
                // No element is shorter than a byte: a count that goes beyond what is there is none.
                Some(count) if count > self.0.len() => return None,
                Some(count) => (0..count).map(|_| self.value(*element, layout)).collect::<Option<Value>>()?,
            },
        })
    }
}

/// A field of bytes: of members of a consumer group it is known what they put into two of them.
fn embedded(name: &str, content: &[u8]) -> Value {
    let message = match name {
        "subscription" => catalog::find("ConsumerProtocolSubscription"),
        "assignment" => catalog::find("ConsumerProtocolAssignment"),
        _ => None,
    };
    message.and_then(|entry| versioned(entry.schema, content)).unwrap_or_else(|| bytes(content))
}

/// A name as JSON has it.
fn camel(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_lowercase().chain(characters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use strandline_protocol::Text;
    use strandline_protocol::group_log::consumer_group_member_metadata::{
        ClassicMemberMetadata, ClassicProtocol, ConsumerGroupMemberMetadataKey,
        ConsumerGroupMemberMetadataValue,
    };
    use strandline_protocol::group_log::offset_commit::{OffsetCommitKey, OffsetCommitValue};
    use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};

    use super::*;

    fn commit(version: i16) -> (Vec<u8>, Vec<u8>) {
        let key = OffsetCommitKey { group: Text::from("readers"), topic: Text::from("orders"), partition: 3 };
        let value = OffsetCommitValue { offset: 42, metadata: Text::from("m"), ..Default::default() };
        let key = GroupLogKey::OffsetCommit(key).to_bytes().unwrap().to_vec();
        (key, GroupLogValue::OffsetCommit(value).to_bytes(version).unwrap().to_vec())
    }

    #[test]
    fn an_offset_is_read_in_every_version() {
        for version in 0..=4 {
            let (key, value) = commit(version);
            let said = internal(GROUPS, Some(&key), Some(&value)).unwrap();
            assert_eq!(said["type"], "OffsetCommit");
            assert_eq!(said["key"], json!({ "group": "readers", "topic": "orders", "partition": 3 }));
            assert_eq!(
                (&said["value"]["offset"], &said["value"]["metadata"]),
                (&json!(42), &json!("m")),
                "{version}"
            );
        }
        let (key, _) = commit(3);
        assert_eq!(internal(GROUPS, Some(&key), None).unwrap()["value"], Value::Null);
    }

    #[test]
    fn a_structure_behind_a_tag_may_be_none() {
        let key = ConsumerGroupMemberMetadataKey { group_id: "readers".into(), member_id: "m".into() };
        let key = GroupLogKey::ConsumerGroupMemberMetadata(key).to_bytes().unwrap();
        let protocols = vec![ClassicProtocol { name: "range".into(), ..Default::default() }];
        for classic in
            [None, Some(ClassicMemberMetadata { supported_protocols: protocols, ..Default::default() })]
        {
            let expected = classic.as_ref().map(|_| "range");
            let value = ConsumerGroupMemberMetadataValue {
                client_id: "c".into(),
                classic_member_metadata: classic,
                ..Default::default()
            };
            let value = GroupLogValue::ConsumerGroupMemberMetadata(value).to_bytes(0).unwrap();
            let said = internal(GROUPS, Some(&key), Some(&value)).unwrap();
            assert_eq!(
                (&said["type"], &said["value"]["clientId"]),
                (&json!("ConsumerGroupMemberMetadata"), &json!("c"))
            );
            let protocol = &said["value"]["classicMemberMetadata"]["supportedProtocols"][0]["name"];
            assert_eq!(protocol.as_str(), expected, "{said:?}");
        }
    }

    #[test]
    fn what_a_member_wants_is_told_in_words() {
        let subscription = [0, 0, 0, 0, 0, 1, 0, 1, b'a', 0xff, 0xff, 0xff, 0xff];
        assert_eq!(embedded("subscription", &subscription), json!({ "topics": ["a"], "userData": null }));
        assert_eq!(embedded("subscription", &subscription[..8]), "0x0000000000010001");
    }

    #[test]
    fn what_is_cut_off_or_unknown_is_nothing() {
        let (key, value) = commit(4);
        for length in 0..value.len() {
            assert_eq!(internal(GROUPS, Some(&key), Some(&value[..length])), None, "{length}");
        }
        assert_eq!(internal(GROUPS, Some(&[0x7f, 1]), None), None);
        assert_eq!(internal("orders", Some(&key), Some(&value)), None);
        let endless = [0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f];
        assert_eq!(internal(GROUPS, Some(&key), Some(&endless)), None);
    }

    #[test]
    fn every_message_that_is_written_can_be_told() {
        for entry in group_log::RECORD_TYPES.iter().chain(transaction_log::RECORD_TYPES) {
            for version in entry.value.schema.versions.iter() {
                // Zeros are the shortest that most of them can be; none of them may make it stumble.
                let zeros = [version.to_be_bytes().to_vec(), vec![0; 64]].concat();
                let _ = versioned(entry.value.schema, &zeros);
            }
        }
    }

    #[test]
    fn bytes_are_told_from_text() {
        assert_eq!(bytes(b"a b"), "a b");
        assert_eq!(bytes(&[0, 255]), "0x00ff");
        assert_eq!(bytes(&[0]), "0x00");
    }
}
