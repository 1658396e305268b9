//! Walking along the batches of a file.
//!
//! Nothing in the file is believed: a header counts as one if its length fits into the file and its offsets rise
//! within what the segment may hold. Reads happen in pieces, and memory is bounded by the piece, or by one batch
//! whose checksum was right.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_protocol::batch::{
    BatchError, BatchErrorKind, BatchHeader, BatchView, HEADER_BYTES, LENGTH_OVERHEAD_BYTES,
};

use super::error::{SegmentError, failed};
use super::facts::{BatchFacts, SegmentFacts};
use crate::disk::File;

/// Enough for the headers of small batches around an index entry, and little for one large batch.
pub const PROBE_BYTES: usize = 16 << 10;

/// Enough that a disk reads as fast as it can.
pub const PIECE_BYTES: usize = 1 << 20;

/// Where a batch says how long it is.
const LENGTH_AT: usize = 8;

/// Where in a batch begins what its checksum covers.
const CHECKSUM_COVERS_FROM: u64 = 21;

/// Reads a file in pieces.
#[derive(Debug)]
pub struct Scanner {
    file: Arc<dyn File>,
    path: PathBuf,
    end: u64,
    piece_bytes: usize,
    window: Vec<u8>,
    window_at: u64,
}

impl Scanner {
    /// Reads `file` up to `end`, in pieces of `piece_bytes`.
    pub fn new(file: Arc<dyn File>, path: PathBuf, end: u64, piece_bytes: usize) -> Self {
        Self { file, path, end, piece_bytes: piece_bytes.max(HEADER_BYTES), window: Vec::new(), window_at: 0 }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn corrupt(&self, position: u64, what: &'static str) -> SegmentError {
        SegmentError::Corrupt { path: self.path.clone(), position, what }
    }

    /// The bytes at a position, read with what follows them where they have not been read yet.
    fn bytes(&mut self, position: u64, length: usize) -> Result<&[u8], SegmentError> {
        if position.saturating_add(length as u64) > self.end {
            return Err(self.corrupt(position, "a batch goes beyond the segment's end"));
        }
        let at = position.checked_sub(self.window_at).and_then(|at| usize::try_from(at).ok());
        let is_read = at.is_some_and(|at| at.checked_add(length).is_some_and(|end| end <= self.window.len()));
        let at = match at.filter(|_| is_read) {
            Some(at) => at,
            None => {
                self.fill(position, length)?;
                0
            }
        };
        match self.window.get(at..).and_then(|rest| rest.get(..length)) {
            Some(bytes) => Ok(bytes),
            None => Err(self.corrupt(position, "the file ends before the segment's end")),
        }
    }

    fn fill(&mut self, position: u64, length: usize) -> Result<(), SegmentError> {
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        self.window.resize(length.max(self.piece_bytes).min(left), 0);
        let read = self.file.read_at(&mut self.window, position);
        // After an error it holds nothing of use.
        self.window.truncate(*read.as_ref().unwrap_or(&0));
        self.window_at = position;
        read.map(drop).map_err(failed("read", &self.path))
    }

    /// The header at a position.
    ///
    /// # Errors
    /// The disk's, or that there is none whose batch lies before the end.
    pub fn header(&mut self, position: u64) -> Result<BatchHeader, SegmentError> {
        let header = BatchHeader::parse(self.bytes(position, HEADER_BYTES)?)
            .map_err(|error| self.corrupt(position, describe(&error)))?;
        if position.saturating_add(header.total_bytes() as u64) > self.end {
            return Err(self.corrupt(position, "a batch goes beyond the segment's end"));
        }
        Ok(header)
    }

    /// Where the batch at a position would end by its length alone, whatever else is in its header.
    pub(super) fn end_by_length(&mut self, position: u64) -> Result<Option<u64>, SegmentError> {
        let length = match self.bytes(position, HEADER_BYTES) {
            Ok(bytes) => bytes.get(LENGTH_AT..).and_then(|rest| rest.first_chunk()).copied(),
            Err(error) if error.is_corrupt() => None,
            Err(error) => return Err(error),
        };
        let length = length.and_then(|length| u64::try_from(i32::from_be_bytes(length)).ok());
        let end = length.map(|length| position + LENGTH_OVERHEAD_BYTES as u64 + length);
        Ok(end.filter(|end| *end <= self.end))
    }

    /// Holds the checksum of the batch at a position against its bytes. Takes no more memory than a piece.
    ///
    /// # Errors
    /// The disk's, or that it does not fit.
    pub fn check(&mut self, position: u64, header: &BatchHeader) -> Result<(), SegmentError> {
        let end = position + header.total_bytes() as u64;
        let mut at = position + CHECKSUM_COVERS_FROM;
        let mut checksum = 0;
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(usize::MAX).min(self.piece_bytes);
            checksum = crc32c::crc32c_append(checksum, self.bytes(at, length)?);
            at += length as u64;
        }
        if checksum == header.crc {
            return Ok(());
        }
        Err(self.corrupt(position, "a batch's checksum is wrong"))
    }

    /// The whole batch at a position, whose header is known. It takes as much memory as the batch is long.
    ///
    /// # Errors
    /// The disk's, or that the bytes are not a batch any more.
    pub fn batch(&mut self, position: u64, header: &BatchHeader) -> Result<BatchView<'_>, SegmentError> {
        let path = self.path.clone();
        let bytes = self.bytes(position, header.total_bytes())?;
        BatchView::parse(bytes).map_err(|error| SegmentError::Corrupt {
            path,
            position,
            what: describe(&error),
        })
    }
}

/// What is wrong where a batch, or the one before it, has a wrong offset.
pub(super) const OFFSET_GOES_BACK: &str = "a batch's offset goes back";

fn describe(error: &BatchError) -> &'static str {
    match error.kind {
        BatchErrorKind::Length(_) => "a batch's length is impossible",
        BatchErrorKind::MagicOld(_) | BatchErrorKind::MagicUnknown(_) => "a batch's format is unknown",
        _ => "there is no batch",
    }
}

/// What the batches of a file are held against, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// No batch begins below it.
    pub next_offset: i64,
    /// No batch ends at or beyond it.
    pub end_offset: i64,
}

impl Order {
    /// Checks that a batch may follow, and what may follow it.
    pub fn follow(&mut self, header: &BatchHeader) -> Result<(), &'static str> {
        if header.last_offset_delta < 0 {
            return Err("a batch ends before it begins");
        }
        if header.base_offset < self.next_offset {
            return Err(OFFSET_GOES_BACK);
        }
        if header.last_offset() >= self.end_offset {
            return Err("a batch's offset is beyond the segment's end");
        }
        self.next_offset = header.last_offset() + 1;
        Ok(())
    }
}

/// Goes from one header to the next.
#[derive(Debug)]
pub struct Walk {
    pub(super) scanner: Scanner,
    position: u64,
    order: Order,
}

impl Walk {
    /// Begins at a position where a batch begins.
    pub const fn new(scanner: Scanner, position: u64, order: Order) -> Self {
        Self { scanner, position, order }
    }

    /// The next header and where it is; none at the end. After an error it stays where it is.
    #[expect(clippy::should_implement_trait, reason = "an iterator would go on after an error")]
    pub fn next(&mut self) -> Result<Option<(u64, BatchHeader)>, SegmentError> {
        if self.position >= self.scanner.end {
            return Ok(None);
        }
        let position = self.position;
        let header = self.scanner.header(position)?;
        self.order.follow(&header).map_err(|what| self.scanner.corrupt(position, what))?;
        self.position = position + header.total_bytes() as u64;
        Ok(Some((position, header)))
    }

    /// Where the next header is.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Goes on elsewhere, where another batch begins, whatever offset the last one had.
    pub(super) const fn jump(&mut self, position: u64, next_offset: i64) {
        self.position = position;
        self.order.next_offset = next_offset;
    }
}

/// Counts the batches behind `facts` that are whole in the file, up to the first that is not.
///
/// For a log whose batches are not in the journal: what follows the part that is known to be durable was
/// written by a process that has died, and counts as far as its checksums are right.
///
/// # Errors
/// The disk's. Bytes that are no batch are no error, they are the end.
pub fn scan_valid_end(
    file: &Arc<dyn File>,
    path: &Path,
    facts: &SegmentFacts,
) -> Result<SegmentFacts, SegmentError> {
    let end = file.length().map_err(failed("measure", path))?;
    let scanner = Scanner::new(Arc::clone(file), path.to_owned(), end, PIECE_BYTES);
    let order = Order { next_offset: facts.end_offset, end_offset: i64::MAX };
    let mut walk = Walk::new(scanner, facts.length, order);
    let mut facts = *facts;
    loop {
        let checked = match walk.next() {
            Ok(Some((position, header))) => walk.scanner.check(position, &header).map(|()| header),
            Ok(None) => return Ok(facts),
            Err(error) => Err(error),
        };
        match checked {
            Ok(header) => facts.add(&BatchFacts::from(&header)),
            Err(error) if error.is_corrupt() => return Ok(facts),
            Err(error) => return Err(error),
        }
    }
}
