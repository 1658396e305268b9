//! What came of several things that were asked for at once: what was done is printed, what was not is told.

use std::fmt::Display;
use std::io::{self, Write};

use serde_json::Value;
use strandline_client::Error;

use crate::cluster::Failure;

/// What succeeded, and what did not.
pub(crate) fn sorted_out<K, T>(results: Vec<(K, Result<T, Error>)>) -> (Vec<(K, T)>, Vec<Error>) {
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (name, result) in results {
        match result {
            Ok(value) => done.push((name, value)),
            Err(error) => failed.push(error),
        }
    }
    (done, failed)
}

/// The failure of a command of which some of what it was to do failed.
pub(crate) fn told(failed: &[Error]) -> Result<(), Failure> {
    told_with(failed, Vec::new())
}

/// The same, with more to say about it.
pub(crate) fn told_with(failed: &[Error], hints: Vec<String>) -> Result<(), Failure> {
    if failed.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = failed.iter().map(Error::to_string).chain(hints).collect();
    Err(Failure::Refused(lines.join("\nstrandline: ")))
}

/// All of it as one JSON document.
pub(crate) fn json(value: &Value, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{value:#}")
}

/// What is known, or a dash.
pub(crate) fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// Numbers with commas between them.
pub(crate) fn list(numbers: &[i32]) -> String {
    numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",")
}

/// How many there are of something, in the words for one and for many.
pub(crate) fn counted(number: impl Display, one: &str, many: &str) -> String {
    let number = number.to_string();
    format!("{number} {}", if number == "1" { one } else { many })
}

/// A number of bytes for the eye: three digits, and a unit that is 1024 times the one before.
pub(crate) fn bytes(count: impl TryInto<i64>) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // Tenths, so that nothing has to be rounded that a float could not hold.
    let mut tenths = i128::from(count) * 10 / 1024;
    let mut units = UNITS.iter();
    let mut unit = units.next().unwrap_or(&"KiB");
    while tenths >= 10_240 {
        let Some(next) = units.next() else { break };
        (tenths, unit) = (tenths / 1024, next);
    }
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use strandline_protocol::ErrorCode;

    use super::*;

    #[test]
    fn what_failed_is_told_a_line_each() {
        let refused = |name: &str| Error::broker(ErrorCode::INVALID_CONFIG, name, None);
        let (done, failed) =
            sorted_out(vec![("a".to_owned(), Ok(1)), ("b".to_owned(), Err(refused("topic b")))]);
        assert_eq!((done, failed.len()), (vec![("a".to_owned(), 1)], 1));
        let failure = told(&[refused("topic b"), refused("topic c")]).unwrap_err();
        assert_eq!(failure.to_string(), "topic b: INVALID_CONFIG\nstrandline: topic c: INVALID_CONFIG");
    }

    #[test]
    fn one_is_not_many() {
        let said = [0, 1, 2, 11].map(|number| counted(number, "entry", "entries"));
        assert_eq!(said, ["0 entries", "1 entry", "2 entries", "11 entries"]);
        assert_eq!(counted(or_dash(None::<i64>), "record/s", "records/s"), "- records/s");
    }

    #[test]
    fn bytes_are_short() {
        let said =
            [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (10 << 10, "10 KiB"), (1 << 20, "1.0 MiB")];
        for (count, text) in said {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(bytes(i64::MAX), "8191 PiB");
    }
}
