//! Who set something.

/// Where a value comes from, by Kafka's number for it: the one that counts most first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
#[repr(i8)]
pub enum ConfigSource {
    /// It was set on the topic.
    Topic = 1,
    /// It was set on the broker while it ran.
    DynamicBroker = 2,
    /// It was set for all brokers while they ran.
    DynamicDefault = 3,
    /// The broker was started with it.
    Start = 4,
    /// Nobody set it.
    Default = 5,
    /// It was set on the group. A group's settings are nobody else's: it is never held against the others.
    Group = 8,
}

impl ConfigSource {
    /// Where a broker's own settings come from, the one that counts most first.
    pub(super) const OF_BROKERS: [Self; 3] = [Self::DynamicBroker, Self::DynamicDefault, Self::Start];

    /// The number for it on the wire.
    pub const fn code(self) -> i8 {
        match self {
            Self::Topic => 1,
            Self::DynamicBroker => 2,
            Self::DynamicDefault => 3,
            Self::Start => 4,
            Self::Default => 5,
            Self::Group => 8,
        }
    }
}
