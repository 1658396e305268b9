//! What a coordinator stands on.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
    /// The longest that one who asks a machine waits for an append.
    pub(crate) append_wait_max: Duration,
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
        let wait_max_ms = u64::try_from(metadata.settings().offsets_commit_timeout_ms).unwrap_or(0);
        let append_wait_max = Duration::from_millis(wait_max_ms);
        Self { metadata, clock, offload, metrics, loading: Semaphore::new(LOADING_MAX), append_wait_max }
    }

    pub(super) fn topics(&self) -> &dyn Topics {
        &*self.metadata
    }

    pub(super) fn storage(&self) -> &Arc<Storage> {
        self.metadata.storage()
    }
}
