//! The machine that the broker runs on: its disk, and the process that comes up, dies, and comes up again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strandline_broker::broker::Broker;
use strandline_broker::context::Endpoint;
use strandline_broker::net::{NetOptions, Server};
use strandline_broker::node::{Foundation, NodeError};
use strandline_broker::offload::{Offload, Pauses};
use strandline_log::clock::Clock;
use strandline_log::disk::Disk;
use strandline_log::disk::simulated::{self, Operation, SimulatedDisk};
use strandline_log::engine::{EngineError, Mailbox, MailboxOptions, Options as EngineOptions};
use strandline_log::journal;
use strandline_log::tail::Budget;
use strandline_state::settings::BrokerSettings;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::driver::{Condition, Driver};
use crate::network::Network;
use crate::subject::Subject;
use crate::world::World;

const DATA_DIR: &str = "/data";

/// How large the disk is when it is not full.
const CAPACITY_BYTES: u64 = 1 << 40;

/// A broker that has not come up after so long does not.
const STARTING_MAX: Duration = Duration::from_mins(5);

/// How a process ends that is not asked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Death {
    /// The process alone: what it has written can be read.
    Kill,
    /// The machine: what was not durable is gone, or not.
    PowerCut,
}

/// The machine that the broker runs on.
pub(crate) struct Machine {
    world: Arc<World>,
    subject: Subject,
    network: Arc<Network>,
    pub(crate) disk: SimulatedDisk,
    /// Whether the disk will fail, if it has not.
    is_failing: bool,
    engine: EngineOptions,
    net: NetOptions,
    condition: Arc<Condition>,
    process: Option<Process>,
    processes: u64,
}

/// A broker that is up.
struct Process {
    broker: Arc<Broker>,
    server: Server,
    driver: Driving,
}

/// The writer's task; it does not outlive this.
#[derive(Debug)]
struct Driving {
    task: JoinHandle<Result<(), EngineError>>,
    mailbox: Arc<Mailbox>,
}

impl Drop for Driving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Machine {
    pub(crate) fn new(world: Arc<World>, subject: Subject, network: Arc<Network>) -> Self {
        let disk = SimulatedDisk::new(simulated::Options {
            seed: world.below(u64::MAX),
            capacity_bytes: CAPACITY_BYTES,
            sector_bytes: world.any(&[512, 4_096]),
            refuses_direct: world.one_in(2),
        });
        disk.create_directory(Path::new(DATA_DIR)).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let (engine, net) = (engine_options(&world), net_options(&world));
        let condition = Arc::default();
        Self {
            world,
            subject,
            network,
            disk,
            is_failing: false,
            engine,
            net,
            condition,
            process: None,
            processes: 0,
        }
    }

    /// Brings the broker up. With a fault of the disk on its way it may not come.
    pub(crate) async fn start(&mut self) -> Result<(), NodeError> {
        self.processes += 1;
        self.condition = Arc::default();
        let endpoint =
            Arc::new(Endpoint { listener: "PLAINTEXT".into(), host: "broker".into(), port: 9_092 });
        let world = &self.world;
        // A new process has memory of its own.
        let tail_budget = Budget::new(self.engine.tail_budget.bytes_max());
        let foundation = Foundation {
            disk: (self.subject.disk)(&self.disk),
            data_dir: PathBuf::from(DATA_DIR),
            clock: Arc::<World>::clone(world) as Arc<dyn Clock>,
            random: world.split_random(),
            offload: Offload::Tasks(Arc::<World>::clone(world) as Arc<dyn Pauses>),
            engine: EngineOptions { tail_budget, ..self.engine.clone() },
            settings: settings(),
            endpoints: vec![Arc::clone(&endpoint)],
        };
        let (world, condition) = (Arc::clone(world), Arc::clone(&self.condition));
        let process = self.processes;
        let starting = foundation.start(move |writer| {
            let mailbox = Arc::clone(writer.mailbox());
            let driver = Driver::new(world, writer, process, condition);
            Ok(Driving { task: tokio::spawn(driver.run()), mailbox })
        });
        let Ok(started) = timeout(STARTING_MAX, starting).await else {
            self.world.blame("the broker does not come up");
            return Ok(());
        };
        let (broker, driver) = started?;
        let service = (self.subject.service)(&broker, &self.world);
        let server = Server::new(self.net.clone(), service);
        server.accept(self.network.listen(), endpoint);
        self.world.ledger().came_up(self.processes);
        self.world.note(format_args!("process {} is up", self.processes));
        self.process = Some(Process { broker, server, driver });
        Ok(())
    }

    /// The process ends, whatever it is doing.
    pub(crate) fn die(&mut self, death: Death) {
        self.world.note(format_args!("{death:?} of process {}", self.processes));
        // First, so that nothing which is left of the process reaches anything any more.
        self.network.fall();
        match death {
            Death::Kill => self.disk.kill(),
            Death::PowerCut => {
                self.disk.crash();
                self.world.ledger().power_cut();
            }
        }
        self.is_failing = false;
        self.process = None;
    }

    /// The process ends as it is asked to.
    pub(crate) async fn shut_down(&mut self) {
        let Some(process) = self.process.take() else { return };
        self.world.note(format_args!("process {} is asked to end", self.processes));
        process.server.shutdown().await;
        self.network.fall();
        let mut driver = process.driver;
        driver.mailbox.close();
        match (&mut driver.task).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) if !self.has_fault() && !self.is_failing => {
                self.world.blame(format_args!("the end: {error}"));
            }
            Ok(Err(error)) => self.world.note(format_args!("the end: {error}")),
            Err(error) => self.world.blame(format_args!("the writer: {error}")),
        }
        self.disk.kill();
        self.is_failing = false;
    }

    /// Lets the nth operation of a kind from now on fail.
    pub(crate) fn fail(&mut self, operation: Operation, nth: u64) {
        self.is_failing = true;
        self.disk.fail(operation, nth);
    }

    /// Whether something is wrong with the disk that explains that the broker does not do what it should.
    pub(crate) fn has_fault(&self) -> bool {
        self.disk.is_halted() || self.world.ledger().is_offline(self.processes)
    }

    pub(crate) fn condition(&self) -> Arc<Condition> {
        Arc::clone(&self.condition)
    }

    pub(crate) fn is_up(&self) -> bool {
        self.process.is_some()
    }

    /// The logs of the broker that is up.
    pub(crate) fn broker(&self) -> Option<&Arc<Broker>> {
        self.process.as_ref().map(|process| &process.broker)
    }

    /// Leaves so many bytes free.
    pub(crate) fn fill_disk(&self, free_bytes: u64) {
        if let Ok(free) = self.disk.free_bytes() {
            self.disk.set_capacity(CAPACITY_BYTES - free + free_bytes);
        }
    }

    pub(crate) fn empty_disk(&self) {
        self.disk.set_capacity(CAPACITY_BYTES);
    }
}

/// Small enough that each bound is met soon, and not the same in all runs.
/// What is said of the engine here as well is what its options say: settings reach it once the broker runs.
fn settings() -> BrokerSettings {
    let pairs = [("strandline.checkpoint.interval.ms", "2000"), ("log.retention.check.interval.ms", "5000")];
    BrokerSettings::from_pairs(pairs).unwrap()
}

fn engine_options(world: &World) -> EngineOptions {
    let file_bytes = world.any(&[16 << 10, 32 << 10, 64 << 10]);
    EngineOptions {
        journal: journal::Options {
            file_bytes,
            bytes_max: file_bytes * (4 + world.below(4)),
            entries_max: world.any(&[40, 200, 1_000]),
            group_bytes_max: if file_bytes == 16 << 10 { 4 << 10 } else { 8 << 10 },
            placed_bytes_min: 100,
        },
        mailbox: MailboxOptions { bytes_max: 64 << 10, requests_max: world.any(&[4, 64]) },
        tail_budget: Budget::new(world.any(&[0, 64 << 10, 8 << 20])),
        flush_bytes: world.any(&[1 << 10, 8 << 10, 64 << 10]),
        flush_job_bytes: world.any(&[4 << 10, 16 << 10]),
        unsynced_bytes_max: world.any(&[8 << 10, 256 << 10]),
        open_files_max: world.any(&[1, 4, 4_096]),
        syncs_max: world.any(&[1, 4, 64]),
        reserve_bytes: 32 << 10,
        checkpoint_interval: Duration::from_secs(2),
        housekeeping_interval: Duration::from_secs(5),
        ..EngineOptions::default()
    }
}

fn net_options(world: &World) -> NetOptions {
    NetOptions {
        pipeline_requests_max: world.any(&[1, 2, 64]),
        requests_bytes_max: world.any(&[64 << 10, 1 << 20, 256 << 20]),
        answers_bytes_max: world.any(&[8 << 10, 128 << 20]),
        connections_idle_max: world.any(&[Duration::from_secs(3), Duration::from_mins(10)]),
        stalled_max: Duration::from_secs(1),
        half_closed_max: Duration::from_secs(2),
        shutdown_max: Duration::from_secs(2),
        ..NetOptions::default()
    }
}
