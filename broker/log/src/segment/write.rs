//! Writing batches into a segment's file.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::{SegmentError, failed};
use super::{FileState, Files, Segment};
use crate::disk::{Access, File};
use crate::layout::FileKind;

/// By which way bytes get into a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// Through the page cache, where those find them who read them soon.
    ThroughCache,
    /// Past it, as far as that goes: it costs less, and whoever reads them waits for the disk.
    PastCache,
}

/// What has to be synced before what was written counts as durable.
#[derive(Clone, Debug)]
pub struct Written {
    /// The file. Kept open until it is synced, so that the sync hears of every error in between.
    pub file: Arc<dyn File>,
    /// Folders whose names have changed, the innermost first; none if the file was there before.
    pub folders: Vec<PathBuf>,
}

impl Segment {
    /// Writes bytes at a position behind what is published, which nobody else does at the same time. Nothing
    /// is published by this.
    ///
    /// The file is made if this process has not made it, anew: what another one left under its name goes. A
    /// file that belongs to the segment is first cut behind what is published.
    ///
    /// # Errors
    /// The disk's; [`SegmentError::is_disk_full`] tells whether it was full. What lies behind the published
    /// bytes is garbage then, and the same bytes may be written again.
    pub fn write(
        &self,
        files: &Files,
        position: u64,
        parts: &[IoSlice<'_>],
        way: Way,
    ) -> Result<Written, SegmentError> {
        let path = files.path(self, FileKind::Log);
        let state = self.state().file;
        let (file, folders) = match state {
            FileState::Ready => (files.log(self, Access::Write)?, Vec::new()),
            FileState::Uncut => (self.open_uncut(files, &path)?, Vec::new()),
            FileState::Unmade => self.make(files, &path)?,
        };
        let wrote = match way {
            Way::ThroughCache => file.write_at(parts, position),
            Way::PastCache => file.write_past_cache_at(parts, position),
        };
        wrote.map_err(failed("write", &path))?;
        // Not before: what has to be synced is told once, and a file that nobody heard of is made anew.
        self.state().file = FileState::Ready;
        Ok(Written { file, folders })
    }

    /// Gives up bytes that were written and are not to be published, durably: nothing finds them any more.
    ///
    /// # Errors
    /// The disk's.
    pub fn take_back(&self, files: &Files) -> Result<(), SegmentError> {
        let path = files.path(self, FileKind::Log);
        let file = match files.log(self, Access::Write) {
            Err(SegmentError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        file.set_length(self.length()).map_err(failed("cut", &path))?;
        file.sync().map_err(failed("sync", &path))
    }

    fn open_uncut(&self, files: &Files, path: &Path) -> Result<Arc<dyn File>, SegmentError> {
        let file = files.log(self, Access::Write)?;
        let length = self.length();
        let found = file.length().map_err(failed("measure", path))?;
        if found < length {
            let what = "the file ends before the segment's end";
            return Err(SegmentError::Corrupt { path: path.to_owned(), position: found, what });
        }
        if found > length {
            file.set_length(length).map_err(failed("cut", path))?;
        }
        Ok(file)
    }

    fn make(&self, files: &Files, path: &Path) -> Result<(Arc<dyn File>, Vec<PathBuf>), SegmentError> {
        let layout = files.layout();
        let (folder, shard) = (layout.partition(self.partition()), layout.shard(self.partition()));
        let create = || files.disk().create(path, Access::Write);
        let mut is_folder_new = false;
        let created = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                is_folder_new = make_partition_folder(files, &shard, &folder)?;
                create()
            }
            // An orphan, or a segment that lost all it had. Its bytes are never used again, not even by writing
            // over them, and whoever still reads it must not take ours for them.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                files.take_name(self);
                files.remove_if_there(path)?;
                create()
            }
            created => created,
        };
        let file = created.map_err(failed("create", path))?;
        if files.is_taken_from(self) {
            files.take_name(self);
        }
        // Indexes under its name are none of this segment. A folder that was just made has none.
        let others = FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Log && !is_folder_new);
        for kind in others {
            files.remove_if_there(&files.path(self, kind))?;
        }
        files.keep(self, &file, Access::Write);
        // A folder that was there may have been made by a process that died before it could sync it.
        Ok((file, vec![folder, shard, layout.logs()]))
    }
}

impl Segment {
    /// Removes the files, unless the names have been taken by another segment. Who has them open keeps them, and
    /// nobody else reads the segment from then on. Not while a segment of the same name is being written.
    ///
    /// # Errors
    /// The disk's. It may be done again.
    pub fn remove(&self, files: &Files) -> Result<(), SegmentError> {
        self.let_go();
        if !files.is_taken_from(self) {
            for kind in FileKind::ALL {
                files.remove_if_there(&files.path(self, kind))?;
            }
        }
        files.forget(self);
        Ok(())
    }
}

/// Makes a partition's folder, and the one that it lies in where that is missing as well; says whether there was none.
fn make_partition_folder(files: &Files, shard: &Path, folder: &Path) -> Result<bool, SegmentError> {
    match files.disk().create_directory(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_folder(files, shard)?;
            make_folder(files, folder)
        }
        made => made_folder(made, folder),
    }
}

/// Makes a folder; says whether there was none.
fn make_folder(files: &Files, path: &Path) -> Result<bool, SegmentError> {
    made_folder(files.disk().create_directory(path), path)
}

fn made_folder(made: io::Result<()>, path: &Path) -> Result<bool, SegmentError> {
    match made {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => made.map(|()| true).map_err(failed("create", path)),
    }
}
