//! Writing the index files of a segment, once it takes no more batches.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use super::error::{SegmentError, failed};
use super::index::{IndexEntries, TimeIndex};
use super::transactions;
use super::{Files, Name, Segment};
use crate::disk::{Access, File, if_there, read_exact_at};
use crate::layout::FileKind;

impl Segment {
    /// The bytes of the offset and time indexes as they belong into their files, with the entry for the largest
    /// timestamp that ends a time index.
    ///
    /// # Errors
    /// What this process has not written had to be read, and could not be.
    pub fn indexes(&self, files: &Files) -> Result<IndexEntries, SegmentError> {
        let (mut live, covered) = {
            let state = self.state();
            (state.builder.clone(), state.covered)
        };
        live.index_time();
        let live = live.into_entries();
        if covered == 0 {
            return Ok(live);
        }
        let base = self.index(files)?;
        let last = base.times().last().map_or(i64::MIN, |entry| entry.timestamp);
        let index = TimeIndex::new(self.base_offset(), &live.times);
        let known = index.entries().take_while(|entry| entry.timestamp <= last).count();
        let times = live.times.get(known * super::index::TIME_ENTRY_BYTES..).unwrap_or_default();
        Ok(IndexEntries {
            offsets: [base.offset_bytes(), &live.offsets].concat(),
            times: [base.time_bytes(), times].concat(),
        })
    }

    /// What belongs into the index files. The transaction index may be empty.
    ///
    /// # Errors
    /// What this process has not written had to be read, and could not be.
    pub(crate) fn index_files(&self, files: &Files) -> Result<[(FileKind, Vec<u8>); 3], SegmentError> {
        let entries = self.indexes(files)?;
        let aborted = transactions::encode(&self.aborted(files, i64::MIN, i64::MAX)?.transactions);
        Ok([
            (FileKind::OffsetIndex, entries.offsets),
            (FileKind::TimeIndex, entries.times),
            (FileKind::TransactionIndex, aborted),
        ])
    }

    /// Writes the index files anew: the ones that were there go first, and keep their bytes for those who
    /// have them mapped. What is given back has to be synced, and the folder after it.
    ///
    /// A transaction index is written only if there are aborted transactions, as in Kafka.
    ///
    /// # Errors
    /// The disk's. A part of the files may be there.
    pub fn write_indexes(&self, files: &Files) -> Result<Vec<Arc<dyn File>>, SegmentError> {
        let mut written = Vec::new();
        for (kind, bytes) in self.index_files(files)? {
            let path = files.path(self, kind);
            if kind == FileKind::TransactionIndex
                && let Some(file) = begins_with(files, &path, &bytes)?
            {
                written.push(file);
                continue;
            }
            files.remove_if_there(&path)?;
            if kind != FileKind::TransactionIndex || !bytes.is_empty() {
                let file = files.disk().create(&path, Access::Write).map_err(failed("create", &path))?;
                file.write_at(&[IoSlice::new(&bytes)], 0).map_err(failed("write", &path))?;
                written.push(file);
            }
        }
        Ok(written)
    }

    /// Gives up what is kept in memory of the indexes: they are in their files, as [`Segment::write_indexes`]
    /// left them, and are read from there from now on. Does nothing to a segment that is not sealed.
    pub fn indexes_written(&self, files: &Files) {
        let mut state = self.state();
        if !state.is_sealed {
            return;
        }
        state.covered = state.length;
        let entries = state.builder.forget_entries();
        let is_kept = matches!(state.name, Name::Kept(_));
        let extras = state.extras.as_mut().filter(|_| !is_kept);
        let aborted = extras.map(|extras| std::mem::take(&mut extras.aborted));
        state.lists_all_aborted &= is_kept;
        drop(state);
        drop((entries, aborted));
        files.forget_index(self);
    }
}

/// The transaction index that is there, if it begins with these bytes.
///
/// Of a segment that another one is the beginning of, the file alone knows what was aborted, also for those who find it
/// after a crash: it is never gone, and never cut. What it lists behind the segment's end nobody looks at, and a cut that a
/// power failure has half undone would leave rows there that are none.
fn begins_with(files: &Files, path: &Path, bytes: &[u8]) -> Result<Option<Arc<dyn File>>, SegmentError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let opened = if_there(files.disk().open(path, Access::Write)).map_err(failed("open", path))?;
    let Some(file) = opened else { return Ok(None) };
    let length = file.length().map_err(failed("measure", path))?;
    if length < bytes.len() as u64 {
        return Ok(None);
    }
    let mut found = vec![0; bytes.len()];
    read_exact_at(&*file, &mut found, 0).map_err(failed("read", path))?;
    Ok((found == bytes).then_some(file))
}
