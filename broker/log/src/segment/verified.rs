//! Which stretches of a segment's file have been held against their checksums, and what was found bad.
//!
//! Pure. A stretch is the batches that begin within it. Only what was there when the process began is in
//! question: what it writes itself, it knows.

/// So many bytes are checked at a time.
pub(super) const STRETCH_BYTES: u64 = 1 << 20;

/// Bytes that must not be read: `start` is where a batch begins or should begin, and so is `end`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Bad {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) what: &'static str,
}

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Verified {
    /// A bit for each stretch.
    words: Vec<u64>,
    /// By their starts; they do not overlap.
    bad: Vec<Bad>,
}

fn place(stretch: u64) -> (usize, u64) {
    (usize::try_from(stretch / 64).unwrap_or(usize::MAX), 1 << (stretch % 64))
}

impl Verified {
    pub(super) fn is_done(&self, stretch: u64) -> bool {
        let (word, bit) = place(stretch);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Notes what was found in a stretch.
    pub(super) fn done(&mut self, stretch: u64, found: &[Bad]) {
        let (word, bit) = place(stretch);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
        self.bad.extend_from_slice(found);
        self.bad.sort_unstable_by_key(|bad| bad.start);
        self.bad.dedup_by(|next, kept| {
            let overlaps = next.start < kept.end;
            if overlaps {
                kept.end = kept.end.max(next.end);
            }
            overlaps
        });
    }

    /// The first bad bytes that end beyond a position.
    pub(super) fn bad_from(&self, position: u64) -> Option<Bad> {
        self.bad.get(self.bad.partition_point(|bad| bad.end <= position)).copied()
    }

    /// What is known of a part from the front.
    pub(super) fn cut(&self, length: u64) -> Self {
        let mut cut = self.clone();
        cut.bad.retain(|bad| bad.start < length);
        cut
    }
}

#[cfg(test)]
mod tests {
    use super::{Bad, Verified};

    fn bad(start: u64, end: u64) -> Bad {
        Bad { start, end, what: "bad" }
    }

    #[test]
    fn stretches_are_noted_one_by_one() {
        let mut verified = Verified::default();
        assert!(!verified.is_done(200));
        verified.done(200, &[]);
        assert!(verified.is_done(200) && !verified.is_done(199) && !verified.is_done(201));
    }

    #[test]
    fn overlapping_bad_bytes_become_one() {
        let mut verified = Verified::default();
        verified.done(1, &[bad(50, 60), bad(10, 20)]);
        verified.done(0, &[bad(15, 30), bad(60, 70)]);
        assert_eq!(verified.bad_from(0), Some(bad(10, 30)));
        assert_eq!(verified.bad_from(29), Some(bad(10, 30)));
        assert_eq!(verified.bad_from(30), Some(bad(50, 60)));
        assert_eq!(verified.bad_from(60), Some(bad(60, 70)));
        assert_eq!(verified.bad_from(70), None);
        assert_eq!(verified.cut(60).bad_from(60), None);
    }
}
