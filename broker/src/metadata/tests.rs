//! Metadata without a disk, and what it does to logs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex};

use strandline_log::clock::{Clock, SimulatedClock};
use strandline_log::engine::{Mailbox, MailboxOptions, Refusal};
use strandline_log::random::Random;
use strandline_protocol::ErrorCode;
use strandline_state::metadata::decide::{FormatCluster, RegisterBroker};
use strandline_state::settings::BrokerSettings;

use super::log::{Appending, KeyedRecord, MetadataLog, MetadataLogError};
use super::{Metadata, MetadataParts};
use crate::storage::Storage;

/// A log that is gone with the process.
#[derive(Debug, Default)]
struct MemoryLog {
    records: StdMutex<Vec<KeyedRecord>>,
    /// What the next appends are refused with, the last one first.
    refusals: Arc<StdMutex<Vec<Refusal>>>,
}

impl MetadataLog for MemoryLog {
    fn append(&self, records: Vec<KeyedRecord>) -> Appending<'_> {
        if let Some(refusal) = self.refusals.lock().unwrap().pop() {
            return Box::pin(async move { Err(refusal.into()) });
        }
        let mut all = self.records.lock().unwrap();
        all.extend(records);
        let last = i64::try_from(all.len()).unwrap() - 1;
        Box::pin(async move { Ok(last) })
    }

    fn replay(&self, visit: &mut dyn FnMut(i64, KeyedRecord)) -> Result<i64, MetadataLogError> {
        let all = self.records.lock().unwrap();
        for (offset, record) in (0..).zip(all.iter()) {
            visit(offset, record.clone());
        }
        Ok(i64::try_from(all.len()).unwrap())
    }
}

impl Metadata {
    /// The metadata of a broker that knows of nothing, and keeps what it learns in memory.
    pub(crate) fn in_memory(node_id: i32, storage: Arc<Storage>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Self::over(MemoryLog::default(), node_id, storage, clock)
    }

    fn over(log: MemoryLog, node_id: i32, storage: Arc<Storage>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let settings = Arc::new(BrokerSettings::default());
        let (log, random) = (Box::new(log), Random::from_seed(1));
        Arc::new(Self::replay(MetadataParts { node_id, settings, storage, clock, log, random }).unwrap())
    }
}

#[tokio::test]
async fn a_full_disk_refuses_one_change_and_an_unknown_end_refuses_all() {
    let log = MemoryLog::default();
    let refusals = Arc::clone(&log.refusals);
    let mailbox = Arc::new(Mailbox::new(MailboxOptions::default()));
    let storage = Arc::new(Storage::new(mailbox, HashMap::new()));
    let metadata = Metadata::over(log, 1, storage, Arc::new(SimulatedClock::new(0)));
    let format = || FormatCluster { cluster_id: metadata.new_id().to_string().into(), features: Vec::new() };
    refusals.lock().unwrap().push(Refusal::DiskFull);
    let refused = metadata.run(format()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(metadata.image().cluster_id().is_none());
    assert!(metadata.run(format()).await.is_ok(), "there is room again");
    refusals.lock().unwrap().push(Refusal::Offline("a failed sync".into()));
    let registration = || RegisterBroker {
        cluster_id: metadata.image().cluster_id().unwrap().clone(),
        node_id: 1,
        incarnation_id: metadata.new_id(),
        directory_ids: vec![metadata.new_id()],
        endpoints: vec![Default::default()],
        rack: None,
        fenced: false,
        is_alone: true,
    };
    for _ in 0..2 {
        let refused = metadata.run(registration()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::KAFKA_STORAGE_ERROR, "nobody knows what the log holds");
    }
    assert!(refusals.lock().unwrap().is_empty() && metadata.image().broker(1).is_none());
}
