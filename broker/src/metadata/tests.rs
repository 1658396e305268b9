//! Metadata without a disk, and what it does to logs.

mod full_disk;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as StdMutex};
use std::task::Waker;

use strandline_log::clock::{Clock, SimulatedClock};
use strandline_log::disk::Disk;
use strandline_log::disk::simulated::{self, SimulatedDisk};
use strandline_log::engine::{Engine, Mailbox, MailboxOptions, Options, Refusal, UpTo, Writer};
use strandline_log::random::Random;
use strandline_protocol::ErrorCode;
use strandline_state::metadata::MetadataRecord;
use strandline_state::metadata::decide::{
    BumpLeaderEpochs, CreateTopics, FormatCluster, NewTopic, RegisterBroker,
};
use strandline_state::metadata::image::RESOURCE_TOPIC;
use strandline_state::metadata::record::{ConfigEntry, ConfigKey, ConfigValue};
use strandline_state::settings::BrokerSettings;

use super::log::{Appending, KeyedRecord, MetadataLog, MetadataLogError};
use super::{Metadata, MetadataParts};
use crate::storage::{Storage, TopicPartition};

/// A log that is gone with the process, and that a second start finds again.
#[derive(Clone, Debug, Default)]
struct MemoryLog {
    records: Arc<StdMutex<Vec<KeyedRecord>>>,
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
        Self::over(MemoryLog::default(), node_id, storage, clock, BrokerSettings::default())
    }

    fn over(
        log: MemoryLog,
        node_id: i32,
        storage: Arc<Storage>,
        clock: Arc<dyn Clock>,
        settings: BrokerSettings,
    ) -> Arc<Self> {
        let settings = Arc::new(settings);
        let (log, random) = (Box::new(log), Random::from_seed(1));
        let tallies = Arc::default();
        let parts = MetadataParts { node_id, settings, storage, clock, log, random, tallies };
        Arc::new(Self::replay(parts).unwrap())
    }
}

fn start(log: &MemoryLog, storage: &Arc<Storage>, settings: &[(&str, &str)]) -> Arc<Metadata> {
    let settings = BrokerSettings::from_pairs(settings.iter().copied()).unwrap();
    let clock = Arc::new(SimulatedClock::new(0));
    Metadata::over(log.clone(), 1, Arc::clone(storage), clock, settings)
}

fn registration(metadata: &Metadata) -> RegisterBroker {
    RegisterBroker {
        cluster_id: metadata.image().cluster_id().unwrap().clone(),
        node_id: 1,
        incarnation_id: metadata.new_id(),
        directory_ids: vec![metadata.new_id()],
        endpoints: vec![Default::default()],
        rack: None,
        fenced: false,
        is_alone: true,
    }
}

/// An engine with nothing in it.
fn engine() -> Engine {
    let disk = SimulatedDisk::new(simulated::Options::default());
    disk.create_directory(Path::new("/data")).unwrap();
    let clock = Arc::new(SimulatedClock::new(0));
    let (options, random) = (Options::default(), Random::from_seed(1));
    Engine::start(Writer::recover(Arc::new(disk), PathBuf::from("/data"), options, clock, random).unwrap())
        .unwrap()
}

#[tokio::test]
async fn what_was_cut_off_or_is_told_anew_reaches_every_log_at_the_next_start() {
    let (log, engine) = (MemoryLog::default(), engine());
    let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), HashMap::new()));
    let metadata = start(&log, &storage, &[]);
    let format = FormatCluster { cluster_id: metadata.new_id().to_string().into(), features: Vec::new() };
    metadata.run(format).await.unwrap();
    metadata.run(registration(&metadata)).await.unwrap();
    let topic = |name: &str| NewTopic {
        name: name.into(),
        topic_id: metadata.new_id(),
        partition_count: 2,
        replication_factor: 1,
        ..NewTopic::default()
    };
    let topics = vec![topic("own"), topic("plain")];
    let command = CreateTopics { topics, validate_only: false, settings: metadata.settings() };
    metadata.run(command).await.unwrap();

    // The process died when the change was in the log, and nothing had come of it.
    let entry = ConfigEntry { name: "retention.ms".into(), value: "5".into(), ..Default::default() };
    let value = ConfigValue { entries: vec![entry], ..Default::default() };
    let key = ConfigKey { resource_type: RESOURCE_TOPIC, resource_name: "own".into() };
    let (key, value) = MetadataRecord::Config(key, Some(value)).to_bytes().unwrap();
    log.records.lock().unwrap().push(KeyedRecord { key, value });
    let found = |metadata: &Metadata| {
        let of = |name: &str| {
            let topic_id = metadata.image().topic(name).unwrap().id();
            [0, 1].map(|index| storage.partition(TopicPartition { topic_id, index }).unwrap().config())
        };
        [of("own"), of("plain")]
    };
    let week_ms = 604_800_000;
    let metadata = start(&log, &storage, &[]);
    assert!(found(&metadata).as_flattened().iter().all(|config| config.retention_ms == week_ms));
    metadata.reconcile(Vec::new()).await.unwrap();
    let configs = found(&metadata);
    assert!(configs[0].iter().all(|config| config.retention_ms == 5));
    assert!(configs[1].iter().all(|config| config.retention_ms == week_ms));

    let other = [("log.segment.bytes", "1048576"), ("log.retention.hours", "1")];
    let metadata = start(&log, &storage, &other);
    metadata.reconcile(Vec::new()).await.unwrap();
    let configs = found(&metadata);
    assert!(configs.as_flattened().iter().all(|config| config.segment_bytes == 1 << 20));
    assert!(configs[0].iter().all(|config| config.retention_ms == 5));
    assert!(configs[1].iter().all(|config| config.retention_ms == 3_600_000));

    metadata.reconcile(Vec::new()).await.unwrap();
    let again = found(&metadata);
    let pairs = configs.as_flattened().iter().zip(again.as_flattened());
    assert!(pairs.into_iter().all(|(before, after)| Arc::ptr_eq(before, after)), "nobody touched them");
}

#[tokio::test]
async fn who_waits_for_a_partition_is_woken_when_it_is_led_otherwise() {
    let (log, engine) = (MemoryLog::default(), engine());
    let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), HashMap::new()));
    let metadata = start(&log, &storage, &[]);
    let format = FormatCluster { cluster_id: metadata.new_id().to_string().into(), features: Vec::new() };
    metadata.run(format).await.unwrap();
    metadata.run(registration(&metadata)).await.unwrap();
    let topic_id = metadata.new_id();
    let topic = NewTopic {
        name: "t".into(),
        topic_id,
        partition_count: 2,
        replication_factor: 1,
        ..NewTopic::default()
    };
    let settings = metadata.settings();
    metadata.run(CreateTopics { topics: vec![topic], validate_only: false, settings }).await.unwrap();
    let logs = [0, 1].map(|index| storage.partition(TopicPartition { topic_id, index }).unwrap());
    for log in &logs {
        assert!(log.wake_when_beyond(0, UpTo::HighWatermark, Waker::noop().clone()));
    }
    let epoch = |index| metadata.image().topic("t").unwrap().partition(index).unwrap().leader_epoch();
    let before = epoch(0);
    metadata.run(BumpLeaderEpochs { partitions: vec![(topic_id, 0)] }).await.unwrap();
    assert_eq!((epoch(0), epoch(1)), (before + 1, before));
    assert_eq!(logs.map(|log| log.waiting_count()), [0, 1], "and nobody who waits for another");
}

#[tokio::test]
async fn a_full_disk_refuses_one_change_and_an_unknown_end_refuses_all() {
    let log = MemoryLog::default();
    let refusals = Arc::clone(&log.refusals);
    let mailbox = Arc::new(Mailbox::new(MailboxOptions::default()));
    let storage = Arc::new(Storage::new(mailbox, HashMap::new()));
    let metadata = start(&log, &storage, &[]);
    let format = || FormatCluster { cluster_id: metadata.new_id().to_string().into(), features: Vec::new() };
    refusals.lock().unwrap().push(Refusal::DiskFull);
    let refused = metadata.run(format()).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::KAFKA_STORAGE_ERROR);
    assert!(metadata.image().cluster_id().is_none());
    assert!(metadata.run(format()).await.is_ok(), "there is room again");
    refusals.lock().unwrap().push(Refusal::Offline("a failed sync".into()));
    for _ in 0..2 {
        let refused = metadata.run(registration(&metadata)).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::KAFKA_STORAGE_ERROR, "nobody knows what the log holds");
    }
    assert!(refusals.lock().unwrap().is_empty() && metadata.image().broker(1).is_none());
}
