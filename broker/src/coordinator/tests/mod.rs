//! Shards over a real engine on a simulated disk, with the smallest machine that has everything: it adds up.

mod dividing;
mod failing;
mod full_disk;
mod heeding;
mod machine;
mod overdue;
mod serving;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use strandline_log::clock::{Clock, SimulatedClock};
use strandline_log::disk::Disk;
use strandline_log::disk::simulated::{self, SimulatedDisk};
use strandline_log::engine::{Engine, Options, Writer};
use strandline_log::random::Random;
use strandline_log::tail::{BUDGET_BYTES_MAX, Budget};
use strandline_protocol::ErrorCode;
use strandline_state::metadata::decide::{FormatCluster, RegisterBroker};

use self::machine::{Adder, Command};
use super::{Answer, Coordinator, CoordinatorParts, OFFSETS_TOPIC};
use crate::metadata::Metadata;
use crate::offload::Offload;
use crate::storage::Storage;

/// A coordinator of adders, and all that it stands on.
struct Rig {
    adders: Coordinator<Adder>,
    metadata: Arc<Metadata>,
    disk: SimulatedDisk,
    clock: Arc<SimulatedClock>,
    engine: Engine,
    /// What was told of what happened.
    watched: Arc<Mutex<Vec<i64>>>,
}

impl Rig {
    async fn new() -> Self {
        Self::with_options(Options::default()).await
    }

    async fn with_options(options: Options) -> Self {
        let disk = SimulatedDisk::new(simulated::Options::default());
        disk.create_directory(Path::new("/data")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let clock = Arc::new(SimulatedClock::new(1_000_000));
        let writer = Writer::recover(
            Arc::new(disk.clone()),
            PathBuf::from("/data"),
            // Of its own: what other tests do beside this one is not to be noticed.
            Options { tail_budget: Budget::new(BUDGET_BYTES_MAX), ..options },
            Arc::<SimulatedClock>::clone(&clock),
            Random::from_seed(1),
        );
        let engine = Engine::start(writer.unwrap()).unwrap();
        let storage = Arc::new(Storage::new(Arc::clone(engine.mailbox()), Default::default()));
        let metadata = Metadata::in_memory(1, storage, Arc::<SimulatedClock>::clone(&clock));
        let cluster_id = metadata.run(FormatCluster { cluster_id: "c".into(), features: Vec::new() }).await;
        let registration = RegisterBroker {
            cluster_id: cluster_id.unwrap(),
            node_id: 1,
            incarnation_id: metadata.new_id(),
            directory_ids: vec![metadata.new_id()],
            endpoints: vec![Default::default()],
            rack: None,
            fenced: false,
            is_alone: true,
        };
        metadata.run(registration).await.unwrap();
        let watched = Arc::default();
        let parts = Self::parts(&metadata, Arc::clone(&clock));
        let adders = Self::coordinator(parts, &watched);
        adders.ensure_topic().await.unwrap();
        Self { adders, metadata, disk, clock, engine, watched }
    }

    fn parts(metadata: &Arc<Metadata>, clock: Arc<SimulatedClock>) -> CoordinatorParts {
        CoordinatorParts::new(Arc::clone(metadata), clock, Offload::Threads, Arc::default())
    }

    fn coordinator(parts: CoordinatorParts, watched: &Arc<Mutex<Vec<i64>>>) -> Coordinator<Adder> {
        let watched = Arc::clone(watched);
        let watch = Arc::new(move |number: &i64| watched.lock().unwrap().push(*number));
        Coordinator::new(&OFFSETS_TOPIC, Arc::new(parts), Arc::new(Adder::default), watch)
    }

    /// A coordinator that finds everything in the logs.
    async fn again(&self) -> Coordinator<Adder> {
        let parts = Self::parts(&self.metadata, Arc::new(SimulatedClock::new(0)));
        let adders = Self::coordinator(parts, &self.watched);
        while self.sum_of(&adders, "k").await == Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) {
            tokio::task::yield_now().await;
        }
        adders
    }

    async fn ask(
        &self,
        key: &str,
        command: impl FnOnce(strandline_state::coordinator::Ticket) -> Command,
    ) -> Answer<i64> {
        self.adders.ask(key, command).await
    }

    async fn add(&self, key: &str, number: i64) -> Result<i64, ErrorCode> {
        self.ask(key, |ticket| Command::Add(ticket, number)).await.get().await
    }

    fn heed(&self, key: &str, after_ms: i64) -> Option<i64> {
        self.adders.heed(key, self.clock.monotonic(), Ok(after_ms))
    }

    async fn sum(&self, key: &str) -> Result<i64, ErrorCode> {
        self.sum_of(&self.adders, key).await
    }

    async fn sum_of(&self, adders: &Coordinator<Adder>, key: &str) -> Result<i64, ErrorCode> {
        adders.ask(key, Command::Sum).await.get().await
    }
}
