//! The transactions of a partition: which are open, which are over but not yet everywhere, and which were
//! aborted.
//!
//! Owns what the last stable offset is made of. It knows no sequences and no epochs.

use std::collections::VecDeque;

/// A transaction whose end is in the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CompletedTransaction {
    /// Whose it was.
    pub producer_id: i64,
    /// The offset of its first record.
    pub first_offset: i64,
    /// The offset of its marker.
    pub last_offset: i64,
    /// What the transaction index notes beside it: the first offset that was not decided when it ended.
    pub last_stable_offset: i64,
    /// Whether its records do not count.
    pub is_aborted: bool,
}

/// A transaction that is not over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Open {
    first_offset: i64,
    producer_id: i64,
}

/// From where to where a transaction went that is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Decided {
    pub(super) first_offset: i64,
    pub(super) last_offset: i64,
}

#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Transactions {
    /// By first offset.
    open: VecDeque<Open>,
    /// Those whose markers are not below the high watermark yet. Both offsets rise from one to the next: one that
    /// began later and ended earlier than another holds nothing back that the other does not.
    decided: VecDeque<Decided>,
    /// Those that no transaction index has yet, by last offset.
    aborted: VecDeque<CompletedTransaction>,
}

impl Transactions {
    pub(super) fn begin(&mut self, producer_id: i64, first_offset: i64) {
        // At the end, but for a log in which offsets fall.
        let index = self.open.partition_point(|open| open.first_offset <= first_offset);
        self.open.insert(index, Open { first_offset, producer_id });
    }

    pub(super) fn end(
        &mut self,
        producer_id: i64,
        first_offset: i64,
        last_offset: i64,
        is_aborted: bool,
    ) -> CompletedTransaction {
        if let Ok(index) = self.open.binary_search_by_key(&first_offset, |open| open.first_offset) {
            self.open.remove(index);
        }
        let next = self.open.front().map(|open| open.first_offset);
        let last_stable_offset = next.unwrap_or(last_offset.saturating_add(1));
        let completed =
            CompletedTransaction { producer_id, first_offset, last_offset, last_stable_offset, is_aborted };
        self.decide(Decided { first_offset, last_offset });
        if is_aborted {
            self.aborted.push_back(completed);
        }
        completed
    }

    pub(super) fn is_open_at(&self, first_offset: i64) -> bool {
        self.open.binary_search_by_key(&first_offset, |open| open.first_offset).is_ok()
    }

    pub(super) fn decide(&mut self, decided: Decided) {
        while self.decided.pop_back_if(|last| last.first_offset >= decided.first_offset).is_some() {}
        self.decided.push_back(decided);
    }

    pub(super) fn restore_aborted(&mut self, aborted: CompletedTransaction) {
        self.aborted.push_back(aborted);
    }

    pub(super) fn decided(&self) -> impl ExactSizeIterator<Item = &Decided> {
        self.decided.iter()
    }

    pub(super) fn aborted(&self) -> impl ExactSizeIterator<Item = &CompletedTransaction> {
        self.aborted.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.decided.is_empty() && self.aborted.is_empty()
    }

    pub(super) fn first_open_offset(&self) -> Option<i64> {
        self.open.front().map(|open| open.first_offset)
    }

    pub(super) fn first_unstable_offset(&self) -> Option<i64> {
        let open = self.open.front().map(|open| open.first_offset);
        let decided = self.decided.front().map(|decided| decided.first_offset);
        open.into_iter().chain(decided).min()
    }

    /// Lets go of what ended below `offset`, which every replica has, or which is deleted.
    pub(super) fn settle(&mut self, offset: i64) {
        while self.decided.pop_front_if(|decided| decided.last_offset < offset).is_some() {}
    }

    /// Lets go of the aborted ones that ended below `offset`: the segments know them.
    pub(super) fn forget_aborted(&mut self, offset: i64) {
        while self.aborted.pop_front_if(|aborted| aborted.last_offset < offset).is_some() {}
    }
}
