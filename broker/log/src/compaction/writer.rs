//! The new segments that a group of old ones becomes.
//!
//! Owns files that nobody reads until they take their names: see `swap`. They are durable when it is done with
//! them, but for their names.

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_protocol::batch::BatchHeader;

use super::Sink;
use super::error::{CompactionError, failed};
use super::swap::remove_if_there;
use crate::disk::{Access, File};
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::segment::{AbortedTransaction, BatchFacts, Files, Segment};

/// So many bytes are written at once.
const WRITE_BYTES: usize = 1 << 20;

/// So many bytes are left to the page cache before their way to the disk begins: the sync at the end has less to
/// do then, and does not hold up everybody else's.
const WRITEBACK_BYTES: u64 = 8 << 20;

/// What the new segments are like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) generation: u32,
    pub(super) created_ms: i64,
    pub(super) index_interval_bytes: u32,
    /// A segment takes no more than this. One may be longer than what it was made from: the delete horizon makes
    /// the timestamps behind it longer.
    pub(super) length_max: u64,
}

/// Takes what stays of a group.
pub(super) struct GroupWriter<'a> {
    files: &'a Files,
    kind: Kind,
    done: Vec<Arc<Segment>>,
    open: Option<Output>,
}

/// The segment that takes the next batch.
struct Output {
    segment: Arc<Segment>,
    path: PathBuf,
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    flushed: u64,
    writeback_begun: u64,
}

impl<'a> GroupWriter<'a> {
    /// Begins the first segment, which has the base offset of the group's first.
    pub(super) fn begin(files: &'a Files, first: &Segment, kind: Kind) -> Result<Self, CompactionError> {
        let mut writer = Self { files, kind, done: Vec::new(), open: None };
        writer.roll(first.partition(), first.base_offset())?;
        Ok(writer)
    }

    fn roll(&mut self, partition: LocalId, base_offset: i64) -> Result<(), CompactionError> {
        if let Some(full) = &mut self.open {
            full.finish(self.files)?;
        }
        let Kind { generation, created_ms, .. } = self.kind;
        let segment = Arc::new(Segment::begin(partition, base_offset, generation, created_ms));
        // Known from here on, so that nothing of it stays behind if something fails.
        self.done.push(Arc::clone(&segment));
        self.open = Some(Output::create(self.files, segment)?);
        Ok(())
    }

    /// Makes everything durable, and gives back the segments in their order.
    pub(super) fn finish(&mut self) -> Result<Vec<Arc<Segment>>, CompactionError> {
        if let Some(last) = &mut self.open {
            last.finish(self.files)?;
            let folder = self.files.layout().partition(last.segment.partition());
            self.files.disk().sync_directory(&folder).map_err(failed("sync", &folder))?;
        }
        Ok(self.done.clone())
    }

    /// Removes what it has made, after an error. What cannot be removed is an orphan.
    pub(super) fn discard(self) {
        for segment in &self.done {
            let _ = discard(self.files, segment);
        }
    }
}

impl Sink for GroupWriter<'_> {
    fn append(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<(), CompactionError> {
        let is_full = |segment: &Segment| {
            let length = segment.length();
            length > 0 && length + batch.len() as u64 > self.kind.length_max
        };
        let full = self.open.as_ref().filter(|open| is_full(&open.segment));
        if let Some(partition) = full.map(|open| open.segment.partition()) {
            self.roll(partition, header.base_offset)?;
        }
        let interval_bytes = self.kind.index_interval_bytes;
        self.open.as_mut().map_or(Ok(()), |open| open.append(header, batch, interval_bytes))
    }

    fn add_aborted(&mut self, transaction: AbortedTransaction) -> Result<(), CompactionError> {
        if let Some(open) = &self.open {
            open.segment.add_aborted(transaction);
        }
        Ok(())
    }
}

/// Removes the files of a new segment that have not taken their names.
pub(super) fn discard(files: &Files, segment: &Segment) -> Result<(), CompactionError> {
    FileKind::ALL.into_iter().try_for_each(|kind| remove_if_there(files.disk(), &path(files, segment, kind)))
}

fn path(files: &Files, segment: &Segment, kind: FileKind) -> PathBuf {
    files.layout().cleaned(segment.partition(), segment.base_offset(), kind, segment.generation())
}

impl Output {
    fn create(files: &Files, segment: Arc<Segment>) -> Result<Self, CompactionError> {
        let (path, file) = create(files, &segment, FileKind::Log)?;
        let buffer = Vec::with_capacity(WRITE_BYTES);
        Ok(Self { segment, path, file, buffer, flushed: 0, writeback_begun: 0 })
    }

    fn append(
        &mut self,
        header: &BatchHeader,
        batch: &[u8],
        index_interval_bytes: u32,
    ) -> Result<(), CompactionError> {
        if self.buffer.len() + batch.len() > WRITE_BYTES {
            self.flush()?;
        }
        self.buffer.extend_from_slice(batch);
        // Nobody else has it yet, so that it may say what is not written yet.
        self.segment.extend(&[BatchFacts::from(header)], index_interval_bytes);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), CompactionError> {
        self.file
            .write_at(&[IoSlice::new(&self.buffer)], self.flushed)
            .map_err(failed("write", &self.path))?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        let pending = self.flushed - self.writeback_begun;
        if pending >= WRITEBACK_BYTES {
            // A hint: if the disk cannot write, the sync says so.
            let _ = self.file.start_writeback(self.writeback_begun, pending);
            self.writeback_begun = self.flushed;
        }
        Ok(())
    }

    /// Makes the segment and its indexes durable, but for their names.
    fn finish(&mut self, files: &Files) -> Result<(), CompactionError> {
        self.flush()?;
        self.file.sync().map_err(failed("sync", &self.path))?;
        self.segment.seal();
        for (kind, bytes) in self.segment.index_files(files)? {
            let (path, file) = create(files, &self.segment, kind)?;
            file.write_at(&[IoSlice::new(&bytes)], 0).map_err(failed("write", &path))?;
            file.sync().map_err(failed("sync", &path))?;
        }
        Ok(())
    }
}

/// Makes a file of a new segment. One with its name is what a crash left behind, and goes first.
fn create(
    files: &Files,
    segment: &Segment,
    kind: FileKind,
) -> Result<(PathBuf, Arc<dyn File>), CompactionError> {
    let path = path(files, segment, kind);
    remove_if_there(files.disk(), &path)?;
    let file = files.disk().create(&path, Access::Write).map_err(failed("create", &path))?;
    Ok((path, file))
}
