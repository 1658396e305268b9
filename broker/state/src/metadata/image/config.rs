//! What is set on one resource.

use strandline_protocol::Text;

use super::MetadataImage;
use crate::metadata::record::{ConfigEntry, ConfigValue};
use crate::settings::{BrokerSettings, SettingError};

/// Kafka's number for topics among the types of resources.
pub const RESOURCE_TOPIC: i8 = 2;
/// Kafka's number for brokers among the types of resources.
pub const RESOURCE_BROKER: i8 = 4;
/// Kafka's number for the levels at which a broker logs.
pub const RESOURCE_LOGGER: i8 = 8;
/// Kafka's number for what clients are to tell of themselves.
pub const RESOURCE_CLIENT_METRICS: i8 = 16;
/// Kafka's number for groups.
pub const RESOURCE_GROUP: i8 = 32;

/// What is set on a resource, by rising name.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Config {
    value: ConfigValue,
}

impl Config {
    /// The config that a record says, its text in buffers of its own.
    pub(super) fn new(value: &ConfigValue) -> Self {
        let mut value = value.clone();
        for entry in &mut value.entries {
            entry.name = entry.name.detached();
            entry.value = entry.value.detached();
        }
        value.entries.sort_by(|left, right| left.name.cmp(&right.name));
        Self { value }
    }

    /// What a setting is set to.
    pub fn get(&self, name: &str) -> Option<&Text> {
        let place = self.value.entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
        self.value.entries.get(place).map(|entry| &entry.value)
    }

    /// Everything that is set, by rising name.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> + Clone {
        self.value.entries.iter().map(|entry| (entry.name.as_str(), entry.value.as_str()))
    }

    /// How many settings are set.
    pub const fn len(&self) -> usize {
        self.value.entries.len()
    }

    /// Whether nothing is set.
    pub const fn is_empty(&self) -> bool {
        self.value.entries.is_empty()
    }

    /// The entries as they stand in the record.
    pub fn entries(&self) -> &[ConfigEntry] {
        &self.value.entries
    }
}

impl MetadataImage {
    /// What is in force for a broker that was started with `started`.
    ///
    /// # Errors
    /// What was set while it ran does not go with that.
    pub fn settings_in_force(
        &self,
        started: &BrokerSettings,
        node_id: i32,
    ) -> Result<BrokerSettings, SettingError> {
        let set_on = |name: &str| self.config(RESOURCE_BROKER, name).into_iter().flat_map(Config::pairs);
        started.with_dynamic(set_on(""), set_on(&node_id.to_string()))
    }

    /// The resources of a type that something is set on, by rising name.
    pub fn configured(&self, resource_type: i8) -> impl Iterator<Item = &Text> {
        self.configs.get(&resource_type).into_iter().flat_map(|configs| configs.iter().map(|(name, _)| name))
    }
}
