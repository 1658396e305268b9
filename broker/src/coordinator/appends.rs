//! The records of decisions on their way into the log, and the answers that wait for them.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use strandline_log::engine::{Chain, Command, Done, NewBatch, Outcome, Refusal};
use strandline_log::producers::Sender;
use strandline_protocol::Bytes;
use strandline_protocol::batch::{BatchBuilder, NO_SEQUENCE, NewRecord};
use strandline_state::coordinator::{Decision, Machine, Origin, Ticket, TransactionEnd};

use super::answers::AnswerTo;
use crate::api::topics::Led;
use crate::storage::{Storage, Submission};

/// So large a batch of a coordinator is at most. A group of thousands of members is one record, and larger than what
/// clients may send; a journal and a segment of any size that can be set take this.
pub const APPEND_BYTES_MAX: usize = 16 << 20;

/// A batch of many decisions goes out when it has so many bytes, even if others are on their way.
pub(super) const OPEN_BYTES_MAX: usize = 1 << 20;

/// So many batches are on their way at once: with two, one forms while another is made durable.
const IN_FLIGHT_MAX: usize = 2;

/// So many of those that are taken in when they are there: they cannot be one batch, since each has its producer.
const TO_COME_MAX: usize = 256;

/// What a record takes besides its key and value, at most.
const RECORD_OVERHEAD_BYTES: usize = 32;

/// A record as it is appended.
pub(super) type Encoded = (Bytes, Option<Bytes>);

type Replies<M> = Vec<(Ticket, <M as Machine>::Reply)>;

/// An answer that waits for a batch.
pub(super) struct Parked<M: Machine> {
    pub(super) ticket: Ticket,
    pub(super) reply: M::Reply,
    /// Since when, by the clock that nobody sets. What is parked later waits since later.
    since: Duration,
}

/// A batch that the writer has, or is to get.
struct InFlight<M: Machine> {
    submission: Submission,
    content: Content<M>,
    /// Since when those wait whom the content answers; none once they do not any more.
    since: Option<Duration>,
    replies: Vec<Parked<M>>,
}

/// What a batch is to the machine.
pub(super) enum Content<M: Machine> {
    /// Records that it has taken in already.
    TakenIn,
    /// A decision of this moment that it takes in when the records are there: the log may refuse what the machine has
    /// allowed.
    Decision(Decision<M>, i64),
    /// The end of a transaction, with who waits for it.
    End(TransactionEnd, AnswerTo<()>),
}

impl<M: Machine> Content<M> {
    /// Those who are answered when it is taken in, and do not wait for ever. Whoever writes a marker does: another one
    /// behind it might be late.
    pub(super) fn tickets(&self) -> Vec<Ticket> {
        match self {
            Self::Decision(decision, _) => decision.replies.iter().map(|(ticket, _)| *ticket).collect(),
            Self::TakenIn | Self::End(..) => Vec::new(),
        }
    }

    fn has_tickets(&self) -> bool {
        matches!(self, Self::Decision(decision, _) if !decision.replies.is_empty())
    }
}

/// What became of the oldest batch that was on its way.
pub(super) struct Appended<M: Machine> {
    /// The offsets of its first record and of its last one.
    pub(super) offsets: Result<(i64, i64), Refusal>,
    pub(super) content: Content<M>,
    /// Answers to others, which waited for it.
    pub(super) replies: Vec<Parked<M>>,
}

/// What a record takes in a batch, at most.
pub(super) fn bytes_of((key, value): &Encoded) -> usize {
    key.len() + value.as_ref().map_or(0, Bytes::len) + RECORD_OVERHEAD_BYTES
}

/// What goes out as one batch.
pub(super) fn build(origin: Origin, timestamp: i64, records: &[Encoded]) -> Result<NewBatch, String> {
    let mut builder = BatchBuilder::with_capacity(records.iter().map(bytes_of).sum());
    if let Origin::Transaction { producer_id, producer_epoch } = origin {
        builder = builder.producer(producer_id, producer_epoch, NO_SEQUENCE).transactional(true);
    }
    for (key, value) in records {
        let record = NewRecord { key: Some(key), value: value.as_deref(), ..NewRecord::at(timestamp) };
        builder.append(&record).map_err(|error| error.to_string())?;
    }
    let bytes = builder.build().map_err(|error| error.to_string())?;
    NewBatch::validated(bytes).map_err(|error| error.to_string())
}

/// The way into one log.
pub(super) struct Appends<M: Machine> {
    led: Led,
    storage: Arc<Storage>,
    /// Each batch that was taken in follows from those before it, and is nothing without them.
    chain: Chain,
    in_flight: VecDeque<InFlight<M>>,
    open: Vec<Encoded>,
    open_bytes: usize,
    open_replies: Vec<Parked<M>>,
    /// How many of those that are on their way are taken in when they are there.
    to_come: usize,
    /// How many of them the writer had no room for yet: the last ones.
    held_up: usize,
}

impl<M: Machine> Appends<M> {
    pub(super) fn new(led: Led, storage: Arc<Storage>) -> Self {
        Self {
            led,
            storage,
            chain: Chain::default(),
            in_flight: VecDeque::new(),
            open: Vec::new(),
            open_bytes: 0,
            open_replies: Vec::new(),
            to_come: 0,
            held_up: 0,
        }
    }

    /// Whether the writer has no room for what is to be appended: then nothing more is to be decided.
    pub(super) fn is_held_up(&self) -> bool {
        self.held_up > 0
    }

    /// Whether there is something that the machine takes in later.
    pub(super) fn is_to_come(&self) -> bool {
        self.to_come > 0
    }

    /// Whether one more of that may be sent. Not behind what the machine has taken in already, for that might be refused
    /// and this not; and not too many.
    pub(super) fn may_send_alone(&self) -> bool {
        self.open.is_empty() && self.in_flight.len() == self.to_come && self.to_come < TO_COME_MAX
    }

    /// Whether everything that was decided is durable.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty() && self.open.is_empty()
    }

    /// Whether what is open has to go out before these come into it.
    pub(super) fn is_full_for(&self, records: &[Encoded]) -> bool {
        let bytes: usize = records.iter().map(bytes_of).sum();
        !self.open.is_empty() && self.open_bytes + bytes > OPEN_BYTES_MAX
    }

    /// Puts records behind what was decided before.
    pub(super) fn add(&mut self, records: Vec<Encoded>) {
        self.open_bytes += records.iter().map(bytes_of).sum::<usize>();
        self.open.extend(records);
    }

    /// Holds answers back from now on until everything that was decided so far is durable; gives them back where it is.
    pub(super) fn park(&mut self, since: Duration, replies: Replies<M>) -> Replies<M> {
        let parked = if !self.open.is_empty() {
            &mut self.open_replies
        } else if let Some(last) = self.in_flight.back_mut() {
            &mut last.replies
        } else {
            return replies;
        };
        parked.extend(replies.into_iter().map(|(ticket, reply)| Parked { ticket, reply, since }));
        Vec::new()
    }

    /// Since when the one waits who waits longest for an append.
    pub(super) fn waiting_since(&self) -> Option<Duration> {
        let of_batch = |batch: &InFlight<M>| {
            let since = batch.since.filter(|_| batch.content.has_tickets());
            since.or_else(|| batch.replies.first().map(|parked| parked.since))
        };
        let open = || self.open_replies.first().map(|parked| parked.since);
        self.in_flight.iter().find_map(of_batch).or_else(open)
    }

    /// Those who wait since then, or longer. They are not waited for any more: the batches stay as they are.
    pub(super) fn take_waiting(&mut self, since: Duration) -> Vec<Ticket> {
        let mut taken = Vec::new();
        for batch in &mut self.in_flight {
            if batch.since.is_some_and(|waiting| waiting <= since) {
                taken.extend(batch.content.tickets());
                batch.since = None;
            }
            taken.extend(take_parked(&mut batch.replies, since));
        }
        taken.extend(take_parked(&mut self.open_replies, since));
        taken
    }

    /// Whether what is open may go out, and be followed by more.
    pub(super) fn may_send(&self) -> bool {
        !self.open.is_empty() && self.in_flight.len() < IN_FLIGHT_MAX
    }

    /// Sends what is open to the writer, if there is anything.
    pub(super) async fn send(&mut self, now_ms: i64) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return Ok(());
        }
        let records = std::mem::take(&mut self.open);
        self.open_bytes = 0;
        let replies = std::mem::take(&mut self.open_replies);
        // What is encoded was measured: it fits into a batch.
        let batch = build(Origin::Plain, now_ms, &records)
            .inspect_err(|error| tracing::error!(%error, "a coordinator's batch cannot be built"))
            .map_err(|_| Refusal::NoBatch { bytes: 0 })?;
        let submission = self.submission(batch.chained(&self.chain));
        self.go(InFlight { submission, content: Content::TakenIn, since: None, replies }).await;
        Ok(())
    }

    fn submission(&self, batch: NewBatch) -> Submission {
        let (partition, leader_epoch) = (self.led.log.id(), self.led.leader_epoch);
        self.storage.submission([Command::Append {
            partition,
            leader_epoch,
            sender: Sender::Coordinator,
            batch,
        }])
    }

    /// Sends a batch that is taken in when it is there. Others of its kind may follow at once.
    pub(super) async fn send_alone(&mut self, now: Duration, batch: NewBatch, content: Content<M>) {
        let submission = self.submission(batch);
        self.to_come += 1;
        self.go(InFlight { submission, content, since: Some(now), replies: Vec::new() }).await;
    }

    /// Puts a batch on its way. Where the writer has no room for it, it waits there, and nobody waits here.
    async fn go(&mut self, batch: InFlight<M>) {
        self.in_flight.push_back(batch);
        self.held_up += 1;
        poll_fn(|context| {
            self.poll_in(context);
            Poll::Ready(())
        })
        .await;
    }

    /// Gives the writer what it has room for, in its order.
    fn poll_in(&mut self, context: &mut Context<'_>) {
        let first = self.in_flight.len().saturating_sub(self.held_up);
        for batch in self.in_flight.range_mut(first..) {
            if batch.submission.poll_in(&self.storage, context).is_pending() {
                return;
            }
            self.held_up -= 1;
        }
    }

    /// The oldest batch that is on its way, once the writer has answered.
    pub(super) fn poll_appended(&mut self, context: &mut Context<'_>) -> Poll<Appended<M>> {
        if self.is_held_up() {
            self.poll_in(context);
        }
        let Some(first) = self.in_flight.front_mut().filter(|first| first.submission.is_in()) else {
            return Poll::Pending;
        };
        let Poll::Ready(mut outcomes) = first.submission.poll_answered(context) else {
            return Poll::Pending;
        };
        let Some(InFlight { content, replies, .. }) = self.in_flight.pop_front() else {
            return Poll::Pending;
        };
        if !matches!(content, Content::TakenIn) {
            self.to_come = self.to_come.saturating_sub(1);
        }
        Poll::Ready(Appended { offsets: appended(outcomes.pop()), content, replies })
    }
}

/// Those of these who wait since then, or longer.
fn take_parked<M: Machine>(parked: &mut Vec<Parked<M>>, since: Duration) -> Vec<Ticket> {
    let count = parked.partition_point(|parked| parked.since <= since);
    parked.drain(..count).map(|parked| parked.ticket).collect()
}

fn appended(outcome: Option<Outcome>) -> Result<(i64, i64), Refusal> {
    match outcome.unwrap_or(Err(Refusal::Closed))? {
        Done::Appended { base_offset, last_offset, .. } => Ok((base_offset, last_offset)),
        // No append is answered by anything else.
        Done::Created(_) | Done::Producers(_) | Done::Changed => Err(Refusal::Closed),
    }
}
