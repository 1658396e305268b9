//! Writing batches of tails into segments, without a sync: large pieces past the page cache where nobody reads behind
//! the tail, and all others through it.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::read::Sources;
use super::read_back::{ReadBack, logs_together};
use bytes::Bytes;
use strandline_protocol::batch::HEADER_BYTES;

use crate::journal::Position;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Segment, SegmentError, Way, Written};
use crate::tail::FrameSlice;

/// From this size on, the disk begins at once to write what is appended to an `async` log, so that a later sync
/// has less to wait for. Less than that is often followed by more of the same page.
pub(super) const WRITEBACK_BYTES_MIN: u64 = 1 << 20;

/// How pieces are written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// From this size of a piece on, the disk is asked to begin.
    pub(super) writeback_bytes_min: u64,
    /// What is written at once goes past the page cache from this size on.
    pub(super) past_cache_bytes_min: u64,
}

/// Where a batch's bytes are.
#[derive(Debug)]
pub(super) enum Part {
    /// In a frame of the journal that is in memory.
    Frame(FrameSlice),
    /// In the journal.
    Journal(Position),
    /// A request's own, with another header.
    Patched { header: [u8; HEADER_BYTES], bytes: Bytes },
}

/// What goes into one segment.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) segment: Arc<Segment>,
    /// Whether the segment begins with this.
    pub(super) is_new: bool,
    /// Where in the file.
    pub(super) position: u64,
    pub(super) parts: Vec<Part>,
    /// The same batches, described.
    pub(super) batches: Vec<BatchFacts>,
}

/// What goes into the segments of one log.
#[derive(Debug)]
pub(super) struct LogFlush {
    pub(super) partition: LocalId,
    pub(super) pieces: Vec<Piece>,
    /// The offset up to which the log is in segments then.
    pub(super) end_offset: i64,
    pub(super) bytes: u64,
    pub(super) manner: Manner,
    /// The producers' state at that offset, if there are any.
    pub(super) snapshot: Option<Vec<u8>>,
}

impl LogFlush {
    /// How much of it is in the journal alone.
    fn journal_bytes(&self) -> u64 {
        let parts = self.pieces.iter().flat_map(|piece| &piece.parts);
        parts.filter_map(Part::position).map(|position| u64::from(position.length)).sum()
    }
}

/// Batches on their way into segments.
#[derive(Debug)]
pub struct FlushJob {
    pub(super) sources: Arc<Sources>,
    pub(super) logs: Vec<LogFlush>,
}

/// Batches that are in segments, or not.
#[derive(Debug)]
pub struct FlushDone {
    pub(super) job: FlushJob,
    /// What has to be synced, if all of it is there.
    pub(super) result: Result<Vec<Written>, SegmentError>,
}

impl FlushJob {
    pub(super) fn run(mut self) -> FlushDone {
        let result = self.write();
        if result.as_ref().is_err_and(|error| error.is_disk_full() || error.lacks_descriptors()) {
            self.close_new_files();
        }
        // Nobody needs them any more, and to let go of memory takes longer than the writer's thread has.
        let pieces = self.logs.iter_mut().flat_map(|log| &mut log.pieces);
        pieces.for_each(|piece| piece.parts = Vec::new());
        FlushDone { job: self, result }
    }

    /// They are made anew the next time: nobody keeps what they took of room and descriptors until then.
    fn close_new_files(&self) {
        let pieces = self.logs.iter().flat_map(|log| &log.pieces);
        pieces.filter(|piece| piece.is_new).for_each(|piece| self.sources.files.close(&piece.segment));
    }

    fn write(&self) -> Result<Vec<Written>, SegmentError> {
        let mut written = Vec::new();
        let mut rest = self.logs.as_slice();
        while !rest.is_empty() {
            let (together, later) = rest.split_at(logs_together(rest.iter().map(LogFlush::journal_bytes)));
            let pieces = together.iter().flat_map(|log| &log.pieces);
            let mut read_back = ReadBack::of(pieces.flat_map(|piece| &piece.parts));
            let result = self.write_pieces(together, &mut read_back, &mut written);
            read_back.finish(&self.sources);
            result?;
            rest = later;
        }
        Ok(written)
    }

    /// The disk begins with each piece at once. A sync of the file system would leave thousands of small ones to one thread
    /// of the kernel, and the journal would be full before that is done.
    fn write_pieces(
        &self,
        logs: &[LogFlush],
        read_back: &mut ReadBack,
        written: &mut Vec<Written>,
    ) -> Result<(), SegmentError> {
        for log in logs {
            for piece in &log.pieces {
                written.push(write_piece(&self.sources, piece, read_back, log.manner)?);
            }
        }
        Ok(())
    }
}

/// Writes a piece, and nothing else: its segment does not have it before [`Segment::extend`]. What is in no memory is
/// read back.
pub(super) fn write_piece(
    sources: &Sources,
    piece: &Piece,
    read_back: &mut ReadBack,
    manner: Manner,
) -> Result<Written, SegmentError> {
    let Piece { segment, parts, .. } = piece;
    let mut written: Option<Written> = None;
    let mut position = piece.position;
    let mut write = |parts: &[IoSlice<'_>]| {
        let length = parts.iter().map(|part| part.len() as u64).sum::<u64>();
        let is_large = length >= manner.past_cache_bytes_min;
        let way = if is_large { Way::PastCache } else { Way::ThroughCache };
        let now = segment.write(&sources.files, position, parts, way)?;
        position += length;
        // The first write is the one that makes the file.
        written.get_or_insert(now);
        Ok(())
    };
    let mut rest = parts.as_slice();
    while !rest.is_empty() {
        // As many as can be written at once: all that is in memory, or some of what is in the journal.
        let is_in_memory = |part: &&Part| !matches!(part, Part::Journal(_));
        let in_memory = rest.iter().take_while(is_in_memory).count();
        let (now, later) = rest.split_at_checked(in_memory).unwrap_or((rest, &[]));
        if !now.is_empty() {
            let slices: Vec<_> = now.iter().flat_map(Part::slices).map(IoSlice::new).collect();
            write(&slices)?;
        }
        let read = read_back.read(sources, later).map_err(|source| journal_error(sources, source))?;
        if !read.is_empty() {
            write(&read)?;
        }
        rest = later.get(read.len()..).unwrap_or_default();
    }
    let written = written.ok_or_else(|| journal_error(sources, io::ErrorKind::UnexpectedEof.into()))?;
    if position - piece.position >= manner.writeback_bytes_min {
        // A hint: if the disk cannot write, the sync says so.
        let _ = written.file.start_writeback(piece.position, position - piece.position);
    }
    Ok(written)
}

fn journal_error(sources: &Sources, source: io::Error) -> SegmentError {
    SegmentError::Io { doing: "read", path: sources.layout.journal(), source }
}

impl Part {
    /// Where it is in the journal, if it is there alone.
    pub(super) fn position(&self) -> Option<Position> {
        match self {
            Self::Journal(position) => Some(*position),
            Self::Frame(_) | Self::Patched { .. } => None,
        }
    }

    /// What of it is in memory.
    fn slices(&self) -> [&[u8]; 2] {
        match self {
            Self::Frame(slice) => [slice.as_ref(), &[]],
            Self::Patched { header, bytes } => [header, bytes.get(HEADER_BYTES..).unwrap_or_default()],
            Self::Journal(_) => [&[], &[]],
        }
    }
}
