//! What a broker was told, name by name: at its start, and while it ran.

use std::collections::BTreeMap;

use super::error::SettingError;
use super::names::BrokerName;
use super::source::ConfigSource;

/// Everything that was said to a broker. Whoever says the same later counts less than who counts more.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Given(BTreeMap<(ConfigSource, &'static str), String>);

impl Given {
    /// Adds what one source says; of a name that comes twice the last counts.
    pub(super) fn say<N: AsRef<str>, V: AsRef<str>>(
        &mut self,
        source: ConfigSource,
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Result<(), SettingError> {
        for (name, text) in pairs {
            let known = BrokerName::find(name.as_ref())?;
            if source != ConfigSource::Start && !known.is_dynamic() {
                return Err(SettingError::NotDynamic(known.name()));
            }
            self.0.insert((source, known.name()), text.as_ref().to_owned());
        }
        Ok(())
    }

    /// What was said at the start alone.
    pub(super) fn at_start(&self) -> Self {
        let at_start = self.0.iter().filter(|((source, _), _)| *source == ConfigSource::Start);
        Self(at_start.map(|(key, text)| (*key, text.clone())).collect())
    }

    /// What a source says of a name.
    pub fn by(&self, source: ConfigSource, name: &'static str) -> Option<&str> {
        self.0.get(&(source, name)).map(String::as_str)
    }

    /// What counts of a name, and who says so.
    pub fn of(&self, name: &'static str) -> Option<(ConfigSource, &str)> {
        ConfigSource::OF_BROKERS.into_iter().find_map(|source| Some((source, self.by(source, name)?)))
    }

    /// Everything that was said, and by whom.
    pub fn iter(&self) -> impl Iterator<Item = (ConfigSource, BrokerName, &str)> {
        self.0.iter().filter_map(|((source, name), text)| {
            // Only names that there are were taken in.
            Some((*source, BrokerName::find(name).ok()?, text.as_str()))
        })
    }
}
