//! The batches of segments, every byte of them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use strandline_protocol::batch::{BatchHeader, NO_TIMESTAMP};

use super::rows::Known;
use super::{CheckError, Checker, Problem};
use crate::disk::Access;
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Order, PIECE_BYTES, Scanner, SegmentError, SegmentFacts};

/// What the batches of a segment come to.
struct Found {
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
        let is_kept = |(base_offset, _): &&(i64, _)| known.cut_at.is_none_or(|cut_at| *base_offset < cut_at);
        for (base_offset, facts) in known.segments.iter().filter(is_kept) {
            let is_contiguous = !known.compacts;
            if is_contiguous && *base_offset > expected {
                let path = self.layout.segment(partition, *base_offset, FileKind::Log);
                self.report(&path, None, Problem::Gap { from: expected, to: *base_offset });
            }
            expected = facts.end_offset.max(expected);
            self.check_segment(partition, *base_offset, facts, is_contiguous)?;
        }
        let end = known.cut_at.map_or(known.flushed_to, |cut_at| known.flushed_to.min(cut_at));
        if !known.compacts && expected < end {
            let path = self.layout.partition(partition);
            self.report(&path, None, Problem::Gap { from: expected, to: end });
        }
        Ok(())
    }

    fn check_segment(
        &mut self,
        partition: LocalId,
        base_offset: i64,
        facts: &SegmentFacts,
        is_contiguous: bool,
    ) -> Result<(), CheckError> {
        if facts.length == 0 {
            // It has no file before it has something in it.
            return Ok(());
        }
        let path = self.layout.segment(partition, base_offset, FileKind::Log);
        let failed = |doing, source| CheckError::Io { doing, path: path.clone(), source };
        let file = match self.disk.open(&path, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.report(&path, None, Problem::Missing);
                return Ok(());
            }
            file => file.map_err(|source| failed("open", source))?,
        };
        let length = file.length().map_err(|source| failed("measure", source))?;
        if length < facts.length {
            self.report(&path, length, Problem::Short { found: length, expected: facts.length });
        }
        let mut hints = self.read_hints(partition, base_offset, facts)?;
        let mut scanner =
            Scanner::new(Arc::clone(&file), path.clone(), length.min(facts.length), PIECE_BYTES);
        let mut found = Found {
            position: 0,
            order: Order { next_offset: base_offset, end_offset: facts.end_offset },
            max_timestamp: NO_TIMESTAMP,
            is_contiguous,
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
            self.report_hints(partition, base_offset, hints);
        }
        Ok(())
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
            self.report(path, position, Problem::Gap { from: expected, to: header.base_offset });
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
