//! The log of a broker's process, and how much each part of it says, which can be changed while it runs.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, PoisonError};

use strandline_broker::loggers::{self, Loggers, ROOT};
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, fmt, reload};

/// The parts that have a level of their own, by the modules that they are.
const PARTS: &[&str] = &[
    "strandline_broker",
    "strandline_broker::api",
    "strandline_broker::http",
    "strandline_broker::metadata",
    "strandline_broker::net",
    "strandline_broker::node",
    "strandline_broker::storage",
    "strandline_log",
    "strandline_log::engine",
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

/// Starts logging to the standard error.
pub(crate) fn start(level: Level) {
    let levels = Levels { root: level.into(), set: BTreeMap::new() };
    let (filter, handle) = reload::Layer::new(levels.targets());
    tracing_subscriber::registry().with(filter).with(fmt::layer().with_writer(io::stderr)).init();
    loggers::install(Box::new(ProcessLoggers { levels: Mutex::new(levels), handle }));
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
