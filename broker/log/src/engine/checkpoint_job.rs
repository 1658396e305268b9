//! Making segments durable, and the manifest say so.
//!
//! The order is everything here, and stands in one function: bytes and names of segments are durable before the
//! manifest names them; the manifest is durable before anything goes that it does not name any more. The
//! journal's files are recycled by the writer, after this.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::{EngineError, failed};
use super::read::Sources;
use crate::compaction::Replacement;
use crate::disk::{Access, Disk, File};
use crate::layout::Layout;
use crate::local_id::LocalId;
use crate::manifest::{Changes, Manifest, ManifestError};
use crate::segment::{Segment, SegmentError, Written};

/// What makes what was written durable.
#[derive(Debug)]
pub(super) enum Sync {
    /// A sync for each. The files are kept open, so that it hears of all that happened to them.
    Each { files: Vec<Arc<dyn File>>, folders: BTreeSet<PathBuf> },
    /// One for the whole file system: with many files it is far cheaper.
    FileSystem,
}

impl Default for Sync {
    fn default() -> Self {
        Self::Each { files: Vec::new(), folders: BTreeSet::new() }
    }
}

impl Sync {
    /// Covers what was written as well.
    pub(super) fn add(&mut self, written: Written, syncs_max: usize) {
        let Self::Each { files, folders } = self else { return };
        folders.extend(written.folders);
        if !files.iter().any(|file| Arc::ptr_eq(file, &written.file)) {
            files.push(written.file);
        }
        self.bound(syncs_max);
    }

    /// Covers the names in a folder as well.
    fn add_folder(&mut self, folder: PathBuf, syncs_max: usize) {
        if let Self::Each { folders, .. } = self {
            folders.insert(folder);
        }
        self.bound(syncs_max);
    }

    /// How many files are held open for it.
    pub(super) fn files(&self) -> usize {
        match self {
            Self::Each { files, .. } => files.len(),
            Self::FileSystem => 0,
        }
    }

    /// Leaves out the folders of partitions that are about to go.
    pub(super) fn forget(&mut self, removed: &BTreeSet<LocalId>, layout: &Layout) {
        if let Self::Each { folders, .. } = self {
            folders.retain(|folder| !removed.iter().any(|partition| layout.partition(*partition) == *folder));
        }
    }

    fn bound(&mut self, syncs_max: usize) {
        if matches!(self, Self::Each { files, folders } if files.len() + folders.len() > syncs_max) {
            *self = Self::FileSystem;
        }
    }

    /// Lets go of each file that is synced: its descriptor is of use to others.
    fn run(&mut self, disk: &dyn Disk, layout: &Layout) -> Result<(), EngineError> {
        match self {
            Self::FileSystem => disk.sync_file_system().map_err(failed("sync", layout.root())),
            Self::Each { files, folders } => {
                for file in files.drain(..) {
                    file.sync().map_err(failed("sync a file in", layout.root()))?;
                }
                folders
                    .iter()
                    .try_for_each(|folder| disk.sync_directory(folder).map_err(failed("sync", folder)))
            }
        }
    }
}

/// The way from segments that are written to a manifest that names them.
#[derive(Debug)]
pub struct CheckpointJob {
    pub(super) sources: Arc<Sources>,
    pub(super) manifest: Arc<Manifest>,
    pub(super) sync: Sync,
    /// From so many files and folders on it is one sync for all.
    pub(super) syncs_max: usize,
    /// Segments that take no more, whose indexes go to the disk.
    pub(super) sealed: Vec<Arc<Segment>>,
    pub(super) changes: Changes,
    /// How many partitions' rows were committed.
    pub(super) committed_logs: usize,
    /// Compacted segments that take the names of others.
    pub(super) replacements: Vec<Replacement>,
    /// Segments whose files are longer than they are.
    pub(super) cut: Vec<Arc<Segment>>,
    /// Segments that were cut off, and whose names may be given again.
    pub(super) gone: Vec<Arc<Segment>>,
    /// The same of `async` logs. What a scan might find must be gone before anything is appended again, and the
    /// journal still says that they are no part of the log.
    pub(super) gone_unjournaled: Vec<Arc<Segment>>,
    /// Segments that their logs begin behind. Their files are left to somebody with more time.
    pub(super) passed: Vec<Arc<Segment>>,
    /// Logs that nothing is written to before this is done.
    pub(super) awaited: Vec<LocalId>,
    /// Partitions that are no more, and whose files nobody works on. They are left to somebody with more time.
    pub(super) removed: Vec<LocalId>,
    /// Whether it does nothing but to take these out, ahead of one that found no room.
    pub(super) is_removal: bool,
}

/// How that went.
#[derive(Debug)]
pub struct CheckpointDone {
    pub(super) job: CheckpointJob,
    pub(super) result: Result<(), CheckpointError>,
}

/// Why a checkpoint did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckpointError {
    /// There was no room, and nothing was changed: it can be done again.
    #[error("the disk is full")]
    DiskFull,
    /// A file could not be opened, and nothing was changed: the same.
    #[error("the process has no descriptors left")]
    NoDescriptors,
    #[error(transparent)]
    Failed(#[from] EngineError),
}

impl CheckpointJob {
    pub(super) fn run(mut self) -> CheckpointDone {
        let result = self.save();
        CheckpointDone { job: self, result }
    }

    fn save(&mut self) -> Result<(), CheckpointError> {
        let written = self.write_indexes();
        if matches!(written, Err(CheckpointError::NoDescriptors)) {
            // Those that it holds may be the ones that are missing.
            self.sync.run(&*self.sources.disk, &self.sources.layout)?;
        }
        written?;
        self.remove_unjournaled()?;
        self.open_ahead()?;
        self.sync.run(&*self.sources.disk, &self.sources.layout)?;
        match self.manifest.commit(&self.changes) {
            Err(ManifestError::DiskFull) => return Err(CheckpointError::DiskFull),
            Err(ManifestError::NoDescriptors) => return Err(CheckpointError::NoDescriptors),
            result => result.map_err(EngineError::from)?,
        }
        self.forget_rows();
        // A crash before all names are given is no harm: the rows say that they may have to be.
        for replacement in &self.replacements {
            replacement.swap(&self.sources.files).map_err(EngineError::from)?;
        }
        // Nothing below needs to be durable: what a crash leaves of it is an orphan.
        self.remove()
    }

    /// The manifest has them now. To free thousands of them takes longer than the writer's thread has.
    fn forget_rows(&mut self) {
        self.committed_logs = self.changes.partitions.len();
        let Changes { checkpoint, next_local_id, .. } = self.changes;
        self.changes = Changes { checkpoint, next_local_id, ..Changes::default() };
    }

    /// Says nothing of partitions that the manifest has no more.
    pub(super) fn forget(&mut self, removed: &BTreeSet<LocalId>) {
        let Changes { partitions, segments, snapshots, .. } = &mut self.changes;
        partitions.retain(|(partition, _)| !removed.contains(partition));
        segments.retain(|(partition, ..)| !removed.contains(partition));
        snapshots.retain(|(partition, ..)| !removed.contains(partition));
        let lists =
            [&mut self.sealed, &mut self.cut, &mut self.gone, &mut self.gone_unjournaled, &mut self.passed];
        for list in lists {
            list.retain(|segment| !removed.contains(&segment.partition()));
        }
        self.sync.forget(removed, &self.sources.layout);
    }

    /// Opens what has to be open when the manifest has been told: then there is no way back.
    fn open_ahead(&self) -> Result<(), CheckpointError> {
        for segment in self.replacements.iter().flat_map(|replacement| &replacement.replaced) {
            // What else may be wrong with it shows later.
            if let Err(error) = self.sources.files.log(segment, Access::Read)
                && error.lacks_descriptors()
            {
                return Err(CheckpointError::NoDescriptors);
            }
        }
        Ok(())
    }

    fn remove_unjournaled(&mut self) -> Result<(), EngineError> {
        for segment in &self.gone_unjournaled {
            segment.remove(&self.sources.files)?;
            self.sync.add_folder(self.sources.layout.partition(segment.partition()), self.syncs_max);
        }
        Ok(())
    }

    fn write_indexes(&mut self) -> Result<(), CheckpointError> {
        for segment in &self.sealed {
            let folder = self.sources.layout.partition(segment.partition());
            let files = match segment.write_indexes(&self.sources.files) {
                Err(error) if error.is_disk_full() => return Err(CheckpointError::DiskFull),
                Err(error) if error.lacks_descriptors() => return Err(CheckpointError::NoDescriptors),
                // Its log has given it up meanwhile: the next checkpoint says so.
                Err(SegmentError::Gone { .. }) => continue,
                files => files.map_err(EngineError::from)?,
            };
            for file in files {
                self.sync.add(Written { file, folders: vec![folder.clone()] }, self.syncs_max);
            }
        }
        Ok(())
    }

    /// Removes what the manifest does not name any more, and what somebody waits for.
    fn remove(&self) -> Result<(), CheckpointError> {
        for segment in &self.cut {
            match segment.cut(&self.sources.files) {
                Err(SegmentError::Gone { .. }) => {}
                // All of it is done again, to the same end.
                Err(error) if error.lacks_descriptors() => return Err(CheckpointError::NoDescriptors),
                result => result.map_err(EngineError::from)?,
            }
        }
        for segment in &self.gone {
            segment.remove(&self.sources.files).map_err(EngineError::from)?;
        }
        Ok(())
    }
}
