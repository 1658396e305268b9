//! Reading back from the journal what a flush wants and memory has not any more: each part of it once, and what lies
//! together at once, whichever logs it is of.
//!
//! What is read is kept while the flush goes on, and no longer: all that it wants was durable before it began.

use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flush_job::Part;
use super::read::Sources;
use crate::journal::{Position, ReadBuffer};

/// The journal is read in pieces of this size, or of one batch that is larger.
const READ_BYTES: u64 = 1 << 20;

/// A buffer of more is not kept: what is read has to begin and end at blocks' borders, and buffers grow by doubling.
const READ_BUFFER_BYTES_MAX: usize = 4 << 20;

/// Between what is read so much may lie that is not wanted: other logs' entries, and the ends of frames. To read it
/// costs less than to begin once more behind it.
const GAP_BYTES_MAX: u64 = 8 << 10;

/// Logs come in the order of their first batches, and each may have later ones that lie elsewhere.
const WINDOWS_MAX: usize = 4;

/// What is read at once.
#[derive(Debug)]
struct Run {
    file: u64,
    start: u64,
    end: u64,
}

/// A run that was read.
#[derive(Debug)]
struct Window {
    run: usize,
    buffer: ReadBuffer,
}

/// Memory of flushes that are over, for those that follow: a new buffer's pages cost more than the bytes that are read
/// into them.
#[derive(Debug, Default)]
pub(super) struct ReadBuffers(Mutex<Vec<ReadBuffer>>);

impl ReadBuffers {
    fn spare(&self) -> MutexGuard<'_, Vec<ReadBuffer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> ReadBuffer {
        self.spare().pop().unwrap_or_default()
    }

    /// Keeps as many as one flush needs, and none that a batch has made larger than most are.
    fn give_back(&self, buffer: ReadBuffer) {
        let mut spare = self.spare();
        if spare.len() < WINDOWS_MAX && buffer.capacity() <= READ_BUFFER_BYTES_MAX {
            spare.push(buffer);
        }
    }
}

/// What a flush reads of the journal, and what it has read last.
#[derive(Debug, Default)]
pub(super) struct ReadBack {
    /// In the order of their places.
    runs: Vec<Run>,
    /// The one that was used last is the last.
    windows: Vec<Window>,
}

impl ReadBack {
    /// All that these parts have in the journal.
    pub(super) fn of<'a>(parts: impl Iterator<Item = &'a Part>) -> Self {
        let mut positions: Vec<_> = parts.filter_map(Part::position).collect();
        positions.sort_unstable();
        let mut runs: Vec<Run> = Vec::new();
        for position in positions {
            let end = position.offset + u64::from(position.length);
            match runs.last_mut() {
                Some(run) if run.reaches(&position, end) => run.end = run.end.max(end),
                _ => runs.push(Run { file: position.file, start: position.offset, end }),
            }
        }
        Self { runs, windows: Vec::new() }
    }

    /// The first of these parts that lie in the journal, as many as are read at once.
    pub(super) fn read(&mut self, sources: &Sources, parts: &[Part]) -> io::Result<Vec<IoSlice<'_>>> {
        let Some(first) = parts.first().and_then(Part::position) else { return Ok(Vec::new()) };
        let index = self.run_of(&first).ok_or(io::ErrorKind::InvalidInput)?;
        let start = self.read_run(sources, index)?;
        let read = self.windows.last().map(|window| window.buffer.bytes()).unwrap_or_default();
        let positions = parts.iter().map_while(Part::position);
        let together = positions.take_while(|position| self.run_of(position) == Some(index));
        let slices = together.map(|position| {
            let from = usize::try_from(position.offset - start).ok()?;
            let length = usize::try_from(position.length).ok()?;
            read.get(from..)?.get(..length).map(IoSlice::new)
        });
        slices.collect::<Option<_>>().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// Lets go of what was read. Its memory stays for the next flush.
    pub(super) fn finish(self, sources: &Sources) {
        self.windows.into_iter().for_each(|window| sources.read_buffers.give_back(window.buffer));
    }

    fn run_of(&self, position: &Position) -> Option<usize> {
        let place = (position.file, position.offset);
        self.runs.partition_point(|run| (run.file, run.start) <= place).checked_sub(1)
    }

    /// Has a run in the last window, and says where it starts.
    fn read_run(&mut self, sources: &Sources, index: usize) -> io::Result<u64> {
        let run = self.runs.get(index).ok_or(io::ErrorKind::InvalidInput)?;
        if let Some(place) = self.windows.iter().position(|window| window.run == index) {
            let window = self.windows.remove(place);
            self.windows.push(window);
            return Ok(run.start);
        }
        let is_full = self.windows.len() >= WINDOWS_MAX;
        let mut window = if is_full {
            self.windows.remove(0)
        } else {
            Window { run: index, buffer: sources.read_buffers.take() }
        };
        let length = usize::try_from(run.end - run.start).map_err(|_| io::ErrorKind::InvalidInput)?;
        // It is recycled only when this has been written.
        let pinned = sources.journal.pin(run.file).ok_or(io::ErrorKind::NotFound)?;
        pinned.read_once(&mut window.buffer, run.start, length)?;
        window.run = index;
        self.windows.push(window);
        Ok(run.start)
    }
}

impl Run {
    /// Whether what begins there is read with it.
    fn reaches(&self, position: &Position, end: u64) -> bool {
        self.file == position.file
            && position.offset <= self.end.saturating_add(GAP_BYTES_MAX)
            && end.saturating_sub(self.start) <= READ_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, Position, READ_BUFFER_BYTES_MAX, ReadBack, ReadBuffer, ReadBuffers, WINDOWS_MAX};

    fn runs(places: &[(u64, u64, u32)]) -> Vec<(u64, u64, u64)> {
        let part = |&(file, offset, length): &_| Part::Journal(Position { file, offset, length });
        let parts: Vec<_> = places.iter().map(part).collect();
        ReadBack::of(parts.iter()).runs.iter().map(|run| (run.file, run.start, run.end)).collect()
    }

    #[test]
    fn what_lies_together_is_read_at_once_in_whatever_order_it_is_wanted() {
        assert_eq!(
            runs(&[(1, 40_000, 100), (1, 4_096, 100), (1, 8_192, 20_000)]),
            [(1, 4_096, 28_192), (1, 40_000, 40_100)]
        );
    }

    #[test]
    fn another_file_or_a_full_piece_begins_anew() {
        let large = [(1, 0, 1 << 20), (1, 1 << 20, 10), (2, (1 << 20) + 10, 10)];
        assert_eq!(
            runs(&large),
            [(1, 0, 1 << 20), (1, 1 << 20, (1 << 20) + 10), (2, (1 << 20) + 10, (1 << 20) + 20)]
        );
    }

    #[test]
    fn memory_is_kept_for_the_next_flush_but_not_more_than_it_needs() {
        let buffers = ReadBuffers::default();
        let of = |bytes| ReadBuffer::with_capacity(bytes);
        (0..=WINDOWS_MAX).for_each(|_| buffers.give_back(of(1 << 20)));
        buffers.give_back(of(READ_BUFFER_BYTES_MAX + 1));
        let kept: Vec<_> = (0..=WINDOWS_MAX).map(|_| buffers.take().capacity()).collect();
        assert!(kept.iter().take(WINDOWS_MAX).all(|bytes| (1 << 20..2 << 20).contains(bytes)), "{kept:?}");
        assert_eq!(kept.last(), Some(&0), "{kept:?}");
        buffers.give_back(of(READ_BUFFER_BYTES_MAX + 1));
        assert_eq!(buffers.take().capacity(), 0);
    }
}
