//! What happens to groups, for whoever counts it. Nothing is decided by it.

/// Something that happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A classic group has a generation whose members know what they have, or a consumer group another epoch.
    Rebalanced(Kind),
    /// So many members were thrown out because they were silent for too long, or late.
    MembersExpired(Kind, usize),
    /// So many offsets were committed, in transactions or not.
    OffsetsCommitted(usize),
    /// So many offsets went because nobody used them for long.
    OffsetsExpired(usize),
    /// So many offsets went because somebody said so, or with their topic.
    OffsetsDeleted(usize),
}

/// The kind of group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Its members choose one of them to assign.
    Classic,
    /// The broker assigns.
    Consumer,
}
