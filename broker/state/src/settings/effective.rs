//! What is in force for a topic, a group or a broker, setting by setting, and where each value comes from: for the answers
//! of CreateTopics and DescribeConfigs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::broker::BrokerSettings;
use super::error::SettingError;
use super::group::{GROUP_SETTINGS, GroupOverrides};
use super::names::BrokerName;
use super::setting::{Kind, Setting};
use super::source::ConfigSource;
use super::topic::{TOPIC_SETTINGS, TopicSettings};

/// Something that somebody says of a setting, by one of its names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigSynonym {
    /// The name.
    pub name: &'static str,
    /// The value.
    pub value: Option<String>,
    /// Who says so.
    pub source: ConfigSource,
}

/// One setting, and what is in force.
#[derive(Clone, Debug)]
pub struct EffectiveConfig {
    /// Its name.
    pub name: &'static str,
    /// How it is written.
    pub kind: Kind,
    /// Its value; none where there is none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
    /// All that is said of it, what counts most first.
    pub synonyms: Vec<ConfigSynonym>,
    /// Whether it stays as it is while the broker runs.
    pub is_read_only: bool,
    /// What it does, for people.
    pub documentation: Cow<'static, str>,
}

/// Every setting of a topic that is not internal, with what is in force given its overrides.
pub fn effective_topic_configs<'a>(
    broker: &BrokerSettings,
    overrides: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Vec<EffectiveConfig>, SettingError> {
    let settings = TopicSettings::resolve(&broker.topic_defaults, overrides.clone())?;
    let overridden: BTreeMap<&str, &str> = overrides.into_iter().collect();
    let effective = |setting: &'static Setting| {
        let own_text = overridden.get(setting.name);
        // The members of a list stay in the order in which they were given.
        let value = match own_text.filter(|_| setting.kind == Kind::List) {
            Some(text) => Some(text.split(',').map(str::trim).collect::<Vec<_>>().join(",")),
            None => settings.text_of(setting.name),
        };
        let own = own_text.map(|_| ConfigSynonym {
            name: setting.name,
            value: value.clone(),
            source: ConfigSource::Topic,
        });
        let mut synonyms: Vec<_> = own.into_iter().collect();
        if let Some(name) = BrokerName::of_topics(setting).next() {
            let said = said_of(broker, name);
            // The default by another name than the finest tells nothing unless somebody set something.
            let is_set = said.iter().any(|synonym| synonym.source != ConfigSource::Default);
            synonyms.extend(said.into_iter().skip_while(|said| !is_set && said.name != name.name()));
        }
        let source = synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source);
        EffectiveConfig {
            name: setting.name,
            kind: setting.kind,
            value,
            source,
            synonyms,
            is_read_only: false,
            documentation: setting.documentation_text(),
        }
    };
    let described = TOPIC_SETTINGS
        .iter()
        .filter(|setting| !setting.is_internal || overridden.contains_key(setting.name))
        .map(effective);
    Ok(described.collect())
}

/// Every setting of a group, with what is in force given its overrides.
///
/// # Errors
/// Something that is set makes no sense.
pub fn effective_group_configs<'a>(
    broker: &BrokerSettings,
    overrides: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Vec<EffectiveConfig>, SettingError> {
    let settings = GroupOverrides::resolve(broker, overrides.clone())?;
    let overridden: BTreeSet<&str> = overrides.into_iter().map(|(name, _)| name).collect();
    let effective = |setting: &'static Setting| {
        let value = settings.text_of(setting.name);
        let own = overridden.contains(setting.name).then(|| ConfigSynonym {
            name: setting.name,
            value: value.clone(),
            source: ConfigSource::Group,
        });
        let of_broker = setting.synonyms.iter().filter_map(|synonym| BrokerName::find(synonym.name).ok());
        let of_broker = of_broker.flat_map(|name| said_of(broker, name));
        let synonyms: Vec<_> = own.into_iter().chain(of_broker).collect();
        EffectiveConfig {
            name: setting.name,
            kind: setting.kind,
            value,
            source: synonyms.first().map_or(ConfigSource::Default, |synonym| synonym.source),
            synonyms,
            is_read_only: false,
            documentation: setting.documentation_text(),
        }
    };
    Ok(GROUP_SETTINGS.iter().map(effective).collect())
}

/// Every setting of a broker, with what is in force.
pub fn effective_broker_configs(broker: &BrokerSettings) -> Vec<EffectiveConfig> {
    let effective = |name: BrokerName| {
        // A finer name counts before this one, and says nothing of it.
        let said = said_of(broker, name).into_iter().skip_while(|said| said.name != name.name());
        effective(name, said.collect())
    };
    BrokerName::all().map(effective).collect()
}

/// What is set for all brokers while they run.
pub fn cluster_default_configs(broker: &BrokerSettings) -> Vec<EffectiveConfig> {
    let is_of_cluster = |synonym: &ConfigSynonym| synonym.source == ConfigSource::DynamicDefault;
    let set = BrokerName::all().filter_map(|name| {
        let value = broker.given.by(ConfigSource::DynamicDefault, name.name())?;
        let synonyms = said_of(broker, name).into_iter().filter(is_of_cluster).collect();
        Some(EffectiveConfig { value: Some(value.to_owned()), ..effective(name, synonyms) })
    });
    set.collect()
}

fn effective(name: BrokerName, synonyms: Vec<ConfigSynonym>) -> EffectiveConfig {
    let first = synonyms.first();
    let own = synonyms.iter().find(|synonym| synonym.name == name.name());
    let value = own.and_then(|synonym| synonym.value.clone());
    EffectiveConfig {
        name: name.name(),
        kind: name.kind(),
        value,
        source: first.map_or(ConfigSource::Default, |synonym| synonym.source),
        is_read_only: !name.is_dynamic(),
        documentation: name.setting().documentation_text(),
        synonyms,
    }
}

/// All that is said of a broker's setting by any of its names, what counts most first.
fn said_of(broker: &BrokerSettings, name: BrokerName) -> Vec<ConfigSynonym> {
    let group = name.group();
    let by = |source: ConfigSource| {
        group.iter().filter_map(move |member| {
            let value = match source {
                ConfigSource::Default => member.default_text()?,
                source => broker.given.by(source, member.name())?.to_owned(),
            };
            Some(ConfigSynonym { name: member.name(), value: Some(value), source })
        })
    };
    ConfigSource::OF_BROKERS.into_iter().chain([ConfigSource::Default]).flat_map(by).collect()
}
