//! The names by which a broker is told things: its own settings, and those that are the defaults of topics.

use super::broker::BROKER_SETTINGS;
use super::error::SettingError;
use super::setting::{Kind, Setting, Synonym, Unit};
use super::suggest::nearest;
use super::topic::TOPIC_SETTINGS;

/// Begins the names of what Kafka does not have.
const OWN: &str = "strandline.";

/// Begins the names of the variables of the environment that set something.
pub const ENVIRONMENT: &str = "STRANDLINE_";

/// A setting of a broker, by one of its names.
#[derive(Clone, Copy, Debug)]
pub struct BrokerName {
    setting: &'static Setting,
    /// If it is the default of a topic's setting: how many finer names there are for that, and this one.
    synonym: Option<(usize, Synonym)>,
}

impl BrokerName {
    /// All of them: first the broker's own, then the defaults of topics.
    pub fn all() -> impl Iterator<Item = Self> {
        let own = BROKER_SETTINGS.iter().map(|setting| Self { setting, synonym: None });
        own.chain(TOPIC_SETTINGS.iter().flat_map(Self::of_topics))
    }

    /// The broker's names for the default of a topic's setting, the finest first.
    pub fn of_topics(setting: &'static Setting) -> impl Iterator<Item = Self> {
        let synonyms = setting.synonyms.iter().enumerate();
        synonyms.map(move |(rank, synonym)| Self { setting, synonym: Some((rank, *synonym)) })
    }

    /// The one of this name.
    ///
    /// # Errors
    /// That there is none, and which one might be meant.
    pub fn find(name: &str) -> Result<Self, SettingError> {
        Self::all().find(|known| known.name() == name).ok_or_else(|| SettingError::UnknownBrokerSetting {
            name: name.to_owned(),
            nearest: nearest(name, Self::all().map(|known| known.name())),
        })
    }

    /// All names for the same thing, the finest first.
    pub fn group(self) -> Vec<Self> {
        match self.synonym {
            Some(_) => Self::of_topics(self.setting).collect(),
            None => vec![self],
        }
    }

    /// The name.
    pub const fn name(&self) -> &'static str {
        match self.synonym {
            Some((_, synonym)) => synonym.name,
            None => self.setting.name,
        }
    }

    /// The variable of the environment that sets it.
    pub fn environment_name(&self) -> String {
        let name = self.name();
        let own = name.strip_prefix(OWN).unwrap_or(name);
        format!("{ENVIRONMENT}{}", own.replace(['.', '-'], "_").to_uppercase())
    }

    /// Whether Kafka has it, too.
    pub fn is_kafkas(&self) -> bool {
        !self.name().starts_with(OWN)
    }

    /// The setting: of topics, if it is the default of one.
    pub const fn setting(&self) -> &'static Setting {
        self.setting
    }

    /// The setting of topics that it is the default of, and how many finer names that has.
    pub(super) const fn synonym(&self) -> Option<(usize, Synonym)> {
        self.synonym
    }

    /// Whether it is the default of a setting of topics.
    pub const fn is_of_topics(&self) -> bool {
        self.synonym.is_some()
    }

    /// How the value is written: coarse numbers are short ones.
    pub const fn kind(&self) -> Kind {
        match self.synonym {
            Some((_, Synonym { factor: 2.., .. })) => Kind::Int,
            _ => self.setting.kind,
        }
    }

    /// What the value counts.
    pub const fn unit(&self) -> Unit {
        match self.synonym {
            Some((_, Synonym { factor: 60_000, .. })) => Unit::Minutes,
            Some((_, Synonym { factor: 3_600_000, .. })) => Unit::Hours,
            _ => self.setting.unit,
        }
    }

    /// The default, as it would be written. Of several names for one thing the coarsest has it.
    pub fn default_text(&self) -> Option<String> {
        let default = self.setting.default_text()?;
        match self.synonym {
            Some((rank, _)) if rank + 1 < self.setting.synonyms.len() => None,
            Some((_, Synonym { factor: factor @ 2.., .. })) => {
                default.parse::<i64>().ok().map(|number| (number / factor).to_string())
            }
            _ => Some(default),
        }
    }

    /// Whether a broker that runs takes a new value. Of several names for one thing the finest is for that.
    pub const fn is_dynamic(&self) -> bool {
        match self.synonym {
            Some((rank, _)) => rank == 0,
            None => self.setting.is_dynamic,
        }
    }
}
