//! What a check can find.

use std::fmt;
use std::path::PathBuf;

use crate::local_id::LocalId;

/// Something that is not as it should be, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The file or folder.
    pub path: PathBuf,
    /// The byte in it, where there is one.
    pub position: Option<u64>,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.path.display())?;
        if let Some(position) = self.position {
            write!(formatter, ", byte {position}")?;
        }
        write!(formatter, ": {}", self.problem)
    }
}

/// What can be wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The file that makes the folder a data directory.
    #[error("{0}")]
    Format(String),
    /// The manifest cannot be read: nothing that it would say was checked.
    #[error("the manifest cannot be read: {0}")]
    Manifest(String),
    /// The journal cannot be read beyond this.
    #[error("{0}")]
    Journal(&'static str),
    /// A frame was begun at the journal's end and not finished, as a crash leaves it. The next start cuts it.
    #[error("the last frame is torn")]
    Torn,
    /// What the manifest says of a partition contradicts itself.
    #[error("the row of partition {partition} makes no sense: {what}")]
    Row {
        /// The partition.
        partition: LocalId,
        /// What is wrong.
        what: String,
    },
    /// An entry of the journal contradicts the manifest or the entries before it.
    #[error("frame {sequence} says something of partition {partition} that makes no sense: {what}")]
    Entry {
        /// The frame.
        sequence: u64,
        /// The partition.
        partition: LocalId,
        /// What is wrong.
        what: String,
    },
    /// The manifest names a segment whose file is not there.
    #[error("the segment's file is missing")]
    Missing,
    /// A segment's file ends too early.
    #[error("the file has {found} bytes, and the manifest counts on {expected}")]
    Short {
        /// How long it is.
        found: u64,
        /// How long it should be.
        expected: u64,
    },
    /// A batch is not what was written.
    #[error("{0}")]
    Batch(String),
    /// Records are neither here nor anywhere else.
    #[error("the offsets from {from} to {to} are missing")]
    Gap {
        /// The first one.
        from: i64,
        /// The one behind the last one.
        to: i64,
    },
    /// Two places say that they hold the same offset.
    #[error("offset {0} is there twice")]
    Overlap(i64),
    /// The manifest knows another number of a segment than its batches come to.
    #[error("the segment's {what} is {found}, and the manifest says {expected}")]
    Facts {
        /// Which one.
        what: &'static str,
        /// What its batches come to.
        found: i64,
        /// What the manifest says.
        expected: i64,
    },
    /// An index does not fit its segment. It is a hint: reading takes longer, and nothing is lost.
    #[error("the index does not fit its segment: {0}")]
    Index(String),
    /// Nothing names it: a crash may leave such things, and the next start removes them.
    #[error("nothing names it")]
    Orphan,
}

impl Problem {
    /// Whether something is lost or contradicts itself, as opposed to what a crash leaves and the next start puts
    /// right by itself.
    pub const fn is_damage(&self) -> bool {
        !matches!(self, Self::Torn | Self::Index(_) | Self::Orphan)
    }
}
