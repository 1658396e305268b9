//! Writing transactions into the manifest's journal.

use super::chunk::{Chunk, Key, Meta, Place};
use super::error::ManifestError;
use super::index::{Transaction, Transactions};
use super::{Folder, chunk_error};
use crate::journal::{Class, Entry, Journal, StageError};
use crate::local_id::LocalId;

/// The journal, and what of it is not the end of a transaction yet.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) journal: Journal,
    transactions: Transactions,
    chunk: Chunk,
    chunk_bytes_max: usize,
    /// Whether something went wrong that leaves open what is on the disk.
    pub(super) has_failed: bool,
}

impl Log {
    pub(super) fn new(journal: Journal, transactions: Transactions, chunk_bytes_max: usize) -> Self {
        Self { journal, transactions, chunk: Chunk::new(), chunk_bytes_max, has_failed: false }
    }

    /// Sees to it that there is room for a transaction of so many bytes, where it is more than a chunk: one that came to
    /// its end halfway would only have made room scarcer.
    pub(super) fn make_room_for(&mut self, bytes: u64) -> Result<(), ManifestError> {
        if bytes <= self.chunk_bytes_max as u64 {
            return Ok(());
        }
        self.journal.make_room_for(bytes).map_err(refused)
    }

    /// Begins a transaction, in place of one that was not finished.
    pub(super) fn begin<'a>(&'a mut self, folder: &'a Folder, is_base: bool) -> Writer<'a> {
        self.chunk.clear();
        Writer { log: self, folder, is_base, begins: true }
    }
}

/// A transaction that is being written. It happens when it is finished, and not before.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    log: &'a mut Log,
    folder: &'a Folder,
    is_base: bool,
    begins: bool,
}

impl Writer<'_> {
    pub(super) fn meta(&mut self, meta: Meta) {
        self.log.chunk.meta(meta);
    }

    /// Puts a row of which the value is what `encode` appends.
    pub(super) fn put(&mut self, key: Key, encode: impl FnOnce(&mut Vec<u8>)) -> Result<(), ManifestError> {
        self.log.chunk.put(key, encode);
        self.write_if_full()
    }

    /// Puts a row as it lies elsewhere, with its checksum.
    pub(super) fn copy(&mut self, key: Key, row: &[u8]) -> Result<(), ManifestError> {
        self.log.chunk.copy(key, row);
        self.write_if_full()
    }

    pub(super) fn drop_row(&mut self, key: Key) -> Result<(), ManifestError> {
        self.log.chunk.drop_row(key);
        self.write_if_full()
    }

    pub(super) fn drop_partition(&mut self, partition: LocalId) -> Result<(), ManifestError> {
        self.log.chunk.drop_partition(partition);
        self.write_if_full()
    }

    fn write_if_full(&mut self) -> Result<(), ManifestError> {
        if self.log.chunk.length() >= self.log.chunk_bytes_max { self.write(false).map(drop) } else { Ok(()) }
    }

    /// Makes the transaction durable, and says what it was.
    pub(super) fn finish(mut self) -> Result<Option<Transaction>, ManifestError> {
        self.write(true)
    }

    fn write(&mut self, ends: bool) -> Result<Option<Transaction>, ManifestError> {
        let Log { journal, transactions, chunk, .. } = &mut *self.log;
        let bytes = chunk.finish(Place { begins: self.begins, ends, is_base: self.is_base });
        let staged = match journal.stage(&Entry::Metadata(bytes), Class::Append) {
            // The spare file that appends leave alone is for this.
            Err(StageError::DiskFull) => journal.stage(&Entry::Metadata(bytes), Class::Control),
            result => result,
        };
        let staged = staged.map_err(refused)?;
        let committed = match journal.commit() {
            Err(error) if error.lacks_descriptors() => {
                journal.unstage();
                return Err(ManifestError::NoDescriptors);
            }
            committed => committed?,
        };
        let Some((committed, _)) = committed else { return Ok(None) };
        // What was written is read as it will be after a restart: there is one way to understand it.
        let finished = transactions.take(committed.sequence, committed.position(&staged), bytes);
        let finished = finished.map_err(|error| chunk_error(&self.folder.path, committed.sequence, error))?;
        chunk.clear();
        self.begins = false;
        Ok(finished)
    }
}

fn refused(error: StageError) -> ManifestError {
    match error {
        StageError::TooLarge { bytes } => ManifestError::TooLarge { bytes },
        StageError::Failed(error) => error.into(),
        // The journal has no bound of its own, and no group has a second entry.
        // A chunk is staged as metadata, never as a batch.
        StageError::NoBatch { bytes } => ManifestError::TooLarge { bytes: bytes as u64 },
        StageError::DiskFull | StageError::JournalFull | StageError::GroupFull => ManifestError::DiskFull,
    }
}
