//! Going along the batches of a segment.

use strandline_protocol::batch::{BatchHeader, BatchView};

use super::error::SegmentError;
use super::scan::{Order, PIECE_BYTES, PROBE_BYTES, Scanner, Walk};
use super::verified::Bad;
use super::{Files, Segment};
use crate::disk::Access;
use crate::layout::FileKind;

/// What comes next.
#[derive(Debug)]
pub(super) enum Step {
    Batch(u64, BatchHeader),
    /// Bytes that must not be read, and that have been stepped over.
    Bad(Bad),
}

/// Goes from header to header, and checks each stretch before anything in it is believed.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    segment: &'a Segment,
    files: &'a Files,
    pub(super) walk: Walk,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(segment: &'a Segment, files: &'a Files, walk: Walk) -> Self {
        Self { segment, files, walk }
    }

    pub(super) fn next(&mut self) -> Result<Option<Step>, SegmentError> {
        let position = self.walk.position();
        self.segment.verify(self.files, position)?;
        if let Some(bad) = self.segment.bad_from(position).filter(|bad| bad.start <= position) {
            self.walk.jump(bad.end, self.segment.base_offset());
            return Ok(Some(Step::Bad(bad)));
        }
        let next = self.walk.next().map_err(|error| self.segment.explain(error))?;
        Ok(next.map(|(position, header)| Step::Batch(position, header)))
    }
}

impl Segment {
    /// A walk over what is published, from a position where a batch begins.
    pub(super) fn walk(
        &self,
        files: &Files,
        position: u64,
        piece_bytes: usize,
    ) -> Result<Walk, SegmentError> {
        let extent = self.extent();
        let file = files.log(self, Access::Read)?;
        let scanner = Scanner::new(file, files.path(self, FileKind::Log), extent.length, piece_bytes);
        let order = Order { next_offset: self.base_offset(), end_offset: extent.end_offset };
        Ok(Walk::new(scanner, position, order))
    }

    /// Bytes that are missing are no damage where the segment has lost its names, or its end has been cut off.
    pub(super) fn explain(&self, error: SegmentError) -> SegmentError {
        if error.is_corrupt() && self.may_be_gone() {
            return self.gone();
        }
        error
    }

    /// The headers of the batches from a position on, where a batch has to begin.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn headers<'a>(&'a self, files: &'a Files, position: u64) -> Result<Headers<'a>, SegmentError> {
        let walk = self.walk(files, position, PROBE_BYTES)?;
        Ok(Headers { cursor: Cursor::new(self, files, walk), has_failed: false })
    }

    /// The whole batches from a position on, where a batch has to begin, read in large pieces. Each is held
    /// against its checksum.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn batches<'a>(&'a self, files: &Files, position: u64) -> Result<BatchReader<'a>, SegmentError> {
        Ok(BatchReader { segment: self, walk: self.walk(files, position, PIECE_BYTES)? })
    }
}

/// The headers of a segment's batches, and where these begin. After an error it ends.
#[derive(Debug)]
pub struct Headers<'a> {
    cursor: Cursor<'a>,
    has_failed: bool,
}

impl Iterator for Headers<'_> {
    type Item = Result<(u64, BatchHeader), SegmentError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.has_failed {
            return None;
        }
        let next = match self.cursor.next() {
            Ok(None) => return None,
            Ok(Some(Step::Batch(position, header))) => Ok((position, header)),
            Ok(Some(Step::Bad(bad))) => Err(self.cursor.segment.corrupt(self.cursor.files, &bad)),
            Err(error) => Err(error),
        };
        self.has_failed = next.is_err();
        Some(next)
    }
}

/// The whole batches of a segment, and where they begin.
#[derive(Debug)]
pub struct BatchReader<'a> {
    segment: &'a Segment,
    walk: Walk,
}

impl BatchReader<'_> {
    /// The next batch, until the reader is asked again; none at the end. After an error it stays where it is.
    ///
    /// # Errors
    /// The disk's, or that there is no batch, or not the one that was written.
    #[expect(clippy::should_implement_trait, reason = "the batch is borrowed from the reader")]
    pub fn next(&mut self) -> Result<Option<(u64, BatchView<'_>)>, SegmentError> {
        let Some((position, header)) = self.walk.next().map_err(|error| self.segment.explain(error))? else {
            return Ok(None);
        };
        // Before the whole of it is read: what its header says of its length may be wrong.
        if let Err(error) = self.walk.scanner.check(position, &header) {
            self.walk.jump(position, header.base_offset);
            return Err(self.segment.explain(error));
        }
        Ok(Some((position, self.walk.scanner.batch(position, &header)?)))
    }
}
