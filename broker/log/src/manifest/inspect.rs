//! Looking at a manifest, and leaving it as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::chunk::Table;
use super::index::{Index, Transactions};
use super::read::Rows;
use super::{Manifest, ManifestError, Meta, PartitionRow, corrupt, replay};
use crate::disk::Disk;
use crate::journal::{self, Journal, Replayed};
use crate::local_id::LocalId;
use crate::segment::SegmentFacts;

/// What a manifest says that was looked at.
#[derive(Debug)]
pub struct ManifestInspection {
    path: PathBuf,
    index: Index,
    /// How its journal ends.
    pub journal: journal::Inspection,
}

impl Manifest {
    /// Reads the manifest in a folder as [`Manifest::open`] would find it, and changes nothing. What is read need
    /// not be durable, and is of use only as long as nobody else commits.
    ///
    /// # Errors
    /// The disk's, and whatever would keep the manifest from being opened.
    pub fn inspect(disk: Arc<dyn Disk>, path: &Path) -> Result<ManifestInspection, ManifestError> {
        let (mut index, mut transactions) = (Index::default(), Transactions::default());
        let (mut is_new, mut result) = (true, Ok(()));
        let visit = |replayed: Replayed<'_>| {
            is_new = false;
            if result.is_ok() {
                result = replay(path, &mut transactions, &mut index, &replayed);
            }
        };
        let journal = Journal::inspect(disk, path.to_owned(), None, visit)?;
        result?;
        if !is_new && !index.has_base {
            return Err(corrupt(path, 0, "the beginning is missing"));
        }
        Ok(ManifestInspection { path: path.to_owned(), index, journal })
    }
}

impl ManifestInspection {
    /// See [`Manifest::meta`].
    pub fn meta(&self) -> Meta {
        self.index.meta
    }

    /// See [`Manifest::load`].
    ///
    /// # Errors
    /// A row that has rotted, and the disk's.
    pub fn load(
        &self,
        mut visit: impl FnMut(LocalId, PartitionRow, Vec<(i64, SegmentFacts)>),
    ) -> Result<(), ManifestError> {
        self.rows(&[Table::Partition, Table::Segment]).read_partitions(&self.path, &mut visit)
    }

    /// See [`Manifest::snapshots`].
    ///
    /// # Errors
    /// A row that has rotted, and the disk's.
    pub fn snapshots(&self, mut visit: impl FnMut(LocalId, i64, &[u8])) -> Result<(), ManifestError> {
        self.rows(&[Table::Snapshot]).read_snapshots(&self.path, &mut visit)
    }

    fn rows(&self, tables: &[Table]) -> Rows {
        Rows::pin(self.index.rows(tables), &self.journal.reader)
    }
}
