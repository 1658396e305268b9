//! What is set on resources: all of it anew, or setting by setting.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};

use super::names::validate_topic_name;
use super::{Command, Decision, Refusal};
use crate::metadata::image::{Config, RESOURCE_BROKER, RESOURCE_GROUP, RESOURCE_TOPIC};
use crate::metadata::record::{ConfigEntry, ConfigKey, ConfigValue};
use crate::metadata::{MetadataImage, MetadataRecord};
use crate::settings::{
    BrokerName, BrokerSettings, GROUP_SETTINGS, GroupOverrides, Kind, SettingError, TOPIC_SETTINGS,
    TopicSettings,
};

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
    /// What the broker was started with, against which changes are checked.
    pub settings: Arc<BrokerSettings>,
    /// The number of that broker, which takes no change of another's settings.
    pub node_id: i32,
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
        check_form(&resource.change)?;
        let subject = self.subject(image, resource)?;
        let before: Vec<(Text, Text)> = image
            .config(resource_type, name)
            .map(|config| config.pairs().map(|(name, value)| (name.into(), value.into())).collect())
            .unwrap_or_default();
        let mut configs: BTreeMap<Text, Text> = before.iter().cloned().collect();
        match &resource.change {
            ConfigChange::Replace(entries) => {
                configs.clear();
                configs
                    .extend(entries.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?))));
            }
            ConfigChange::Incremental(operations) => {
                for (name, operation, value) in operations {
                    subject.apply(&mut configs, name, *operation, value.as_deref().unwrap_or_default())?;
                }
            }
        }
        subject.check(image, &configs)?;
        let configs: Vec<_> = configs.into_iter().collect();
        Ok((configs != before).then(|| config_record(resource_type, name, &configs)))
    }

    /// What a resource is, if there may be one like this.
    fn subject<'a>(
        &'a self,
        image: &MetadataImage,
        resource: &'a ResourceChange,
    ) -> Result<Subject<'a>, Refusal> {
        let name = resource.resource_name.as_str();
        let kind = match resource.resource_type {
            RESOURCE_TOPIC if name.is_empty() => {
                let message = "Default topic resources are not allowed.";
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
            }
            RESOURCE_TOPIC => validate_topic_name(name).map(|()| SubjectKind::Topic(name))?,
            RESOURCE_GROUP if name.is_empty() => {
                let message = "Default group resources are not allowed.";
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
            }
            // It need not be there: groups come and go with their members, and what is set on them stays.
            RESOURCE_GROUP => SubjectKind::Group,
            RESOURCE_BROKER if name.is_empty() => SubjectKind::AllBrokers,
            RESOURCE_BROKER => self.check_broker(name).map(|()| SubjectKind::Broker)?,
            other => {
                let message = format!("Unknown resource type {other}");
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
            }
        };
        let in_force = image.settings_in_force(&self.settings, self.node_id);
        // What is there was checked before; if it does not hold any more, a change may mend it.
        let in_force = in_force.unwrap_or_else(|_| (*self.settings).clone());
        Ok(Subject { kind, started: &self.settings, node_id: self.node_id, in_force })
    }

    fn check_broker(&self, name: &str) -> Result<(), Refusal> {
        let message = match name.parse::<i32>() {
            Ok(id) if id == self.node_id => return Ok(()),
            Ok(_) => format!("Unexpected broker id, expected {}, but received {name}", self.node_id),
            Err(_) => format!("Node id must be an integer, but it is: {name}"),
        };
        Err(Refusal::new(ErrorCode::INVALID_REQUEST, message))
    }
}

/// What something is set on.
#[derive(Clone, Copy)]
enum SubjectKind<'a> {
    Topic(&'a str),
    Group,
    AllBrokers,
    Broker,
}

struct Subject<'a> {
    kind: SubjectKind<'a>,
    started: &'a BrokerSettings,
    node_id: i32,
    in_force: BrokerSettings,
}

impl Subject<'_> {
    fn is_list(&self, name: &str) -> bool {
        match self.kind {
            SubjectKind::Topic(_) => {
                TOPIC_SETTINGS.iter().any(|setting| setting.name == name && setting.kind == Kind::List)
            }
            SubjectKind::Group => {
                GROUP_SETTINGS.iter().any(|setting| setting.name == name && setting.kind == Kind::List)
            }
            _ => BrokerName::find(name).is_ok_and(|known| known.kind() == Kind::List),
        }
    }

    /// What a setting is where nothing is set on the subject itself.
    fn inherited(&self, name: &str) -> Option<String> {
        match self.kind {
            SubjectKind::Topic(_) => self.in_force.topic_defaults.text_of(name),
            SubjectKind::Group => GroupOverrides::resolve(&self.in_force, []).ok()?.text_of(name),
            _ => self.in_force.value_of(BrokerName::find(name).ok()?),
        }
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
            ConfigOperation::Append => "APPEND",
            ConfigOperation::Subtract => "SUBTRACT",
        };
        if !self.is_list(name) {
            let message = format!("Can't {verb} to key {name} because its type is not LIST.");
            return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
        }
        let own = configs.get(name.as_str()).map(|value| value.as_str().to_owned());
        let present = own.or_else(|| self.inherited(name)).unwrap_or_default();
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

    /// Whether all of this may be set on the subject, and the subject is there.
    fn check(&self, image: &MetadataImage, configs: &BTreeMap<Text, Text>) -> Result<(), Refusal> {
        if configs.values().any(|value| value.len() > VALUE_BYTES_MAX) {
            let message = format!(
                "The configuration value cannot be added because it exceeds the maximum value size of \
                 {VALUE_BYTES_MAX} bytes."
            );
            return Err(Refusal::new(ErrorCode::INVALID_CONFIG, message));
        }
        let pairs = configs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let broker = self.node_id.to_string();
        let set_on = |name: &str| image.config(RESOURCE_BROKER, name).into_iter().flat_map(Config::pairs);
        match self.kind {
            SubjectKind::Topic(name) => {
                let resolved = TopicSettings::resolve(&self.in_force.topic_defaults, pairs);
                resolved.map_err(refused)?;
                if image.topic(name).is_none() {
                    let message = format!("The topic '{name}' does not exist.");
                    return Err(Refusal::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message));
                }
                Ok(())
            }
            SubjectKind::Group => GroupOverrides::check(&self.in_force, pairs).map_err(refused),
            SubjectKind::AllBrokers => {
                self.started.with_dynamic(pairs, set_on(&broker)).map(drop).map_err(refused_by_broker)
            }
            SubjectKind::Broker => {
                self.started.with_dynamic(set_on(""), pairs).map(drop).map_err(refused_by_broker)
            }
        }
    }
}

/// A broker's settings that cannot be taken are to Kafka a request that is wrong (KAFKA-13609). A name that nobody
/// knows, which Kafka would keep in silence, is not taken here.
fn refused_by_broker(error: SettingError) -> Refusal {
    let code = match error {
        SettingError::UnknownBrokerSetting { .. } => ErrorCode::INVALID_CONFIG,
        _ => ErrorCode::INVALID_REQUEST,
    };
    Refusal::new(code, error.to_string())
}

/// Whether a change says each thing once, and what it is to be.
fn check_form(change: &ConfigChange) -> Result<(), Refusal> {
    match change {
        ConfigChange::Replace(entries) => {
            no_name_twice(entries.iter().map(|(name, _)| name))?;
            no_null(entries.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name))
        }
        ConfigChange::Incremental(operations) => {
            no_name_twice(operations.iter().map(|(name, ..)| name))?;
            let is_null = |(_, operation, value): &&(Text, ConfigOperation, Option<Text>)| {
                *operation != ConfigOperation::Delete && value.is_none()
            };
            no_null(operations.iter().filter(is_null).map(|(name, ..)| name))
        }
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
    let message = format!("Null value not supported for : {}", names.join(", "));
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
