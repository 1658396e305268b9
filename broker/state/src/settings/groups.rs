//! Values of the settings of groups.

use std::sync::Arc;

use super::error::InvalidValue;
use super::setting::{Bounds, Kind};
use super::value::{SettingValue, members};
use crate::groups::assignors::Assignor;

/// Which groups may change from one protocol to the other while they live.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum MigrationPolicy {
    /// Those of both.
    #[default]
    Bidirectional,
    /// Classic ones become new ones.
    Upgrade,
    /// New ones become classic ones.
    Downgrade,
    /// None, and members of the classic protocol cannot join a new one.
    Disabled,
}

impl MigrationPolicy {
    const ALL: [Self; 4] = [Self::Bidirectional, Self::Upgrade, Self::Downgrade, Self::Disabled];

    const fn word(self) -> &'static str {
        match self {
            Self::Bidirectional => "bidirectional",
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
            Self::Disabled => "disabled",
        }
    }

    /// Whether a classic group becomes a consumer group when a member of the new protocol joins.
    pub const fn allows_upgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Upgrade)
    }

    /// Whether a consumer group becomes a classic one when its last member of the new protocol goes.
    pub const fn allows_downgrade(self) -> bool {
        matches!(self, Self::Bidirectional | Self::Downgrade)
    }
}

impl SettingValue for MigrationPolicy {
    const KIND: Kind = Kind::String;

    fn parse(text: &str, _: &Bounds) -> Result<Self, InvalidValue> {
        let named = |policy: &Self| policy.word().eq_ignore_ascii_case(text.trim());
        Self::ALL.into_iter().find(named).ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            InvalidValue::Reason(format!("String must be one of (case insensitive): {words}"))
        })
    }

    fn to_text(&self) -> Option<String> {
        Some(self.word().to_owned())
    }
}

/// The assignors that members of consumer groups may ask for, the default first; at least one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Assignors(Arc<[Assignor]>);

impl Assignors {
    /// All of them.
    pub fn all() -> Self {
        Self(Assignor::ALL.into())
    }

    /// In their order.
    pub fn as_slice(&self) -> &[Assignor] {
        &self.0
    }
}

impl SettingValue for Assignors {
    const KIND: Kind = Kind::List;

    fn parse(text: &str, _: &Bounds) -> Result<Self, InvalidValue> {
        let reason = |text: String| Err(InvalidValue::Reason(text));
        let mut assignors = Vec::new();
        for name in members(text)? {
            match Assignor::of_name(name) {
                Some(assignor) if assignors.contains(&assignor) => {
                    return reason(format!("Configuration value {name} must not be there twice"));
                }
                Some(assignor) => assignors.push(assignor),
                None => {
                    let known: Vec<_> = Assignor::ALL.iter().map(|assignor| assignor.name()).collect();
                    return reason(format!("Assignors must be among: {}", known.join(", ")));
                }
            }
        }
        if assignors.is_empty() {
            return reason("There must be at least one assignor".to_owned());
        }
        Ok(Self(assignors.into()))
    }

    fn to_text(&self) -> Option<String> {
        let names: Vec<_> = self.0.iter().map(|assignor| assignor.name()).collect();
        Some(names.join(","))
    }
}
