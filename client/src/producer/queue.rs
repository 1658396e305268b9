//! The batches of one partition: in which order they go out, with which numbers, and what an answer means for those
//! behind. Pure: what time it is, and what a broker said, is told.
//!
//! A broker takes the batches of a producer only in the order of their sequence numbers, so order is kept whatever
//! fails, as long as two rules are:
//!
//! - What has failed goes alone. While a batch is to be sent again, nothing else of the partition is sent.
//! - So does the first one. A broker that knows nothing of a producer takes any number for its first, so nothing
//!   follows before that has been acknowledged.
//!
//! And a third one, so that what was written and not acknowledged is known again: brokers remember the last five batches
//! of a producer, so no batch is sent while one is open that four others were sent after. (Were the answers of one
//! broker in order, that would need no saying. A partition that moves is answered for by two.)
//!
//! Where a broker says that there is a gap, though everything before has its fate, what was before is lost for good
//! (its user has been told), and the numbers start again at 0, in a new epoch. An epoch counts for one partition:
//! others are not disturbed. After 32,767 of them it goes on under a new producer id, and only there a request that
//! comes later than its connection ended could do harm.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::batch::NewRecord;
use tokio::time::Instant;

use super::batch::{Batch, Charge, Number, Place};
use super::buffers::Buffers;
use super::delivery::{Delivery, Promise, Written};
use crate::error::{Error, Result};
use crate::telemetry;

mod verdict;

use verdict::{Verdict, verdict};

/// A producer's id and the epoch that it starts in, as the cluster gave them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Identity {
    pub(super) producer_id: i64,
    pub(super) epoch: i16,
}

/// Whether batches are numbered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Numbering {
    /// They are not: the producer is not idempotent.
    Off,
    /// They will be, once the cluster has said how.
    Awaited,
    /// By this identity.
    By(Identity),
    /// By this identity alone, until the coordinator of transactions gives another one.
    Within(Identity),
}

/// The numbers of one partition.
#[derive(Clone, Copy, Debug)]
struct Lineage {
    identity: Identity,
    next_sequence: i32,
    is_proven: bool,
    is_transactional: bool,
}

/// How many batches of a producer a broker knows again.
const REMEMBERED: u64 = 5;

struct InFlight {
    place: Place,
    promise: Arc<Promise>,
    // How many had been sent before it.
    sent_before: u64,
    is_retry: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    pub(super) leader: Option<i32>,
    open: Option<Batch>,
    // By rising place.
    waiting: VecDeque<Batch>,
    in_flight: Vec<InFlight>,
    sent: u64,
    lineage: Option<Lineage>,
    must_restart: bool,
    retry_at: Option<Instant>,
    next_batch: u64,
    // What was given up last, for whoever has to make all of it or nothing.
    failure: Option<Error>,
}

/// What an answer asks for beyond its own batch.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Wishes {
    /// What is known of the cluster is out of date.
    pub(super) metadata: bool,
    /// The identity is used up.
    pub(super) identity: bool,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_none() && self.waiting.is_empty() && self.in_flight.is_empty()
    }

    /// Appends a record. Says, too, whether a batch has become full by that.
    pub(super) fn append(
        &mut self,
        partition: i32,
        record: &NewRecord<'_>,
        charge: Charge,
        batch_bytes: usize,
        buffers: &Arc<Buffers>,
        now: Instant,
    ) -> Result<(Delivery, bool)> {
        let has_room = |open: &Batch| open.bytes_with(record) <= batch_bytes;
        let is_turned = self.open.as_ref().is_some_and(|open| !has_room(open));
        if is_turned {
            self.seal();
        }
        let mut batch = self.open.take().unwrap_or_else(|| {
            let number = self.next_batch;
            self.next_batch += 1;
            Batch::open(partition, number, now, charge.nothing(), buffers.clone())
        });
        let appended = batch.append(record, charge);
        let promise = batch.promise().clone();
        let is_full = batch.bytes() >= batch_bytes;
        if batch.records > 0 {
            self.open = Some(batch);
        }
        if is_full {
            self.seal();
        }
        Ok((Delivery::new(promise, appended?, record.timestamp), is_turned || is_full))
    }

    /// Lets the open batch take no more records.
    pub(super) fn seal(&mut self) {
        if let Some(batch) = self.open.take() {
            batch.promise().set_total(batch.records);
            self.waiting.push_back(batch);
        }
    }

    /// When the open batch has waited long enough.
    pub(super) fn lingers_until(&self, linger: Duration) -> Option<Instant> {
        self.open.as_ref().map(|open| open.created + linger)
    }

    /// When the oldest batch has been tried long enough.
    pub(super) fn expires_at(&self, timeout: Duration) -> Option<Instant> {
        let oldest = self.waiting.iter().chain(&self.open).map(|batch| batch.created).min();
        oldest.map(|created| created + timeout)
    }

    /// When a batch may be tried again, if that is not now.
    pub(super) fn rests_until(&self, now: Instant) -> Option<Instant> {
        self.retry_at.filter(|at| *at > now && !self.waiting.is_empty())
    }

    /// Gives up what is older than `timeout`.
    pub(super) fn expire(&mut self, timeout: Duration, now: Instant) {
        if self.open.as_ref().is_some_and(|open| open.created + timeout <= now) {
            self.seal();
        }
        let (late, left) = self.waiting.drain(..).partition(|batch| batch.created + timeout <= now);
        let late: VecDeque<Batch> = late;
        self.waiting = left;
        for batch in late {
            let (attempts, last) = (batch.attempts, batch.last_error.clone().map(Box::new));
            self.give_up(batch, Error::DeliveryTimeout { after: timeout, attempts, last });
        }
    }

    /// Gives up everything that is not in flight.
    pub(super) fn fail_all(&mut self, error: &Error) {
        self.seal();
        for batch in self.waiting.drain(..) {
            batch.settle(Err(error.clone()));
        }
    }

    /// What everything that is here now waits for.
    pub(super) fn promises(&self) -> impl Iterator<Item = &Arc<Promise>> {
        let here = self.waiting.iter().chain(&self.open).map(Batch::promise);
        here.chain(self.in_flight.iter().map(|in_flight| &in_flight.promise))
    }

    /// Whether a batch could be sent, were there a leader and room for it.
    pub(super) fn is_sendable(&self, numbering: Numbering, in_flight_max: usize, now: Instant) -> bool {
        let Some(first) = self.waiting.front() else { return false };
        let may_follow = first.attempts == 0
            && !self.must_restart
            && self.lineage.is_some_and(|lineage| lineage.is_proven);
        let in_flight_max = match numbering {
            Numbering::Off => in_flight_max,
            Numbering::Awaited => return false,
            Numbering::By(_) | Numbering::Within(_) if may_follow => in_flight_max,
            Numbering::By(_) | Numbering::Within(_) => 1,
        };
        let is_retried = first.attempts > 0 && !self.in_flight.is_empty();
        let is_behind_retry = is_retried || self.in_flight.iter().any(|in_flight| in_flight.is_retry);
        let oldest = self.in_flight.iter().map(|in_flight| in_flight.sent_before).min();
        if numbering != Numbering::Off && oldest.is_some_and(|oldest| self.sent - oldest >= REMEMBERED) {
            return false;
        }
        self.retry_at.is_none_or(|at| at <= now) && self.in_flight.len() < in_flight_max && !is_behind_retry
    }

    /// How many bytes the next batch has.
    pub(super) fn next_bytes(&self) -> usize {
        self.waiting.front().map_or(0, Batch::bytes)
    }

    /// The next batch, numbered, which counts as in flight from now on.
    pub(super) fn take(&mut self, numbering: Numbering) -> Option<Batch> {
        match numbering {
            Numbering::By(identity) => self.restart_if_due(identity),
            Numbering::Within(identity) => self.follow(identity),
            Numbering::Off | Numbering::Awaited => {}
        }
        let mut batch = self.waiting.pop_front()?;
        if let Some(lineage) = &mut self.lineage
            && batch.number.is_none()
        {
            batch.number = Some(lineage.number(batch.records));
        }
        batch.was_first = self.in_flight.is_empty();
        batch.attempts += 1;
        self.retry_at = None;
        let (place, promise) = (batch.place, batch.promise().clone());
        let is_retry = batch.attempts > 1;
        self.in_flight.push(InFlight { place, promise, sent_before: self.sent, is_retry });
        self.sent += 1;
        Some(batch)
    }

    /// Begins with the numbers, or anew, once nothing is in flight under the old ones.
    fn restart_if_due(&mut self, identity: Identity) {
        if !self.in_flight.is_empty() {
            return;
        }
        let next = match self.lineage {
            None => identity,
            Some(lineage) if !self.must_restart => return self.lineage = Some(lineage),
            // The cluster has given a new identity since.
            Some(lineage) if lineage.identity.producer_id != identity.producer_id => identity,
            Some(Lineage { identity: Identity { producer_id, epoch }, .. }) => {
                Identity { producer_id, epoch: epoch.saturating_add(1) }
            }
        };
        self.must_restart = false;
        self.lineage = Some(Lineage::new(next, false));
        for batch in &mut self.waiting {
            batch.number = None;
        }
    }

    /// What an answer to one of the batches in flight means.
    pub(super) fn answered(
        &mut self,
        mut batch: Batch,
        result: Result<Written>,
        backoff: impl FnOnce(u32) -> Duration,
        now: Instant,
    ) -> Wishes {
        self.in_flight.retain(|in_flight| in_flight.place != batch.place);
        let mut wishes = Wishes::default();
        let error = match result {
            Ok(written) => {
                self.proven_by(&batch);
                batch.settle(Ok(written));
                return wishes;
            }
            Err(error) => error,
        };
        batch.last_error = Some(error.clone());
        match verdict(&error, &batch) {
            Verdict::Written => {
                self.proven_by(&batch);
                batch.settle(Ok(Written { base_offset: None, append_time: None }));
            }
            Verdict::Fail => self.give_up(batch, error),
            Verdict::Halve => {
                let mut halves = batch.halved();
                match halves.pop() {
                    Some(whole) if halves.is_empty() => self.give_up(whole, error),
                    last => last.into_iter().chain(halves).for_each(|half| self.put_back(half)),
                }
            }
            Verdict::Retry { restarts } => {
                telemetry::batch_retried();
                tracing::debug!(partition = batch.partition, attempts = batch.attempts, %error, "a batch is sent again");
                self.must_restart |= restarts && self.is_of_lineage(&batch);
                wishes.identity = self.must_restart && self.is_used_up();
                wishes.metadata = error.needs_metadata();
                let wait = backoff(batch.attempts);
                self.retry_at = Some(self.retry_at.unwrap_or(now).max(now + wait));
                self.put_back(batch);
            }
        }
        wishes
    }

    /// Numbers as the coordinator of transactions has them.
    fn follow(&mut self, identity: Identity) {
        if self.lineage.is_none_or(|lineage| lineage.identity != identity) {
            self.lineage = Some(Lineage::new(identity, true));
        }
    }

    fn give_up(&mut self, batch: Batch, error: Error) {
        telemetry::batch_failed();
        tracing::debug!(partition = batch.partition, records = batch.records, %error, "a batch is given up");
        self.failure = Some(error.clone());
        batch.settle(Err(error));
    }

    /// What was given up since this was last asked, if anything was.
    pub(super) const fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    fn put_back(&mut self, batch: Batch) {
        let behind = self.waiting.iter().position(|waiting| waiting.place > batch.place);
        self.waiting.insert(behind.unwrap_or(self.waiting.len()), batch);
    }

    fn is_of_lineage(&self, batch: &Batch) -> bool {
        let of = |number: Number| (number.producer_id, number.epoch);
        let identity = self.lineage.map(|it| (it.identity.producer_id, it.identity.epoch));
        identity.is_some() && batch.number.map(of) == identity
    }

    fn proven_by(&mut self, batch: &Batch) {
        if self.is_of_lineage(batch)
            && let Some(lineage) = &mut self.lineage
        {
            lineage.is_proven = true;
        }
    }

    fn is_used_up(&self) -> bool {
        self.lineage.is_some_and(|lineage| lineage.identity.epoch >= i16::MAX - 1)
    }
}

impl Lineage {
    const fn new(identity: Identity, is_transactional: bool) -> Self {
        Self { identity, next_sequence: 0, is_proven: false, is_transactional }
    }

    const fn number(&mut self, records: i32) -> Number {
        let Identity { producer_id, epoch } = self.identity;
        let is_transactional = self.is_transactional;
        let number = Number { producer_id, epoch, sequence: self.next_sequence, is_transactional };
        self.next_sequence = self.next_sequence.wrapping_add(records) & i32::MAX;
        number
    }
}

#[cfg(test)]
mod tests;
