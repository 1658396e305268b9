//! How much each part of the process says in its log, while it runs. Nothing of it outlives the process, as in Kafka.
//!
//! Whoever sets the log up installs what changes it: the log is the process's, not a node's.

use std::fmt;
use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;

/// The name of the logger that all others are parts of.
pub const ROOT: &str = "root";

/// Changes how much is logged.
pub trait Loggers: Send + Sync + fmt::Debug {
    /// Every part that has a level, with that.
    fn levels(&self) -> Vec<(&'static str, LevelFilter)>;

    /// Gives a part a level, or has it follow the part that it belongs to. False if there is no such part.
    fn set(&self, name: &str, level: Option<LevelFilter>) -> bool;
}

static INSTALLED: OnceLock<Box<dyn Loggers>> = OnceLock::new();

/// Has these asked from now on. The first ones stay.
pub fn install(loggers: Box<dyn Loggers>) {
    let _ = INSTALLED.set(loggers);
}

/// Those that are installed.
pub fn installed() -> Option<&'static dyn Loggers> {
    INSTALLED.get().map(|loggers| &**loggers)
}

/// Kafka's word for a level.
pub fn word(level: LevelFilter) -> &'static str {
    match level {
        LevelFilter::TRACE => "TRACE",
        LevelFilter::DEBUG => "DEBUG",
        LevelFilter::INFO => "INFO",
        LevelFilter::WARN => "WARN",
        LevelFilter::ERROR => "ERROR",
        _ => "FATAL",
    }
}

/// The level that Kafka has this word for. Nothing here is fatal and goes on: of that, nothing is logged.
pub fn level(word: &str) -> Option<LevelFilter> {
    Some(match word.trim() {
        "TRACE" => LevelFilter::TRACE,
        "DEBUG" => LevelFilter::DEBUG,
        "INFO" => LevelFilter::INFO,
        "WARN" => LevelFilter::WARN,
        "ERROR" => LevelFilter::ERROR,
        "FATAL" => LevelFilter::OFF,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_a_level_and_back() {
        for name in ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"] {
            assert_eq!(level(name).map(word), Some(name));
        }
        assert_eq!(level("LOUD"), None);
    }
}
