//! Records by a template of the user's.

use std::io::{self, Write};

use strandline_client::ConsumerRecord;

use super::format::digits;
use crate::time::moment;

/// What may stand in a template.
pub(super) const HELP: &str = "Print each record by this template, with no line end but those in it: %t topic, %p partition, \
    %o offset, %d time in milliseconds since 1970, %k key, %v or %s value, %h headers, %K and %S the lengths of key and \
    value (-1 for null), %% a percent sign; \\n, \\t and \\\\ as usual. By name: %{topic}, %{partition}, %{offset}, %{time}, \
    %{date} (the time as people read it), %{key}, %{value}, %{headers}, %{header.NAME} (one of them), and %{key.hex} and \
    %{value.hex} in hexadecimal digits";

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
    Date,
    Key,
    KeyHex,
    KeyLength,
    Value,
    ValueHex,
    ValueLength,
    Headers,
    Header(String),
}

impl Part {
    fn of_letter(letter: char) -> Option<Self> {
        Some(match letter {
            't' => Self::Topic,
            'p' => Self::Partition,
            'o' => Self::Offset,
            'd' => Self::Time,
            'k' => Self::Key,
            'K' => Self::KeyLength,
            'v' | 's' => Self::Value,
            'S' => Self::ValueLength,
            'h' => Self::Headers,
            _ => return None,
        })
    }

    fn of_name(name: &str) -> Option<Self> {
        Some(match name {
            "topic" => Self::Topic,
            "partition" => Self::Partition,
            "offset" => Self::Offset,
            "time" => Self::Time,
            "date" => Self::Date,
            "key" => Self::Key,
            "key.hex" => Self::KeyHex,
            "value" => Self::Value,
            "value.hex" => Self::ValueHex,
            "headers" => Self::Headers,
            other => Self::Header(other.strip_prefix("header.")?.to_owned()),
        })
    }
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
                        Some('{') => {
                            let (name, rest) = characters.as_str().split_once('}').ok_or("%{ has no }")?;
                            characters = rest.chars();
                            let refused = || format!("%{{{name}}} means nothing; --help has what does");
                            Part::of_name(name).ok_or_else(refused)?
                        }
                        Some(letter) => Part::of_letter(letter).ok_or_else(|| unknown('%', Some(letter)))?,
                        None => return Err(unknown('%', None)),
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
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        for part in &self.parts {
            match part {
                Part::Text(text) => out.write_all(text.as_bytes())?,
                Part::Topic => out.write_all(record.topic.as_bytes())?,
                Part::Partition => write!(out, "{}", record.partition)?,
                Part::Offset => write!(out, "{}", record.offset)?,
                Part::Time => write!(out, "{}", record.timestamp)?,
                Part::Date => out.write_all(moment(record.timestamp).as_bytes())?,
                Part::Key => out.write_all(key.unwrap_or_default())?,
                Part::KeyHex => out.write_all(digits(key.unwrap_or_default()).as_bytes())?,
                Part::KeyLength => out.write_all(length(key).as_bytes())?,
                Part::Value => out.write_all(value.unwrap_or_default())?,
                Part::ValueHex => out.write_all(digits(value.unwrap_or_default()).as_bytes())?,
                Part::ValueLength => out.write_all(length(value).as_bytes())?,
                Part::Headers => headers(record, out)?,
                Part::Header(name) => {
                    let of_name = record.headers.iter().rfind(|header| header.name == name.as_bytes());
                    out.write_all(of_name.and_then(|header| header.value.as_deref()).unwrap_or_default())?;
                }
            }
        }
        Ok(())
    }
}

fn length(bytes: Option<&[u8]>) -> String {
    bytes.map_or_else(|| "-1".to_owned(), |bytes| bytes.len().to_string())
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
        Some(found) => format!("{mark}{found} means nothing; --help has what does"),
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
        assert_eq!(
            parts("%t%d%k%h%K%S"),
            [Part::Topic, Part::Time, Part::Key, Part::Headers, Part::KeyLength, Part::ValueLength]
        );
        assert_eq!(parts(""), []);
        assert_eq!(
            parts("%{date} %{value.hex}{%{header.trace}}"),
            [Part::Date, text(" "), Part::ValueHex, text("{"), Part::Header("trace".to_owned()), text("}")]
        );
    }

    #[test]
    fn what_means_nothing_is_refused() {
        for text in ["%x", "%", "\\q", "\\", "%{", "%{keys}", "%{}"] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
