//! A disk that is full when a change is durable already, and what follows from it is not carried out.

use tokio::time::sleep;

use super::*;
use crate::api::topics::Topics;
use crate::tests::full_disk::{CAPACITY_BYTES, PAUSE_MS, fill, small_options};

struct Rig {
    disk: SimulatedDisk,
    clock: Arc<SimulatedClock>,
    engine: Engine,
    storage: Arc<Storage>,
    log: MemoryLog,
    metadata: Arc<Metadata>,
}

impl Rig {
    async fn new() -> Self {
        let disk = SimulatedDisk::new(simulated::Options::default());
        disk.create_directory(Path::new("/data")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let clock = Arc::new(SimulatedClock::new(0));
        let engine = Engine::start(recovered(&disk, &clock)).unwrap();
        let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), HashMap::new()));
        let log = MemoryLog::default();
        let metadata = start(&log, &storage, &[]);
        let format = FormatCluster { cluster_id: metadata.new_id().to_string().into(), features: Vec::new() };
        metadata.run(format).await.unwrap();
        metadata.run(registration(&metadata)).await.unwrap();
        Self { disk, clock, engine, storage, log, metadata }
    }

    async fn create(&self, name: &str) -> Result<(), ErrorCode> {
        let topic = NewTopic {
            name: name.into(),
            topic_id: self.metadata.new_id(),
            partition_count: 3,
            replication_factor: 1,
            ..NewTopic::default()
        };
        let settings = self.metadata.settings();
        let command = CreateTopics { topics: vec![topic], validate_only: false, settings };
        self.metadata.run(command).await.map(drop).map_err(|refusal| refusal.code)
    }

    /// Makes topics until one does not get its logs, and says so; its name is returned.
    async fn fill(&self) -> String {
        fill(&self.disk);
        for number in 0..5_000 {
            let name = format!("t{number}");
            match self.create(&name).await {
                Ok(()) => {}
                Err(code) => {
                    assert_eq!(code, ErrorCode::KAFKA_STORAGE_ERROR);
                    assert!(self.led(&name).contains(&Err(ErrorCode::KAFKA_STORAGE_ERROR)));
                    return name;
                }
            }
        }
        panic!("the disk is full, and everything is made");
    }

    fn led(&self, name: &str) -> [Result<(), ErrorCode>; 3] {
        let topic = self.metadata.by_name(name).unwrap();
        [0, 1, 2].map(|index| topic.led_by(1, &self.storage, index).map(drop))
    }
}

fn recovered(disk: &SimulatedDisk, clock: &Arc<SimulatedClock>) -> Writer {
    let (data, clock) = (PathBuf::from("/data"), Arc::<SimulatedClock>::clone(clock));
    let random = Random::from_seed(1);
    Writer::recover(Arc::new(disk.clone()), data, small_options(), clock, random).unwrap()
}

#[tokio::test]
async fn a_log_without_room_is_made_when_there_is_some_and_no_other_change_waits_for_it() {
    let rig = Rig::new().await;
    rig.create("first").await.unwrap();
    let name = rig.fill().await;
    // It is so all the same.
    let topic_id = rig.metadata.image().topic(&name).unwrap().id();
    let mut changes = rig.metadata.changes();
    assert_eq!(rig.led("first"), [Ok(()); 3]);
    // Whatever needs no room goes on, and what is said of that topic as well.
    let first_id = rig.metadata.image().topic("first").unwrap().id();
    for partitions in [vec![(first_id, 0)], vec![(topic_id, 1)]] {
        rig.metadata.run(BumpLeaderEpochs { partitions }).await.unwrap();
    }
    rig.disk.set_capacity(CAPACITY_BYTES);
    let mut attempts = 0;
    while rig.led(&name) != [Ok(()); 3] {
        attempts += 1;
        assert!(attempts < 10_000, "there is room again, and the logs are not made");
        rig.clock.advance(PAUSE_MS);
        sleep(std::time::Duration::from_millis(5)).await;
    }
    // Those who do something for each topic are told of it again: once for each change of it, and then for its logs.
    let (mut told, mut attempts) = (0, 0);
    while told < 2 {
        match changes.try_recv() {
            Ok(change) => told += usize::from(change.changed.contains(&topic_id)),
            Err(_) => sleep(std::time::Duration::from_millis(5)).await,
        }
        attempts += 1;
        assert!(attempts < 10_000, "nobody is told that the logs are there");
    }
    rig.create("last").await.unwrap();
    assert_eq!(rig.led("last"), [Ok(()); 3]);
    // Each is there once, however often it was tried.
    let Rig { disk, clock, engine, storage, .. } = rig;
    engine.close().unwrap();
    let mut places: Vec<_> =
        recovered(&disk, &clock).partitions().into_iter().map(|(_, what)| what).collect();
    places.sort_unstable();
    let mut known: Vec<_> = storage.places().into_iter().map(TopicPartition::to_description).collect();
    known.sort_unstable();
    assert_eq!(places, known);
}

#[tokio::test]
async fn what_a_start_finds_no_room_for_does_not_keep_it_from_starting() {
    let rig = Rig::new().await;
    let name = rig.fill().await;
    // The next process finds the topic without all of its logs, and there may still be no room.
    let again = Arc::new(Storage::new(Arc::clone(rig.engine.mailbox()), HashMap::new()));
    let known = rig.storage.places().into_iter();
    again.add(known.map(|place| (place, rig.storage.partition(place).unwrap())));
    let metadata = start(&rig.log, &again, &[]);
    metadata.reconcile(Vec::new()).await.unwrap();
    let topic_id = metadata.image().topic(&name).unwrap().id();
    let places = [0, 1, 2].map(|index| TopicPartition { topic_id, index });
    assert!(places.iter().all(|place| again.partition(*place).is_some() != again.is_missing(*place)));
    rig.disk.set_capacity(CAPACITY_BYTES);
    let mut attempts = 0;
    while places.iter().any(|place| again.partition(*place).is_none()) {
        attempts += 1;
        assert!(attempts < 10_000, "there is room again, and the log is not made");
        rig.clock.advance(PAUSE_MS);
        sleep(std::time::Duration::from_millis(5)).await;
    }
    assert!(!places.iter().any(|place| again.is_missing(*place)));
}
