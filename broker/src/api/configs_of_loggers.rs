//! How much the broker logs, as the APIs that describe and change settings have it: a resource of its own, whose changes
//! count at once and are gone with the process.

use strandline_protocol::ErrorCode;
use strandline_state::metadata::decide::{ConfigChange, ConfigOperation, Refusal};
use strandline_state::settings::nearest;

use crate::broker::Broker;
use crate::loggers::{self, Loggers, ROOT};

const LEVELS: &str = "FATAL, ERROR, WARN, INFO, DEBUG, TRACE";

fn refusal(code: ErrorCode, message: impl Into<String>) -> Refusal {
    Refusal { code, message: message.into() }
}

/// What a part is called by clients: Kafka's tools take no colons in a name, and Kafka's own loggers have dots.
pub(super) fn named(part: &str) -> String {
    part.replace("::", ".")
}

/// The loggers, if the broker of that name is this one.
pub(super) fn of(broker: &Broker, name: &str) -> Result<&'static dyn Loggers, Refusal> {
    let node_id = broker.metadata.node_id();
    if name.is_empty() {
        return Err(refusal(ErrorCode::INVALID_REQUEST, "Broker id must not be empty"));
    }
    if name.parse() != Ok(node_id) {
        let message = format!("Unexpected broker id, expected {node_id} but received {name}");
        return Err(refusal(ErrorCode::INVALID_REQUEST, message));
    }
    let none = "The log of this process cannot be changed while it runs.";
    loggers::installed().ok_or_else(|| refusal(ErrorCode::INVALID_REQUEST, none))
}

/// Changes levels: all of them, or none.
pub(super) fn alter(
    broker: &Broker,
    name: &str,
    change: &ConfigChange,
    validate_only: bool,
) -> Result<(), Refusal> {
    let loggers = of(broker, name)?;
    let ConfigChange::Incremental(operations) = change else {
        return Err(refusal(ErrorCode::INVALID_REQUEST, "Unknown resource type 8"));
    };
    let known = loggers.levels();
    let mut levels = Vec::with_capacity(operations.len());
    for (logger, operation, value) in operations {
        let Some((part, _)) = known.iter().find(|(name, _)| named(logger) == named(name)) else {
            let near = nearest(&named(logger), known.iter().map(|(name, _)| named(name)));
            let hint = near.map(|near| format!(" ({near} is known)")).unwrap_or_default();
            let message = format!("Logger {logger} does not exist!{hint}");
            return Err(refusal(ErrorCode::INVALID_CONFIG, message));
        };
        let level = match operation {
            ConfigOperation::Set => {
                let word = value.as_deref().unwrap_or_default();
                let level = loggers::level(word).ok_or_else(|| {
                    let message = format!("Cannot set the log level of {logger} to {word} as it is not a supported log level. Valid log levels are {LEVELS}");
                    refusal(ErrorCode::INVALID_CONFIG, message)
                })?;
                Some(level)
            }
            ConfigOperation::Delete if logger == ROOT => {
                let message = format!("Removing the log level of the {ROOT} logger is not allowed");
                return Err(refusal(ErrorCode::INVALID_REQUEST, message));
            }
            ConfigOperation::Delete => None,
            ConfigOperation::Append | ConfigOperation::Subtract => {
                let message =
                    format!("{operation:?} operation is not allowed for the BROKER_LOGGER resource");
                return Err(refusal(ErrorCode::INVALID_REQUEST, message));
            }
        };
        levels.push((part, level));
    }
    if !validate_only {
        for (logger, level) in levels {
            tracing::warn!(%logger, ?level, "how much is logged is changed");
            loggers.set(logger, level);
        }
    }
    Ok(())
}
