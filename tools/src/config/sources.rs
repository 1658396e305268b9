//! What a broker is started with, gathered from a file, the environment and the command line, in rising order.
//!
//! Owns the order, and which source is blamed. What a setting may be is the settings' table's to say.

use std::fmt;
use std::path::{Path, PathBuf};

use strandline_state::settings::{BrokerName, BrokerSettings, ENVIRONMENT, SettingError, nearest};

use super::file;
use crate::cluster::Failure;

/// Variables of the environment that begin like settings and are none.
const NO_SETTINGS: [&str; 4] =
    ["STRANDLINE_LOG", "STRANDLINE_CONFIG", "STRANDLINE_BROKERS", "STRANDLINE_PROFILE"];

/// Where something was said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Origin {
    /// In a file.
    File {
        /// Which one.
        path: PathBuf,
        /// In which line, from 1 on.
        line: usize,
    },
    /// In this variable of the environment.
    Environment(String),
    /// By an option of the command line.
    CommandLine,
}

impl Origin {
    /// What counts more is higher.
    const fn rank(&self) -> u8 {
        match self {
            Self::File { .. } => 0,
            Self::Environment(_) => 1,
            Self::CommandLine => 2,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(formatter, "{}:{line}", path.display()),
            Self::Environment(variable) => write!(formatter, "{variable} in the environment"),
            Self::CommandLine => formatter.write_str("the command line"),
        }
    }
}

/// A setting, and who said so.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Sourced {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) origin: Origin,
}

/// What a broker is started with, and where each part of it was said.
#[derive(Clone, Debug)]
pub(crate) struct Gathered {
    pub(crate) settings: BrokerSettings,
    pub(crate) sourced: Vec<Sourced>,
}

impl Gathered {
    /// Who said what counts of a name.
    pub(crate) fn origin(&self, name: &str) -> Option<&Origin> {
        self.sourced.iter().rev().find(|sourced| sourced.name == name).map(|sourced| &sourced.origin)
    }
}

/// The variables of this process's environment, but for those that are no text.
pub(crate) fn environment() -> Vec<(String, String)> {
    let variables = std::env::vars_os();
    variables
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Everything that was said; what makes no sense is refused, all of it at once.
pub(crate) fn gather(
    file: Option<&Path>,
    environment: Vec<(String, String)>,
    command_line: Vec<(String, String)>,
) -> Result<Gathered, Failure> {
    let mut faults = Vec::new();
    let mut sourced = match file {
        Some(path) => file::read(path)?,
        None => Vec::new(),
    };
    for (variable, text) in environment {
        if !variable.starts_with(ENVIRONMENT) || NO_SETTINGS.contains(&variable.as_str()) {
            continue;
        }
        match BrokerName::all().find(|known| known.environment_name() == variable) {
            Some(known) => {
                let (name, origin) = (known.name().to_owned(), Origin::Environment(variable));
                sourced.push(Sourced { name, text, origin });
            }
            None => faults.push(unknown_variable(&variable)),
        }
    }
    let origin = || Origin::CommandLine;
    sourced.extend(command_line.into_iter().map(|(name, text)| Sourced { name, text, origin: origin() }));
    faults.extend(sourced.iter().filter_map(fault));
    if !faults.is_empty() {
        return Err(Failure::Usage(faults.join("\nstrandline: ")));
    }
    let sourced = prevailing(sourced);
    let pairs = sourced.iter().map(|said| (&said.name, &said.text));
    let settings = BrokerSettings::from_pairs(pairs).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Gathered { settings, sourced })
}

/// What is wrong with a setting by itself.
fn fault(said: &Sourced) -> Option<String> {
    // Two settings that contradict each other may come from two places, and one may take the other back.
    match BrokerSettings::from_pairs([(&said.name, &said.text)]) {
        Err(SettingError::Conflict(_)) | Ok(_) => None,
        Err(error @ SettingError::UnknownBrokerSetting { nearest: None, .. }) => {
            Some(format!("{}: {error} (`strandline config default` prints all that there are)", said.origin))
        }
        Err(error) => Some(format!("{}: {error}", said.origin)),
    }
}

fn unknown_variable(variable: &str) -> String {
    let hint = nearest(variable, BrokerName::all().map(|known| known.environment_name()));
    let hint = hint.map(|known| format!(" ({known} is known)")).unwrap_or_default();
    format!("{variable} in the environment sets nothing that there is{hint}")
}

/// Leaves out what a source that counts more says by whatever name: hours on the command line take back
/// milliseconds in a file.
fn prevailing(sourced: Vec<Sourced>) -> Vec<Sourced> {
    let group = |name: &str| BrokerName::find(name).map(BrokerName::group).unwrap_or_default();
    let is_overruled = |said: &Sourced| {
        let group = group(&said.name);
        let mut more = sourced.iter().filter(|other| other.origin.rank() > said.origin.rank());
        more.any(|other| group.iter().any(|member| member.name() == other.name))
    };
    sourced.iter().filter(|said| !is_overruled(said)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn file(text: &str) -> PathBuf {
        use std::sync::atomic::{AtomicU32, Ordering};
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("strandline-{}-{}.toml", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn refusal(text: &str, environment: &[(&str, &str)], command_line: &[(&str, &str)]) -> String {
        let path = file(text);
        let failure = gather(Some(&path), pairs(environment), pairs(command_line)).unwrap_err();
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(failure, Failure::Usage(_)));
        failure.to_string().replace(&path.display().to_string(), "FILE")
    }

    #[test]
    fn the_command_line_counts_more_than_the_environment_and_that_more_than_a_file() {
        let path =
            file("num.partitions = 2\n\"node.id\" = 4\n[log]\nretention.ms = 5\nsegment.bytes = 1_048_576\n");
        let environment = [
            ("STRANDLINE_NUM_PARTITIONS", "3"),
            ("STRANDLINE_NODE_ID", "9"),
            ("PATH", "/"),
            ("STRANDLINE_LOG", "info"),
        ];
        let command_line = [("num.partitions", "7"), ("log.retention.hours", "1")];
        let found = gather(Some(&path), pairs(&environment), pairs(&command_line)).unwrap();
        std::fs::remove_file(&path).unwrap();
        let settings = &found.settings;
        assert_eq!((settings.num_partitions, settings.node_id), (7, 9));
        assert_eq!(settings.topic_defaults.retention_ms, 3_600_000, "hours that were said later count");
        assert_eq!(settings.topic_defaults.segment_bytes, 1 << 20);
        assert_eq!(found.origin("node.id"), Some(&Origin::Environment("STRANDLINE_NODE_ID".to_owned())));
        assert_eq!(found.origin("log.segment.bytes"), Some(&Origin::File { path, line: 5 }));
        assert_eq!(found.origin("log.retention.ms"), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_place_and_what_would_be_right() {
        let cases = [
            (
                "\nnum.partition = 3",
                "FILE:2: Unknown broker config name: num.partition (num.partitions is known)",
            ),
            (
                "log.dirs = \"x\"\nnum.partitions = 0",
                "FILE:2: Invalid value 0 for configuration num.partitions: Value must be at least 1",
            ),
            (
                "num.partitions = \"many\"",
                "FILE:1: Invalid value many for configuration num.partitions: Not a number of type INT",
            ),
            (
                "a = 1979-05-27",
                "FILE:1: a is a date; a setting is text, a number, true or false, or a list of texts",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(refusal(text, &[], &[]), expected);
        }
        let broken = refusal("num.partitions = \n", &[], &[]);
        assert!(broken.starts_with("FILE:1: "), "{broken}");
        let twice = refusal("max.connections = 1\nmax.connections.per.ip = 2", &[], &[]);
        assert!(twice.starts_with("FILE:2: ") && twice.contains("quotation marks"), "{twice}");
        let variable = refusal("", &[("STRANDLINE_NUM_PARTITION", "1")], &[]);
        assert_eq!(
            variable,
            "STRANDLINE_NUM_PARTITION in the environment sets nothing that there is (STRANDLINE_NUM_PARTITIONS is known)"
        );
        let both = refusal("x.y = 1", &[], &[("num.partitions", "x")]);
        assert_eq!(both.lines().count(), 2, "all of it at once: {both}");
        assert!(both.ends_with("strandline: the command line: Invalid value x for configuration num.partitions: Not a number of type INT"), "{both}");
    }
}
