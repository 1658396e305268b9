//! Which transactions are open at the place that compaction has come to, and how they ended.
//!
//! Owns what is known of them while one goes through a log from its start: whose records were aborted, and of
//! which transactions there are batches left, so that their markers are still needed. It decides nothing about
//! a batch and reads none.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::batch::BatchHeader;

use crate::segment::AbortedTransaction;

/// What a transaction's marker means for what lies before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Ending {
    /// Batches of the transaction are left, so the marker has to stay. Where they were aborted, so has the
    /// transaction's entry in the index.
    Needed(Option<AbortedTransaction>),
    /// Nothing is left of the transaction but its marker.
    Alone,
}

/// How a marker ends its transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Marker {
    Abort,
    Commit,
}

#[derive(Debug)]
struct Aborted {
    transaction: AbortedTransaction,
    has_batches: bool,
}

/// What is known of transactions on the way through a log.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// Those that begin further on, by their first offsets.
    ahead: BTreeMap<i64, AbortedTransaction>,
    /// Those that the way goes through, by their producers: each has one transaction at a time.
    aborted: BTreeMap<i64, Aborted>,
    /// Producers with committed batches since their last marker.
    committed: BTreeSet<i64>,
}

impl Transactions {
    /// Takes note of transactions that lie ahead, or that the way is in. It does no harm to say one again in
    /// every segment that it goes through.
    pub(super) fn add_aborted(&mut self, transactions: impl IntoIterator<Item = AbortedTransaction>) {
        self.ahead
            .extend(transactions.into_iter().map(|transaction| (transaction.first_offset, transaction)));
    }

    /// Goes on past a batch that is no marker, and says whether its records were aborted.
    pub(super) fn pass_data(&mut self, header: &BatchHeader) -> bool {
        if !header.attributes.is_transactional() {
            return false;
        }
        self.enter(header.last_offset());
        match self.aborted.get_mut(&header.producer_id) {
            Some(aborted) if aborted.transaction.last_offset >= header.base_offset => {
                aborted.has_batches = true;
                true
            }
            _ => {
                self.committed.insert(header.producer_id);
                false
            }
        }
    }

    /// Goes on past a transaction's marker.
    pub(super) fn pass_marker(&mut self, header: &BatchHeader, marker: Marker) -> Ending {
        self.enter(header.last_offset());
        match marker {
            Marker::Abort => match self.aborted.remove(&header.producer_id) {
                Some(aborted)
                    if aborted.has_batches && aborted.transaction.last_offset >= header.base_offset =>
                {
                    Ending::Needed(Some(aborted.transaction))
                }
                _ => Ending::Alone,
            },
            Marker::Commit if self.committed.remove(&header.producer_id) => Ending::Needed(None),
            Marker::Commit => Ending::Alone,
        }
    }

    fn enter(&mut self, offset: i64) {
        while let Some(first) = self.ahead.first_entry().filter(|first| *first.key() <= offset) {
            let transaction = first.remove();
            let is_known = self
                .aborted
                .get(&transaction.producer_id)
                .is_some_and(|known| known.transaction.last_offset >= transaction.first_offset);
            // The same once more, from another segment.
            if !is_known {
                let aborted = Aborted { transaction, has_batches: false };
                self.aborted.insert(transaction.producer_id, aborted);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use strandline_protocol::batch::{BatchHeader, BatchView, ControlRecord};

    use super::{AbortedTransaction, Ending, Marker, Transactions};

    fn header(producer_id: i64, offset: i64) -> BatchHeader {
        let batch = ControlRecord::Commit { coordinator_epoch: 0 }.transaction_marker(0, producer_id, 0);
        let mut header = *BatchView::parse(&batch.unwrap()).unwrap().header();
        header.assign(offset, 0);
        header
    }

    fn aborted(producer_id: i64, first_offset: i64, last_offset: i64) -> AbortedTransaction {
        AbortedTransaction { first_offset, producer_id, last_offset, last_stable_offset: first_offset }
    }

    #[test]
    fn records_are_aborted_from_the_first_to_the_marker() {
        let mut transactions = Transactions::default();
        transactions.add_aborted([aborted(1, 10, 20)]);
        assert!(!transactions.pass_data(&header(1, 9)));
        assert_eq!(transactions.pass_marker(&header(1, 9), Marker::Commit), Ending::Needed(None));
        assert!(transactions.pass_data(&header(1, 10)));
        assert!(!transactions.pass_data(&header(2, 11)), "another producer");
        transactions.add_aborted([aborted(1, 10, 20)]);
        assert!(transactions.pass_data(&header(1, 19)));
        let needed = Ending::Needed(Some(aborted(1, 10, 20)));
        assert_eq!(transactions.pass_marker(&header(1, 20), Marker::Abort), needed);
        assert!(!transactions.pass_data(&header(1, 21)));
    }

    #[test]
    fn a_marker_is_alone_when_its_batches_are_gone() {
        let mut transactions = Transactions::default();
        transactions.add_aborted([aborted(1, 10, 20)]);
        assert_eq!(transactions.pass_marker(&header(1, 20), Marker::Abort), Ending::Alone);
        assert_eq!(transactions.pass_marker(&header(2, 21), Marker::Commit), Ending::Alone);
        transactions.pass_data(&header(2, 22));
        assert_eq!(transactions.pass_marker(&header(2, 23), Marker::Commit), Ending::Needed(None));
        assert_eq!(transactions.pass_marker(&header(2, 24), Marker::Commit), Ending::Alone);
    }

    #[test]
    fn a_transaction_whose_marker_is_gone_aborts_nothing_behind_it() {
        let mut transactions = Transactions::default();
        transactions.add_aborted([aborted(1, 10, 20), aborted(1, 25, 30)]);
        assert!(transactions.pass_data(&header(1, 15)));
        assert!(!transactions.pass_data(&header(1, 21)));
        assert!(transactions.pass_data(&header(1, 26)));
        let needed = Ending::Needed(Some(aborted(1, 25, 30)));
        assert_eq!(transactions.pass_marker(&header(1, 30), Marker::Abort), needed);
    }
}
