//! Lines as records: read by a thread of their own, since the standard input cannot be waited for otherwise, and
//! somebody may be typing them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::path::Path;

use serde_json::Value;
use tokio::sync::mpsc;

use crate::cluster::Failure;

/// How many lines are read ahead.
const LINES_AHEAD: usize = 256;

pub(super) struct Input {
    source: Box<dyn Read + Send>,
    bytes: Option<u64>,
    line_bytes_max: usize,
    is_whole: bool,
}

/// A line without its end.
pub(super) struct Line {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
}

/// What a line says of a record.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Parsed {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(super) partition: Option<i32>,
    pub(super) timestamp: Option<i64>,
}

impl Input {
    /// Of a file, or the standard input. With `is_whole` all of it is one line.
    pub(super) fn open(file: Option<&Path>, line_bytes_max: usize, is_whole: bool) -> Result<Self, Failure> {
        let (source, file): (Box<dyn Read + Send>, _) = match file {
            Some(path) => {
                let named = |error: io::Error| Failure::Usage(format!("{}: {error}", path.display()));
                let file = File::open(path).map_err(named)?;
                let described = file.metadata().map_err(named)?;
                if described.is_dir() {
                    return Err(Failure::Usage(format!("{} is a folder", path.display())));
                }
                (Box::new(file), Some(described))
            }
            None => {
                let stdin = io::stdin();
                let same = stdin.as_fd().try_clone_to_owned().map(File::from);
                (Box::new(stdin), same.and_then(|file| file.metadata()).ok())
            }
        };
        // What comes through a pipe has no end yet.
        let bytes = file.filter(|file| file.is_file()).map(|file| file.len());
        Ok(Self { source, bytes, line_bytes_max, is_whole })
    }

    /// How much there is to be read, where that is known.
    pub(super) const fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Reads on, until the end or until nobody listens.
    pub(super) fn lines(self) -> mpsc::Receiver<Result<Line, Failure>> {
        let (sender, receiver) = mpsc::channel(LINES_AHEAD);
        std::thread::spawn(move || {
            let mut reader = BufReader::new(self.source);
            if self.is_whole {
                // Where nobody listens any more, nobody misses it.
                let _ = sender.blocking_send(whole(&mut reader, self.line_bytes_max));
                return;
            }
            for number in 1.. {
                let line = next_line(&mut reader, number, self.line_bytes_max).transpose();
                let Some(line) = line else { return };
                let is_last = line.is_err();
                if sender.blocking_send(line).is_err() || is_last {
                    return;
                }
            }
        });
        receiver
    }
}

fn whole(reader: &mut impl BufRead, bytes_max: usize) -> Result<Line, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() > bytes_max {
        return Err(Failure::Refused(format!("the input is longer than {bytes_max} bytes (--max-bytes)")));
    }
    Ok(Line { number: 1, bytes })
}

fn next_line(reader: &mut impl BufRead, number: u64, bytes_max: usize) -> Result<Option<Line>, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    if reader.take(limit).read_until(b'\n', &mut bytes)? == 0 {
        return Ok(None);
    }
    let has_end = bytes.pop_if(|last| *last == b'\n').is_some();
    if !has_end && bytes.len() > bytes_max {
        return Err(Failure::Refused(format!(
            "line {number} is longer than {bytes_max} bytes (--max-bytes)"
        )));
    }
    Ok(Some(Line { number, bytes }))
}

/// A record as `strandline consume --format json` prints it. What it says of the record's topic and offset is passed
/// over.
pub(super) fn from_json(line: &Line) -> Result<Parsed, Failure> {
    let wrong = |text: &str| Failure::Refused(format!("line {}: {text}", line.number));
    let value: Value = serde_json::from_slice(&line.bytes).map_err(|error| wrong(&error.to_string()))?;
    let fields = value.as_object().ok_or_else(|| wrong("it is no object"))?;
    let bytes_of = |name: &str| part(fields, name).map_err(|text| wrong(&text));
    let mut headers = Vec::new();
    for header in fields.get("headers").and_then(Value::as_array).into_iter().flatten() {
        let fields = header.as_object().ok_or_else(|| wrong("a header is no object"))?;
        let name = fields.get("name").and_then(Value::as_str).ok_or_else(|| wrong("a header has no name"))?;
        headers.push((name.to_owned(), part(fields, "value").map_err(|text| wrong(&text))?));
    }
    let partition = fields.get("partition").and_then(Value::as_i64).map(i32::try_from).transpose();
    Ok(Parsed {
        key: bytes_of("key")?,
        value: bytes_of("value")?,
        headers,
        partition: partition.map_err(|_| wrong("that is no partition"))?,
        timestamp: fields.get("timestamp").and_then(Value::as_i64),
    })
}

/// Text under its name, or bytes in hexadecimal digits under the name with `Hex` behind it.
fn part(fields: &serde_json::Map<String, Value>, name: &str) -> Result<Option<Vec<u8>>, String> {
    if let Some(digits) = fields.get(&format!("{name}Hex")) {
        let digits = digits.as_str().ok_or_else(|| format!("{name}Hex is no string"))?;
        return unhex(digits).map(Some).ok_or_else(|| format!("{name}Hex is not hexadecimal"));
    }
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone().into_bytes())),
        // Whoever writes JSON into JSON means it as it stands.
        Some(other) => Ok(Some(other.to_string().into_bytes())),
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok();
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<Parsed, Failure> {
        from_json(&Line { number: 7, bytes: text.as_bytes().to_vec() })
    }

    #[test]
    fn a_record_as_json_is_read() {
        let parsed = json(
            r#"{"topic":"a","offset":4,"partition":2,"timestamp":9,"key":"k","valueHex":"00ff",
                "headers":[{"name":"a","value":"b"},{"name":"a","value":null}]}"#,
        )
        .unwrap();
        let headers = vec![("a".to_owned(), Some(b"b".to_vec())), ("a".to_owned(), None)];
        let expected = Parsed {
            key: Some(b"k".to_vec()),
            value: Some(vec![0, 255]),
            headers,
            partition: Some(2),
            timestamp: Some(9),
        };
        assert_eq!(parsed, expected);
        assert_eq!(json(r#"{"value":{"a":1}}"#).unwrap().value.unwrap(), br#"{"a":1}"#);
        assert_eq!(json("{}").unwrap(), Parsed::default());
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_line() {
        for text in [
            "",
            "[]",
            "{",
            r#"{"valueHex":"0"}"#,
            r#"{"valueHex":"zz"}"#,
            r#"{"headers":[{}]}"#,
            r#"{"partition":1e12}"#,
        ] {
            match json(text) {
                Err(failure) => assert!(failure.to_string().starts_with("line 7: "), "{failure}"),
                Ok(parsed) => assert_eq!((text, parsed.partition), (r#"{"partition":1e12}"#, None)),
            }
        }
    }

    #[test]
    fn the_whole_input_may_be_one_value() {
        assert_eq!(whole(&mut &b"a\nb\n"[..], 4).unwrap().bytes, b"a\nb\n");
        assert!(whole(&mut &b"a\nb\n"[..], 3).is_err());
    }

    #[test]
    fn lines_are_taken_as_they_stand() {
        let mut reader = &b"one\n\nthree\r\nlast"[..];
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut reader, 1, 7).unwrap() {
            lines.push(line.bytes);
        }
        assert_eq!(lines, [&b"one"[..], b"", b"three\r", b"last"]);
        assert!(next_line(&mut &b"12345678\n"[..], 1, 7).is_err());
        assert_eq!(next_line(&mut &b"1234567\n"[..], 1, 7).unwrap().unwrap().bytes, b"1234567");
    }
}
