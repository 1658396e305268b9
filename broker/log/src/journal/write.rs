//! A group that leaves the journal to be written, and comes back.

use std::io;

use super::files::Output;
use super::group::Staged;
use super::pool::FrameBuffer;
use super::reader::Position;

/// A group that is durable.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Committed {
    /// The number of its frame.
    pub sequence: u64,
    /// The sequence number of the file that it is in.
    pub file: u64,
    /// Where in it the frame begins.
    pub offset: u64,
}

impl Committed {
    /// Where the bytes of an entry of this group lie.
    pub fn position(&self, staged: &Staged) -> Position {
        Position { file: self.file, offset: self.offset + u64::from(staged.offset), length: staged.length }
    }
}

/// A group on its way to the disk.
///
/// Where it is dropped without [`super::Journal::end_commit`], its journal writes nothing any more.
#[derive(Debug)]
#[must_use = "the journal waits for it"]
pub struct Write {
    /// The frame, and zeros up to the border of a block.
    pub(super) frame: FrameBuffer,
    /// How long the frame is without these zeros.
    pub(super) frame_bytes: usize,
    pub(super) output: Output,
    pub(super) committed: Committed,
    pub(super) result: io::Result<()>,
}

impl Write {
    /// How many bytes go to the disk.
    pub fn bytes(&self) -> usize {
        self.frame.bytes().len()
    }

    /// Writes and syncs the group. This is what takes the time, and may be done on any thread.
    pub fn run(mut self) -> Written {
        self.result = self.output.write_durably(self.frame.bytes(), self.committed.offset);
        Written(self)
    }
}

/// A group that was written, or was not.
#[derive(Debug)]
#[must_use = "the journal waits for it"]
pub struct Written(pub(super) Write);
