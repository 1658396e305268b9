//! Why a setting is refused, in Kafka's words; in brackets behind them, what would be right.

use super::setting::Unit;
use super::units;

/// What is wrong with a setting. On the wire it is `INVALID_CONFIG`, and this is the message.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No setting of a topic has this name.
    #[error("Unknown topic config name: {name}{}", hint(*nearest))]
    UnknownTopicSetting {
        /// The name as it came.
        name: String,
        /// The known name that looks most like it, if any does.
        nearest: Option<&'static str>,
    },
    /// No setting of a broker has this name.
    #[error("Unknown broker config name: {name}{}", hint(*nearest))]
    UnknownBrokerSetting {
        /// The name as it came.
        name: String,
        /// The known name that looks most like it, if any does.
        nearest: Option<&'static str>,
    },
    /// No setting of a group has this name.
    #[error("Unknown group config name: {name}{}", hint(*nearest))]
    UnknownGroupSetting {
        /// The name as it came.
        name: String,
        /// The known name that looks most like it, if any does.
        nearest: Option<&'static str>,
    },
    /// A setting of a broker that stays as it was at the start.
    #[error(
        "Cannot update these configs dynamically: [{0}] (it is set at the start, by --set, the environment or a file)"
    )]
    NotDynamic(&'static str),
    /// The value cannot be read, or is out of bounds.
    #[error("Invalid value {value} for configuration {name}: {reason}")]
    InvalidValue {
        /// The setting.
        name: String,
        /// The value as it came.
        value: String,
        /// What would be allowed.
        reason: String,
    },
    /// A list that has an empty member.
    #[error("Configuration '{name}' values must not be empty.")]
    EmptyMember {
        /// The setting.
        name: String,
    },
    /// Two settings contradict each other.
    #[error("{0}")]
    Conflict(String),
}

fn hint(nearest: Option<&'static str>) -> String {
    nearest.map(|name| format!(" ({name} is known)")).unwrap_or_default()
}

/// Why a single value is refused, before it is known which setting it is for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum InvalidValue {
    /// What would be allowed.
    Reason(String),
    /// A list that has an empty member.
    EmptyMember,
}

impl InvalidValue {
    /// The error of the setting `name` that got `value`, and counts in `unit`.
    pub(super) fn of(self, name: &str, value: &str, unit: Unit) -> SettingError {
        let name = name.to_owned();
        match self {
            Self::Reason(reason) => {
                let reason = reason + &units::hint(value, unit);
                SettingError::InvalidValue { name, value: value.to_owned(), reason }
            }
            Self::EmptyMember => SettingError::EmptyMember { name },
        }
    }
}
