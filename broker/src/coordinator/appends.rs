//! The records of decisions on their way into the log, and the answers that wait for them.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::{future::Future, pin::Pin};

use strandline_log::engine::{Chain, Command, Done, NewBatch, Outcome, Refusal};
use strandline_log::producers::{Guard, Sender};
use strandline_protocol::Bytes;
use strandline_protocol::batch::{BatchBuilder, NO_SEQUENCE, NewRecord};
use strandline_state::coordinator::{Machine, Origin, Ticket};

use crate::api::topics::Led;
use crate::storage::{Storage, Submitted};

/// So large a batch of a coordinator is at most. A group of thousands of members is one record, and larger than what
/// clients may send; a journal and a segment of any size that can be set take this.
pub const APPEND_BYTES_MAX: usize = 16 << 20;

/// A batch of many decisions goes out when it has so many bytes, even if others are on their way.
pub(super) const OPEN_BYTES_MAX: usize = 1 << 20;

/// So many batches are on their way at once: with two, one forms while another is made durable.
const IN_FLIGHT_MAX: usize = 2;

/// What a record takes besides its key and value, at most.
const RECORD_OVERHEAD_BYTES: usize = 32;

/// A record as it is appended.
pub(super) type Encoded = (Bytes, Option<Bytes>);

type Replies<M> = Vec<(Ticket, <M as Machine>::Reply)>;

/// A batch that the writer has.
struct InFlight<M: Machine> {
    submitted: Submitted,
    replies: Replies<M>,
}

/// What a record takes in a batch, at most.
pub(super) fn bytes_of((key, value): &Encoded) -> usize {
    key.len() + value.as_ref().map_or(0, Bytes::len) + RECORD_OVERHEAD_BYTES
}

/// What goes out as one batch.
fn build(origin: Origin, timestamp: i64, records: &[Encoded]) -> Result<NewBatch, String> {
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
    /// Each batch follows from those before it, and is nothing without them.
    chain: Chain,
    in_flight: VecDeque<InFlight<M>>,
    open: Vec<Encoded>,
    open_bytes: usize,
    open_replies: Replies<M>,
}

impl<M: Machine> Appends<M> {
    pub(super) fn new(led: Led) -> Self {
        Self {
            led,
            chain: Chain::default(),
            in_flight: VecDeque::new(),
            open: Vec::new(),
            open_bytes: 0,
            open_replies: Vec::new(),
        }
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

    /// Holds answers back until everything that was decided so far is durable; gives them back where it is.
    pub(super) fn park(&mut self, replies: Replies<M>) -> Replies<M> {
        if !self.open.is_empty() {
            self.open_replies.extend(replies);
        } else if let Some(last) = self.in_flight.back_mut() {
            last.replies.extend(replies);
        } else {
            return replies;
        }
        Vec::new()
    }

    /// Whether what is open may go out, and be followed by more.
    pub(super) fn may_send(&self) -> bool {
        !self.open.is_empty() && self.in_flight.len() < IN_FLIGHT_MAX
    }

    /// Sends what is open to the writer, if there is anything.
    pub(super) async fn send(&mut self, storage: &Storage, now_ms: i64) -> Result<(), Refusal> {
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
        let submitted = storage.submit([self.command(batch.chained(&self.chain))]).await;
        self.in_flight.push_back(InFlight { submitted, replies });
        Ok(())
    }

    fn command(&self, batch: NewBatch) -> Command {
        let (partition, leader_epoch) = (self.led.log.id(), self.led.leader_epoch);
        Command::Append { partition, leader_epoch, sender: Sender::Coordinator, batch }
    }

    /// Appends these alone, when everything before them is durable, and says at which offset they begin.
    pub(super) async fn append_alone(
        &mut self,
        storage: &Storage,
        origin: Origin,
        now_ms: i64,
        records: &[Encoded],
        guard: Option<Guard>,
    ) -> Result<i64, Refusal> {
        let batch = build(origin, now_ms, records).map_err(|error| {
            tracing::info!(%error, "a batch of a transaction cannot be built");
            Refusal::NoBatch { bytes: 0 }
        })?;
        self.append_batch(storage, batch.verified(guard)).await
    }

    /// The same with a batch that somebody else has made.
    pub(super) async fn append_batch(&mut self, storage: &Storage, batch: NewBatch) -> Result<i64, Refusal> {
        let outcome = storage.submit([self.command(batch)]).await.await.pop();
        appended(outcome).map(|(base_offset, _)| base_offset)
    }

    /// The oldest batch that is on its way, once the writer has answered: the offset behind it, and who waits for it.
    pub(super) fn poll_appended(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<(i64, Replies<M>), Refusal>> {
        let Some(first) = self.in_flight.front_mut() else { return Poll::Pending };
        let Poll::Ready(mut outcomes) = Pin::new(&mut first.submitted).poll(context) else {
            return Poll::Pending;
        };
        let replies = self.in_flight.pop_front().map(|first| first.replies).unwrap_or_default();
        Poll::Ready(appended(outcomes.pop()).map(|(_, last_offset)| (last_offset + 1, replies)))
    }
}

fn appended(outcome: Option<Outcome>) -> Result<(i64, i64), Refusal> {
    match outcome.unwrap_or(Err(Refusal::Closed))? {
        Done::Appended { base_offset, last_offset, .. } => Ok((base_offset, last_offset)),
        // No append is answered by anything else.
        Done::Created(_) | Done::Producers(_) | Done::Changed => Err(Refusal::Closed),
    }
}
