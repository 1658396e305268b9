//! A file of settings: TOML, whose keys are names of settings, dotted or in quotation marks.

use std::fs;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::sources::{Origin, Sourced};
use crate::cluster::Failure;

/// A file that is larger is none of settings.
const BYTES_MAX: u64 = 1 << 20;

/// What a file says, in the order of its lines.
pub(super) fn read(path: &Path) -> Result<Vec<Sourced>, Failure> {
    let unreadable = |what: &dyn std::fmt::Display| Failure::Usage(format!("{}: {what}", path.display()));
    let length = fs::metadata(path).map_err(|error| unreadable(&error))?.len();
    if length > BYTES_MAX {
        return Err(unreadable(&format!("{length} bytes are no settings")));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let mut reading = Reading { path, text: &text, sourced: Vec::new() };
    let table = DeTable::parse(&text).map_err(|error| {
        let place = error.span().map_or(0, |span| span.start);
        let hint = if error.message().contains("duplicate") || error.message().contains("extend") {
            " (where one name begins another, both need quotation marks)"
        } else {
            ""
        };
        reading.refuse(place, &format!("{}{hint}", error.message()))
    })?;
    reading.table("", table.get_ref())?;
    reading.sourced.sort_by_key(|said| match said.origin {
        Origin::File { line, .. } => line,
        _ => 0,
    });
    Ok(reading.sourced)
}

struct Reading<'a> {
    path: &'a Path,
    text: &'a str,
    sourced: Vec<Sourced>,
}

impl Reading<'_> {
    /// The line, from 1 on, that holds the byte at `place`.
    fn line(&self, place: usize) -> usize {
        1 + self.text.bytes().take(place).filter(|byte| *byte == b'\n').count()
    }

    fn refuse(&self, place: usize, what: &str) -> Failure {
        Failure::Usage(format!("{}:{}: {what}", self.path.display(), self.line(place)))
    }

    fn table(&mut self, prefix: &str, table: &DeTable<'_>) -> Result<(), Failure> {
        for (key, value) in table {
            let name = format!("{prefix}{}", key.get_ref());
            match value.get_ref() {
                DeValue::Table(inner) => self.table(&format!("{name}."), inner)?,
                _ => {
                    let text = self.value(&name, value)?;
                    let origin =
                        Origin::File { path: self.path.to_owned(), line: self.line(value.span().start) };
                    self.sourced.push(Sourced { name, text, origin });
                }
            }
        }
        Ok(())
    }

    /// A value, as it would be written behind `--set`.
    fn value(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<String, Failure> {
        let kind = match value.get_ref() {
            DeValue::String(text) => return Ok(text.to_string()),
            DeValue::Boolean(yes) => return Ok(yes.to_string()),
            DeValue::Float(number) => return Ok(number.as_str().to_owned()),
            DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => return Ok(number.to_string()),
                Err(_) => "a number that is too large",
            },
            DeValue::Array(members) => {
                let members: Result<Vec<_>, _> =
                    members.iter().map(|member| self.member(name, member)).collect();
                return Ok(members?.join(","));
            }
            DeValue::Datetime(_) => "a date",
            DeValue::Table(_) => "a table",
        };
        Err(self.not_one(name, value, kind))
    }

    fn member(&self, name: &str, member: &Spanned<DeValue<'_>>) -> Result<String, Failure> {
        match member.get_ref() {
            DeValue::String(text) => Ok(text.to_string()),
            _ => Err(self.not_one(name, member, "a list of something else")),
        }
    }

    fn not_one(&self, name: &str, value: &Spanned<DeValue<'_>>, kind: &str) -> Failure {
        let what =
            format!("{name} is {kind}; a setting is text, a number, true or false, or a list of texts");
        self.refuse(value.span().start, &what)
    }
}
