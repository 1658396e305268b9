//! What the model knows of a partition's producers: by Kafka's rules, and as simple as it gets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use super::batch::Batch;
use crate::producers::Sender;

/// A transaction, from its first record on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transaction {
    pub(super) producer: i64,
    pub(super) first_offset: i64,
    /// The marker's offset, and whether it is an abort.
    pub(super) end: Option<(i64, bool)>,
}

#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    coordinator_epoch: i32,
    /// Sequence, first and last offset of its last batches, oldest first.
    last: VecDeque<(i32, i64, i64)>,
    is_open: bool,
    /// Of its last batch or marker.
    last_timestamp: i64,
}

/// What is to be answered about a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    Fresh,
    Duplicate(i64, i64),
    EpochStale,
    OutOfOrder,
    TransactionOpen,
    CoordinatorStale,
}

/// The producers of one partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Producers {
    producers: BTreeMap<i64, Producer>,
    pub(super) transactions: Vec<Transaction>,
    /// Those that were forgotten for their age.
    forgotten: BTreeSet<i64>,
    /// Those that were forgotten once, and of which older snapshots may know.
    doubtful: BTreeSet<i64>,
}

impl Producers {
    pub(super) fn of<'a>(batches: impl Iterator<Item = &'a Batch>) -> Self {
        let mut producers = Self::default();
        batches.for_each(|batch| producers.apply(batch));
        producers
    }

    /// The same, of a log that may have been cut or opened again since.
    pub(super) fn found_again(&self, batches: &[Rc<Batch>]) -> Self {
        let batches = batches.iter().map(|batch| &**batch);
        Self { doubtful: &self.forgotten | &self.doubtful, ..Self::of(batches) }
    }

    pub(super) fn is_any_forgotten(&self) -> bool {
        !self.forgotten.is_empty()
    }

    /// Whether the engine may know less of a batch's producer.
    pub(super) fn is_doubtful(&self, batch: &Batch) -> bool {
        batch.producer().is_some_and(|id| self.doubtful.contains(&id))
    }

    /// Forgets who has been silent for so long, but those that have something on its way. Says how many.
    pub(super) fn forget(&mut self, now_ms: i64, expiration_ms: i64, busy: &BTreeSet<i64>) -> usize {
        let is_old = |id: &i64, one: &mut Producer| {
            let age_ms = now_ms.saturating_sub(one.last_timestamp);
            !one.is_open && age_ms >= expiration_ms && !busy.contains(id)
        };
        let forgotten: Vec<_> = self.producers.extract_if(.., is_old).map(|(id, _)| id).collect();
        self.doubtful.retain(|id| !forgotten.contains(id));
        self.forgotten.extend(&forgotten);
        forgotten.len()
    }

    /// The epoch that a producer has, and the sequence that it goes on with.
    pub(super) fn next(&self, id: i64) -> Option<(i16, i32)> {
        let producer = self.producers.get(&id)?;
        Some((producer.epoch, producer.next_sequence()))
    }

    pub(super) fn is_open(&self, id: i64) -> bool {
        self.producers.get(&id).is_some_and(|producer| producer.is_open)
    }

    /// Where a batch stands that may have been taken more than once, since its producer was forgotten in between: the
    /// place that was answered, or the last one.
    pub(super) fn place_of_duplicate(
        &self,
        batch: &Batch,
        answered: Option<(i64, i64)>,
    ) -> Option<(i64, i64)> {
        let known = batch.producer().and_then(|id| self.producers.get(&id))?;
        let mut places = known.places_of(batch).rev();
        match answered {
            Some(answered) => places.find(|place| *place == answered),
            None => places.next(),
        }
    }

    pub(super) fn check(&self, batch: &Batch) -> Verdict {
        let Some(known) = batch.producer().and_then(|id| self.producers.get(&id)) else {
            return Verdict::Fresh;
        };
        let header = &batch.header;
        let is_stale = header.producer_epoch < known.epoch;
        match (batch.sender, batch.marker) {
            (Sender::Leader, _) => Verdict::Fresh,
            (_, Some(_)) if is_stale => Verdict::EpochStale,
            (_, Some((epoch, _))) if epoch < known.coordinator_epoch => Verdict::CoordinatorStale,
            (_, Some(_)) => Verdict::Fresh,
            (sender, None) => {
                let is_new = header.producer_epoch > known.epoch;
                let expected = if is_new { 0 } else { known.next_sequence() };
                if sender == Sender::Client
                    && let Some((first, last)) = known.places_of(batch).next()
                {
                    Verdict::Duplicate(first, last)
                } else if is_stale {
                    Verdict::EpochStale
                } else if sender == Sender::Client && header.base_sequence != expected {
                    Verdict::OutOfOrder
                } else if known.is_open && !header.attributes.is_transactional() {
                    Verdict::TransactionOpen
                } else {
                    Verdict::Fresh
                }
            }
        }
    }

    pub(super) fn apply(&mut self, batch: &Batch) {
        let Some(id) = batch.producer() else { return };
        let header = &batch.header;
        let producer = self.producers.entry(id).or_insert_with(|| Producer {
            epoch: header.producer_epoch,
            coordinator_epoch: -1,
            last: VecDeque::new(),
            is_open: false,
            last_timestamp: header.max_timestamp,
        });
        producer.last_timestamp = header.max_timestamp;
        if producer.epoch != header.producer_epoch {
            producer.epoch = header.producer_epoch;
            producer.last.clear();
        }
        if let Some((coordinator_epoch, is_abort)) = batch.marker {
            producer.coordinator_epoch = coordinator_epoch;
            if std::mem::take(&mut producer.is_open) {
                let open = |one: &&mut Transaction| one.producer == id && one.end.is_none();
                let transaction = self.transactions.iter_mut().find(open).unwrap();
                transaction.end = Some((batch.base_offset, is_abort));
            }
            return;
        }
        producer.last.push_back((header.base_sequence, batch.base_offset, batch.last_offset));
        if producer.last.len() > 5 {
            producer.last.pop_front();
        }
        if header.attributes.is_transactional() && !producer.is_open {
            producer.is_open = true;
            let first_offset = batch.base_offset;
            self.transactions.push(Transaction { producer: id, first_offset, end: None });
        }
    }

    /// The first offset that is open, or was decided at `settled` or later.
    pub(super) fn first_unstable(&self, settled: i64) -> Option<i64> {
        let is_unstable = |one: &&Transaction| one.end.is_none_or(|(offset, _)| offset >= settled);
        self.transactions.iter().filter(is_unstable).map(|one| one.first_offset).min()
    }

    /// How the transaction ended that a batch is part of: none if it is of none, or not over.
    pub(super) fn is_aborted(&self, batch: &Batch) -> Option<bool> {
        let id = batch.producer().filter(|_| batch.header.attributes.is_transactional())?;
        let holds = |one: &&Transaction| {
            one.producer == id
                && one.first_offset <= batch.base_offset
                && one.end.is_none_or(|(offset, _)| batch.base_offset <= offset)
        };
        self.transactions.iter().find(holds)?.end.map(|(_, is_abort)| is_abort)
    }
}

impl Producer {
    /// Where batches stand that look like this one, oldest first.
    fn places_of(&self, batch: &Batch) -> impl DoubleEndedIterator<Item = (i64, i64)> {
        let header = &batch.header;
        let is_same = |(sequence, first, last): &&(i32, i64, i64)| {
            *sequence == header.base_sequence
                && last - first == i64::from(header.last_offset_delta)
                && header.producer_epoch == self.epoch
        };
        self.last.iter().filter(is_same).map(|(_, first, last)| (*first, *last))
    }

    fn next_sequence(&self) -> i32 {
        let next = |(sequence, first, last): &(i32, i64, i64)| {
            i32::try_from((i64::from(*sequence) + last - first + 1) & i64::from(i32::MAX)).unwrap()
        };
        // A batch of a coordinator has no sequence.
        self.last.back().map_or(0, |last| if last.0 < 0 { 0 } else { next(last) })
    }
}
