//! Records as text.

use std::io::{self, Write};

use serde_json::{Map, Value, json};
use strandline_client::ConsumerRecord;

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

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Partition, offset, key and value; a dash stands for null.
pub(super) fn hex(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    let part = |bytes: Option<&[u8]>| bytes.map_or_else(|| "-".to_owned(), digits);
    let (key, value) = (part(record.key.as_deref()), part(record.value.as_deref()));
    writeln!(out, "{} {} {key} {value}", record.partition, record.offset)
}

/// How a user wants records to look.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    Topic,
    Partition,
    Offset,
    Time,
    Key,
    Value,
    Headers,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => plain.push(match characters.next() {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('\\') => '\\',
                    other => return Err(unknown('\\', other)),
                }),
                '%' => {
                    let part = match characters.next() {
                        Some('%') => {
                            plain.push('%');
                            continue;
                        }
                        Some('t') => Part::Topic,
                        Some('p') => Part::Partition,
                        Some('o') => Part::Offset,
                        Some('d') => Part::Time,
                        Some('k') => Part::Key,
                        Some('v') => Part::Value,
                        Some('h') => Part::Headers,
                        other => return Err(unknown('%', other)),
                    };
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                    parts.push(part);
                }
                other => plain.push(other),
            }
        }
        parts.push(Part::Text(plain));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Ok(Self { parts })
    }

    pub(super) fn print(&self, record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
        for part in &self.parts {
            match part {
                Part::Text(text) => out.write_all(text.as_bytes())?,
                Part::Topic => out.write_all(record.topic.as_bytes())?,
                Part::Partition => write!(out, "{}", record.partition)?,
                Part::Offset => write!(out, "{}", record.offset)?,
                Part::Time => write!(out, "{}", record.timestamp)?,
                Part::Key => out.write_all(record.key.as_deref().unwrap_or_default())?,
                Part::Value => out.write_all(record.value.as_deref().unwrap_or_default())?,
                Part::Headers => headers(record, out)?,
            }
        }
        Ok(())
    }
}

fn headers(record: &ConsumerRecord, out: &mut impl Write) -> io::Result<()> {
    for (place, header) in record.headers.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        out.write_all(&header.name)?;
        out.write_all(b"=")?;
        out.write_all(header.value.as_deref().unwrap_or_default())?;
    }
    Ok(())
}

fn unknown(mark: char, found: Option<char>) -> String {
    match found {
        Some(found) => format!("{mark}{found} means nothing"),
        None => format!("{mark} stands at the end, with nothing behind it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Vec<Part> {
        Template::parse(text).unwrap().parts
    }

    #[test]
    fn a_template_is_taken_apart() {
        let text = |text: &str| Part::Text(text.to_owned());
        assert_eq!(
            parts("%p:%o\\t%v\\n"),
            [Part::Partition, text(":"), Part::Offset, text("\t"), Part::Value, text("\n")]
        );
        assert_eq!(parts("100%% \\\\"), [text("100% \\")]);
        assert_eq!(parts("%t%d%k%h"), [Part::Topic, Part::Time, Part::Key, Part::Headers]);
        assert_eq!(parts(""), []);
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["%x", "%", "\\q", "\\"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
