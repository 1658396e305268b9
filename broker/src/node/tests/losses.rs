//! The leader epochs of `async` logs after a power cut, whatever came between that and the start that serves.

use strandline_log::engine::Engine;
use strandline_protocol::Uuid;
use strandline_state::metadata::decide::{CreateTopics, NewTopic};

use super::*;

const ASYNC: [(&str, &str); 1] = [("strandline.durability", "async")];
const FSYNC: [(&str, &str); 1] = [("strandline.durability", "fsync")];

/// A broker on a disk of its own, with a topic that is kept as the broker is told.
struct Rig {
    disk: SimulatedDisk,
    processes: u64,
}

impl Rig {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let mut rig = Self { disk: new_disk(), processes: 0 };
        let (broker, engine) = rig.start(settings).await.unwrap();
        let topic = NewTopic {
            name: "t".into(),
            topic_id: Uuid::from(7),
            partition_count: 1,
            replication_factor: 1,
            ..NewTopic::default()
        };
        let settings = broker.metadata.settings();
        let command = CreateTopics { topics: vec![topic], validate_only: false, settings };
        let created = broker.metadata.run(command).await.unwrap();
        assert!(created.iter().all(|topic| topic.result.is_ok()), "{created:?}");
        assert_eq!(epoch(&broker), 0);
        rig.cut_power(Some((broker, engine)));
        rig
    }

    async fn start(&mut self, settings: &[(&str, &str)]) -> Result<(Arc<Broker>, Engine), NodeError> {
        self.processes += 1;
        let settings = BrokerSettings::from_pairs(settings.iter().copied()).unwrap();
        start_with(&self.disk, self.processes, settings).await
    }

    /// Of a broker that runs, or is starting no more.
    fn cut_power(&self, running: Option<(Arc<Broker>, Engine)>) {
        self.disk.halt_in(1);
        let _ = self.disk.free_bytes();
        drop(running);
        self.disk.crash();
    }

    /// Starts, says which epoch the log is in, and ends.
    async fn run(&mut self, settings: &[(&str, &str)]) -> i32 {
        let (broker, engine) = self.start(settings).await.unwrap();
        let epoch = epoch(&broker);
        engine.close().unwrap();
        epoch
    }
}

fn epoch(broker: &Broker) -> i32 {
    broker.metadata.image().topic("t").unwrap().partition(0).unwrap().leader_epoch()
}

#[tokio::test]
async fn a_power_cut_is_told_once_and_of_async_logs_alone() {
    let mut rig = Rig::new(&ASYNC).await;
    assert_eq!([rig.run(&ASYNC).await, rig.run(&ASYNC).await], [1, 1]);
    let mut rig = Rig::new(&FSYNC).await;
    assert_eq!(rig.run(&FSYNC).await, 0);
}

#[tokio::test]
async fn it_is_told_after_a_start_as_somebody_else() {
    let mut rig = Rig::new(&ASYNC).await;
    for _ in 0..2 {
        let error = rig.start(&[ASYNC[0], ("node.id", "7")]).await.map(drop).unwrap_err();
        assert!(matches!(error, NodeError::OtherNode { .. }), "{error:?}");
    }
    assert_eq!([rig.run(&ASYNC).await, rig.run(&ASYNC).await], [1, 1]);
}

#[tokio::test]
async fn it_is_told_after_a_start_that_found_no_room() {
    let mut rig = Rig::new(&ASYNC).await;
    let reserve = Path::new(DATA_DIR).join("reserve");
    rig.disk.open(&reserve, Access::Write).unwrap().set_length(0).unwrap();
    fill(&rig.disk);
    let mut refused = 0;
    while refused < 2 {
        match rig.start(&ASYNC).await {
            Err(NodeError::NoRoom { .. }) => refused += 1,
            other => panic!("{:?}", other.map(drop)),
        }
    }
    rig.disk.set_capacity(CAPACITY_BYTES);
    assert_eq!([rig.run(&ASYNC).await, rig.run(&ASYNC).await], [1, 1]);
}

#[tokio::test]
async fn it_is_told_wherever_a_start_ended_before() {
    let mut rig = Rig::new(&ASYNC).await;
    let (mut before, mut ended) = (0, 0);
    for operations in 1.. {
        rig.disk.halt_in(operations);
        let started = rig.start(&ASYNC).await;
        let is_over = started.is_ok() && !rig.disk.is_halted();
        ended += i32::from(started.is_err());
        rig.cut_power(started.ok());
        let started = rig.start(&ASYNC).await.unwrap();
        let after = epoch(&started.0);
        assert!(after > before, "the machine halted in operation {operations} of a start");
        before = after;
        rig.cut_power(Some(started));
        if is_over {
            break;
        }
    }
    assert!(ended > 20, "{ended}");
}

#[tokio::test]
async fn it_is_told_of_logs_that_were_async_and_are_no_longer() {
    let mut rig = Rig::new(&ASYNC).await;
    // Also where the first of these starts comes as far as to say how the log is kept.
    assert_eq!([rig.run(&FSYNC).await, rig.run(&FSYNC).await], [1, 1]);
    let mut rig = Rig::new(&FSYNC).await;
    assert_eq!(rig.run(&ASYNC).await, 0, "nothing was lost while it was kept by fsync");
}
