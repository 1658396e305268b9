//! Segments' files as compaction reads and writes them: from end to end, in large pieces.
//!
//! Owns the buffers in between. A file that is read is somebody else's and stays as it is; a file that is
//! written is a new one, which nobody reads until the writer says so.

use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_protocol::batch::{BatchHeader, HEADER_BYTES, NO_TIMESTAMP};

use super::error::CompactionError;
use super::transactions::AbortedTransaction;
use super::{Sink, Source};
use crate::disk::{Access, Disk, File, read_exact_at};

/// Large enough that a read costs little beside what is done to its bytes, small enough for the processor's cache.
const READ_BYTES: usize = 512 << 10;

/// So many bytes are written at once.
const WRITE_BYTES: usize = 1 << 20;

/// So many bytes are left to the page cache before their way to the disk begins: the sync at the end has less to
/// do then, and does not hold up everybody else's.
const WRITEBACK_BYTES: u64 = 8 << 20;

fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> CompactionError {
    move |source| CompactionError::Io { doing, path: path.to_owned(), source }
}

/// A segment's file up to its published length.
#[derive(Debug)]
pub struct FileSource {
    /// Where it lies.
    pub path: PathBuf,
    /// The file.
    pub file: Arc<dyn File>,
    /// How many of its bytes count.
    pub length: u64,
    /// The offset that it is named after.
    pub base_offset: i64,
    /// The offset behind it.
    pub end_offset: i64,
    /// Its transaction index.
    pub aborted: Vec<AbortedTransaction>,
    /// No batch takes more.
    pub batch_bytes_max: usize,
}

impl FileSource {
    fn fill(&self, position: u64, bytes: usize, buffer: &mut Vec<u8>) -> Result<(), CompactionError> {
        buffer.resize(bytes, 0);
        read_exact_at(&*self.file, buffer, position).map_err(io("read", &self.path))
    }
}

impl Source for FileSource {
    fn base_offset(&self) -> i64 {
        self.base_offset
    }

    fn end_offset(&self) -> i64 {
        self.end_offset
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn aborted(&self) -> Result<Vec<AbortedTransaction>, CompactionError> {
        Ok(self.aborted.clone())
    }

    fn read(&self, position: u64, buffer: &mut Vec<u8>) -> Result<(), CompactionError> {
        let left = usize::try_from(self.length.saturating_sub(position)).unwrap_or(usize::MAX);
        self.fill(position, left.min(READ_BYTES), buffer)?;
        let whole = whole_batches(buffer);
        if whole > 0 || left == 0 {
            buffer.truncate(whole);
            return Ok(());
        }
        // One batch that is longer than a read, or something that is none.
        let corrupt = |source| CompactionError::Batch { path: self.path.clone(), position, source };
        let bytes = BatchHeader::parse(buffer).map_err(corrupt)?.total_bytes();
        if bytes > left || bytes > self.batch_bytes_max {
            return Err(CompactionError::Length { path: self.path.clone(), position, bytes });
        }
        self.fill(position, bytes, buffer)
    }
}

/// How many bytes the whole batches at the start of `bytes` take.
fn whole_batches(bytes: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(rest) = bytes.get(whole..).filter(|rest| rest.len() >= HEADER_BYTES) {
        match BatchHeader::parse(rest) {
            Ok(header) if header.total_bytes() <= rest.len() => whole += header.total_bytes(),
            // An error is found again by who reads the batches before it.
            Ok(_) | Err(_) => break,
        }
    }
    whole
}

/// What was written into a new segment.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// How many bytes.
    pub length: u64,
    /// The highest timestamp of a batch, or -1.
    pub max_timestamp: i64,
    /// The first batch's highest timestamp, from which the segment's age is counted.
    pub first_timestamp: Option<i64>,
    /// The transaction index.
    pub aborted: Vec<AbortedTransaction>,
}

/// A new segment's file.
#[derive(Debug)]
pub struct SegmentWriter {
    path: PathBuf,
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    flushed: u64,
    writeback_begun: u64,
    written: Written,
}

impl SegmentWriter {
    /// Makes a new file. One with its name is what a crash left behind, and goes first.
    pub fn create(disk: &dyn Disk, path: PathBuf) -> Result<Self, CompactionError> {
        match disk.remove(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io("remove", &path)(error));
            }
            Ok(()) | Err(_) => {}
        }
        let file = disk.create(&path, Access::Write).map_err(io("create", &path))?;
        let written = Written { max_timestamp: NO_TIMESTAMP, ..Written::default() };
        let buffer = Vec::with_capacity(WRITE_BYTES);
        Ok(Self { path, file, buffer, flushed: 0, writeback_begun: 0, written })
    }

    /// How many bytes it has taken.
    pub fn length(&self) -> u64 {
        self.written.length
    }

    fn flush(&mut self) -> Result<(), CompactionError> {
        self.file.write_at(&[IoSlice::new(&self.buffer)], self.flushed).map_err(io("write", &self.path))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        let pending = self.flushed - self.writeback_begun;
        if pending >= WRITEBACK_BYTES {
            self.file.start_writeback(self.writeback_begun, pending).map_err(io("write back", &self.path))?;
            self.writeback_begun = self.flushed;
        }
        Ok(())
    }

    /// Makes everything durable but the file's name.
    pub fn finish(mut self) -> Result<Written, CompactionError> {
        self.flush()?;
        self.file.sync().map_err(io("sync", &self.path))?;
        Ok(self.written)
    }
}

impl Sink for SegmentWriter {
    fn append(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), CompactionError> {
        if self.buffer.len() + batch.len() > WRITE_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(batch);
        self.written.length += batch.len() as u64;
        self.written.max_timestamp = self.written.max_timestamp.max(header.max_timestamp);
        self.written.first_timestamp.get_or_insert(header.max_timestamp);
        Ok(())
    }

    fn add_aborted(&mut self, transaction: AbortedTransaction) -> Result<(), CompactionError> {
        self.written.aborted.push(transaction);
        Ok(())
    }
}
