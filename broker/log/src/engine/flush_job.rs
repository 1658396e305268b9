//! Writing batches of tails into segments, through the page cache and without a sync.

use std::io::{self, IoSlice};
use std::sync::Arc;

use super::read::Sources;
use bytes::Bytes;

use crate::disk;
use crate::journal::Position;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Segment, SegmentError, Written};
use crate::tail::FrameSlice;

/// What the journal still has and memory has not is read in pieces of this size.
const READ_BYTES: usize = 1 << 20;

/// From this size on, the disk begins at once to write what is appended to an `async` log, so that a later sync
/// has less to wait for. Less than that is often followed by more of the same page.
pub(super) const WRITEBACK_BYTES_MIN: u64 = 1 << 20;

/// So many bytes of a batch hold what a log says about it: the base offset, the length, the leader epoch.
const PATCHED_BYTES: usize = 16;

/// Where a batch's bytes are.
#[derive(Debug)]
pub(super) enum Part {
    /// In a frame of the journal that is in memory.
    Frame(FrameSlice),
    /// In the journal.
    Journal(Position),
    /// A request's own, with other bytes for the first ones.
    Patched { head: [u8; PATCHED_BYTES], bytes: Bytes },
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
    /// The producers' state at that offset, if there are any.
    pub(super) snapshot: Option<Vec<u8>>,
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
    pub(super) fn run(self) -> FlushDone {
        let result = self.write();
        FlushDone { job: self, result }
    }

    fn write(&self) -> Result<Vec<Written>, SegmentError> {
        let pieces = self.logs.iter().flat_map(|log| &log.pieces);
        // The disk begins with each piece at once. A sync of the file system would leave thousands of small ones
        // to one thread of the kernel, and the journal would be full before that is done.
        pieces.map(|piece| write_piece(&self.sources, piece, 0)).collect()
    }
}

/// Writes a piece, and nothing else: its segment does not have it before [`Segment::extend`]. From this size on,
/// the disk is asked to begin.
pub(super) fn write_piece(
    sources: &Sources,
    piece: &Piece,
    writeback_bytes_min: u64,
) -> Result<Written, SegmentError> {
    let Piece { segment, parts, .. } = piece;
    let mut written: Option<Written> = None;
    let mut position = piece.position;
    let mut write = |parts: &[IoSlice<'_>]| {
        let now = segment.write(&sources.files, position, parts)?;
        position += parts.iter().map(|part| part.len() as u64).sum::<u64>();
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
        let (bytes, taken) = read_journal(sources, later).map_err(|source| journal_error(sources, source))?;
        if !bytes.is_empty() {
            write(&[IoSlice::new(&bytes)])?;
        }
        rest = later.get(taken..).unwrap_or_default();
    }
    let written = written.ok_or_else(|| journal_error(sources, io::ErrorKind::UnexpectedEof.into()))?;
    if position - piece.position >= writeback_bytes_min {
        // A hint: if the disk cannot write, the sync says so.
        let _ = written.file.start_writeback(piece.position, position - piece.position);
    }
    Ok(written)
}

fn journal_error(sources: &Sources, source: io::Error) -> SegmentError {
    SegmentError::Io { doing: "read", path: sources.layout.journal(), source }
}

impl Part {
    /// A request's batch with the offset and epoch that it got.
    pub(super) fn patched(base_offset: i64, leader_epoch: i32, bytes: Bytes) -> Self {
        let mut head = [0; PATCHED_BYTES];
        let length = bytes.get(8..12).unwrap_or_default();
        let fields = base_offset.to_be_bytes().into_iter().chain(length.iter().copied());
        let fields = fields.chain(leader_epoch.to_be_bytes());
        head.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        Self::Patched { head, bytes }
    }

    /// What of it is in memory.
    fn slices(&self) -> [&[u8]; 2] {
        match self {
            Self::Frame(slice) => [slice.as_ref(), &[]],
            Self::Patched { head, bytes } => [head, bytes.get(PATCHED_BYTES..).unwrap_or_default()],
            Self::Journal(_) => [&[], &[]],
        }
    }
}

/// Reads parts that lie in the journal, until there are enough of them; says how many those are.
fn read_journal(sources: &Sources, parts: &[Part]) -> io::Result<(Vec<u8>, usize)> {
    let mut bytes = Vec::new();
    let mut taken = 0;
    for part in parts {
        let Part::Journal(position) = part else { break };
        if bytes.len() >= READ_BYTES {
            break;
        }
        // It is recycled only when this has been written.
        let pinned = sources.journal.pin(position.file).ok_or(io::ErrorKind::NotFound)?;
        let start = bytes.len();
        bytes.resize(start + usize::try_from(position.length).unwrap_or(0), 0);
        disk::read_exact_at(pinned.file(), bytes.get_mut(start..).unwrap_or_default(), position.offset)?;
        taken += 1;
    }
    Ok((bytes, taken))
}
