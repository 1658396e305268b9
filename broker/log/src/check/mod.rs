//! Looking over a data directory that nobody uses: is everything there, and does it go together?
//!
//! It owns nothing and changes nothing. It reads the manifest and the journal as a start would, and every byte of
//! every segment, which a start never does. What it finds is told one by one, as something with a place; it goes
//! on after each as far as what follows still has a meaning.
//!
//! What it cannot find: records that are missing where nothing says that they were there; and what is wrong with
//! bytes that no checksum covers and that make sense all the same.

mod entries;
mod finding;
mod indexes;
mod orphans;
mod rows;
mod segments;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::rows::Known;
use crate::directory::{DirectoryError, read_format};
use crate::disk::Disk;
use crate::journal::{self, Journal, Seal};
use crate::layout::Layout;
use crate::local_id::LocalId;
use crate::manifest::{Manifest, ManifestError, ManifestInspection};
use crate::segment::SegmentError;

pub use self::finding::{Finding, Problem, Severity};

/// Why a directory could not be looked over.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// There is nothing of ours in the folder.
    #[error("{} is no data directory", path.display())]
    NoDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// The disk refused something.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the disk said.
        source: io::Error,
    },
    /// The directory itself.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] journal::Error),
    /// A segment.
    #[error(transparent)]
    Segment(#[from] SegmentError),
}

/// What was looked over.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Summary {
    /// Whether nobody else could use the directory meanwhile. If somebody did, findings may be what he was just
    /// changing.
    pub was_locked: bool,
    /// Whether the directory was closed, as opposed to left by a process or a machine that died.
    pub was_closed: bool,
    /// Partitions that the manifest names.
    pub partitions: u64,
    /// Segments that it names.
    pub segments: u64,
    /// Batches in them.
    pub batches: u64,
    /// How many bytes these have.
    pub bytes: u64,
    /// Entries of the journal that a start would replay.
    pub entries: u64,
    /// Findings that are [`Severity::Damage`].
    pub damages: u64,
    /// Findings that are [`Severity::Doubt`].
    pub doubts: u64,
    /// Findings that are [`Severity::Leftover`].
    pub leftovers: u64,
}

/// Looks a data directory over, and calls `visit` with what is not as it should be.
///
/// # Errors
/// What keeps the rest from being looked over: the disk does not answer, a later version has written the
/// directory, or it is none.
pub fn check(
    disk: &Arc<dyn Disk>,
    layout: &Layout,
    mut visit: impl FnMut(Finding),
) -> Result<Summary, CheckError> {
    let mut checker = Checker { disk, layout, visit: &mut visit, summary: Summary::default(), included: 0 };
    checker.check_format()?;
    // Whoever cannot be kept away is no reason not to look.
    let lock = disk.lock(&layout.lock());
    checker.summary.was_locked = lock.is_ok();
    checker.run()?;
    Ok(checker.summary)
}

/// A check on its way.
struct Checker<'a> {
    disk: &'a Arc<dyn Disk>,
    layout: &'a Layout,
    visit: &'a mut dyn FnMut(Finding),
    summary: Summary,
    /// The last frame of the journal that the manifest has anything of.
    included: u64,
}

impl Checker<'_> {
    fn report(&mut self, path: &Path, position: impl Into<Option<u64>>, problem: Problem) {
        let count = match problem.severity() {
            Severity::Damage => &mut self.summary.damages,
            Severity::Doubt => &mut self.summary.doubts,
            Severity::Leftover => &mut self.summary.leftovers,
        };
        *count += 1;
        (self.visit)(Finding { path: path.to_owned(), position: position.into(), problem });
    }

    fn check_format(&mut self) -> Result<(), CheckError> {
        match read_format(&**self.disk, self.layout) {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(CheckError::NoDirectory { path: self.layout.root().to_owned() }),
            Err(DirectoryError::Corrupt { what, .. }) => {
                self.report(&self.layout.format(), None, Problem::Format(what.to_owned()));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn run(&mut self) -> Result<(), CheckError> {
        let manifest = self.inspect_manifest()?;
        let known = match &manifest {
            Some(manifest) => self.read_rows(manifest)?,
            None => None,
        };
        let checkpoint = manifest.as_ref().map(|manifest| manifest.meta().checkpoint);
        let Some(mut known) = known else {
            // Without the rows the journal can be held against nothing but itself.
            return self.walk_journal(checkpoint, |_, _| {});
        };
        let next_local_id = manifest.map_or(0, |manifest| manifest.meta().next_local_id);
        self.check_entries(checkpoint, next_local_id, &mut known)?;
        for (partition, known) in &known {
            self.check_segments(*partition, known)?;
        }
        self.find_orphans(&known)
    }

    fn inspect_manifest(&mut self) -> Result<Option<ManifestInspection>, CheckError> {
        let path = self.layout.manifest();
        let inspected = Manifest::inspect(Arc::clone(self.disk), &path);
        let inspected = self.unless_corrupt(inspected)?;
        if inspected.as_ref().is_some_and(|inspection| inspection.journal.is_torn) {
            self.report(&path, None, Problem::Torn);
        }
        Ok(inspected)
    }

    /// Makes a finding of bytes in the manifest that are not what they were.
    fn unless_corrupt<T>(&mut self, result: Result<T, ManifestError>) -> Result<Option<T>, CheckError> {
        let (path, position, error) = match result {
            Ok(value) => return Ok(Some(value)),
            Err(ManifestError::Journal(journal::Error::Corrupt { path, offset, what })) => {
                (path, Some(offset), what.to_owned())
            }
            Err(error @ (ManifestError::Row { .. } | ManifestError::Corrupt { .. })) => {
                (self.layout.manifest(), None, error.to_string())
            }
            Err(error) => return Err(error.into()),
        };
        self.report(&path, position, Problem::Manifest(error));
        Ok(None)
    }

    /// Calls `visit` with the entries that a start would replay, and reports how the journal ends.
    fn walk_journal(
        &mut self,
        checkpoint: Option<u64>,
        mut visit: impl FnMut(&mut Self, &journal::Replayed<'_>),
    ) -> Result<(), CheckError> {
        let (disk, path) = (Arc::clone(self.disk), self.layout.journal());
        let inspected = Journal::inspect(disk, path.clone(), checkpoint, |replayed| {
            self.summary.entries += 1;
            visit(self, &replayed);
        });
        match inspected {
            Ok(inspection) => {
                self.summary.was_closed = inspection.seal == Some(Seal::Closed) && !inspection.is_torn;
                if inspection.last_sequence < self.included {
                    self.report(&path, None, Problem::Journal("it ends before what the manifest has of it"));
                }
                if inspection.is_torn {
                    self.report(&path, None, Problem::Torn);
                }
                Ok(())
            }
            Err(journal::Error::Corrupt { path, offset, what }) => {
                self.report(&path, offset, Problem::Journal(what));
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// What is known of the partitions, by their ids.
type Partitions = BTreeMap<LocalId, Known>;

#[cfg(test)]
mod tests;
