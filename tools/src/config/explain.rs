//! A setting in words.

use std::io::Write;

use serde_json::{Value, json};
use strandline_state::settings::{
    Bounds, BrokerName, GROUP_SETTINGS, Kind, Setting, TOPIC_SETTINGS, Unit, nearest,
};

use crate::cluster::{Failure, Output};
use crate::results;

const LINE_WIDTH: usize = 100;

/// A setting, and what there is to say of it: by its name in JSON, and by what it is called.
struct Explained {
    name: &'static str,
    of: &'static str,
    text: String,
    lines: Vec<(&'static str, &'static str, String)>,
}

pub(super) fn explain(names: &[String], output: Output, out: &mut impl Write) -> Result<(), Failure> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for name in names {
        let of_topics = TOPIC_SETTINGS.iter().find(|setting| setting.name == name);
        let of_groups = GROUP_SETTINGS.iter().find(|setting| setting.name == name);
        let of_broker = BrokerName::find(name).ok();
        if of_topics.is_none() && of_groups.is_none() && of_broker.is_none() {
            unknown.push(unknown_name(name));
        }
        found.extend(of_topics.map(|setting| inheriting(setting, "of a topic")));
        found.extend(of_groups.map(|setting| inheriting(setting, "of a group")));
        found.extend(of_broker.as_ref().map(broker));
    }
    match output {
        Output::Table => found.iter().try_for_each(|explained| explained.print(out))?,
        Output::Json => results::json(&found.iter().map(Explained::json).collect(), out)?,
    }
    if unknown.is_empty() { Ok(()) } else { Err(Failure::Refused(unknown.join("\nstrandline: "))) }
}

fn unknown_name(name: &str) -> String {
    let names = BrokerName::all().map(|known| known.name());
    let names = names.chain(TOPIC_SETTINGS.iter().chain(GROUP_SETTINGS).map(|setting| setting.name));
    let hint = nearest(name, names).map(|known| format!(" ({known} is known)")).unwrap_or_default();
    format!("{name} is no setting of a broker, a topic or a group{hint}")
}

/// A setting of what has the broker's where it says nothing itself.
fn inheriting(setting: &'static Setting, of: &'static str) -> Explained {
    let names: Vec<_> = setting.synonyms.iter().map(|synonym| synonym.name).collect();
    let lines = vec![
        ("type", "type", kind_word(setting.kind).to_owned()),
        ("allowed", "allowed", bounds_text(setting.kind, setting.bounds)),
        ("unit", "unit", unit_word(setting.unit).to_owned()),
        ("default", "default", setting.default_text().unwrap_or_default()),
        ("changes", "changes", "while the broker runs".to_owned()),
        ("forAll", "for all", names.join(", ")),
    ];
    Explained { name: setting.name, of, text: setting.documentation_text().into_owned(), lines }
}

fn broker(name: &BrokerName) -> Explained {
    let mut lines = vec![
        ("type", "type", kind_word(name.kind()).to_owned()),
        ("allowed", "allowed", limits(name)),
        ("unit", "unit", unit_word(name.unit()).to_owned()),
        ("default", "default", name.default_text().unwrap_or_default()),
        ("changes", "changes", changes(name).to_owned()),
        ("environment", "environment", name.environment_name()),
    ];
    if name.is_of_topics() {
        let group = name.group();
        let others = group.iter().map(BrokerName::name).filter(|other| *other != name.name());
        lines.push(("topics", "topics", name.setting().name.to_owned()));
        lines.push(("also", "also", others.collect::<Vec<_>>().join(", ")));
    }
    let of = if name.is_of_topics() { "of a broker, for topics" } else { "of a broker" };
    Explained { name: name.name(), of, text: name.setting().documentation_text().into_owned(), lines }
}

impl Explained {
    /// What there is something to say of.
    fn said(&self) -> impl Iterator<Item = &(&'static str, &'static str, String)> {
        self.lines.iter().filter(|(.., value)| !value.is_empty())
    }

    fn print(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "{} ({})", self.name, self.of)?;
        for text in wrapped(&self.text, LINE_WIDTH - 2) {
            writeln!(out, "  {text}")?;
        }
        for (_, what, value) in self.said() {
            writeln!(out, "  {what:<12}{value}")?;
        }
        writeln!(out)
    }

    fn json(&self) -> Value {
        let head = [("name", self.name), ("of", self.of), ("text", self.text.as_str())];
        let said = self.said().map(|(name, _, value)| (*name, value.as_str()));
        let fields = head.into_iter().chain(said).map(|(name, value)| (name.to_owned(), json!(value)));
        Value::Object(fields.collect())
    }
}

/// When a new value of a broker's setting counts.
pub(super) fn changes(name: &BrokerName) -> &'static str {
    if name.is_dynamic() { "while the broker runs" } else { "at its start" }
}

/// What a broker's setting may be; nothing if it is whatever its type can say.
pub(super) fn limits(name: &BrokerName) -> String {
    bounds_text(
        name.kind(),
        if name.kind() == name.setting().kind { name.setting().bounds } else { Bounds::Any },
    )
}

pub(super) fn bounds_text(kind: Kind, bounds: Bounds) -> String {
    match bounds {
        Bounds::Any if kind == Kind::Boolean => "true or false".to_owned(),
        Bounds::Any => String::new(),
        Bounds::AtLeast(min) => format!("at least {min}"),
        Bounds::Between(min, max) => format!("{min} to {max}"),
        Bounds::BetweenOr(min, max, other) => format!("{min} to {max}, or {other}"),
        Bounds::OneOf(words) if kind == Kind::List => format!("any of {}", words.join(", ")),
        Bounds::OneOf(words) => format!("one of {}", words.join(", ")),
    }
}

pub(super) fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Short => "short",
        Kind::Int => "int",
        Kind::Long => "long",
        Kind::Double => "double",
        Kind::String => "string",
        Kind::List => "list",
    }
}

pub(super) fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::None => "",
        Unit::Bytes => "bytes",
        Unit::BytesPerSecond => "bytes per second",
        Unit::Milliseconds => "milliseconds",
        Unit::Messages => "messages",
        Unit::Minutes => "minutes",
        Unit::Hours => "hours",
    }
}

/// Text in lines of no more than so many characters.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(names: &[&str]) -> (String, Result<(), Failure>) {
        said_as(Output::Table, names)
    }

    fn said_as(output: Output, names: &[&str]) -> (String, Result<(), Failure>) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut out = Vec::new();
        let result = explain(&names, output, &mut out);
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn a_setting_is_explained_by_all_that_the_table_says() {
        let (text, result) = said(&["log.retention.hours", "cleanup.policy"]);
        result.unwrap();
        let expected = "\
log.retention.hours (of a broker, for topics)
  Records older than this go; -1 = none.
  type        int
  unit        hours
  default     168
  changes     at its start
  environment STRANDLINE_LOG_RETENTION_HOURS
  topics      retention.ms
  also        log.retention.ms, log.retention.minutes

cleanup.policy (of a topic)
  What becomes of old records: `delete` removes them by age and size, `compact` keeps the last of
  each key, both may be given; empty keeps everything.
  type        list
  allowed     any of compact, delete
  default     delete
  changes     while the broker runs
  for all     log.cleanup.policy

";
        assert_eq!(text, expected);
    }

    #[test]
    fn programs_are_told_the_same() {
        let (text, result) = said_as(Output::Json, &["cleanup.policy"]);
        result.unwrap();
        let said: Value = serde_json::from_str(&text).unwrap();
        let expected = [
            ("name", "cleanup.policy"),
            ("allowed", "any of compact, delete"),
            ("forAll", "log.cleanup.policy"),
        ];
        for (name, value) in expected {
            assert_eq!(said[0][name], value, "{text}");
        }
        assert!(said[0].get("unit").is_none(), "{text}");
    }

    #[test]
    fn a_name_that_there_is_not_is_told_with_the_nearest() {
        let (text, result) = said(&["retention.m", "node.id"]);
        assert!(text.starts_with("node.id (of a broker)"), "what is there is explained all the same");
        assert_eq!(
            result.unwrap_err().to_string(),
            "retention.m is no setting of a broker, a topic or a group (retention.ms is known)"
        );
    }
}
