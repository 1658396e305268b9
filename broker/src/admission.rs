//! The stage between resolving a produce and the writer's mailbox. Transactions are verified here; it may take as
//! long as it likes, and the connection's next request waits for it, so that the order stays.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use strandline_log::engine::Partition;
use strandline_log::producers::Guard;
use strandline_protocol::batch::BatchHeader;
use strandline_protocol::{ErrorCode, Text};

use crate::context::Call;

/// What is to be admitted: one batch.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The topic that it goes to.
    pub topic: Text,
    /// The partition.
    pub partition: i32,
    /// Its log.
    pub log: Arc<Partition>,
    /// What its header says.
    pub header: BatchHeader,
}

/// What is said about each candidate, in their order: what it is to show to the log, if it begins a transaction.
pub type Admitted<'a> = Pin<Box<dyn Future<Output = Vec<Result<Option<Guard>, ErrorCode>>> + Send + 'a>>;

/// Decides what may go to the writer.
pub trait Admission: Send + Sync + fmt::Debug {
    /// Says for each batch of a request whether it may; none if all may, without waiting and with nothing to show.
    fn admit<'a>(
        &'a self,
        call: &'a Call,
        transactional_id: Option<&'a Text>,
        candidates: &'a [Candidate],
        now_ms: i64,
    ) -> Option<Admitted<'a>>;
}

/// Admits everything, as if every coordinator said yes.
#[derive(Debug)]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit<'a>(
        &'a self,
        _: &'a Call,
        _: Option<&'a Text>,
        candidates: &'a [Candidate],
        now_ms: i64,
    ) -> Option<Admitted<'a>> {
        let admitted = candidates.iter().map(|Candidate { header, log, .. }| {
            let is_transactional = header.attributes.is_transactional();
            Ok(is_transactional.then(|| log.begin_verification(header.into(), false, now_ms)).flatten())
        });
        Some(Box::pin(std::future::ready(admitted.collect())))
    }
}

/// Asks nobody: with nothing to show, the log lets no transaction begin.
#[derive(Debug)]
pub struct NoTransactions;

impl Admission for NoTransactions {
    fn admit<'a>(
        &'a self,
        _: &'a Call,
        _: Option<&'a Text>,
        _: &'a [Candidate],
        _: i64,
    ) -> Option<Admitted<'a>> {
        None
    }
}
