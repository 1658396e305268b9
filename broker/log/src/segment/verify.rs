//! Holding a stretch of a segment's file against its checksums, when it is first read.

use std::sync::Arc;

use super::error::SegmentError;
use super::loaded::{Loaded, Loader};
use super::scan::{OFFSET_GOES_BACK, Order, PIECE_BYTES, Scanner, Walk};
use super::verified::{Bad, STRETCH_BYTES};
use super::{Files, Segment};
use crate::disk::Access;
use crate::layout::FileKind;

impl Segment {
    /// Sees to it that the stretch at a position has been checked.
    pub(super) fn verify(&self, files: &Files, position: u64) -> Result<(), SegmentError> {
        let stretch = position / STRETCH_BYTES;
        if position >= self.untrusted_length || self.is_verified(stretch) {
            return Ok(());
        }
        // Two readers may do it at the same time, with the same result.
        let found = Verification::begin(self, files, stretch * STRETCH_BYTES)?.run()?;
        self.state().extras.get_or_insert_default().verified.done(stretch, &found);
        Ok(())
    }

    fn is_verified(&self, stretch: u64) -> bool {
        self.state().extras.as_ref().is_some_and(|extras| extras.verified.is_done(stretch))
    }

    /// The first bytes known to be bad that end beyond a position.
    pub(super) fn bad_from(&self, position: u64) -> Option<Bad> {
        self.state().extras.as_ref()?.verified.bad_from(position)
    }

    pub(super) fn corrupt(&self, files: &Files, bad: &Bad) -> SegmentError {
        let path = files.path(self, FileKind::Log);
        SegmentError::Corrupt { path, position: bad.start, what: bad.what }
    }
}

/// The check of one stretch.
struct Verification<'a> {
    loader: Loader<'a>,
    index: Arc<Loaded>,
    walk: Walk,
    start: u64,
    end: u64,
    /// The batch that the walk came past last.
    before: u64,
    found: Vec<Bad>,
}

impl<'a> Verification<'a> {
    fn begin(segment: &'a Segment, files: &'a Files, start: u64) -> Result<Self, SegmentError> {
        let position = segment.start(files, |index| index.position_at_or_below(start))?;
        let index = segment.index(files)?;
        let order = Order { next_offset: segment.base_offset(), end_offset: segment.extent().end_offset };
        let file = files.log(segment, Access::Read)?;
        let path = files.path(segment, FileKind::Log);
        let scanner = Scanner::new(file, path, segment.untrusted_length, PIECE_BYTES);
        Ok(Self {
            loader: Loader { segment, files, extent: segment.extent() },
            index,
            walk: Walk::new(scanner, position, order),
            start,
            end: (start + STRETCH_BYTES).min(segment.untrusted_length),
            before: position,
            found: Vec::new(),
        })
    }

    /// The bad bytes of the stretch.
    fn run(mut self) -> Result<Vec<Bad>, SegmentError> {
        while self.walk.position() < self.end {
            let position = self.walk.position();
            match self.walk.next() {
                Ok(Some((_, header))) if position >= self.start => {
                    if let Err(error) = self.walk.scanner.check(position, &header) {
                        self.note(error, position, self.walk.position())?;
                    }
                }
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(error) => self.pass(error, position)?,
            }
            self.before = position;
        }
        Ok(self.found)
    }

    fn note(&mut self, error: SegmentError, start: u64, end: u64) -> Result<(), SegmentError> {
        match error {
            SegmentError::Corrupt { what, .. } => self.found.push(Bad { start, end, what }),
            error => return Err(error),
        }
        Ok(())
    }

    /// Goes on behind bytes that are no batch.
    fn pass(&mut self, error: SegmentError, position: u64) -> Result<(), SegmentError> {
        if !error.is_corrupt() {
            return Err(error);
        }
        // The batch before may be the one to blame. If its checksum was wrong, its length may have been: then the
        // search goes on behind its beginning. If offsets go back, either's may be the wrong one, since no
        // checksum covers it: then both are bad.
        let was_bad = self.found.last().is_some_and(|bad| bad.end == position);
        let goes_back = matches!(error, SegmentError::Corrupt { what, .. } if what == OFFSET_GOES_BACK);
        let start = if was_bad || goes_back { self.before } else { position };
        let next_offset = self.loader.segment.base_offset();
        self.walk.jump(if was_bad { start } else { position }, next_offset);
        let index = Arc::clone(&self.index);
        let resumed = self.loader.resume(&mut self.walk, index.offsets())?;
        let end = resumed.unwrap_or(self.loader.segment.untrusted_length);
        self.note(error, start, end)?;
        self.walk.jump(end, next_offset);
        Ok(())
    }
}
