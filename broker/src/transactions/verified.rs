//! Batches that may begin a transaction: their coordinator is asked before the writer sees them.
//!
//! What is asked for first is the log's guard, and what the coordinator says counts only as long as that is worth
//! something: between the two nothing can end the transaction unnoticed (`strandline_log::producers::Guard`). Where the
//! transaction is open in the log already, nobody is asked.
//!
//! Up to Produce 11 the producer has told the coordinator before, and it is asked whether that is so; from 12 on the
//! partition is added with the batch.

use std::sync::Arc;

use strandline_log::producers::Guard;
use strandline_protocol::{ErrorCode, Text};
use strandline_state::transactions::{Partitions, Producer};

use super::TransactionCoordinator;
use crate::admission::{Admission, Admitted, Candidate};
use crate::context::Call;
use crate::metrics::Verification;

/// From this version on of Produce a partition is added with its first batch.
const ADDING_VERSION: i16 = 12;

/// From this version on a producer knows that it may abort.
const ABORTABLE_VERSION: i16 = 11;

/// Admits what its coordinator knows of.
#[derive(Debug)]
pub struct Verified(Arc<TransactionCoordinator>);

impl Verified {
    /// As this coordinator says.
    pub fn new(transactions: Arc<TransactionCoordinator>) -> Self {
        Self(transactions)
    }
}

impl Admission for Verified {
    fn admit<'a>(
        &'a self,
        call: &'a Call,
        transactional_id: Option<&'a Text>,
        candidates: &'a [Candidate],
        now_ms: i64,
    ) -> Option<Admitted<'a>> {
        let first = candidates.iter().find(|candidate| is_transactional(candidate))?.header;
        let producer = Producer {
            transactional_id: transactional_id.cloned().unwrap_or_default(),
            producer_id: first.producer_id,
            producer_epoch: first.producer_epoch,
        };
        let is_own = |candidate: &Candidate| {
            (candidate.header.producer_id, candidate.header.producer_epoch)
                == (first.producer_id, first.producer_epoch)
        };
        if candidates.iter().any(|candidate| is_transactional(candidate) && !is_own(candidate)) {
            let refused = candidates.iter().map(|_| Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING)).collect();
            return Some(Box::pin(std::future::ready(refused)));
        }
        let asking = Asking { version: call.version, now_ms, producer, candidates };
        let guards = asking.guards();
        if guards.iter().all(Option::is_none) {
            return None;
        }
        Some(Box::pin(self.ask(asking, guards)))
    }
}

/// So often a coordinator is asked again because markers came meanwhile, which a transaction before this one has left.
const ATTEMPTS_MAX: usize = 4;

fn is_transactional(candidate: &Candidate) -> bool {
    candidate.header.attributes.is_transactional()
}

/// The batches of a request, all of one producer.
struct Asking<'a> {
    version: i16,
    now_ms: i64,
    producer: Producer,
    candidates: &'a [Candidate],
}

impl Asking<'_> {
    /// What each batch has to show; none for one that need not.
    fn guards(&self) -> Vec<Option<Guard>> {
        let raises_epoch = self.version >= ADDING_VERSION;
        let guard = |candidate: &Candidate| {
            let first = (&candidate.header).into();
            let guard = || candidate.log.begin_verification(first, raises_epoch, self.now_ms);
            is_transactional(candidate).then(guard).flatten()
        };
        self.candidates.iter().map(guard).collect()
    }

    fn partitions(&self, guards: &[Option<Guard>]) -> Partitions {
        let asked = self.candidates.iter().zip(guards).filter(|(_, guard)| guard.is_some());
        asked.map(|(candidate, _)| (candidate.topic.clone(), candidate.partition)).collect()
    }

    fn verdicts(
        &self,
        guards: Vec<Option<Guard>>,
        missing: &Result<Partitions, ErrorCode>,
    ) -> Vec<Result<Option<Guard>, ErrorCode>> {
        let verdict = |(candidate, guard): (&Candidate, Option<Guard>)| {
            let Some(shown) = guard else { return Ok(None) };
            let code = match missing {
                Ok(missing) if !missing.contains(&candidate.topic, candidate.partition) => return Ok(guard),
                Ok(_) if self.version >= ABORTABLE_VERSION => ErrorCode::TRANSACTION_ABORTABLE,
                Ok(_) => ErrorCode::INVALID_TXN_STATE,
                Err(code) => as_produced(*code, self.version),
            };
            if !is_retriable(code) {
                candidate.log.refuse_verification(candidate.header.producer_id, shown);
            }
            Err(code)
        };
        self.candidates.iter().zip(guards).map(verdict).collect()
    }
}

impl Verified {
    /// Asks, and counts what comes of each batch that somebody had to be asked about.
    async fn ask(
        &self,
        asking: Asking<'_>,
        guards: Vec<Option<Guard>>,
    ) -> Vec<Result<Option<Guard>, ErrorCode>> {
        let asked: Vec<bool> = guards.iter().map(Option::is_some).collect();
        let verdicts = self.verdicts(asking, guards).await;
        for (_, verdict) in asked.iter().zip(&verdicts).filter(|(was_asked, _)| **was_asked) {
            self.0.metrics.verification(match verdict {
                Ok(_) => Verification::Verified,
                Err(code) if is_retriable(*code) => Verification::Later,
                Err(_) => Verification::Refused,
            });
        }
        verdicts
    }

    async fn verdicts(
        &self,
        asking: Asking<'_>,
        mut guards: Vec<Option<Guard>>,
    ) -> Vec<Result<Option<Guard>, ErrorCode>> {
        let mut attempts = 0;
        loop {
            let (producer, partitions) = (asking.producer.clone(), asking.partitions(&guards));
            let missing = if asking.version >= ADDING_VERSION {
                self.0.add_or_wait(producer, partitions).await.map(|()| Partitions::new())
            } else {
                self.0.missing(producer, partitions).await
            };
            attempts += 1;
            // The answer may have waited for the markers of the transaction before: those made the guards worthless.
            let now = if missing.is_ok() { asking.guards() } else { guards.clone() };
            if now == guards || attempts == ATTEMPTS_MAX {
                return asking.verdicts(guards, &missing);
            }
            guards = now;
            if guards.iter().all(Option::is_none) {
                return asking.verdicts(guards, &Ok(Partitions::new()));
            }
        }
    }
}

/// What a coordinator's refusal is to a producer that produces. What it may try again is NOT_ENOUGH_REPLICAS: every
/// producer tries again upon that, and none looks for other leaders.
fn as_produced(code: ErrorCode, version: i16) -> ErrorCode {
    match code {
        ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
        ErrorCode::CONCURRENT_TRANSACTIONS if version < ADDING_VERSION => ErrorCode::NOT_ENOUGH_REPLICAS,
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        | ErrorCode::COORDINATOR_NOT_AVAILABLE
        | ErrorCode::NOT_COORDINATOR => ErrorCode::NOT_ENOUGH_REPLICAS,
        code => code,
    }
}

/// The same to a producer that commits offsets: it asks again upon a coordinator that is not available.
pub(crate) fn as_committed(code: ErrorCode, is_adding: bool) -> ErrorCode {
    match code {
        ErrorCode::PRODUCER_FENCED => ErrorCode::INVALID_PRODUCER_EPOCH,
        ErrorCode::CONCURRENT_TRANSACTIONS if !is_adding => ErrorCode::COORDINATOR_LOAD_IN_PROGRESS,
        ErrorCode::NOT_COORDINATOR => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        code => code,
    }
}

fn is_retriable(code: ErrorCode) -> bool {
    matches!(code, ErrorCode::NOT_ENOUGH_REPLICAS | ErrorCode::CONCURRENT_TRANSACTIONS)
}
