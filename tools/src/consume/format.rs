//! Records as text.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use strandline_client::ConsumerRecord;

use crate::time::moment;

/// The value as it is; a tombstone is an empty line.
pub(super) fn raw(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    out.write_all(record.value.as_deref().unwrap_or_default())?;
    out.write_all(b"\n")
}

/// Everything, so that `strandline produce --format json` can write it again.
pub(super) fn json(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    let mut fields = Map::new();
    fields.insert("topic".to_owned(), json!(record.topic.as_str()));
    fields.insert("partition".to_owned(), json!(record.partition));
    fields.insert("offset".to_owned(), json!(record.offset));
    fields.insert("timestamp".to_owned(), json!(record.timestamp));
    put(&mut fields, "key", record.key.as_deref());
    put(&mut fields, "value", record.value.as_deref());
    let headers = record.headers.iter().map(|header| {
        let mut fields = Map::new();
        fields.insert("name".to_owned(), json!(header.name_lossy()));
        put(&mut fields, "value", header.value.as_deref());
        Value::Object(fields)
    });
    fields.insert("headers".to_owned(), Value::Array(headers.collect()));
    writeln!(out, "{}", Value::Object(fields))
}

/// Text under its name; bytes that are none in hexadecimal digits, under the name with `Hex` behind it.
fn put(fields: &mut Map<String, Value>, name: &str, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else {
        fields.insert(name.to_owned(), Value::Null);
        return;
    };
    match str::from_utf8(bytes) {
        Ok(text) => fields.insert(name.to_owned(), json!(text)),
        Err(_) => fields.insert(format!("{name}Hex"), json!(digits(bytes))),
    };
}

pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Partition, offset, key and value; a dash stands for null.
pub(super) fn hex(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    let part = |bytes: Option<&[u8]>| bytes.map_or_else(|| "-".to_owned(), digits);
    let (key, value) = (part(record.key.as_deref()), part(record.value.as_deref()));
    writeln!(out, "{} {} {key} {value}", record.partition, record.offset)
}

/// A line for people: what is no text is in hexadecimal digits.
pub(super) fn long(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{}  {}-{} @ {}", moment(record.timestamp), record.topic, record.partition, record.offset)?;
    write!(out, "  {}", text_or_digits(record.key.as_deref()))?;
    for header in &record.headers {
        write!(out, "  {}={}", header.name_lossy().escape_debug(), text_or_digits(header.value.as_deref()))?;
    }
    writeln!(out, "  {}", text_or_digits(record.value.as_deref()))
}

fn text_or_digits(bytes: Option<&[u8]>) -> String {
    match bytes.map(|bytes| (str::from_utf8(bytes), bytes)) {
        None => "null".to_owned(),
        Some((Ok(text), _)) => format!("{text:?}"),
        Some((Err(_), bytes)) => format!("0x{}", digits(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_told_from_text() {
        assert_eq!(text_or_digits(Some(b"a\n")), "\"a\\n\"");
        assert_eq!(text_or_digits(Some(&[0xff, 1])), "0xff01");
        assert_eq!(text_or_digits(None), "null");
    }
}
