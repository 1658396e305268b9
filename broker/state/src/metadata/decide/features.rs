//! The levels of features, which the whole cluster agrees on.

use strandline_protocol::{ErrorCode, Text};

use super::{Command, Decision, Refusal};
use crate::metadata::record::{FeatureKey, FeatureValue};
use crate::metadata::{MetadataImage, MetadataRecord};

/// Sets levels: all of them, or none if one cannot be set.
#[derive(Clone, Debug)]
pub struct SetFeatures {
    /// The levels to set.
    pub updates: Vec<FeatureUpdate>,
    /// What this program has implemented.
    pub supported: Vec<SupportedFeature>,
    /// The node that has it.
    pub node_id: i32,
    /// Check everything, change nothing.
    pub validate_only: bool,
}

/// A feature that this program has implemented.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SupportedFeature {
    /// The name.
    pub name: &'static str,
    /// The lowest level; 0 = it can be off.
    pub min: i16,
    /// The highest level.
    pub max: i16,
}

/// A level to set.
#[derive(Clone, Debug)]
pub struct FeatureUpdate {
    /// The feature.
    pub name: Text,
    /// The level; 0 = off.
    pub level: i16,
    /// Whether the level may fall.
    pub upgrade_type: UpgradeType,
}

/// Whether a level may fall.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UpgradeType {
    /// It may only rise.
    Upgrade,
    /// It may fall if nothing is lost by it.
    SafeDowngrade,
    /// It may fall.
    UnsafeDowngrade,
}

impl UpgradeType {
    /// The type that Kafka has this number for.
    pub const fn from_code(code: i8) -> Option<Self> {
        Some(match code {
            1 => Self::Upgrade,
            2 => Self::SafeDowngrade,
            3 => Self::UnsafeDowngrade,
            _ => return None,
        })
    }
}

impl Command for SetFeatures {
    type Reply = ();

    fn decide(&self, image: &MetadataImage, _: i64) -> Result<Decision<()>, Refusal> {
        let mut records = Vec::new();
        let mut names = std::collections::BTreeSet::new();
        for update in &self.updates {
            if !names.insert(&update.name) {
                let message = format!("The feature {} is named twice.", update.name);
                return Err(Refusal::new(ErrorCode::INVALID_REQUEST, message));
            }
            self.check(image, update)?;
            if image.feature(&update.name) != update.level {
                let value = FeatureValue { level: update.level, ..Default::default() };
                let key = FeatureKey { name: update.name.clone() };
                records.push(MetadataRecord::Feature(key, (update.level > 0).then_some(value)));
            }
        }
        if self.validate_only {
            records.clear();
        }
        Ok(Decision { records, reply: () })
    }
}

impl SetFeatures {
    fn check(&self, image: &MetadataImage, update: &FeatureUpdate) -> Result<(), Refusal> {
        let (name, level, present) = (&update.name, update.level, image.feature(&update.name));
        let fault = if level < 0 {
            "A feature version cannot be less than 0.".to_owned()
        } else if let Some(fault) = self.unsupported(name, level) {
            fault
        } else if level < present && update.upgrade_type == UpgradeType::Upgrade {
            "Can't downgrade the version of this feature without setting the upgrade type to either safe or \
             unsafe downgrade."
                .to_owned()
        } else if level > present && update.upgrade_type != UpgradeType::Upgrade {
            "Can't downgrade to a newer version.".to_owned()
        } else {
            return Ok(());
        };
        let message = format!("Invalid update version {level} for feature {name}. {fault}");
        Err(Refusal::new(ErrorCode::INVALID_UPDATE_VERSION, message))
    }

    fn unsupported(&self, name: &Text, level: i16) -> Option<String> {
        let known = self.supported.iter().find(|feature| feature.name == name.as_str());
        let here = format!("Local controller {}", self.node_id);
        match known {
            None => Some(format!("{here} does not support this feature.")),
            Some(feature) if (feature.min..=feature.max).contains(&level) => None,
            Some(feature) => Some(format!("{here} only supports versions {}-{}", feature.min, feature.max)),
        }
    }
}
