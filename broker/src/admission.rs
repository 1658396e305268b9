//! The stage between resolving a produce and the writer's mailbox. Transactions are verified here; it may take as
//! long as it likes, and the connection's next request waits for it, so that the order stays.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use strandline_protocol::batch::BatchHeader;
use strandline_protocol::{ErrorCode, Uuid};

use crate::context::Call;

/// What is to be admitted: one batch.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// The topic that it goes to.
    pub topic_id: Uuid,
    /// The partition.
    pub partition: i32,
    /// What its header says.
    pub header: BatchHeader,
}

/// What is said about each candidate, in their order.
pub type Admitted<'a> = Pin<Box<dyn Future<Output = Vec<Result<(), ErrorCode>>> + Send + 'a>>;

/// Decides what may go to the writer.
pub trait Admission: Send + Sync + fmt::Debug {
    /// Says for each batch whether it may; none if all may, without waiting.
    fn admit<'a>(&'a self, call: &'a Call, candidates: &'a [Candidate]) -> Option<Admitted<'a>>;
}

/// Admits everything at once.
#[derive(Debug)]
pub struct AdmitAll;

impl Admission for AdmitAll {
    fn admit<'a>(&'a self, _: &'a Call, _: &'a [Candidate]) -> Option<Admitted<'a>> {
        None
    }
}

/// Admits what is part of no transaction, as long as there are none: whoever says otherwise has none open here.
#[derive(Debug)]
pub struct NoTransactions;

impl Admission for NoTransactions {
    fn admit<'a>(&'a self, _: &'a Call, candidates: &'a [Candidate]) -> Option<Admitted<'a>> {
        let is_transactional = |candidate: &Candidate| candidate.header.attributes.is_transactional();
        if !candidates.iter().any(is_transactional) {
            return None;
        }
        let verdict = move |candidate| {
            if is_transactional(candidate) { Err(ErrorCode::INVALID_TXN_STATE) } else { Ok(()) }
        };
        Some(Box::pin(async move { candidates.iter().map(verdict).collect() }))
    }
}
