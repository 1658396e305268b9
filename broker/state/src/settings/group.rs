//! What can be set on a group while it lives: every setting of consumer groups that Kafka 4.3.1 has. Those of share and
//! streams groups come with these kinds of groups; until then they are names that nobody knows.
//!
//! A group that says nothing itself has what its broker has. What a group may say has bounds that the broker sets; what
//! was set within them stays set when they change, and counts as the nearest that they allow.

use super::broker::BrokerSettings;
use super::error::SettingError;
use super::setting::{Bounds, settings};
use super::suggest::nearest;
use super::units::unit_of;

settings! {
    /// What is in force for a group.
    GroupOverrides,
    /// Every setting of a group.
    GROUP_SETTINGS,;

    /// How long the target of the group stands before the next is computed.
    consumer_assignment_interval_ms: i32 = "consumer.assignment.interval.ms", 1_000, Bounds::AtLeast(0), Milliseconds,
        acted, ["group.consumer.assignment.interval.ms" * 1];
    /// How often members of the group are to send a heartbeat.
    consumer_heartbeat_interval_ms: i32 = "consumer.heartbeat.interval.ms", 5_000, Bounds::AtLeast(1), Milliseconds,
        acted, ["group.consumer.heartbeat.interval.ms" * 1];
    /// How long a member of the group may be silent before it is thrown out.
    consumer_session_timeout_ms: i32 = "consumer.session.timeout.ms", 45_000, Bounds::AtLeast(1), Milliseconds,
        acted, ["group.consumer.session.timeout.ms" * 1];
}

/// A value, and between which values of the broker's it has to lie.
struct Within {
    name: &'static str,
    value: i32,
    min: (&'static str, i32),
    max: (&'static str, i32),
}

impl GroupOverrides {
    /// What is in force for a group on which this is set, as it was set: a bound that has moved since is of no account.
    ///
    /// # Errors
    /// A name is none, or a value cannot be read.
    pub fn resolve<'a>(
        broker: &BrokerSettings,
        overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingError> {
        let mut group = Self {
            consumer_assignment_interval_ms: broker.group_consumer_assignment_interval_ms,
            consumer_heartbeat_interval_ms: broker.group_consumer_heartbeat_interval_ms,
            consumer_session_timeout_ms: broker.group_consumer_session_timeout_ms,
        };
        for (name, text) in overrides {
            let result = group.set(name, text).ok_or_else(|| SettingError::UnknownGroupSetting {
                name: name.to_owned(),
                nearest: nearest(name, GROUP_SETTINGS.iter().map(|setting| setting.name)),
            })?;
            result.map_err(|invalid| invalid.of(name, text, unit_of(GROUP_SETTINGS, name)))?;
        }
        Ok(group)
    }

    /// Whether all of this may be set on a group.
    ///
    /// # Errors
    /// What stands in the way, in Kafka's words, and of several what Kafka names.
    pub fn check<'a>(
        broker: &BrokerSettings,
        overrides: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<(), SettingError> {
        let group = Self::resolve(broker, overrides.clone())?;
        let is_own = |name: &str| overrides.clone().into_iter().any(|(own, _)| own == name);
        let [heartbeat, session, assignment] = group.within(broker);
        heartbeat.check()?;
        session.check()?;
        // What the broker has is not held against the bounds here, where the other two are.
        if is_own(assignment.name) {
            assignment.check()?;
        }
        if session.value <= heartbeat.value {
            return Err(conflict(session.name, "greater than", heartbeat.name));
        }
        Ok(())
    }

    fn within(&self, broker: &BrokerSettings) -> [Within; 3] {
        [
            Within {
                name: "consumer.heartbeat.interval.ms",
                value: self.consumer_heartbeat_interval_ms,
                min: (
                    "group.consumer.min.heartbeat.interval.ms",
                    broker.group_consumer_min_heartbeat_interval_ms,
                ),
                max: (
                    "group.consumer.max.heartbeat.interval.ms",
                    broker.group_consumer_max_heartbeat_interval_ms,
                ),
            },
            Within {
                name: "consumer.session.timeout.ms",
                value: self.consumer_session_timeout_ms,
                min: ("group.consumer.min.session.timeout.ms", broker.group_consumer_min_session_timeout_ms),
                max: ("group.consumer.max.session.timeout.ms", broker.group_consumer_max_session_timeout_ms),
            },
            Within {
                name: "consumer.assignment.interval.ms",
                value: self.consumer_assignment_interval_ms,
                min: (
                    "group.consumer.min.assignment.interval.ms",
                    broker.group_consumer_min_assignment_interval_ms,
                ),
                max: (
                    "group.consumer.max.assignment.interval.ms",
                    broker.group_consumer_max_assignment_interval_ms,
                ),
            },
        ]
    }
}

impl Within {
    fn check(&self) -> Result<(), SettingError> {
        if self.value < self.min.1 {
            return Err(conflict(self.name, "greater than or equal to", self.min.0));
        }
        if self.value > self.max.1 {
            return Err(conflict(self.name, "less than or equal to", self.max.0));
        }
        Ok(())
    }
}

fn conflict(name: &str, relation: &str, other: &str) -> SettingError {
    SettingError::Conflict(format!("{name} must be {relation} {other}"))
}
