//! The manifest: what recovery needs to know about partitions before it replays the journal.
//!
//! It owns the files of one folder. A row for each partition, one for each segment, and producer snapshots as
//! bytes that it does not look into. It decides nothing: what is committed is what the writer says.
//!
//! # How it is kept
//!
//! As a journal of its own (see [`crate::journal`]): a commit is a frame, or a few, with the rows that changed,
//! and where each row lies is known in memory. So a commit costs what has changed, whatever else there is, and
//! everything that the journal knows about crashes, failed syncs, torn frames and rot holds here too. When as
//! much was written as all rows together take, the rows are written once more, as a *base*, and the files
//! before it are used again. That happens in a commit, and commits are not the writer's work but that of a
//! checkpoint beside it.
//!
//! Opening reads all frames once, front to back, and checks them. Reading a row later checks the row's own
//! checksum.
//!
//! A transactional B-tree in a file (redb) was measured beside this, and still is in `benches/manifest.rs`. It
//! takes half the memory and opens faster. But a commit of many rows copies nearly every page of the tree, which
//! takes ten times as long and competes with the appends' syncs for the disk; and it checks its pages when it
//! is opened, if at all, and trusts them later.
//!
//! # Room
//!
//! What a commit needs is allocated before any of it is written. When the disk is full, a commit says so and
//! changes nothing, and the next one may succeed. Until then there is still one file's room that was allocated
//! ahead.

mod chunk;
mod error;
mod index;
mod inspect;
mod log;
mod read;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use self::chunk::{ChunkError, Key, ROW_OVERHEAD_BYTES, Table};
use self::index::{Index, Transactions};
use self::log::Log;
use self::read::Rows;
use self::rows::SEGMENT_BYTES_MAX;
use crate::disk::Disk;
use crate::journal::{self, BufferPool, Entry, Error, Journal, Reader, Replayed, Seal};
use crate::local_id::LocalId;
use crate::random::Random;
use crate::segment::SegmentFacts;

pub use self::chunk::Meta;
pub use self::error::ManifestError;
pub use self::inspect::ManifestInspection;
pub use self::rows::PartitionRow;

/// One chunk on its way is all that there ever is.
const BUFFERS_BYTES_MAX: usize = 2 << 20;

/// How the manifest lies on the disk.
#[derive(Clone, Copy, Debug)]
pub struct ManifestOptions {
    /// The length of its files: a number of whole blocks, four or more.
    pub file_bytes: u64,
}

impl Default for ManifestOptions {
    fn default() -> Self {
        Self { file_bytes: 4 << 20 }
    }
}

impl ManifestOptions {
    fn chunk_bytes_max(&self) -> usize {
        usize::try_from(self.file_bytes / 4).unwrap_or(usize::MAX)
    }

    fn journal(&self) -> journal::Options {
        journal::Options {
            file_bytes: self.file_bytes,
            // Rows are never refused for their number: what bounds them is the number of partitions.
            bytes_max: u64::MAX,
            entries_max: u64::MAX,
            group_bytes_max: self.chunk_bytes_max(),
            placed_bytes_min: usize::MAX,
        }
    }
}

/// What is to change, all of it or nothing.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// See [`Meta::checkpoint`].
    pub checkpoint: u64,
    /// See [`Meta::next_local_id`].
    pub next_local_id: u64,
    /// Partitions that have this row now.
    pub partitions: Vec<(LocalId, PartitionRow)>,
    /// Segments by their base offset, which have this row now or are gone.
    pub segments: Vec<(LocalId, i64, Option<SegmentFacts>)>,
    /// Producer snapshots by their offset, which are these bytes now or are gone.
    pub snapshots: Vec<(LocalId, i64, Option<Vec<u8>>)>,
    /// Partitions that are gone, with everything of theirs: also with what is said of them above.
    pub removed: Vec<LocalId>,
}

impl Changes {
    /// No more than this is written to say them.
    fn bytes_max(&self) -> u64 {
        let partitions = self.partitions.iter().map(|(_, row)| row.bytes_max());
        let snapshots = self.snapshots.iter().map(|(.., bytes)| bytes.as_ref().map_or(0, Vec::len));
        let rows = self.partitions.len() + self.segments.len() + self.snapshots.len() + self.removed.len();
        let values = partitions.chain(snapshots).sum::<usize>() + self.segments.len() * SEGMENT_BYTES_MAX;
        values as u64 + rows as u64 * ROW_OVERHEAD_BYTES
    }
}

/// Where it is, and on which disk.
#[derive(Debug)]
struct Folder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file_bytes: u64,
}

/// The manifest of a data directory.
///
/// One thread commits while others read: no reader waits for a commit's writing. After a commit that failed,
/// for another reason than want of room, every later one fails: what is on the disk is found out by opening the
/// manifest again.
#[derive(Debug)]
pub struct Manifest {
    folder: Folder,
    // Held by who commits; never locked while `index` is.
    log: Mutex<Log>,
    index: Mutex<Index>,
    reader: Reader,
}

impl Manifest {
    /// Opens the manifest in a folder, or makes it. Its name and what it says are durable then.
    ///
    /// Whoever calls this holds a lock on the directory.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        options: ManifestOptions,
        random: Random,
    ) -> Result<Self, ManifestError> {
        let folder = Folder { disk, path: path.to_owned(), file_bytes: options.file_bytes };
        let (mut index, mut transactions) = (Index::default(), Transactions::default());
        let (mut is_new, mut result) = (true, Ok(()));
        let visit = |replayed: Replayed<'_>| {
            is_new = false;
            if result.is_ok() {
                result = replay(path, &mut transactions, &mut index, &replayed);
            }
        };
        let disk = Arc::clone(&folder.disk);
        let mut journal = Journal::recover_all(disk, path.to_owned(), options.journal(), random, visit)?;
        journal.use_buffers(BufferPool::new(BUFFERS_BYTES_MAX));
        // That a process died is the other journal's to say.
        journal.seal_as(Seal::Closed);
        result?;
        let reader = journal.reader();
        let mut log = Log::new(journal, transactions, options.chunk_bytes_max());
        if is_new {
            let base = log.begin(&folder, true).finish()?;
            base.into_iter().for_each(|base| index.apply(base));
        } else if !index.has_base {
            return Err(corrupt(path, 0, "the beginning is missing"));
        }
        // A crash may have come between the base and this.
        log.journal.recycle(index.base_sequence.saturating_sub(1))?;
        Ok(Self { folder, log: Mutex::new(log), index: Mutex::new(index), reader })
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says about the whole directory.
    pub fn meta(&self) -> Meta {
        self.index().meta
    }

    /// Calls `visit` with each partition and its segments, by rising id and base offset.
    pub fn load(
        &self,
        mut visit: impl FnMut(LocalId, PartitionRow, Vec<(i64, SegmentFacts)>),
    ) -> Result<(), ManifestError> {
        let rows = self.pin(|index| index.rows(&[Table::Partition, Table::Segment]));
        rows.read_partitions(&self.folder.path, &mut visit)
    }

    /// The last producer snapshot of a partition that is not above `offset`, and its offset.
    pub fn snapshot_at_or_below(
        &self,
        partition: LocalId,
        offset: i64,
    ) -> Result<Option<(i64, Vec<u8>)>, ManifestError> {
        let rows = self.pin(|index| index.snapshot_at_or_below(partition, offset).into_iter().collect());
        let mut found = None;
        rows.read(&self.folder.path, |key, value| {
            found = Some((key.offset, value.to_vec()));
            Ok(())
        })?;
        Ok(found)
    }

    /// Calls `visit` with each producer snapshot and its offset, in no particular order.
    pub fn snapshots(&self, mut visit: impl FnMut(LocalId, i64, &[u8])) -> Result<(), ManifestError> {
        let rows = self.pin(|index| index.rows(&[Table::Snapshot]));
        rows.read_snapshots(&self.folder.path, &mut visit)
    }

    /// Makes rows readable that are there now, whatever is committed meanwhile.
    fn pin(&self, choose: impl FnOnce(&Index) -> Vec<(Key, journal::Position)>) -> Rows {
        // Under the lock: the files of rows that are in the index have not been recycled.
        let index = self.index();
        Rows::pin(choose(&index), &self.reader)
    }

    /// Makes the changes durable, all of them or none.
    ///
    /// After [`ManifestError::DiskFull`], [`ManifestError::NoDescriptors`] and [`ManifestError::TooLarge`] nothing has
    /// happened; after any other error the changes may have happened or not.
    pub fn commit(&self, changes: &Changes) -> Result<(), ManifestError> {
        let mut log = self.log();
        if log.has_failed {
            return Err(Error::Poisoned.into());
        }
        let result = self.write_base_if_due(&mut log).and_then(|()| self.write(&mut log, changes));
        log.has_failed = match &result {
            Ok(()) | Err(ManifestError::DiskFull | ManifestError::NoDescriptors) => false,
            Err(error) => !matches!(error, ManifestError::TooLarge { .. }),
        };
        result
    }

    fn write(&self, log: &mut Log, changes: &Changes) -> Result<(), ManifestError> {
        log.make_room_for(changes.bytes_max())?;
        let mut writer = log.begin(&self.folder, false);
        let Changes { checkpoint, next_local_id, partitions, segments, snapshots, removed } = changes;
        writer.meta(Meta { checkpoint: *checkpoint, next_local_id: *next_local_id });
        for (partition, row) in partitions {
            writer.put(Key::of_partition(*partition), |bytes| row.encode(bytes))?;
        }
        for (partition, base_offset, row) in segments {
            let key = Key::of_segment(*partition, *base_offset);
            match row {
                Some(row) => writer.put(key, |bytes| row.encode(bytes))?,
                None => writer.drop_row(key)?,
            }
        }
        for (partition, offset, snapshot) in snapshots {
            let key = Key::of_snapshot(*partition, *offset);
            match snapshot {
                Some(snapshot) => writer.put(key, |bytes| bytes.extend_from_slice(snapshot))?,
                None => writer.drop_row(key)?,
            }
        }
        for partition in removed {
            writer.drop_partition(*partition)?;
        }
        if let Some(transaction) = writer.finish()? {
            self.index().apply(transaction);
        }
        Ok(())
    }

    /// Writes all rows once more when as much was written since the last time, so that what is on the disk
    /// stays in proportion to what is said there.
    fn write_base_if_due(&self, log: &mut Log) -> Result<(), ManifestError> {
        let Index { live_bytes, log_bytes, meta, .. } = *self.index();
        let file_bytes = self.folder.file_bytes;
        if log_bytes <= 2 * live_bytes + file_bytes {
            return Ok(());
        }
        // A base that ends halfway for want of room would only have made it scarcer.
        let needed = live_bytes + 3 * file_bytes;
        let free = self.folder.disk.free_bytes();
        let failed = |source| Error::Io { doing: "ask for room in", path: self.folder.path.clone(), source };
        if free.map_err(failed)? < needed {
            return Ok(());
        }
        let rows = self.pin(|index| index.rows(&Table::ALL));
        let mut writer = log.begin(&self.folder, true);
        writer.meta(meta);
        rows.read_with_checksums(&self.folder.path, |key, _, row| writer.copy(key, row))?;
        let Some(base) = writer.finish()? else { return Ok(()) };
        let first_sequence = base.first_sequence;
        self.index().apply(base);
        // Or their files could not be used again.
        drop(rows);
        Ok(log.journal.recycle(first_sequence.saturating_sub(1))?)
    }

    /// Closes the manifest in a way that lets rot at its end be told from a crash.
    pub fn close(self) -> Result<(), ManifestError> {
        let log = self.log.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(log.journal.close()?)
    }
}

fn replay(
    path: &Path,
    transactions: &mut Transactions,
    index: &mut Index,
    replayed: &Replayed<'_>,
) -> Result<(), ManifestError> {
    let Entry::Metadata(bytes) = replayed.entry else {
        return Err(corrupt(path, replayed.sequence, "an entry that has no place here"));
    };
    let finished = transactions.take(replayed.sequence, replayed.position, bytes);
    let finished = finished.map_err(|error| chunk_error(path, replayed.sequence, error))?;
    finished.into_iter().for_each(|transaction| index.apply(transaction));
    Ok(())
}

fn corrupt(path: &Path, sequence: u64, what: &'static str) -> ManifestError {
    ManifestError::Corrupt { path: path.to_owned(), sequence, what }
}

fn chunk_error(path: &Path, sequence: u64, error: ChunkError) -> ManifestError {
    match error {
        ChunkError::Newer(found) => {
            ManifestError::Newer { path: path.to_owned(), found, known: chunk::VERSION }
        }
        ChunkError::Bad(what) => corrupt(path, sequence, what),
    }
}

#[cfg(test)]
mod tests;
