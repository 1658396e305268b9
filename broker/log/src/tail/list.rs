//! The tail of one partition.

use std::collections::VecDeque;

/// Where a batch lies that is not in a segment yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TailEntry {
    /// The offset of its first record.
    pub base_offset: i64,
    /// The number of the journal's frame that it is in.
    pub frame: u64,
    /// Where it begins, from the frame's first byte.
    pub offset_in_frame: u32,
    /// How many bytes it has.
    pub length: u32,
    /// The offset of its last record, less that of its first.
    pub last_offset_delta: i32,
    /// The largest timestamp of its records, or -1.
    pub max_timestamp: i64,
}

impl TailEntry {
    /// The offset of its last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset behind its last record.
    pub fn end_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }
}

/// Why an entry was not added. The tail is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "a batch of offsets {base_offset}..{end_offset} does not follow a tail that ends at {tail_end_offset}"
)]
pub struct RefusedEntry {
    /// Where the batch begins.
    pub base_offset: i64,
    /// Where it ends.
    pub end_offset: i64,
    /// Where the tail ends; zero if it is empty.
    pub tail_end_offset: i64,
}

/// The batches of a partition that are not in a segment yet, in the order of their offsets.
///
/// There may be gaps between them, where a leader has compacted what a follower copies.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    entries: VecDeque<TailEntry>,
    bytes: u64,
}

impl Tail {
    /// An empty tail. It takes no memory but its own.
    pub const fn new() -> Self {
        Self { entries: VecDeque::new(), bytes: 0 }
    }

    /// Adds the batch that follows.
    pub fn push(&mut self, entry: TailEntry) -> Result<(), RefusedEntry> {
        let TailEntry { base_offset, .. } = entry;
        let (end_offset, tail_end_offset) = (entry.end_offset(), self.end_offset().unwrap_or(0));
        if base_offset < tail_end_offset || end_offset <= base_offset {
            return Err(RefusedEntry { base_offset, end_offset, tail_end_offset });
        }
        self.entries.push_back(entry);
        self.bytes += u64::from(entry.length);
        Ok(())
    }

    /// Whether there are no batches.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes they have.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The offset of the first record.
    pub fn base_offset(&self) -> Option<i64> {
        self.entries.front().map(|entry| entry.base_offset)
    }

    /// The offset behind the last record.
    pub fn end_offset(&self) -> Option<i64> {
        self.entries.back().map(TailEntry::end_offset)
    }

    /// The oldest frame that is needed.
    pub fn first_frame(&self) -> Option<u64> {
        self.entries.front().map(|entry| entry.frame)
    }

    /// The batch that holds an offset, or the next one.
    pub fn find(&self, offset: i64) -> Option<&TailEntry> {
        self.entries.get(self.index_of(offset))
    }

    /// The batches, by rising offsets.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &TailEntry> + Clone {
        self.entries.iter()
    }

    /// The batches from the one that holds an offset on.
    pub fn iter_from(&self, offset: i64) -> impl ExactSizeIterator<Item = &TailEntry> + Clone {
        self.entries.range(self.index_of(offset)..)
    }

    /// How many batches end at or below an offset.
    fn index_of(&self, offset: i64) -> usize {
        self.entries.partition_point(|entry| entry.end_offset() <= offset)
    }

    /// Drops the batches whose records are all below an offset: they are in a segment.
    pub fn drop_below(&mut self, offset: i64) {
        let dropped = self.entries.drain(..self.index_of(offset));
        self.bytes -= dropped.map(|entry| u64::from(entry.length)).sum::<u64>();
        self.shrink();
    }

    /// Drops the batches that hold an offset of `end_offset` or above. As in Kafka a batch is not cut: where
    /// `end_offset` lies inside of one, the tail ends before it.
    pub fn truncate(&mut self, end_offset: i64) {
        let kept = self.entries.partition_point(|entry| entry.end_offset() <= end_offset);
        let dropped = self.entries.drain(kept..);
        self.bytes -= dropped.map(|entry| u64::from(entry.length)).sum::<u64>();
        self.shrink();
    }

    /// Gives memory back that is mostly unused: most partitions are idle most of the time.
    fn shrink(&mut self) {
        if self.entries.capacity() > 4 * self.entries.len() {
            self.entries.shrink_to(2 * self.entries.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RefusedEntry, Tail, TailEntry};
    use crate::random::Random;

    fn entry(base_offset: i64, records: i32, frame: u64) -> TailEntry {
        TailEntry {
            base_offset,
            frame,
            offset_in_frame: 32,
            length: 100,
            last_offset_delta: records - 1,
            max_timestamp: -1,
        }
    }

    /// Batches of offsets 10..15, 15..16, 20..30.
    fn tail() -> Tail {
        let mut tail = Tail::new();
        for (base_offset, records, frame) in [(10, 5, 3), (15, 1, 3), (20, 10, 7)] {
            tail.push(entry(base_offset, records, frame)).unwrap();
        }
        tail
    }

    fn bases(tail: &Tail) -> Vec<i64> {
        tail.iter_from(0).map(|entry| entry.base_offset).collect()
    }

    #[test]
    fn an_entry_is_small_and_an_empty_tail_allocates_nothing() {
        assert_eq!(size_of::<TailEntry>(), 40);
        assert_eq!(size_of::<Tail>(), 40);
        let mut tail = Tail::new();
        assert_eq!(tail.entries.capacity(), 0);
        for base_offset in 0..1_000 {
            tail.push(entry(base_offset, 1, 1)).unwrap();
        }
        tail.drop_below(990);
        assert!(tail.len() == 10 && tail.entries.capacity() <= 40, "{}", tail.entries.capacity());
        tail.drop_below(1_000);
        assert_eq!((tail.bytes(), tail.entries.capacity(), tail.end_offset()), (0, 0, None));
    }

    #[test]
    fn an_offset_is_found_in_its_batch_or_in_the_next() {
        let tail = tail();
        let cases = [(i64::MIN, 10), (10, 10), (14, 10), (15, 15), (16, 20), (19, 20), (29, 20)];
        for (offset, base_offset) in cases {
            assert_eq!(tail.find(offset).unwrap().base_offset, base_offset, "{offset}");
            assert_eq!(tail.iter_from(offset).next().unwrap().base_offset, base_offset, "{offset}");
        }
        assert!(tail.find(30).is_none() && tail.iter_from(i64::MAX).len() == 0);
        assert_eq!(
            (tail.base_offset(), tail.end_offset(), tail.first_frame()),
            (Some(10), Some(30), Some(3))
        );
    }

    #[test]
    fn what_is_flushed_goes_by_whole_batches() {
        for (offset, expected) in
            [(10, &[10, 15, 20][..]), (14, &[10, 15, 20]), (15, &[15, 20]), (29, &[20]), (30, &[])]
        {
            let mut tail = tail();
            tail.drop_below(offset);
            assert_eq!((bases(&tail), tail.bytes()), (expected.to_vec(), 100 * expected.len() as u64));
        }
    }

    #[test]
    fn a_cut_removes_the_batch_that_holds_the_offset() {
        for (offset, expected) in
            [(30, &[10, 15, 20][..]), (29, &[10, 15]), (20, &[10, 15]), (15, &[10]), (14, &[]), (0, &[])]
        {
            let mut tail = tail();
            tail.truncate(offset);
            assert_eq!((bases(&tail), tail.bytes()), (expected.to_vec(), 100 * expected.len() as u64));
        }
    }

    #[test]
    fn what_does_not_follow_is_refused() {
        let mut tail = tail();
        for refused in [entry(29, 1, 8), entry(0, 1, 8), entry(30, 0, 8), entry(i64::MAX, 2, 8)] {
            let error = tail.push(refused).unwrap_err();
            assert_eq!(error.tail_end_offset, 30);
        }
        assert_eq!(bases(&tail), [10, 15, 20]);
        let expected = RefusedEntry { base_offset: -1, end_offset: 0, tail_end_offset: 0 };
        assert_eq!(Tail::new().push(entry(-1, 1, 1)), Err(expected));
        tail.push(entry(30, 1, 8)).unwrap();
    }

    #[test]
    fn it_does_what_a_plain_list_does() {
        for seed in 0..200 {
            let mut random = Random::from_seed(seed);
            let (mut tail, mut plain, mut end) = (Tail::new(), Vec::<TailEntry>::new(), 0_i64);
            for frame in 0..100 {
                let offset = random.below(end.unsigned_abs() + 3).cast_signed();
                match random.below(10) {
                    0 => {
                        tail.drop_below(offset);
                        plain.retain(|entry| entry.end_offset() > offset);
                    }
                    1 => {
                        tail.truncate(offset);
                        plain.retain(|entry| entry.end_offset() <= offset);
                    }
                    _ => {
                        let base_offset = end + random.below(2).cast_signed();
                        let added = entry(base_offset, 1 + i32::try_from(random.below(5)).unwrap(), frame);
                        tail.push(added).unwrap();
                        plain.push(added);
                    }
                }
                end = plain.last().map_or(end, TailEntry::end_offset);
                assert!(tail.iter_from(0).eq(&plain), "seed {seed}");
                assert_eq!(tail.find(offset), plain.iter().find(|entry| entry.end_offset() > offset));
                assert_eq!(tail.bytes(), 100 * plain.len() as u64);
                assert_eq!((tail.first_frame(), tail.len()), (plain.first().map(|e| e.frame), plain.len()));
            }
        }
    }
}
