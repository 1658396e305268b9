//! What a coordinator stands on.

use std::fmt;
use std::sync::Arc;

use strandline_log::clock::Clock;
use tokio::sync::Semaphore;

use crate::api::topics::Topics;
use crate::metadata::Metadata;
use crate::metrics::Metrics;
use crate::offload::Offload;
use crate::storage::Storage;

/// So many shards read their logs at once: each takes a thread and some memory.
const LOADING_MAX: usize = 2;

/// What all shards of all coordinators share.
pub struct CoordinatorParts {
    /// What the cluster is.
    pub metadata: Arc<Metadata>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where work goes that takes long.
    pub offload: Offload,
    /// Where it is counted what happens.
    pub metrics: Arc<Metrics>,
    /// Who reads a log holds one.
    pub(crate) loading: Semaphore,
}

impl fmt::Debug for CoordinatorParts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "parts of coordinators over {:?}", self.metadata)
    }
}

impl CoordinatorParts {
    /// These.
    pub fn new(
        metadata: Arc<Metadata>,
        clock: Arc<dyn Clock>,
        offload: Offload,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self { metadata, clock, offload, metrics, loading: Semaphore::new(LOADING_MAX) }
    }

    pub(super) fn topics(&self) -> &dyn Topics {
        &*self.metadata
    }

    pub(super) fn storage(&self) -> &Arc<Storage> {
        self.metadata.storage()
    }
}
