//! The open files of all segments, and their indexes: bounded, and shared by all who read.
//!
//! Owns descriptors and mappings. No lock of it is held while a file is opened, read or closed. A file stays
//! open for those who hold it, whatever becomes of it here.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Segment;
use super::error::{SegmentError, failed};
use super::loaded::Loaded;
use super::lru::{CacheFigures, Lru};
use crate::disk::{Access, Disk, File, if_there};
use crate::layout::{FileKind, Layout};
use crate::local_id::LocalId;

/// How much is kept open.
#[derive(Clone, Debug)]
pub struct FilesOptions {
    /// So many segments' files are kept open.
    pub descriptors_max: u64,
    /// So many bytes of indexes are kept in memory. Those that are mapped count little.
    pub index_bytes_max: u64,
}

impl Default for FilesOptions {
    fn default() -> Self {
        Self { descriptors_max: 512, index_bytes_max: 16 << 20 }
    }
}

#[derive(Clone, Debug)]
struct Opened {
    file: Arc<dyn File>,
    access: Access,
}

/// The open files of all segments of a data directory.
#[derive(Debug)]
pub struct Files {
    disk: Arc<dyn Disk>,
    layout: Layout,
    opened: Mutex<Lru<u64, Opened>>,
    indexes: Mutex<Lru<u64, Arc<Loaded>>>,
    /// Whose a name is, where a segment took it from a file that was there: by partition and base offset, the
    /// key of the file. Rare, and so not bounded.
    taken: Mutex<HashMap<(LocalId, i64), u64>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What a panic left half done in there is at worst a descriptor too many.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// The files below `layout` on `disk`, none of them open.
    pub fn new(disk: Arc<dyn Disk>, layout: Layout, options: &FilesOptions) -> Self {
        Self {
            disk,
            layout,
            opened: Mutex::new(Lru::new(options.descriptors_max)),
            indexes: Mutex::new(Lru::new(options.index_bytes_max)),
            taken: Mutex::default(),
        }
    }

    /// The disk that they are on.
    pub fn disk(&self) -> &dyn Disk {
        &*self.disk
    }

    /// Where they lie.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(super) fn path(&self, segment: &Segment, kind: FileKind) -> PathBuf {
        self.layout.segment(segment.partition(), segment.base_offset(), kind)
    }

    /// The file with a segment's batches. One that was opened for writing serves readers as well.
    ///
    /// # Errors
    /// The disk's, or that the segment's name belongs to another one by now.
    pub fn log(&self, segment: &Segment, access: Access) -> Result<Arc<dyn File>, SegmentError> {
        if let Some(kept) = segment.kept_open()? {
            return Ok(kept);
        }
        let key = segment.file_key();
        let cached = locked(&self.opened).get(&key);
        if let Some(opened) = cached.filter(|opened| access == Access::Read || opened.access == access) {
            return Ok(opened.file);
        }
        let path = self.path(segment, FileKind::Log);
        let result = self.disk.open(&path, access);
        // The name may have gone to another segment just before it was opened. Whoever gives or takes it away
        // says so first; so what was opened is the right one if nothing has been said by now.
        if let Some(kept) = segment.kept_open()? {
            return Ok(kept);
        }
        if self.is_taken_from(segment) {
            return Err(segment.gone());
        }
        let file = result.map_err(failed("open", &path))?;
        self.keep(segment, &file, access);
        Ok(file)
    }

    /// Takes in a file that was opened elsewhere.
    pub(super) fn keep(&self, segment: &Segment, file: &Arc<dyn File>, access: Access) {
        let opened = Opened { file: Arc::clone(file), access };
        let gone = locked(&self.opened).insert(segment.file_key(), opened, 1);
        drop(gone);
    }

    /// Says that a segment's name has belonged to another file that is or was there.
    pub(crate) fn take_name(&self, segment: &Segment) {
        locked(&self.taken).insert((segment.partition(), segment.base_offset()), segment.file_key());
    }

    /// Says that a segment's files are another one's from now on, under the same name: what the first had taken that
    /// from must not be removed by it.
    pub(crate) fn pass_name(&self, from: &Segment, to: &Segment) {
        let place = (from.partition(), from.base_offset());
        let mut taken = locked(&self.taken);
        if taken.get(&place) == Some(&from.file_key()) {
            taken.insert(place, to.file_key());
        }
    }

    /// Whether another segment has taken a name before.
    pub(super) fn is_taken_from(&self, segment: &Segment) -> bool {
        let place = (segment.partition(), segment.base_offset());
        locked(&self.taken).get(&place).is_some_and(|owner| *owner != segment.file_key())
    }

    /// Whether the files under a segment's names are the segment's.
    pub(super) fn has_names(&self, segment: &Segment) -> bool {
        segment.has_names() && !self.is_taken_from(segment)
    }

    /// Closes a segment's file, if nobody else has it: where it has lost its name, its room is free then.
    pub(crate) fn close(&self, segment: &Segment) {
        let opened = locked(&self.opened).remove(&segment.file_key());
        drop(opened);
    }

    /// Closes what is open of a segment.
    pub fn forget(&self, segment: &Segment) {
        self.close(segment);
        let place = (segment.partition(), segment.base_offset());
        let mut taken = locked(&self.taken);
        if taken.get(&place) == Some(&segment.file_key()) {
            taken.remove(&place);
        }
        drop(taken);
        self.forget_index(segment);
    }

    pub(super) fn forget_index(&self, segment: &Segment) {
        let index = locked(&self.indexes).remove(&segment.key());
        drop(index);
    }

    pub(super) fn index(&self, segment: &Segment) -> Option<Arc<Loaded>> {
        locked(&self.indexes).get(&segment.key())
    }

    pub(super) fn keep_index(&self, segment: &Segment, index: &Arc<Loaded>) {
        let gone = locked(&self.indexes).insert(segment.key(), Arc::clone(index), index.weight());
        drop(gone);
    }

    /// Opens a file that need not be there.
    pub(super) fn open_if_there(&self, path: &Path) -> Result<Option<Arc<dyn File>>, SegmentError> {
        if_there(self.disk.open(path, Access::Read)).map_err(failed("open", path))
    }

    /// Removes a file that need not be there; says whether it was.
    pub(super) fn remove_if_there(&self, path: &Path) -> Result<bool, SegmentError> {
        let removed = if_there(self.disk.remove(path)).map_err(failed("remove", path))?;
        Ok(removed.is_some())
    }

    /// The files that are open.
    pub fn open_figures(&self) -> CacheFigures {
        locked(&self.opened).figures()
    }

    /// The indexes that are in memory.
    pub fn index_figures(&self) -> CacheFigures {
        locked(&self.indexes).figures()
    }

    #[cfg(test)]
    pub(super) fn open_count(&self) -> usize {
        locked(&self.opened).len()
    }
}
