//! What a broker would be started with, and a file to begin with.

use std::io::{self, Write};

use serde_json::json;
use strandline_state::settings::{BrokerName, Kind};

use super::explain::{limits, wrapped};
use super::sources::Gathered;
use crate::cluster::Output;
use crate::table::Table;

/// A line of a file of settings is no longer than this where it can be helped.
const LINE_WIDTH: usize = 100;

pub(super) fn show(gathered: &Gathered, all: bool, output: Output, out: &mut impl Write) -> io::Result<()> {
    let shown = BrokerName::all().filter(|name| all || gathered.origin(name.name()).is_some());
    let value = |name: BrokerName| gathered.settings.value_of(name);
    if output == Output::Json {
        let entries: Vec<_> = shown
            .map(|name| {
                let origin = gathered.origin(name.name()).map(ToString::to_string);
                json!({ "name": name.name(), "value": value(name), "from": origin })
            })
            .collect();
        return writeln!(out, "{}", serde_json::Value::Array(entries));
    }
    let mut table = Table::new(&["NAME", "VALUE", "FROM"]);
    for name in shown {
        let origin = gathered.origin(name.name()).map_or_else(|| "default".to_owned(), ToString::to_string);
        table.row([name.name().to_owned(), value(name).unwrap_or_default(), origin]);
    }
    table.print(out)
}

/// Every setting as a comment, with its text: what is wanted otherwise is uncommented.
pub(super) fn default_file(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# Settings of a Strandline broker: strandline serve --config FILE")?;
    for name in BrokerName::all() {
        writeln!(out)?;
        for line in wrapped(&name.setting().documentation_text(), LINE_WIDTH - 2) {
            writeln!(out, "# {line}")?;
        }
        let limits = limits(&name);
        if !limits.is_empty() {
            writeln!(out, "# Allowed: {limits}.")?;
        }
        writeln!(out, "# \"{}\" = {}", name.name(), toml_value(&name))?;
    }
    Ok(())
}

fn toml_value(name: &BrokerName) -> String {
    let default = name.default_text().unwrap_or_default();
    let is_bare = matches!(name.kind(), Kind::Boolean | Kind::Short | Kind::Int | Kind::Long | Kind::Double);
    if is_bare && !default.is_empty() { default } else { format!("\"{default}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::gather;

    /// The rows of what is shown, as programs get them.
    fn shown(all: bool, pairs: &[(&str, &str)]) -> Vec<serde_json::Value> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut out = Vec::new();
        show(&gather(None, Vec::new(), pairs).unwrap(), all, Output::Json, &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn what_was_set_is_shown_to_programs_with_where_it_was_and_all_else_on_request() {
        let set = [("num.partitions", "3")];
        let found = json!({ "name": "num.partitions", "value": "3", "from": "the command line" });
        assert_eq!(shown(false, &set), std::slice::from_ref(&found));
        let all = shown(true, &set);
        assert_eq!(all.len(), BrokerName::all().count());
        assert!(all.contains(&found), "{all:?}");
        // Where it would listen if nobody says.
        for (name, value) in [
            ("listeners", "PLAINTEXT://127.0.0.1:9092"),
            ("strandline.http.address", "127.0.0.1:9644"),
            ("strandline.log.format", "text"),
            ("max.connections", "50000"),
        ] {
            let default = json!({ "name": name, "value": value, "from": null });
            assert!(all.contains(&default), "{default} is not in {all:?}");
        }
    }

    #[test]
    fn the_file_of_defaults_is_a_file_and_says_the_defaults() {
        let mut out = Vec::new();
        default_file(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        // Those that have a default are uncommented: nothing changes.
        let uncommented: String = text
            .lines()
            .map(|line| match line.strip_prefix("# \"") {
                Some(rest) if !rest.ends_with(" = \"\"") => format!("\"{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let path = std::env::temp_dir().join(format!("strandline-default-{}.toml", std::process::id()));
        std::fs::write(&path, uncommented).unwrap();
        let gathered = gather(Some(&path), Vec::new(), Vec::new()).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(gathered.sourced.len() > 30, "{}", gathered.sourced.len());
        let default = gather(None, Vec::new(), Vec::new()).unwrap();
        for name in BrokerName::all() {
            let (found, expected) = (gathered.settings.value_of(name), default.settings.value_of(name));
            assert_eq!(found, expected, "{}", name.name());
        }
        assert_eq!(gathered.settings.topic_defaults, default.settings.topic_defaults);
    }
}
