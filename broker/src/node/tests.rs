//! Starts on a disk that is full, and after a power cut.

mod losses;

use std::collections::BTreeSet;
use std::io::IoSlice;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strandline_log::clock::SimulatedClock;
use strandline_log::disk::simulated::{self, SimulatedDisk};
use strandline_log::disk::{Access, BLOCK_BYTES, Disk, File, read_exact_at};
use strandline_log::engine::Engine;
use strandline_log::random::Random;
use strandline_state::settings::BrokerSettings;

use super::{Foundation, NodeError};
use crate::broker::Broker;
use crate::context::Endpoint;
use crate::offload::Offload;
use crate::tests::full_disk::{CAPACITY_BYTES, RESERVE_BYTES, fill, fill_but, small_options};

const DATA_DIR: &str = "/data";

fn new_disk() -> SimulatedDisk {
    let disk = SimulatedDisk::new(simulated::Options::default());
    disk.create_directory(Path::new(DATA_DIR)).unwrap();
    disk.sync_directory(Path::new("/")).unwrap();
    disk
}

/// Each process draws numbers of its own.
async fn start(disk: &SimulatedDisk, process: u64) -> Result<(Arc<Broker>, Engine), NodeError> {
    start_with(disk, process, BrokerSettings::default()).await
}

async fn start_with(
    disk: &SimulatedDisk,
    process: u64,
    settings: BrokerSettings,
) -> Result<(Arc<Broker>, Engine), NodeError> {
    let endpoint = Endpoint { listener: "PLAINTEXT".into(), host: "broker".into(), port: 9_092 };
    let foundation = Foundation {
        disk: Arc::new(disk.clone()),
        data_dir: PathBuf::from(DATA_DIR),
        clock: Arc::new(SimulatedClock::new(0)),
        random: Random::from_seed(process),
        offload: Offload::Threads,
        engine: small_options(),
        settings,
        endpoints: vec![Arc::new(endpoint)],
    };
    foundation.start(Engine::start).await
}

/// Who the broker says it is, and which brokers it knows.
fn identity(broker: &Broker) -> (String, BTreeSet<i32>) {
    let image = broker.metadata.image();
    (format!("{:?}", image.cluster_id()), image.brokers().map(|(node_id, _)| node_id).collect())
}

/// Starts, says who that is, and ends.
async fn run(disk: &SimulatedDisk, process: u64) -> (String, BTreeSet<i32>) {
    let (broker, engine) = start(disk, process).await.unwrap();
    let identity = identity(&broker);
    engine.close().unwrap();
    identity
}

/// What says which data directory it is.
fn format_of(disk: &SimulatedDisk, access: Access) -> Arc<dyn File> {
    disk.open(&Path::new(DATA_DIR).join("format"), access).unwrap()
}

#[tokio::test]
async fn a_directory_that_became_another_one_is_not_served() {
    let (disk, other) = (new_disk(), new_disk());
    let before = run(&disk, 0).await;
    run(&other, 1).await;
    let contents = [&disk, &other].map(|disk| {
        let file = format_of(disk, Access::Read);
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        read_exact_at(&*file, &mut bytes, 0).unwrap();
        bytes
    });
    let [own, others] = contents.each_ref().map(|bytes| [IoSlice::new(bytes)]);
    format_of(&disk, Access::Write).write_at(&others, 0).unwrap();
    let error = start(&disk, 2).await.map(drop).unwrap_err();
    assert!(matches!(error, NodeError::OtherDirectory), "{error:?}");
    // It has changed nothing.
    format_of(&disk, Access::Write).write_at(&own, 0).unwrap();
    assert_eq!(run(&disk, 3).await, before);
}

#[tokio::test]
async fn a_start_that_finds_no_room_says_so_and_the_next_one_finds_everything() {
    let disk = new_disk();
    let before = run(&disk, 0).await;
    // As it is left by who had to give away what is kept for a full disk.
    let reserve = Path::new(DATA_DIR).join("reserve");
    disk.open(&reserve, Access::Write).unwrap().set_length(0).unwrap();
    fill(&disk);
    for process in 1..4 {
        let error = start(&disk, process).await.map(drop).unwrap_err();
        let NodeError::NoRoom { directory, free_bytes, reserve_bytes, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((&**directory, *reserve_bytes), (DATA_DIR, RESERVE_BYTES));
        assert!(*free_bytes < RESERVE_BYTES, "{free_bytes}");
        let begin = format!("there is no room on the disk of /data: {free_bytes} bytes are free, and ");
        assert!(error.to_string().starts_with(&begin), "{error}");
    }
    disk.set_capacity(CAPACITY_BYTES);
    assert_eq!(run(&disk, 4).await, before);
}

#[tokio::test]
async fn on_a_full_disk_it_starts_while_there_is_what_is_kept_and_then_says_that_there_is_no_room() {
    let disk = new_disk();
    let before = run(&disk, 0).await;
    fill(&disk);
    let (mut process, mut refused) = (0, 0);
    while refused < 3 {
        process += 1;
        assert!(process < 1_000, "the disk is full, and it starts for ever");
        match start(&disk, process).await {
            Ok((broker, engine)) => {
                assert_eq!((identity(&broker), refused), (before.clone(), 0), "nobody made room");
                engine.close().unwrap();
            }
            Err(error) => {
                assert!(process > 1, "there is what is kept: {error}");
                assert!(matches!(error, NodeError::NoRoom { .. }), "{process}: {error:?}");
                refused += 1;
            }
        }
    }
    disk.set_capacity(CAPACITY_BYTES);
    assert_eq!(run(&disk, 1_000).await, before);
}

/// However far the first start comes.
#[tokio::test]
async fn what_a_full_disk_left_of_a_new_directory_is_no_obstacle_later() {
    let mut process = 0;
    for free_blocks in 0.. {
        let disk = new_disk();
        fill_but(&disk, free_blocks * BLOCK_BYTES as u64);
        process += 2;
        match start(&disk, process).await {
            Ok((_, engine)) => {
                assert!(free_blocks * BLOCK_BYTES as u64 > RESERVE_BYTES, "{free_blocks} blocks are enough");
                engine.close().unwrap();
                break;
            }
            Err(error) => {
                // What the disk says itself, or what we make of it.
                let said = error.to_string();
                let is_said =
                    ["no storage space", "there is no room on"].iter().any(|what| said.contains(what));
                assert!(is_said, "{free_blocks}: {said}");
            }
        }
        disk.set_capacity(CAPACITY_BYTES);
        let (broker, engine) = start(&disk, process + 1).await.unwrap();
        assert_eq!(broker.metadata.image().brokers().count(), 1, "{free_blocks}");
        engine.close().unwrap();
    }
}
