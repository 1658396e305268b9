//! Looking at a journal, and leaving it as it is.

use std::path::PathBuf;
use std::sync::Arc;

use super::Journal;
use super::entry::Seal;
use super::error::Error;
use super::files::Folder;
use super::reader::Reader;
use super::walk::{Replayed, Walk};
use crate::disk::{Access, Disk};

/// How a journal ends that was looked at.
#[derive(Debug)]
pub struct Inspection {
    /// The number of its last whole frame; that of the checkpoint if there is none behind it.
    pub last_sequence: u64,
    /// What the seal says that is the last frame; none if something was written since it was closed or recovered.
    pub seal: Option<Seal>,
    /// Whether a frame was begun behind the last one and not finished: the next recovery cuts it.
    pub is_torn: bool,
    /// Reads what was visited.
    pub reader: Reader,
}

impl Journal {
    /// Does what [`Journal::recover`] does up to where that begins to write: calls `visit` with each entry of
    /// the frames above `checkpoint`, or with all that has not been recycled if there is none.
    ///
    /// What is visited need not be durable. Nothing is changed, and nothing is kept from being changed.
    ///
    /// # Errors
    /// The disk's, and whatever would keep the journal from being recovered.
    pub fn inspect(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        checkpoint: Option<u64>,
        mut visit: impl FnMut(Replayed<'_>),
    ) -> Result<Inspection, Error> {
        let folder = Folder::as_it_is(disk, path);
        let mut walk = Walk::open(&folder, folder.list_live()?, Access::Read, checkpoint.unwrap_or(0))?;
        if checkpoint.is_none() {
            walk.begin_with_first_frame()?;
        }
        let end = walk.replay(&mut visit)?;
        walk.refuse_newer_frames(&end)?;
        let reader = Reader::default();
        walk.files.iter().for_each(|file| reader.add(file));
        Ok(Inspection {
            last_sequence: end.next_sequence.saturating_sub(1),
            seal: end.seal(),
            is_torn: walk.is_torn(&end)?,
            reader,
        })
    }
}
