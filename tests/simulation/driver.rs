//! The writer's driver in a simulation: a task in place of the engine's threads. What the writer hands out is held
//! back for as long as chance says, and then done and given back.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use strandline_log::engine::{EngineError, Job, JobDone, Mailbox, Writer};
use strandline_log::journal::{Write, Written};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::world::World;

/// The writer looks around this often even if nothing happens.
const TICK: Duration = Duration::from_millis(500);

/// Something that the writer handed out.
#[derive(Debug)]
enum Work {
    Group(Write),
    WrittenGroup(Written),
    Job(Job),
    DoneJob(JobDone),
}

/// How one process of the broker stands, for those outside of it.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    /// Rung when the process cannot go on.
    pub(crate) failed: Notify,
}

/// Drives a writer until it is closed, or fails so that only a restart helps.
pub(crate) struct Driver {
    world: Arc<World>,
    writer: Writer,
    mailbox: Arc<Mailbox>,
    condition: Arc<Condition>,
    /// The number of the process.
    process: u64,
    held: Vec<(Instant, Work)>,
    is_known_offline: bool,
}

impl Driver {
    pub(crate) fn new(world: Arc<World>, writer: Writer, process: u64, condition: Arc<Condition>) -> Self {
        let mailbox = Arc::clone(writer.mailbox());
        Self { world, writer, mailbox, condition, process, held: Vec::new(), is_known_offline: false }
    }

    pub(crate) async fn run(mut self) -> Result<(), EngineError> {
        loop {
            self.do_due();
            self.writer.take();
            self.hand_out();
            self.heed_failure();
            if self.is_finished() {
                return self.writer.close();
            }
            let now = Instant::now();
            let next = self.held.iter().map(|(due, _)| *due).min();
            if next.is_some_and(|due| due <= now) {
                tokio::task::yield_now().await;
                continue;
            }
            let closing = self.mailbox.is_closed();
            let tick = now + if closing { Duration::from_millis(5) } else { TICK };
            let arrived = poll_fn(|context| match self.mailbox.arrived_or_wake(context.waker()) {
                true if !closing => Poll::Ready(()),
                _ => Poll::Pending,
            });
            let _ = timeout_at(next.map_or(tick, |due| due.min(tick)), arrived).await;
        }
    }

    /// Does what has been held long enough.
    fn do_due(&mut self) {
        let now = Instant::now();
        let (due, held) = std::mem::take(&mut self.held).into_iter().partition(|(due, _)| *due <= now);
        self.held = held;
        for (_, work) in due as Vec<_> {
            match work {
                Work::Group(write) => {
                    let written = write.run();
                    self.hold(Work::WrittenGroup(written));
                }
                Work::WrittenGroup(written) => self.writer.finish(written),
                Work::Job(job) => {
                    let done = job.run();
                    self.hold(Work::DoneJob(done));
                }
                Work::DoneJob(done) => self.writer.job_done(done),
            }
        }
    }

    fn hand_out(&mut self) {
        if let Some(write) = self.writer.begin() {
            self.hold(Work::Group(write));
        }
        while let Some(job) = self.writer.next_job() {
            self.hold(Work::Job(job));
        }
    }

    fn hold(&mut self, work: Work) {
        let world = &self.world;
        let delay = match world.below(24) {
            0..=15 => Duration::ZERO,
            16..=21 => world.between_ms(1, 5),
            22 => world.between_ms(5, 50),
            _ if world.is_calm() => Duration::ZERO,
            _ => world.between_ms(50, 400),
        };
        self.held.push((Instant::now() + delay, work));
    }

    /// Tells those outside once that only a restart helps.
    fn heed_failure(&mut self) {
        let Some(reason) = self.writer.offline() else { return };
        if !std::mem::replace(&mut self.is_known_offline, true) {
            self.world.note(format_args!("offline: {reason}"));
            self.world.reach("data directory offline");
            self.world.ledger().went_offline(self.process);
            self.condition.failed.notify_one();
        }
    }

    fn is_finished(&mut self) -> bool {
        self.mailbox.is_closed()
            && self.mailbox.is_empty()
            && self.held.is_empty()
            && !self.writer.has_waiting()
            && !self.writer.is_ready()
            && self.writer.is_saved()
    }
}
