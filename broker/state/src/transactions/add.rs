//! Partitions become part of a transaction, or it is asked whether they are.

use strandline_protocol::{ErrorCode, Text};

use super::command::{Parked, Passing, Reply};
use super::partitions::Partitions;
use super::state::{Producer, Status, TransactionState};
use super::{Decision, Transactions, step};
use crate::coordinator::Ticket;

/// So many wait for the end of one transaction at most.
const PARKED_MAX: usize = 8;

/// So many bytes of partitions one transaction has at most: all of them stand in one record.
const PARTITIONS_BYTES_MAX: usize = 512 << 10;

impl Transactions {
    pub(super) fn add(&self, now_ms: i64, mut asked: Parked, waits: bool) -> Decision {
        let refused = |code| Decision::reply(asked.ticket, Reply::Refused(code));
        if asked.producer.transactional_id.is_empty() {
            return refused(ErrorCode::INVALID_REQUEST);
        }
        let Some((id, entry)) = self.ids.get_key_value(&asked.producer.transactional_id) else {
            return refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        };
        if entry.state.status.is_prepared() && waits && entry.parked.len() < PARKED_MAX {
            // What it is about was a slice of its request.
            asked.producer.transactional_id = id.clone();
            let mut partitions = Partitions::new();
            partitions.add(&asked.partitions);
            asked.partitions = partitions;
            let passing = vec![Passing::Parked(id.clone(), asked)];
            return Decision { passing, ..Decision::default() };
        }
        let mut decision = Decision::default();
        add_to(&mut decision, now_ms, id, entry.state.clone(), &asked);
        decision
    }

    pub(super) fn verify(&self, ticket: Ticket, producer: &Producer, partitions: &Partitions) -> Decision {
        let reply = match self.state(&producer.transactional_id) {
            _ if producer.transactional_id.is_empty() => Reply::Refused(ErrorCode::INVALID_REQUEST),
            None => Reply::Refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING),
            Some(state) => match check(state, producer) {
                Err(code) => Reply::Refused(code),
                Ok(()) if state.status.is_prepared() => Reply::Refused(ErrorCode::CONCURRENT_TRANSACTIONS),
                Ok(()) => Reply::Missing(partitions.without(&state.partitions)),
            },
        };
        Decision::reply(ticket, reply)
    }
}

/// Adds partitions to a transaction that stands so, and gives where it stands then.
pub(super) fn add_to(
    decision: &mut Decision,
    now_ms: i64,
    id: &Text,
    state: TransactionState,
    asked: &Parked,
) -> TransactionState {
    let mut reply = |reply| decision.replies.push((asked.ticket, reply));
    // Before anything else: with the end of a transaction the producer may get another id, which it knows already.
    if state.status.is_prepared() {
        reply(Reply::Refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    } else if let Err(code) = check(&state, &asked.producer) {
        reply(Reply::Refused(code));
    } else if state.status == Status::Ongoing && state.partitions.contains_all(&asked.partitions) {
        reply(Reply::Done);
    } else {
        let next = state.with(&asked.partitions, asked.version, now_ms);
        if next.partitions.bytes() <= PARTITIONS_BYTES_MAX {
            reply(Reply::Done);
            step(decision, now_ms, id, &state, next.clone());
            return next;
        }
        reply(Reply::Refused(ErrorCode::RECORD_LIST_TOO_LARGE));
    }
    state
}

/// Whether the id belongs to this producer.
fn check(state: &TransactionState, producer: &Producer) -> Result<(), ErrorCode> {
    if state.producer_id != producer.producer_id {
        Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING)
    } else if state.producer_epoch != producer.producer_epoch {
        Err(ErrorCode::PRODUCER_FENCED)
    } else {
        Ok(())
    }
}
