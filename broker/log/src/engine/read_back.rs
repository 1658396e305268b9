//! Reading back from the journal what a flush wants and memory has not any more: what lies together at once, whichever logs
//! it is of, and of one log as much as is worth a write of its own.
//!
//! What is read is kept while the flush goes on, and no longer: all that it wants was durable before it began.

use std::io::{self, IoSlice};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::flush_job::Part;
use super::read::Sources;
use crate::journal::{Position, ReadBuffer};

/// The journal is read in pieces of this size, or of one batch that is larger.
const READ_BYTES: u64 = 1 << 20;

/// So much that was read is kept at the most, for the logs that come next; and so much memory from one flush to the next.
/// What is read has to begin and end at blocks' borders, and buffers grow by doubling.
const BUFFERED_BYTES_MAX: usize = 8 << 20;

/// Logs that want so much at the most find all that was read still there: gaps, borders and doubling fit in beside it.
const READ_TOGETHER_BYTES_MAX: u64 = 2 << 20;

/// Between what is read so much may lie that is not wanted: other logs' entries, and the ends of frames. To read it
/// costs less than to begin once more behind it.
const GAP_BYTES_MAX: u64 = 8 << 10;

/// Logs come in the order of their first batches, and each may have later ones that lie elsewhere. Where logs are written
/// to in turn, each batch of one lies by itself, beside one of each other.
const WINDOWS_MAX: usize = 256;

/// How many logs, one at least, are read back together, if the first want so many bytes each. What lies together is of many
/// logs, and what a log wants lies in many places: with more of them, all would be read for each.
pub(super) fn logs_together(wanted: impl Iterator<Item = u64>) -> usize {
    let sums = wanted.scan(0_u64, |sum, bytes| {
        *sum = sum.saturating_add(bytes);
        Some(*sum)
    });
    sums.take_while(|sum| *sum <= READ_TOGETHER_BYTES_MAX).count().max(1)
}

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

    /// The smallest that holds so much, or a new one: one that grows is as dear.
    fn take(&self, length: usize) -> ReadBuffer {
        let mut spare = self.spare();
        let sizes = spare.iter().map(ReadBuffer::capacity).enumerate();
        let best = sizes.filter(|(_, bytes)| *bytes >= length).min_by_key(|(_, bytes)| *bytes);
        best.map(|(place, _)| spare.swap_remove(place)).unwrap_or_default()
    }

    /// Keeps as many as one flush needs.
    fn give_back(&self, buffer: ReadBuffer) {
        let mut spare = self.spare();
        let kept_bytes: usize = spare.iter().map(ReadBuffer::capacity).sum();
        if spare.len() < WINDOWS_MAX && kept_bytes + buffer.capacity() <= BUFFERED_BYTES_MAX {
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

    /// The first of these parts, as many as lie in the journal and are worth a write: those that are read at once, and more
    /// while that is not much.
    pub(super) fn read(&mut self, sources: &Sources, parts: &[Part]) -> io::Result<Vec<IoSlice<'_>>> {
        let mut found = Vec::new();
        let (mut in_use, mut bytes, mut read_bytes) = (0, 0, 0);
        for position in parts.iter().map_while(Part::position) {
            let index = self.run_of(&position).ok_or(io::ErrorKind::InvalidInput)?;
            if found.last().is_none_or(|(last, _)| *last != index) {
                let length = self.run_length(index)?;
                let is_enough = bytes >= READ_BYTES || in_use == WINDOWS_MAX;
                if in_use > 0 && (is_enough || read_bytes + length > BUFFERED_BYTES_MAX / 2) {
                    break;
                }
                self.read_run(sources, index, length, in_use)?;
                in_use += 1;
                read_bytes += length;
            }
            bytes += u64::from(position.length);
            found.push((index, position));
        }
        let slices = found.iter().map(|(index, position)| self.slice(*index, position).map(IoSlice::new));
        slices.collect::<Option<_>>().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// What a part of a run that was read holds.
    fn slice(&self, index: usize, position: &Position) -> Option<&[u8]> {
        let window = self.windows.iter().rev().find(|window| window.run == index)?;
        let from = usize::try_from(position.offset.checked_sub(self.runs.get(index)?.start)?).ok()?;
        window.buffer.bytes().get(from..)?.get(..usize::try_from(position.length).ok()?)
    }

    /// Lets go of what was read. Its memory stays for the next flush.
    pub(super) fn finish(self, sources: &Sources) {
        self.windows.into_iter().for_each(|window| sources.read_buffers.give_back(window.buffer));
    }

    fn run_of(&self, position: &Position) -> Option<usize> {
        let place = (position.file, position.offset);
        self.runs.partition_point(|run| (run.file, run.start) <= place).checked_sub(1)
    }

    fn run_length(&self, index: usize) -> io::Result<usize> {
        let run = self.runs.get(index).ok_or(io::ErrorKind::InvalidInput)?;
        usize::try_from(run.end - run.start).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// Has a run in the last window. So many before it are in use and stay.
    fn read_run(&mut self, sources: &Sources, index: usize, length: usize, in_use: usize) -> io::Result<()> {
        if let Some(place) = self.windows.iter().position(|window| window.run == index) {
            let window = self.windows.remove(place);
            self.windows.push(window);
            return Ok(());
        }
        while self.is_full(length) && self.windows.len() > in_use {
            // The one that was used longest ago.
            sources.read_buffers.give_back(self.windows.remove(0).buffer);
        }
        let run = self.runs.get(index).ok_or(io::ErrorKind::InvalidInput)?;
        // It is recycled only when this has been written.
        let pinned = sources.journal.pin(run.file).ok_or(io::ErrorKind::NotFound)?;
        let mut buffer = sources.read_buffers.take(length);
        pinned.read_once(&mut buffer, run.start, length)?;
        self.windows.push(Window { run: index, buffer });
        Ok(())
    }

    /// Whether there is no room for another window of this length.
    fn is_full(&self, length: usize) -> bool {
        let bytes: usize = self.windows.iter().map(|window| window.buffer.capacity()).sum();
        self.windows.len() >= WINDOWS_MAX || bytes + length > BUFFERED_BYTES_MAX
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
    use super::{
        BUFFERED_BYTES_MAX, Part, Position, ReadBack, ReadBuffer, ReadBuffers, WINDOWS_MAX, logs_together,
    };

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
    fn of_many_logs_as_many_are_read_back_together_as_there_is_room_for() {
        assert_eq!(logs_together([0; 300].into_iter()), 300);
        assert_eq!(logs_together([1 << 20; 300].into_iter()), 2);
        assert_eq!(logs_together([9_000; 300].into_iter()), 233);
        assert_eq!(logs_together([8 << 20, 1].into_iter()), 1);
        assert_eq!(logs_together([u64::MAX, u64::MAX].into_iter()), 1);
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
        let kept = |buffers: &ReadBuffers| -> Vec<_> {
            std::iter::from_fn(|| Some(buffers.take(0).capacity()).filter(|bytes| *bytes > 0)).collect()
        };
        (0..20).for_each(|_| buffers.give_back(of(1 << 20)));
        let large = kept(&buffers);
        assert!((4..=8).contains(&large.len()), "{large:?}");
        (0..=WINDOWS_MAX).for_each(|_| buffers.give_back(of(16 << 10)));
        assert_eq!(kept(&buffers).len(), WINDOWS_MAX);
        buffers.give_back(of(BUFFERED_BYTES_MAX + 1));
        assert_eq!(kept(&buffers), []);
        [800, 100, 200].into_iter().for_each(|kilobytes| buffers.give_back(of(kilobytes << 10)));
        let taken = [150, 150, 150].map(|kilobytes| buffers.take(kilobytes << 10).capacity() >> 10);
        assert!((200..400).contains(&taken[0]) && taken[1] >= 800 && taken[2] == 0, "{taken:?}");
    }
}
