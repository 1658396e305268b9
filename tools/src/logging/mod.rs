//! The log of a broker's process: how much each part of it says, which can be changed while it runs, and as what it is
//! written. It never holds up who has something to say.

mod lines;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use clap::ValueEnum;
use strandline_broker::loggers::{self, Loggers, ROOT};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

use self::lines::Lines;

/// The parts that have a level of their own, by the modules that they are.
const PARTS: &[&str] = &[
    "strandline_broker",
    "strandline_broker::api",
    "strandline_broker::background",
    "strandline_broker::coordinator",
    "strandline_broker::http",
    "strandline_broker::metadata",
    "strandline_broker::net",
    "strandline_broker::node",
    "strandline_broker::storage",
    "strandline_broker::transactions",
    "strandline_log",
    "strandline_log::checkpoint",
    "strandline_log::compaction",
    "strandline_log::disk",
    "strandline_log::journal",
    "strandline_log::retention",
    "strandline_log::segment",
];

/// The levels, and what carries them out.
#[derive(Debug)]
struct Levels {
    root: LevelFilter,
    set: BTreeMap<&'static str, LevelFilter>,
}

impl Levels {
    fn targets(&self) -> Targets {
        Targets::new()
            .with_default(self.root)
            .with_targets(self.set.iter().map(|(name, level)| (*name, *level)))
    }

    /// The level of a part: its own, or that of the nearest that it belongs to.
    fn of(&self, part: &str) -> LevelFilter {
        let belongs = |name: &str| {
            part.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        let nearest = self.set.iter().filter(|(name, _)| belongs(name)).max_by_key(|(name, _)| name.len());
        nearest.map_or(self.root, |(_, level)| *level)
    }
}

#[derive(Debug)]
struct ProcessLoggers {
    levels: Mutex<Levels>,
    handle: reload::Handle<Targets, Registry>,
}

impl Loggers for ProcessLoggers {
    fn levels(&self) -> Vec<(&'static str, LevelFilter)> {
        let levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        let parts = PARTS.iter().map(|part| (*part, levels.of(part)));
        std::iter::once((ROOT, levels.root)).chain(parts).collect()
    }

    fn set(&self, name: &str, level: Option<LevelFilter>) -> bool {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        match (name, PARTS.iter().find(|part| **part == name), level) {
            (ROOT, _, Some(level)) => levels.root = level,
            (_, Some(part), Some(level)) => drop(levels.set.insert(part, level)),
            (_, Some(part), None) => drop(levels.set.remove(part)),
            _ => return false,
        }
        self.handle.reload(levels.targets()).is_ok()
    }
}

/// As what a line is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// An object of JSON to a line, for programs.
    Json,
}

impl Format {
    /// The value of `strandline.log.format` for it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }

    /// What a value of that means.
    pub(crate) fn of_word(word: Option<&str>) -> Self {
        if word == Some(Self::Json.word()) { Self::Json } else { Self::Text }
    }
}

/// The log of the process, as long as it runs.
#[derive(Debug)]
pub(crate) struct Log(Lines);

impl Log {
    /// Sees to it that what was said so far is written.
    pub(crate) fn flush(&self) {
        self.0.flush();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.flush();
    }
}

/// Starts logging to the standard error.
pub(crate) fn start(level: Level, format: Format) -> io::Result<Log> {
    let levels = Levels { root: level.into(), set: BTreeMap::new() };
    let (filter, handle) = reload::Layer::new(levels.targets());
    let lines = Lines::start(io::stderr())?;
    let registry = tracing_subscriber::registry().with(filter);
    let layer = fmt::layer().with_writer(lines.clone()).with_ansi(false);
    match format {
        Format::Text => registry.with(layer).init(),
        Format::Json => registry.with(layer.json().flatten_event(true)).init(),
    }
    loggers::install(Box::new(ProcessLoggers { levels: Mutex::new(levels), handle }));
    Ok(Log(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_without_a_level_has_that_of_what_it_belongs_to() {
        let mut levels = Levels { root: LevelFilter::WARN, set: BTreeMap::new() };
        assert_eq!(levels.of("strandline_broker::net"), LevelFilter::WARN);
        levels.set.insert("strandline_broker", LevelFilter::DEBUG);
        assert_eq!(levels.of("strandline_broker::net"), LevelFilter::DEBUG);
        levels.set.insert("strandline_broker::net", LevelFilter::ERROR);
        assert_eq!(levels.of("strandline_broker::net"), LevelFilter::ERROR);
        assert_eq!(levels.of("strandline_log"), LevelFilter::WARN);
        assert!(levels.targets().would_enable("strandline_broker::api", &Level::DEBUG));
        assert!(!levels.targets().would_enable("strandline_broker::net", &Level::INFO));
    }
}
