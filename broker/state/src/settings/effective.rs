//! What is in force for a topic, setting by setting, and where each value comes from: for the answers of
//! CreateTopics and DescribeConfigs.

use super::broker::BrokerSettings;
use super::error::SettingError;
use super::setting::Setting;
use super::topic::{TOPIC_SETTINGS, TopicSettings};

/// Where a value comes from, by Kafka's number for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(i8)]
pub enum ConfigSource {
    /// It was set on the topic.
    Topic = 1,
    /// The broker was started with it.
    Broker = 4,
    /// Nobody set it.
    Default = 5,
}

impl ConfigSource {
    /// The number for it on the wire.
    pub const fn code(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::Broker => 4,
            Self::Default => 5,
        }
    }
}

/// One setting of a topic, and what is in force.
#[derive(Clone, Debug)]
pub struct EffectiveConfig {
    /// The setting.
    pub setting: &'static Setting,
    /// Its value; none where there is none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub source: ConfigSource,
}

/// Every setting of a topic that is not internal, with what is in force given its overrides.
pub fn effective_topic_configs<'a>(
    broker: &BrokerSettings,
    overrides: impl IntoIterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<Vec<EffectiveConfig>, SettingError> {
    let settings = TopicSettings::resolve(&broker.topic_defaults, overrides.clone())?;
    let overridden: std::collections::BTreeSet<&str> = overrides.into_iter().map(|(name, _)| name).collect();
    let effective = |setting: &'static Setting| {
        let source = if overridden.contains(setting.name) {
            ConfigSource::Topic
        } else if broker.topic_defaults.is_given(setting.name) {
            ConfigSource::Broker
        } else {
            ConfigSource::Default
        };
        EffectiveConfig { setting, value: settings.text_of(setting.name), source }
    };
    let described = TOPIC_SETTINGS
        .iter()
        .filter(|setting| !setting.is_internal || overridden.contains(setting.name))
        .map(effective);
    Ok(described.collect())
}
