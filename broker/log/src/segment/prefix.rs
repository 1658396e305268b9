//! Cutting a segment's end off.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::error::{SegmentError, failed};
use super::index::{NONE_YET, TimeEntry};
use super::reader::{Cursor, Step};
use super::scan::PROBE_BYTES;
use super::{Extras, FileState, Files, Name, Segment, State, next_key};
use crate::disk::Access;
use crate::layout::FileKind;

/// Where a segment ends that is cut.
struct End {
    length: u64,
    end_offset: i64,
    max: TimeEntry,
}

impl Segment {
    /// The segment without the batch that holds an offset and without what is behind it; none if nothing is
    /// left. It has the same file, and takes no more batches.
    ///
    /// This one stays valid for those who read it until the file is cut ([`Segment::cut`]). Bad bytes at the
    /// new end go as well, so that the new one may end before the offset.
    ///
    /// # Errors
    /// The disk's.
    pub fn prefix(&self, files: &Files, offset: i64) -> Result<Option<Arc<Self>>, SegmentError> {
        let end = self.end_before(files, offset)?;
        Ok(end.map(|end| Arc::new(self.cut_at(&end))))
    }

    fn end_before(&self, files: &Files, offset: i64) -> Result<Option<End>, SegmentError> {
        let (length, offset) = match self.find(files, offset) {
            Ok(Some(found)) => (found.position, offset),
            Ok(None) => (self.length(), offset),
            // Nobody can read what is bad, and so nothing is lost with it. Which offset it begins at is to be
            // found out.
            Err(SegmentError::Corrupt { position, .. }) => (position, self.base_offset()),
            Err(error) => return Err(error),
        };
        if length == 0 {
            return Ok(None);
        }
        // The last time entry that names a batch before the end: up to where it was made, nothing is later.
        let known = self.time_before(files, offset)?;
        let from = known.map_or(self.base_offset(), |entry| entry.offset);
        let position = self.start(files, |index| index.at_or_below(from))?;
        let mut end = End {
            length,
            end_offset: self.base_offset(),
            max: known.unwrap_or(TimeEntry { timestamp: NONE_YET, offset: self.base_offset() }),
        };
        let mut cursor = Cursor::new(self, files, self.walk(files, position.min(length), PROBE_BYTES)?);
        while cursor.walk.position() < end.length {
            match cursor.next()? {
                Some(Step::Batch(_, header)) => {
                    if header.max_timestamp > end.max.timestamp {
                        end.max = TimeEntry { timestamp: header.max_timestamp, offset: header.last_offset() };
                    }
                    end.end_offset = header.last_offset().saturating_add(1);
                }
                Some(Step::Bad(bad)) if bad.end >= end.length => end.length = bad.start,
                Some(Step::Bad(_)) => {}
                None => break,
            }
        }
        Ok(Some(end).filter(|end| end.length > 0))
    }

    /// The last time entry whose batch ends before an offset.
    fn time_before(&self, files: &Files, offset: i64) -> Result<Option<TimeEntry>, SegmentError> {
        let is_before = |entry: &TimeEntry| entry.offset < offset;
        let (live, covered) = {
            let state = self.state();
            (state.builder.times().entries().take_while(is_before).last(), state.covered)
        };
        if live.is_some() || covered == 0 {
            return Ok(live);
        }
        Ok(self.index(files)?.times().entries().take_while(is_before).last())
    }

    fn cut_at(&self, end: &End) -> Self {
        let mut state = self.state();
        let extras = state.extras.get_or_insert_default();
        let cut_to = extras.cut_to.get_or_insert_with(|| Arc::new(AtomicU64::new(u64::MAX)));
        let aborted = extras.aborted.iter().filter(|one| one.last_offset < end.end_offset);
        let extras = Extras {
            verified: extras.verified.cut(end.length),
            aborted: aborted.copied().collect(),
            cut_to: Some(Arc::clone(cut_to)),
        };
        let state = State {
            length: end.length,
            end_offset: end.end_offset,
            first_timestamp: state.first_timestamp,
            covered: state.covered.min(end.length),
            builder: state.builder.cut(end.length, end.end_offset, end.max),
            extras: Some(Box::new(extras)),
            name: match &state.name {
                Name::Own => Name::Own,
                Name::Gone => Name::Gone,
                Name::Kept(file) => Name::Kept(Arc::clone(file)),
            },
            file: FileState::Ready,
            is_sealed: true,
            lists_all_aborted: state.lists_all_aborted,
        };
        Self {
            key: next_key(),
            file_key: self.file_key,
            partition: self.partition,
            base_offset: self.base_offset,
            generation: self.generation,
            created_ms: self.created_ms,
            untrusted_length: self.untrusted_length.min(end.length),
            state: Mutex::new(state),
        }
    }

    /// Cuts the file behind what is published. Whoever reads a segment that this is a prefix of, and finds its
    /// end missing, is told that it is gone.
    ///
    /// # Errors
    /// The disk's.
    pub fn cut(&self, files: &Files) -> Result<(), SegmentError> {
        if !self.has_names() {
            // The file by its name is another one's.
            return Ok(());
        }
        let path = files.path(self, FileKind::Log);
        let file = files.log(self, Access::Write)?;
        let length = self.length();
        if let Some(cut_to) = self.state().extras.as_ref().and_then(|extras| extras.cut_to.as_ref()) {
            cut_to.fetch_min(length, Ordering::AcqRel);
        }
        if file.length().map_err(failed("measure", &path))? > length {
            file.set_length(length).map_err(failed("cut", &path))?;
        }
        Ok(())
    }
}
