//! What is set on one resource.

use strandline_protocol::Text;

use crate::metadata::record::{ConfigEntry, ConfigValue};

/// Kafka's number for topics among the types of resources.
pub const RESOURCE_TOPIC: i8 = 2;
/// Kafka's number for brokers among the types of resources.
pub const RESOURCE_BROKER: i8 = 4;

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
