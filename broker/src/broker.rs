//! What all handlers share.

use std::sync::Arc;

use strandline_log::clock::Clock;
use strandline_state::groups::Groups;

use crate::admission::Admission;
use crate::api::fetch_sessions::FetchSessions;
use crate::api::topics::Topics;
use crate::authorize::Authorizer;
use crate::coordinator::Coordinator;
use crate::metadata::Metadata;
use crate::metrics::Metrics;
use crate::offload::{Offload, Turns};
use crate::producer_ids::ProducerIds;
use crate::quota::Quotas;
use crate::storage::Storage;
use crate::transactions::TransactionCoordinator;

/// Everything that a handler can reach.
#[derive(Debug)]
pub struct Broker {
    /// Who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// Who has used up what.
    pub quotas: Arc<dyn Quotas>,
    /// What may go to the writer.
    pub admission: Arc<dyn Admission>,
    /// Which topics there are.
    pub topics: Arc<dyn Topics>,
    /// What clients that fetch need not repeat.
    pub fetch_sessions: Arc<FetchSessions>,
    /// What producers are known by.
    pub producer_ids: Arc<ProducerIds>,
    /// The groups whose coordinator this broker is.
    pub groups: Arc<Coordinator<Groups>>,
    /// The transactions whose coordinator this broker is.
    pub transactions: Arc<TransactionCoordinator>,
    /// The logs.
    pub storage: Arc<Storage>,
    /// What the cluster is.
    pub metadata: Arc<Metadata>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where work goes that takes long.
    pub offload: Offload,
    /// Whose turn it is for what takes a processor as well.
    pub turns: Turns,
}
