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
    /// A log goes on at a higher offset than it should.
    #[error("partition {partition} lacks the offsets from {from} to {to}")]
    Gap {
        /// The partition.
        partition: LocalId,
        /// The first one.
        from: i64,
        /// The one behind the last one.
        to: i64,
    },
    /// Two places say that they hold the same offset.
    #[error("partition {partition} has offset {offset} twice")]
    Overlap {
        /// The partition.
        partition: LocalId,
        /// The offset.
        offset: i64,
    },
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
    /// The list of aborted transactions of a segment is not what was written.
    #[error("{0}")]
    Transactions(String),
    /// Nothing names it: a crash may leave such things, and the next start removes them.
    #[error("nothing names it")]
    Orphan,
}

impl Problem {
    /// How bad it is.
    pub const fn severity(&self) -> Severity {
        match self {
            Self::Torn | Self::Index(_) | Self::Orphan => Severity::Leftover,
            Self::Gap { .. } => Severity::Doubt,
            _ => Severity::Damage,
        }
    }
}

/// How bad something is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// As a crash leaves it: the next start, or the next use, puts it right.
    Leftover,
    /// A log that was only written by clients has lost something. One that was copied from a leader may be as the
    /// leader's was, and one that was cut inside of a batch goes on where it was cut.
    Doubt,
    /// Something is lost, or contradicts itself.
    Damage,
}
