//! What is set for groups and their offsets.

use super::consumer;
use crate::settings::BrokerSettings;

/// The part of a broker's settings that groups are held against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupSettings {
    /// The shortest session timeout that a member of a classic group may have.
    pub session_timeout_min_ms: i32,
    /// The longest.
    pub session_timeout_max_ms: i32,
    /// How long the first rebalance of an empty classic group waits for more members.
    pub initial_rebalance_delay_ms: i32,
    /// So many members a classic group has at most.
    pub members_max: usize,
    /// How long the note beside an offset may be.
    pub offset_metadata_max: usize,
    /// How long offsets are kept that nobody uses.
    pub offsets_retention_ms: i64,
    /// How often it is looked whether some can go.
    pub offsets_retention_check_ms: i64,
    /// What consumer groups are held against.
    pub consumer: consumer::Settings,
}

impl GroupSettings {
    /// What a broker's settings say about groups.
    pub fn of(broker: &BrokerSettings) -> Self {
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        Self {
            session_timeout_min_ms: broker.group_min_session_timeout_ms,
            session_timeout_max_ms: broker.group_max_session_timeout_ms,
            initial_rebalance_delay_ms: broker.group_initial_rebalance_delay_ms,
            members_max: count(broker.group_max_size),
            offset_metadata_max: count(broker.offset_metadata_max_bytes),
            offsets_retention_ms: i64::from(broker.offsets_retention_minutes).saturating_mul(60_000),
            offsets_retention_check_ms: broker.offsets_retention_check_interval_ms,
            consumer: consumer::Settings::of(broker),
        }
    }
}

impl Default for GroupSettings {
    fn default() -> Self {
        Self::of(&BrokerSettings::default())
    }
}
