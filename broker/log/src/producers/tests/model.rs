//! A naive account of the same: a list of all batches, searched from its beginning for every answer.

use strandline_protocol::batch::{BatchHeader, NO_PRODUCER_EPOCH, NO_SEQUENCE};

use super::{COMMIT, marker, records, transactional};
use crate::producers::{
    CompletedTransaction, Marker, ProducerBatch, ProducerError, Producers, Sender, Verdict,
};
use crate::random::Random;

type Entry = (BatchHeader, Option<Marker>);

#[derive(Default)]
struct Model {
    /// All batches; the durable ones come first.
    log: Vec<Entry>,
    durable_count: usize,
    /// Those that have ended, durably, in that order.
    completed: Vec<CompletedTransaction>,
    high_watermark: i64,
    log_start: i64,
    indexed_to: i64,
}

fn of(entries: &[Entry], producer_id: i64) -> impl DoubleEndedIterator<Item = &Entry> {
    entries.iter().filter(move |(header, _)| header.producer_id == producer_id)
}

fn epoch(entries: &[Entry], producer_id: i64) -> i16 {
    of(entries, producer_id).next_back().map_or(NO_PRODUCER_EPOCH, |(header, _)| header.producer_epoch)
}

/// The last five batches of the present epoch, the newest first.
fn known(entries: &[Entry], producer_id: i64) -> Vec<BatchHeader> {
    let epoch = epoch(entries, producer_id);
    let present = of(entries, producer_id).rev().take_while(|(header, _)| header.producer_epoch == epoch);
    present.filter(|(_, marker)| marker.is_none()).map(|(header, _)| *header).take(5).collect()
}

fn coordinator_epoch(entries: &[Entry], producer_id: i64) -> i32 {
    of(entries, producer_id)
        .rev()
        .find_map(|(_, marker)| *marker)
        .map_or(-1, |marker| marker.coordinator_epoch)
}

fn open_transaction(entries: &[Entry], producer_id: i64) -> Option<i64> {
    let since = of(entries, producer_id).rev().take_while(|(_, marker)| marker.is_none());
    let first = since.filter(|(header, _)| header.attributes.is_transactional()).last();
    first.map(|(header, _)| header.base_offset)
}

fn sequence_behind(header: &BatchHeader) -> i32 {
    let next = i64::from(header.base_sequence) + i64::from(header.last_offset_delta) + 1;
    if header.base_sequence == NO_SEQUENCE { 0 } else { i32::try_from(next % (1 << 31)).unwrap() }
}

impl Model {
    fn end(&self) -> i64 {
        self.log.last().map_or(0, |(header, _)| header.last_offset() + 1)
    }

    fn durable(&self) -> &[Entry] {
        &self.log[..self.durable_count]
    }

    fn durable_end(&self) -> i64 {
        self.durable().last().map_or(0, |(header, _)| header.last_offset() + 1)
    }

    fn next_sequence(&self, producer_id: i64) -> i32 {
        known(&self.log, producer_id).first().map_or(0, sequence_behind)
    }

    fn check(&self, batch: &ProducerBatch<'_>) -> Result<Verdict, ProducerError> {
        let header = batch.header;
        let producer_id = header.producer_id;
        let current = epoch(&self.log, producer_id);
        let is_open = open_transaction(&self.log, producer_id).is_some();
        let stale = ProducerError::EpochStale { producer_id, epoch: header.producer_epoch, current };
        if batch.sender == Sender::Leader {
            return Ok(Verdict::Fresh);
        }
        if batch.sender == Sender::Client {
            let same = |old: &&BatchHeader| {
                header.producer_epoch == current
                    && old.base_sequence == header.base_sequence
                    && old.last_offset_delta == header.last_offset_delta
            };
            if let Some(old) = known(&self.log, producer_id).iter().rev().find(same) {
                let (base_offset, last_offset) = (old.base_offset, old.last_offset());
                return Ok(Verdict::Duplicate { base_offset, last_offset, timestamp: old.max_timestamp });
            }
        }
        if header.producer_epoch < current {
            return Err(stale);
        }
        if let Some(marker) = batch.marker {
            let seen = coordinator_epoch(&self.log, producer_id);
            return match marker {
                Marker { raises_epoch: true, .. } if header.producer_epoch == current && is_open => {
                    Err(stale)
                }
                Marker { coordinator_epoch: epoch, .. } if epoch < seen => {
                    Err(ProducerError::CoordinatorStale { producer_id, epoch, current: seen })
                }
                _ => Ok(Verdict::Fresh),
            };
        }
        if batch.sender == Sender::Client && current != NO_PRODUCER_EPOCH {
            let is_new = header.producer_epoch != current;
            let expected = if is_new { 0 } else { self.next_sequence(producer_id) };
            if header.base_sequence != expected {
                let found = header.base_sequence;
                return Err(ProducerError::SequenceOutOfOrder { producer_id, found, expected });
            }
        }
        if is_open && !header.attributes.is_transactional() {
            return Err(ProducerError::TransactionOpen { producer_id });
        }
        Ok(Verdict::Fresh)
    }

    fn open(&self) -> impl Iterator<Item = i64> {
        let mut ids: Vec<_> = self.durable().iter().map(|(header, _)| header.producer_id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| open_transaction(self.durable(), id))
    }

    fn publish(&mut self) -> Option<CompletedTransaction> {
        let (header, marker) = self.log[self.durable_count];
        let first_offset = open_transaction(self.durable(), header.producer_id);
        self.durable_count += 1;
        let last_offset = header.base_offset;
        let completed = CompletedTransaction {
            producer_id: header.producer_id,
            first_offset: first_offset?,
            last_offset,
            last_stable_offset: self.open().min().unwrap_or(last_offset + 1),
            is_aborted: marker?.is_abort,
        };
        self.completed.push(completed);
        Some(completed)
    }

    fn first_unstable(&self) -> Option<i64> {
        let settled = self.high_watermark.max(self.log_start);
        let waiting = self.completed.iter().filter(|completed| completed.last_offset >= settled);
        self.open().chain(waiting.map(|completed| completed.first_offset)).min()
    }

    fn forget_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        let is_kept = |(header, _): &Entry| {
            let id = header.producer_id;
            let (last, _) = of(&self.log, id).next_back().unwrap();
            let is_staged = of(&self.log[self.durable_count..], id).next().is_some();
            is_staged
                || open_transaction(&self.log, id).is_some()
                || now_ms - last.max_timestamp < expiration_ms
        };
        let kept: Vec<bool> = self.log.iter().map(is_kept).collect();
        self.durable_count = kept[..self.durable_count].iter().filter(|is_kept| **is_kept).count();
        let mut kept = kept.into_iter();
        self.log.retain(|_| kept.next().unwrap());
    }

    fn assert_agrees(&self, producers: &Producers, seed: u64) {
        assert_eq!(producers.staged_count(), self.log.len() - self.durable_count, "seed {seed}");
        assert_eq!(producers.first_unstable_offset(), self.first_unstable(), "seed {seed}");
        let unindexed = self.indexed_to.max(self.log_start);
        let aborted = self.completed.iter().filter(|it| it.is_aborted && it.last_offset >= unindexed);
        assert!(producers.aborted().eq(aborted), "seed {seed}");
        let mut ids: Vec<_> = self.durable().iter().map(|(header, _)| header.producer_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let active: Vec<_> = producers.active().collect();
        assert_eq!(
            active.iter().map(|producer| producer.producer_id).collect::<Vec<_>>(),
            ids,
            "seed {seed}"
        );
        for producer in active {
            let (id, log) = (producer.producer_id, self.durable());
            let last = known(log, id).first().copied();
            assert_eq!(producer.epoch, epoch(log, id), "seed {seed}");
            assert_eq!(producer.last_offset, last.map(|header| header.last_offset()), "seed {seed}");
            let last_sequence = last.map_or(NO_SEQUENCE, |header| header.last_sequence());
            assert_eq!(producer.last_sequence, last_sequence, "seed {seed}");
            assert_eq!(producer.coordinator_epoch, coordinator_epoch(log, id), "seed {seed}");
            assert_eq!(producer.transaction_start, open_transaction(log, id), "seed {seed}");
            let (newest, _) = of(log, id).next_back().unwrap();
            assert_eq!(producer.last_timestamp, newest.max_timestamp, "seed {seed}");
        }
    }
}

struct Run {
    random: Random,
    model: Model,
    producers: Producers,
    seed: u64,
    expires: bool,
    /// How often each verdict was given: fresh, duplicate, and the errors.
    seen: [u32; 6],
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::from_seed(seed);
        let expires = random.one_in(2);
        let producers = Producers::new();
        Self { random, model: Model::default(), producers, seed, expires, seen: [0; 6] }
    }

    /// Mostly what the producer would send next, and now and then something that is wrong about it.
    fn batch(&mut self) -> (BatchHeader, Option<Marker>, Sender) {
        let random = &mut self.random;
        let log = &self.model.log;
        let producer_id = i64::try_from(random.below(4)).unwrap();
        let base_offset = self.model.end() + i64::from(random.one_in(10));
        if random.one_in(4) && !log.is_empty() {
            let (old, marker) = log[log.len() - 1 - random.index(log.len().min(20))];
            if marker.is_none() && old.base_sequence != NO_SEQUENCE {
                return (BatchHeader { base_offset, ..old }, None, Sender::Client);
            }
        }
        let is_first = of(log, producer_id).next().is_none();
        let current = epoch(log, producer_id);
        let shift = [0, 0, 0, 0, 0, 0, 0, 0, 1, -1][random.index(10)];
        let epoch = if is_first { 3 } else { (current + shift).max(0) };
        if random.one_in(5) {
            let marker_of = Marker {
                coordinator_epoch: i32::try_from(log.len() / 20).unwrap() - i32::from(random.one_in(8)),
                is_abort: random.one_in(2),
                raises_epoch: random.one_in(3),
            };
            let epoch = epoch + i16::from(random.one_in(3));
            let sender = if random.one_in(6) { Sender::Leader } else { Sender::Coordinator };
            return (marker(producer_id, epoch, base_offset), Some(marker_of), sender);
        }
        let count = 1 + i32::try_from(random.below(3)).unwrap();
        let sequence = match random.below(12) {
            0 => 0,
            1 => i32::try_from(random.below(8)).unwrap(),
            _ if is_first => i32::MAX - i32::try_from(random.below(9)).unwrap(),
            _ if epoch != current => 0,
            _ => self.model.next_sequence(producer_id),
        };
        let (sender, sequence) = match random.below(16) {
            0 => (Sender::Coordinator, NO_SEQUENCE),
            1 => (Sender::Leader, sequence),
            _ => (Sender::Client, sequence),
        };
        let header = records(producer_id, epoch, sequence, count, base_offset);
        let is_open = open_transaction(log, producer_id).is_some();
        let is_transactional = if is_open { !random.one_in(8) } else { random.one_in(3) };
        (if is_transactional { transactional(header) } else { header }, None, sender)
    }

    fn append(&mut self) {
        let (header, marker, sender) = self.batch();
        let batch = ProducerBatch { header: &header, marker, sender };
        let expected = self.model.check(&batch);
        assert_eq!(self.producers.check(&batch), expected, "seed {}: {batch:?}", self.seed);
        assert_eq!(self.producers.check_and_stage(&batch), expected);
        if expected == Ok(Verdict::Fresh) {
            self.model.log.push((header, marker));
        }
        self.seen[match expected {
            Ok(Verdict::Fresh) => 0,
            Ok(Verdict::Duplicate { .. }) => 1,
            Err(ProducerError::EpochStale { .. }) => 2,
            Err(ProducerError::SequenceOutOfOrder { .. }) => 3,
            Err(ProducerError::TransactionOpen { .. }) => 4,
            Err(ProducerError::CoordinatorStale { .. }) => 5,
            Err(ProducerError::Unverified { .. }) => unreachable!("that is checked elsewhere"),
        }] += 1;
    }

    fn publish_all(&mut self) {
        while self.model.durable_count < self.model.log.len() {
            assert_eq!(self.producers.publish(), self.model.publish(), "seed {}", self.seed);
        }
    }

    fn offset_up_to(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.random.below(u64::try_from(to - from + 1).unwrap())).unwrap()
    }

    fn step(&mut self) {
        match self.random.below(40) {
            0..=23 => self.append(),
            24..=34 if self.producers.staged_count() > 0 => {
                assert_eq!(self.producers.publish(), self.model.publish(), "seed {}", self.seed);
            }
            35 => {
                let end = self.model.durable_end().max(self.model.high_watermark);
                self.model.high_watermark = self.offset_up_to(self.model.high_watermark, end);
                self.producers.high_watermark_moved(self.model.high_watermark);
            }
            36 => {
                let high_watermark = self.model.high_watermark.max(self.model.log_start);
                self.model.log_start = self.offset_up_to(self.model.log_start, high_watermark);
                self.producers.log_start_moved(self.model.log_start);
            }
            37 => {
                let end = self.model.durable_end().max(self.model.indexed_to);
                self.model.indexed_to = self.offset_up_to(self.model.indexed_to, end);
                self.producers.aborted_indexed(self.model.indexed_to);
            }
            38 if self.expires => {
                let (now_ms, expiration_ms) = (1_000 + self.model.end(), 30);
                self.producers.remove_expired(now_ms, expiration_ms);
                self.model.forget_expired(now_ms, expiration_ms);
            }
            39 => {
                self.publish_all();
                self.restart();
            }
            _ => {}
        }
        self.model.assert_agrees(&self.producers, self.seed);
    }

    fn restart(&mut self) {
        let snapshot = self.producers.snapshot();
        self.producers =
            snapshot.as_deref().map_or_else(Producers::new, |it| Producers::restore(it).unwrap());
        assert_eq!(self.producers.snapshot(), snapshot, "seed {}", self.seed);
    }

    /// The durable state is the one that the log gives when it is read from its beginning.
    fn assert_replay_agrees(&self) {
        let Model { high_watermark, log_start, indexed_to, .. } = self.model;
        let mut replayed = Producers::new();
        for ((header, marker), index) in self.model.durable().iter().zip(0..) {
            let completed = replayed.replay(header, *marker);
            let expected = self
                .model
                .completed
                .iter()
                .find(|it| marker.is_some() && it.last_offset == header.base_offset);
            assert_eq!(completed.as_ref(), expected, "seed {}, batch {index}", self.seed);
        }
        replayed.high_watermark_moved(high_watermark);
        replayed.log_start_moved(log_start);
        replayed.aborted_indexed(indexed_to);
        assert_eq!(replayed.snapshot(), self.producers.snapshot(), "seed {}", self.seed);
    }
}

#[test]
fn the_state_agrees_with_a_naive_account_of_the_log() {
    let mut seen = [0; 6];
    for seed in 0..250 {
        let mut run = Run::new(seed);
        for _ in 0..150 {
            run.step();
        }
        if !run.expires {
            run.assert_replay_agrees();
        }
        seen.iter_mut().zip(run.seen).for_each(|(all, one)| *all += one);
    }
    assert!(
        seen.iter().all(|count| *count > 50),
        "every verdict is met often enough to mean something: {seen:?}"
    );
}

#[test]
fn what_is_replayed_may_be_gone_on_with() {
    for seed in 1_000..1_100 {
        let mut run = Run::new(seed);
        (0..60).for_each(|_| run.append());
        run.publish_all();
        let mut replayed = Producers::new();
        for (header, marker) in run.model.durable() {
            replayed.replay(header, *marker);
        }
        run.producers = replayed;
        (0..60).for_each(|_| run.append());
        run.publish_all();
        run.model.assert_agrees(&run.producers, seed);
        run.assert_replay_agrees();
    }
}

#[test]
fn the_models_marker_is_one_that_ends_a_transaction() {
    let mut model = Model::default();
    model.log.push((transactional(records(1, 0, 0, 1, 0)), None));
    model.log.push((marker(1, 0, 1), Some(COMMIT)));
    assert_eq!(model.publish(), None);
    assert_eq!(model.first_unstable(), Some(0));
    assert_eq!(model.publish().map(|completed| completed.last_stable_offset), Some(2));
}
