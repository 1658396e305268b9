//! The reference of all settings, made of the tables that the broker reads them by.

use std::fmt::Write;

use strandline_state::settings::{BrokerName, GROUP_SETTINGS, Setting, TOPIC_SETTINGS};

use super::explain::{bounds_text, changes, kind_word, limits, unit_word};

/// Defaults that are not Kafka's, with the reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("listeners", "`PLAINTEXT://:9092`", "nobody but this machine is served unless it is asked for"),
    (
        "log.retention.check.interval.ms",
        "300000",
        "one round looks for old records and for what to compact; Kafka looks for the latter every 15 s",
    ),
    (
        "max.connections",
        "2147483647",
        "what connections take of the memory and of the files of the process is bounded, for so many of them",
    ),
    ("node.id", "none: it has to be given", "one node needs no number"),
];

const HEAD: &str = "\
# Settings

<!-- Made by `strandline config reference` out of the table that the broker reads settings by; a test holds them \
together. -->

A broker is told what to do by a TOML file (`--config FILE`), the environment (`STRANDLINE_...`) and `--set NAME=VALUE`;
of these the later one counts. While it runs it takes new values of those settings that say so, from Kafka's own tools or
by `strandline config alter`; they are kept with the cluster's metadata and count more than what it was started with.
What is unknown or out of bounds is refused, with its place and what would be right.

In a file a name may be written with dots, as a table or in quotation marks, which it needs where another name goes on
behind it (`\"max.connections\"`, since there is `max.connections.per.ip`):

    \"node.id\" = 1
    \"log.dirs\" = \"/var/lib/strandline\"
    listeners = \"PLAINTEXT://0.0.0.0:9092\"
    [log]
    retention.hours = 24

`strandline config show` says what a broker would be started with and why, `config default` prints a file with
everything in it, `config explain NAME` says what is on this page.

Kafka's names mean what they mean in Kafka, and have its defaults, but for these:

| setting | Kafka's default | why it is another here |
| --- | --- | --- |
";

const BETWEEN: &str = "
A broker's settings that Kafka has and this page has not mean nothing here: they are refused, at the start and later,
rather than kept in silence. The same goes for the names of plugins.

## Of a broker

";

const TOPICS: &str = "
## Of a topic

Every setting that Kafka 4.3 has for topics is known, checked and kept, and each may be changed while the broker runs:
it counts for every partition when the answer says that it was changed. What a topic does not say itself is as the
broker has it, by the name in the last column.

";

const GROUPS: &str = "
## Of a group

What Kafka 4.3 has for groups of the consumer protocol. A group need not be there, and what is set on it stays when its
members go. What it does not say itself is as the broker has it, by the name in the last column; how far it may go from
there the broker says as well (`group.consumer.min.*`, `group.consumer.max.*`). Members hear of a change with their next
heartbeat.

";

/// The page.
pub(super) fn markdown() -> String {
    let mut page = HEAD.to_owned();
    for (name, kafkas, why) in DIFFERENCES {
        // Writing to memory does not fail.
        let _ = writeln!(page, "| `{name}` | {kafkas} | {why} |");
    }
    page.push_str(BETWEEN);
    page.push_str("| setting | what it does | type | default | allowed | unit | changes |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for name in BrokerName::all().filter(|name| !name.is_of_topics()) {
        broker_row(&mut page, &name);
    }
    page.push_str("\n### Of a broker, for topics that say nothing themselves\n\n");
    page.push_str("| setting | default of | type | default | unit | changes |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- |\n");
    for name in BrokerName::all().filter(BrokerName::is_of_topics) {
        let (kind, unit) = (kind_word(name.kind()), unit_word(name.unit()));
        let default = code(name.default_text());
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {kind} | {default} | {unit} | {} |",
            name.name(),
            name.setting().name,
            changes(&name)
        );
    }
    page.push_str(TOPICS);
    rows(&mut page, TOPIC_SETTINGS);
    page.push_str(GROUPS);
    rows(&mut page, GROUP_SETTINGS);
    page
}

/// Settings of what has the broker's where it says nothing itself.
fn rows(page: &mut String, settings: &[Setting]) {
    page.push_str("| setting | what it does | type | default | allowed | unit | of the broker |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for setting in settings.iter().filter(|setting| !setting.is_internal) {
        let names: Vec<_> = setting.synonyms.iter().map(|synonym| format!("`{}`", synonym.name)).collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} | {} |",
            setting.name,
            setting.documentation_text(),
            kind_word(setting.kind),
            code(setting.default_text()),
            bounds_text(setting.kind, setting.bounds),
            unit_word(setting.unit),
            names.join(", ")
        );
    }
}

fn broker_row(page: &mut String, name: &BrokerName) {
    let _ = writeln!(
        page,
        "| `{}` | {} | {} | {} | {} | {} | {} |",
        name.name(),
        name.setting().documentation_text(),
        kind_word(name.kind()),
        code(name.default_text()),
        limits(name),
        unit_word(name.unit()),
        changes(name)
    );
}

fn code(text: Option<String>) -> String {
    text.filter(|text| !text.is_empty()).map(|text| format!("`{text}`")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_documentation_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/CONFIGURATION.md");
        let found = std::fs::read_to_string(path).unwrap_or_default();
        assert!(found == markdown(), "run: strandline config reference > docs/CONFIGURATION.md");
    }

    #[test]
    fn what_differs_from_kafka_is_there() {
        for (name, _, _) in DIFFERENCES {
            assert!(BrokerName::find(name).is_ok(), "{name}");
        }
    }
}
