//! A setting in words.

use std::io::Write;

use strandline_state::settings::{
    Bounds, BrokerName, GROUP_SETTINGS, Kind, Setting, TOPIC_SETTINGS, Unit, nearest,
};

use crate::cluster::Failure;

const LINE_WIDTH: usize = 100;

pub(super) fn explain(names: &[String], out: &mut impl Write) -> Result<(), Failure> {
    let mut unknown = Vec::new();
    for name in names {
        let of_topics = TOPIC_SETTINGS.iter().find(|setting| setting.name == name);
        let of_groups = GROUP_SETTINGS.iter().find(|setting| setting.name == name);
        let of_broker = BrokerName::find(name).ok();
        if of_topics.is_none() && of_groups.is_none() && of_broker.is_none() {
            unknown.push(unknown_name(name));
        }
        if let Some(setting) = of_topics {
            inheriting(setting, "of a topic", out)?;
        }
        if let Some(setting) = of_groups {
            inheriting(setting, "of a group", out)?;
        }
        if let Some(name) = of_broker {
            broker(&name, out)?;
        }
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
fn inheriting(setting: &'static Setting, of: &str, out: &mut impl Write) -> std::io::Result<()> {
    head(setting.name, of, setting, out)?;
    line("type", kind_word(setting.kind), out)?;
    line("allowed", &bounds_text(setting.kind, setting.bounds), out)?;
    line("unit", unit_word(setting.unit), out)?;
    line("default", &setting.default_text().unwrap_or_default(), out)?;
    line("changes", "while the broker runs", out)?;
    let names: Vec<_> = setting.synonyms.iter().map(|synonym| synonym.name).collect();
    line("for all", &names.join(", "), out)?;
    writeln!(out)
}

fn broker(name: &BrokerName, out: &mut impl Write) -> std::io::Result<()> {
    let of = if name.is_of_topics() { "of a broker, for topics" } else { "of a broker" };
    head(name.name(), of, name.setting(), out)?;
    line("type", kind_word(name.kind()), out)?;
    line("allowed", &limits(name), out)?;
    line("unit", unit_word(name.unit()), out)?;
    line("default", &name.default_text().unwrap_or_default(), out)?;
    line("changes", changes(name), out)?;
    line("environment", &name.environment_name(), out)?;
    if name.is_of_topics() {
        line("topics", name.setting().name, out)?;
        let others: Vec<_> =
            name.group().iter().map(BrokerName::name).filter(|other| *other != name.name()).collect();
        line("also", &others.join(", "), out)?;
    }
    writeln!(out)
}

fn head(name: &str, of: &str, setting: &Setting, out: &mut impl Write) -> std::io::Result<()> {
    writeln!(out, "{name} ({of})")?;
    for text in wrapped(&setting.documentation_text(), LINE_WIDTH - 2) {
        writeln!(out, "  {text}")?;
    }
    Ok(())
}

fn line(what: &str, value: &str, out: &mut impl Write) -> std::io::Result<()> {
    if value.is_empty() { Ok(()) } else { writeln!(out, "  {what:<12}{value}") }
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
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut out = Vec::new();
        let result = explain(&names, &mut out);
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
    fn a_name_that_there_is_not_is_told_with_the_nearest() {
        let (text, result) = said(&["retention.m", "node.id"]);
        assert!(text.starts_with("node.id (of a broker)"), "what is there is explained all the same");
        assert_eq!(
            result.unwrap_err().to_string(),
            "retention.m is no setting of a broker, a topic or a group (retention.ms is known)"
        );
    }
}
