//! The batches of segments, every byte of them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_protocol::batch::{BatchHeader, NO_TIMESTAMP};

use super::rows::Known;
use super::{CheckError, Checker, Problem};
use crate::disk::{Access, File};
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Order, PIECE_BYTES, Scanner, SegmentError, SegmentFacts};

/// The segment that is looked at.
pub(super) struct Of<'a> {
    pub(super) partition: LocalId,
    pub(super) known: &'a Known,
    pub(super) base_offset: i64,
    pub(super) facts: &'a SegmentFacts,
}

impl Of<'_> {
    /// Whether each of its offsets has to be there.
    fn is_contiguous(&self) -> bool {
        !self.known.compacts
    }

    /// Whether a cut goes through it that may have left nothing of it: of an `async` log that goes before the
    /// manifest says so.
    fn may_be_gone(&self) -> bool {
        self.known.is_async && self.known.cut_at.is_some_and(|cut_at| cut_at < self.facts.end_offset)
    }
}

/// A file and its path.
type Opened = (PathBuf, Arc<dyn File>);

/// What the batches of a segment come to.
struct Found {
    partition: LocalId,
    position: u64,
    order: Order,
    max_timestamp: i64,
    is_contiguous: bool,
    /// Whether there was a batch after which nothing more can be told.
    is_broken: bool,
}

impl Checker<'_> {
    /// Checks the segments that the manifest names, as far as the journal does not say that they are no more: their
    /// names may have gone to others already.
    pub(super) fn check_segments(&mut self, partition: LocalId, known: &Known) -> Result<(), CheckError> {
        if known.is_deleted {
            return Ok(());
        }
        let mut expected = known.log_start.min(known.flushed_to);
        let is_kept = |(base_offset, facts): &&(i64, SegmentFacts)| {
            known.cut_at.is_none_or(|cut_at| *base_offset < cut_at) && facts.end_offset > known.log_start
        };
        for (base_offset, facts) in known.segments.iter().filter(is_kept) {
            let of = Of { partition, known, base_offset: *base_offset, facts };
            if of.is_contiguous() && *base_offset > expected {
                let path = self.layout.segment(partition, *base_offset, FileKind::Log);
                self.report(&path, None, Problem::Gap { partition, from: expected, to: *base_offset });
            }
            expected = facts.end_offset.max(expected);
            self.check_segment(&of)?;
        }
        let end = known.cut_at.map_or(known.flushed_to, |cut_at| known.flushed_to.min(cut_at));
        if !known.compacts && expected < end {
            let path = self.layout.partition(partition);
            self.report(&path, None, Problem::Gap { partition, from: expected, to: end });
        }
        Ok(())
    }

    fn check_segment(&mut self, of: &Of<'_>) -> Result<(), CheckError> {
        let facts = of.facts;
        if facts.length == 0 {
            // It has no file before it has something in it.
            return Ok(());
        }
        let Some((path, file)) = self.open_file(of, FileKind::Log)? else {
            if of.may_be_gone() {
                return Ok(());
            }
            let path = self.layout.segment(of.partition, of.base_offset, FileKind::Log);
            self.report(&path, None, Problem::Missing);
            return Ok(());
        };
        let failed = |doing, source| CheckError::Io { doing, path: path.clone(), source };
        let length = file.length().map_err(|source| failed("measure", source))?;
        if length < facts.length {
            self.report(&path, length, Problem::Short { found: length, expected: facts.length });
        }
        let mut hints = self.read_hints(of)?;
        let mut scanner =
            Scanner::new(Arc::clone(&file), path.clone(), length.min(facts.length), PIECE_BYTES);
        let mut found = Found {
            partition: of.partition,
            position: 0,
            order: Order { next_offset: of.base_offset, end_offset: facts.end_offset },
            max_timestamp: NO_TIMESTAMP,
            is_contiguous: of.is_contiguous(),
            is_broken: length < facts.length,
        };
        while found.position < length.min(facts.length) {
            let position = found.position;
            match scanner.header(position) {
                Ok(header) => {
                    self.check_batch(&mut scanner, &path, &mut found, &header)?;
                    hints.pass(position, &BatchFacts::from(&header));
                }
                Err(error) => {
                    self.report_batch(&path, error)?;
                    found.is_broken = true;
                    break;
                }
            }
        }
        if !found.is_broken {
            self.check_facts(&path, facts, &found);
            self.report_hints(of, hints);
        }
        Ok(())
    }

    /// Opens a file of a segment, under the name that it has; none if it is not there.
    pub(super) fn open_file(&self, of: &Of<'_>, kind: FileKind) -> Result<Option<Opened>, CheckError> {
        let Of { partition, base_offset, facts, .. } = *of;
        let has_two_names = of.known.is_swapping && facts.generation > 0;
        let cleaned = self.layout.cleaned(partition, base_offset, kind, facts.generation);
        let names =
            [has_two_names.then_some(cleaned), Some(self.layout.segment(partition, base_offset, kind))];
        for path in names.into_iter().flatten() {
            match self.disk.open(&path, Access::Read) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(CheckError::Io { doing: "open", path, source }),
                Ok(file) => return Ok(Some((path, file))),
            }
        }
        Ok(None)
    }

    fn check_batch(
        &mut self,
        scanner: &mut Scanner,
        path: &Path,
        found: &mut Found,
        header: &BatchHeader,
    ) -> Result<(), CheckError> {
        let position = found.position;
        found.position += header.total_bytes() as u64;
        self.summary.batches += 1;
        self.summary.bytes += header.total_bytes() as u64;
        if let Err(error) = scanner.check(position, header) {
            found.is_broken = true;
            // What the header says may be right all the same, and what follows is held against that.
            let _ = found.order.follow(header);
            return self.report_batch(path, error);
        }
        let expected = found.order.next_offset;
        if let Err(what) = found.order.follow(header) {
            self.report(path, position, Problem::Batch(what.to_owned()));
        } else if found.is_contiguous && header.base_offset > expected {
            self.report(
                path,
                position,
                Problem::Gap { partition: found.partition, from: expected, to: header.base_offset },
            );
        }
        found.max_timestamp = found.max_timestamp.max(header.max_timestamp);
        Ok(())
    }

    fn report_batch(&mut self, path: &Path, error: SegmentError) -> Result<(), CheckError> {
        match error {
            SegmentError::Corrupt { position, what, .. } => {
                self.report(path, position, Problem::Batch(what.to_owned()));
                Ok(())
            }
            error => Err(error.into()),
        }
    }

    fn check_facts(&mut self, path: &Path, facts: &SegmentFacts, found: &Found) {
        // What compaction took may have been the last, or the latest.
        let numbers = [
            ("end", found.order.next_offset, facts.end_offset),
            ("latest timestamp", found.max_timestamp, facts.max_timestamp),
        ];
        for (what, found, expected) in numbers.into_iter().filter(|_| facts.generation == 0) {
            if found != expected {
                self.report(path, None, Problem::Facts { what, found, expected });
            }
        }
    }
}
