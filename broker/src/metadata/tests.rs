//! Metadata without a disk, and what it does to logs.

use std::sync::{Arc, Mutex as StdMutex};

use strandline_log::clock::Clock;
use strandline_log::random::Random;
use strandline_state::settings::BrokerSettings;

use super::log::{Appending, KeyedRecord, MetadataLog, MetadataLogError};
use super::{Metadata, MetadataParts};
use crate::storage::Storage;

/// A log that is gone with the process.
#[derive(Debug, Default)]
struct MemoryLog(StdMutex<Vec<KeyedRecord>>);

impl MetadataLog for MemoryLog {
    fn append(&self, records: Vec<KeyedRecord>) -> Appending<'_> {
        let mut all = self.0.lock().unwrap();
        all.extend(records);
        let last = i64::try_from(all.len()).unwrap() - 1;
        Box::pin(async move { Ok(last) })
    }

    fn replay(&self, visit: &mut dyn FnMut(i64, KeyedRecord)) -> Result<i64, MetadataLogError> {
        let all = self.0.lock().unwrap();
        for (offset, record) in (0..).zip(all.iter()) {
            visit(offset, record.clone());
        }
        Ok(i64::try_from(all.len()).unwrap())
    }
}

impl Metadata {
    /// The metadata of a broker that knows of nothing, and keeps what it learns in memory.
    pub(crate) fn in_memory(node_id: i32, storage: Arc<Storage>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let settings = Arc::new(BrokerSettings::default());
        let (log, random) = (Box::new(MemoryLog::default()), Random::from_seed(1));
        Arc::new(Self::replay(MetadataParts { node_id, settings, storage, clock, log, random }).unwrap())
    }
}
