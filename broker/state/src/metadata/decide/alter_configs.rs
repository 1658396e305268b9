//! What is set on resources: all of it anew, or setting by setting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};

use super::{Command, Decision, Refusal};
use crate::metadata::image::RESOURCE_TOPIC;
use crate::metadata::record::{ConfigEntry, ConfigKey, ConfigValue};
use crate::metadata::{MetadataImage, MetadataRecord};
use crate::settings::{BrokerSettings, Kind, SettingError, TOPIC_SETTINGS, TopicSettings};

/// Longer values are refused, as Kafka does.
const VALUE_BYTES_MAX: usize = 32_767;

/// Changes what is set on resources. They are independent of one another: each has its own result, and is
/// changed as a whole or not at all.
#[derive(Clone, Debug)]
pub struct AlterConfigs {
    /// The resources.
    pub resources: Vec<ResourceChange>,
    /// Check everything, change nothing.
    pub validate_only: bool,
    /// What the brokers were started with, against which changes are checked.
    pub settings: Arc<BrokerSettings>,
}

/// What is to change on one resource.
#[derive(Clone, Debug)]
pub struct ResourceChange {
    /// The type of resource, by Kafka's number.
    pub resource_type: i8,
    /// The resource.
    pub resource_name: Text,
    /// What is to change.
    pub change: ConfigChange,
}

/// What is to change.
#[derive(Clone, Debug)]
pub enum ConfigChange {
    /// This and nothing else is set from now on.
    Replace(Vec<(Text, Option<Text>)>),
    /// One setting after the other; what is not named stays.
    Incremental(Vec<(Text, ConfigOperation, Option<Text>)>),
}

/// What is to be done with one setting.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ConfigOperation {
    /// It gets the value.
    Set,
    /// It gets its default again.
    Delete,
    /// Members are added to the list.
    Append,
    /// Members are taken out of the list.
    Subtract,
}

impl ConfigOperation {
    /// The operation that Kafka has this number for.
    pub const fn from_code(code: i8) -> Option<Self> {
        Some(match code {
            0 => Self::Set,
            1 => Self::Delete,
            2 => Self::Append,
            3 => Self::Subtract,
            _ => return None,
        })
    }
}

impl Command for AlterConfigs {
    /// One for each resource of the command, in its order.
    type Reply = Vec<Result<(), Refusal>>;

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<Self::Reply>, Refusal> {
        let mut times: HashMap<(i8, &str), usize> = HashMap::with_capacity(self.resources.len());
        for resource in &self.resources {
            *times.entry((resource.resource_type, &resource.resource_name)).or_default() += 1;
        }
        let mut records = Vec::new();
        let mut reply = Vec::with_capacity(self.resources.len());
        for resource in &self.resources {
            let result = match times.get(&(resource.resource_type, resource.resource_name.as_str())) {
                Some(1) => self.alter(image, resource).map(|record| records.extend(record)),
                _ => Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Each resource must appear at most once.")),
            };
            reply.push(result);
        }
        if self.validate_only {
            records.clear();
        }
        Ok(Decision { records, reply })
    }
}

impl AlterConfigs {
    /// The record that the change comes to; none where it changes nothing.
    fn alter(
        &self,
        image: &MetadataImage,
        resource: &ResourceChange,
    ) -> Result<Option<MetadataRecord>, Refusal> {
        let (resource_type, name) = (resource.resource_type, &resource.resource_name);
        if resource_type != RESOURCE_TOPIC {
            let message = format!("Unexpected resource type {resource_type}.");
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
        }
        if image.topic(name).is_none() {
            let message = format!("The topic '{name}' does not exist.");
            return Err(Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message));
        }
        let before: Vec<(Text, Text)> = image
            .config(resource_type, name)
            .map(|config| config.pairs().map(|(name, value)| (name.into(), value.into())).collect())
            .unwrap_or_default();
        let mut configs: BTreeMap<Text, Text> = before.iter().cloned().collect();
        match &resource.change {
            ConfigChange::Replace(entries) => {
                no_name_twice(entries.iter().map(|(name, _)| name))?;
                no_null(entries.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name))?;
                configs.clear();
                configs
                    .extend(entries.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
            }
            ConfigChange::Incremental(operations) => {
                no_name_twice(operations.iter().map(|(name, ..)| name))?;
                let is_null = |(_, operation, value): &&(Text, ConfigOperation, Option<Text>)| {
                    *operation != ConfigOperation::Delete && value.is_none()
                };
                no_null(operations.iter().filter(is_null).map(|(name, ..)| name))?;
                for (name, operation, value) in operations {
                    self.apply(&mut configs, name, *operation, value.as_deref().unwrap_or_default())?;
                }
            }
        }
        self.check(&configs)?;
        let configs: Vec<_> = configs.into_iter().collect();
        Ok((configs != before).then(|| config_record(resource_type, name, &configs)))
    }

    fn apply(
        &self,
        configs: &mut BTreeMap<Text, Text>,
        name: &Text,
        operation: ConfigOperation,
        value: &str,
    ) -> Result<(), Refusal> {
        let verb = match operation {
            ConfigOperation::Set => {
                configs.insert(name.clone(), value.into());
                return Ok(());
            }
            ConfigOperation::Delete => {
                configs.remove(name.as_str());
                return Ok(());
            }
            ConfigOperation::Append => "append",
            ConfigOperation::Subtract => "subtract",
        };
        let is_list =
            TOPIC_SETTINGS.iter().any(|setting| setting.name == name.as_str() && setting.kind == Kind::List);
        if !is_list {
            let message = format!("Can't {verb} to key {name} because its type is not LIST.");
            return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
        }
        let present = configs
            .get(name.as_str())
            .map(|value| value.as_str().to_owned())
            .or_else(|| self.settings.topic_defaults.text_of(name))
            .unwrap_or_default();
        let mut members: Vec<&str> = members(&present);
        let named = self::members(value);
        match operation {
            ConfigOperation::Subtract => members.retain(|member| !named.contains(member)),
            _ => {
                for member in named {
                    if !members.contains(&member) {
                        members.push(member);
                    }
                }
            }
        }
        configs.insert(name.clone(), members.join(",").into());
        Ok(())
    }

    fn check(&self, configs: &BTreeMap<Text, Text>) -> Result<(), Refusal> {
        if configs.values().any(|value| value.len() > VALUE_BYTES_MAX) {
            let message = format!(
                "The configuration value cannot be added because it exceeds the maximum value size of \
                 {VALUE_BYTES_MAX} bytes."
            );
            return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
        }
        let pairs = configs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        TopicSettings::resolve(&self.settings.topic_defaults, pairs).map(drop).map_err(refused)
    }
}

fn members(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|member| !member.is_empty()).collect()
}

fn no_name_twice<'a>(names: impl Iterator<Item = &'a Text>) -> Result<(), Refusal> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(Refusal::new(ErrorCode::INVALID_REQUEST, "Error due to duplicate config keys"));
        }
    }
    Ok(())
}

fn no_null<'a>(names: impl Iterator<Item = &'a Text>) -> Result<(), Refusal> {
    let names: Vec<&str> = names.map(Text::as_str).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("Null value not supported for : {}", names.join(","));
    Err(Refusal::new(ErrorCode::INVALID_REQUEST, message))
}

/// The refusal for a setting that is not allowed.
pub(super) fn refused(error: SettingError) -> Refusal {
    Refusal::new(ErrorCode::INVALID_CONFIG, error.to_string())
}

/// The record that says all that is set on a resource; nothing takes the record back.
pub(super) fn config_record(resource_type: i8, name: &Text, configs: &[(Text, Text)]) -> MetadataRecord {
    let key = ConfigKey { resource_type, resource_name: name.clone() };
    let entry = |(name, value): &(Text, Text)| ConfigEntry {
        name: name.clone(),
        value: value.clone(),
        ..Default::default()
    };
    let value = ConfigValue { entries: configs.iter().map(entry).collect(), ..Default::default() };
    MetadataRecord::Config(key, (!configs.is_empty()).then_some(value))
}
