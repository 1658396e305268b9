//! What is set for consumer groups.

use crate::groups::assignors::Assignor;
use crate::metadata::MetadataImage;
use crate::metadata::image::RESOURCE_GROUP;
use crate::settings::{BrokerSettings, MigrationPolicy};

/// A time that groups may have one of their own for, between bounds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Time {
    /// What is in force for a group that says nothing itself.
    pub default_ms: i32,
    /// The shortest that a group may have.
    pub min_ms: i32,
    /// The longest.
    pub max_ms: i32,
}

impl Time {
    /// What is in force for a group that says this.
    fn for_group(self, own: Option<&str>) -> i32 {
        match own.and_then(|text| text.trim().parse::<i32>().ok()) {
            Some(own) => own.min(self.max_ms).max(self.min_ms),
            None => self.default_ms,
        }
    }
}

/// The part of a broker's settings that consumer groups are held against.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// How long a member may be silent.
    pub session_timeout: Time,
    /// How often it is to send a heartbeat.
    pub heartbeat_interval: Time,
    /// How long a target stands before the next is computed.
    pub assignment_interval: Time,
    /// So many members a group has at most.
    pub members_max: usize,
    /// So many a group has at most that goes back to the classic protocol.
    pub classic_members_max: usize,
    /// The assignors that members may ask for; the first is the default.
    pub assignors: Vec<Assignor>,
    /// Which groups may change their protocol.
    pub migration_policy: MigrationPolicy,
}

impl Settings {
    /// What a broker's settings say about consumer groups.
    pub fn of(broker: &BrokerSettings) -> Self {
        let count = |number: i32| usize::try_from(number).unwrap_or(0);
        let time = |default_ms, min_ms, max_ms| Time { default_ms, min_ms, max_ms };
        Self {
            session_timeout: time(
                broker.group_consumer_session_timeout_ms,
                broker.group_consumer_min_session_timeout_ms,
                broker.group_consumer_max_session_timeout_ms,
            ),
            heartbeat_interval: time(
                broker.group_consumer_heartbeat_interval_ms,
                broker.group_consumer_min_heartbeat_interval_ms,
                broker.group_consumer_max_heartbeat_interval_ms,
            ),
            assignment_interval: time(
                broker.group_consumer_assignment_interval_ms,
                broker.group_consumer_min_assignment_interval_ms,
                broker.group_consumer_max_assignment_interval_ms,
            ),
            members_max: count(broker.group_consumer_max_size),
            classic_members_max: count(broker.group_max_size),
            assignors: broker.group_consumer_assignors.as_slice().to_vec(),
            migration_policy: broker.group_consumer_migration_policy,
        }
    }

    /// The assignor of this name, if members may ask for it.
    pub(super) fn assignor(&self, name: &str) -> Option<Assignor> {
        self.assignors.iter().copied().find(|assignor| assignor.name() == name)
    }

    /// The assignor of a group whose members do not care.
    pub(super) fn default_assignor(&self) -> Assignor {
        self.assignors.first().copied().unwrap_or(Assignor::Uniform)
    }

    /// The names of all assignors that members may ask for.
    pub(super) fn assignor_names(&self) -> String {
        let names: Vec<_> = self.assignors.iter().map(|assignor| assignor.name()).collect();
        names.join(", ")
    }

    /// How long a member of this group may be silent.
    pub(super) fn session_timeout_ms(&self, image: &MetadataImage, group_id: &str) -> i32 {
        self.session_timeout.for_group(own(image, group_id, "consumer.session.timeout.ms"))
    }

    /// How often a member of this group is to send a heartbeat.
    pub(super) fn heartbeat_interval_ms(&self, image: &MetadataImage, group_id: &str) -> i32 {
        self.heartbeat_interval.for_group(own(image, group_id, "consumer.heartbeat.interval.ms"))
    }

    /// How long a target of this group stands.
    pub(super) fn assignment_interval_ms(&self, image: &MetadataImage, group_id: &str) -> i32 {
        self.assignment_interval.for_group(own(image, group_id, "consumer.assignment.interval.ms"))
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self::of(&BrokerSettings::default())
    }
}

/// What is set on a group itself.
fn own<'a>(image: &'a MetadataImage, group_id: &str, name: &str) -> Option<&'a str> {
    image.config(RESOURCE_GROUP, group_id).and_then(|config| config.get(name)).map(|text| text.as_str())
}
