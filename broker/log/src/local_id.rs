//! How a data directory names a partition.

use std::fmt;

/// One incarnation of a partition on one data directory.
///
/// It is never given twice: a partition that is deleted and created again, or moved away and back, has another
/// one, so that nothing of the first is ever taken for the second's. Folders and journal entries carry it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LocalId(pub u64);

impl fmt::Display for LocalId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}
