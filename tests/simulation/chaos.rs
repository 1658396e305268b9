//! What goes wrong: the network, the disk, the process and the machine, one thing after the other; and the end of a
//! run, when everything is well again and what was promised is looked for.

use std::sync::Arc;

use strandline_log::disk::simulated::Operation;
use tokio::time::timeout;

use crate::machine::{Death, Machine};
use crate::network::Network;
use crate::world::World;

/// A broker that can come up does so in so many attempts.
const ATTEMPTS_MAX: u32 = 20;

/// Makes things go wrong.
pub(crate) struct Chaos {
    world: Arc<World>,
    network: Arc<Network>,
    pub(crate) machine: Machine,
    clients: u64,
}

impl Chaos {
    pub(crate) fn new(world: Arc<World>, network: Arc<Network>, machine: Machine, clients: usize) -> Self {
        Self { world, network, machine, clients: clients as u64 }
    }

    pub(crate) async fn run(mut self, events: u64) -> Self {
        for _ in 0..events {
            if self.world.is_broken() {
                break;
            }
            if self.wait().await {
                self.restart_after_failure().await;
            } else {
                self.strike().await;
            }
        }
        self.heal().await;
        self
    }

    /// Lets some time pass; whether the broker is out of order by now.
    async fn wait(&self) -> bool {
        let condition = self.machine.condition();
        let _ = timeout(self.world.between_ms(20, 900), condition.failed.notified()).await;
        self.machine.has_fault() || !self.machine.is_up()
    }

    async fn strike(&mut self) {
        let world = Arc::clone(&self.world);
        match world.below(27) {
            0..=4 => {
                if self.network.reset_any() {
                    world.note("a connection is reset");
                    world.reach("connection reset");
                }
            }
            5..=8 => self.cut_off(),
            9..=11 => self.die(Death::PowerCut).await,
            12..=14 => self.die(Death::Kill).await,
            15 => {
                world.reach("shut down");
                self.machine.shut_down().await;
                self.come_up().await;
            }
            16..=18 => {
                let operation = world.any(&[Operation::Sync, Operation::Sync, Operation::Write]);
                let nth = 1 + world.below(6);
                world.note(format_args!("{operation:?} {nth} will fail"));
                world.reach("failing disk");
                self.machine.fail(operation, nth);
            }
            19..=21 => {
                let operations = 1 + world.below(80);
                world.note(format_args!("the machine will halt in {operations} operations"));
                world.reach("halting machine");
                self.machine.disk.halt_in(operations);
            }
            22..=23 => self.fill_up().await,
            _ => {
                world.set_clock();
                world.reach("clock set");
            }
        }
    }

    /// No byte comes from or to a client for a while.
    fn cut_off(&self) {
        let client = usize::try_from(self.world.below(self.clients)).unwrap();
        let length = self.world.between_ms(50, 6_000);
        self.world.note(format_args!("client {client} is cut off for {length:?}"));
        self.world.reach("client cut off");
        self.network.hold(client);
        let network = Arc::clone(&self.network);
        tokio::spawn(async move {
            tokio::time::sleep(length).await;
            network.release(client);
        });
    }

    async fn fill_up(&mut self) {
        let free_bytes = self.world.any(&[0, 4 << 10, 30 << 10, 200 << 10]);
        self.world.note(format_args!("the disk has {free_bytes} bytes left"));
        self.world.reach("full disk");
        self.machine.fill_disk(free_bytes);
        self.world.pause_ms(100, 2_000).await;
        self.machine.empty_disk();
        self.world.note("the disk has room again");
    }

    async fn die(&mut self, death: Death) {
        self.world.reach(match death {
            Death::Kill => "kill",
            Death::PowerCut => "power cut",
        });
        self.machine.die(death);
        self.world.pause_ms(0, 400).await;
        if self.world.one_in(4) {
            // It dies again before it is up, or not.
            self.machine.disk.halt_in(1 + self.world.below(60));
        }
        self.come_up().await;
    }

    /// The disk has failed, or the machine has halted: only a restart helps.
    async fn restart_after_failure(&mut self) {
        self.world.pause_ms(0, 1_000).await;
        let is_kill = !self.machine.disk.is_halted() && self.world.one_in(2);
        self.die(if is_kill { Death::Kill } else { Death::PowerCut }).await;
    }

    /// Brings the broker up, as often as it takes.
    async fn come_up(&mut self) {
        for _ in 0..ATTEMPTS_MAX {
            match self.machine.start().await {
                Ok(()) => return,
                Err(error) => {
                    self.world.note(format_args!("not up: {error}"));
                    if !self.machine.has_fault() {
                        self.world.blame(format_args!("the broker does not come up: {error}"));
                        return;
                    }
                    self.world.reach("died while coming up");
                }
            }
            self.machine.die(if self.world.one_in(2) { Death::Kill } else { Death::PowerCut });
        }
        self.world.blame("the broker never comes up");
    }

    /// Everything is well again, and stays so.
    async fn heal(&mut self) {
        self.world.calm();
        for client in 0..usize::try_from(self.clients).unwrap() {
            self.network.release(client);
        }
        self.machine.empty_disk();
        self.machine.disk.forget_faults();
        // A write that has failed may be held back, and not be known of yet.
        self.world.pause_ms(1_000, 1_100).await;
        if self.machine.has_fault() || !self.machine.is_up() {
            self.machine.die(Death::PowerCut);
            self.come_up().await;
        }
    }

    /// The power fails once more, or the process dies alone, and the broker comes up.
    pub(crate) async fn last_restart(&mut self) {
        self.machine.die(if self.world.one_in(3) { Death::Kill } else { Death::PowerCut });
        self.come_up().await;
    }
}
