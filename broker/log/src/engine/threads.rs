//! The threads that drive a writer.
//!
//! One owns the writer. One writes groups while the next one forms, when there is a next one to form; a small group
//! that nothing waits behind is written by the writer's own thread, since waking another takes as long as a
//! sync. One for each lane of jobs.

use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use bytes::Bytes;

use super::error::{EngineError, Refusal};
use super::jobs::{Job, JobDone, Lane};
use super::mailbox::{Mailbox, Rejected};
use super::partition::Partition;
use super::request::{Command, Outcome, Replies, Request};
use super::watch::Watch;
use super::writer::Writer;
use crate::journal::{Pins, Write, Written};

/// The writer looks around this often even if nothing happens: for what is due by the clock.
const TICK: Duration = Duration::from_millis(500);

/// Once closed, it waits no longer than this for what is out.
const CLOSING_TICK: Duration = Duration::from_millis(5);

/// From this size on, a group takes the disk so much longer than waking another thread takes that the writer's own
/// is better kept free: what comes meanwhile is copied and checked then, and not afterwards.
const HANDED_OVER_BYTES_MIN: usize = 256 << 10;

/// What comes back to the writer.
#[derive(Debug)]
enum Event {
    Written(Written),
    Done(JobDone),
}

/// A data directory that is open, with its threads.
#[derive(Debug)]
pub struct Engine {
    mailbox: Arc<Mailbox>,
    pins: Pins,
    watch: Watch,
    partitions: Vec<(Arc<Partition>, Bytes)>,
    writer: Option<JoinHandle<Result<(), EngineError>>>,
}

impl Engine {
    /// Lets threads drive a writer.
    pub fn start(writer: Writer) -> Result<Self, EngineError> {
        let mailbox = Arc::clone(writer.mailbox());
        let (partitions, pins) = (writer.partitions(), writer.sources.journal.pins().clone());
        let watch = writer.watch();
        let driver = Driver::start(writer).map_err(EngineError::Thread)?;
        let run = move || driver.run();
        let writer = spawn("log-writer", run).map_err(EngineError::Thread)?;
        Ok(Self { mailbox, pins, watch, partitions, writer: Some(writer) })
    }

    /// The partitions that were there when it was opened, each with what was said when it was created.
    pub fn partitions(&self) -> &[(Arc<Partition>, Bytes)] {
        &self.partitions
    }

    /// Where requests are left.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// What slow readers keep of the journal.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// The way to look after it.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Asks for something, and waits until it is done.
    pub fn call(&self, command: Command) -> Outcome {
        let answer = Arc::new(Answer::default());
        let replies: Arc<dyn Replies> = Arc::<Answer>::clone(&answer);
        match self.mailbox.send([Request { command, ticket: 0, replies }]).pop() {
            Some(_) => Err(Refusal::Closed),
            None => answer.wait(),
        }
    }

    /// Asks for something without waiting for room in the queue.
    pub fn try_send(&self, request: Request) -> Result<(), Rejected> {
        self.mailbox.try_send(request)
    }

    /// Takes nothing any more, finishes what was taken, and gives the directory up.
    pub fn close(mut self) -> Result<(), EngineError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), EngineError> {
        self.mailbox.close();
        match self.writer.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(EngineError::Thread(io::Error::other("the writer's thread panicked"))),
            None => Ok(()),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Who wants to know how it went calls `close`.
        let _ = self.stop();
    }
}

/// One answer that one thread waits for.
#[derive(Debug, Default)]
struct Answer {
    outcome: Mutex<Option<Outcome>>,
    arrived: Condvar,
}

impl Answer {
    fn wait(&self) -> Outcome {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = self.arrived.wait_while(outcome, |outcome| outcome.is_none());
        outcome.unwrap_or_else(PoisonError::into_inner).take().unwrap_or(Err(Refusal::Closed))
    }
}

impl Replies for Answer {
    fn reply(&self, _: u64, outcome: Outcome) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(outcome);
        self.arrived.notify_one();
    }
}

/// The writer's thread, and the way to the others.
#[derive(Debug)]
struct Driver {
    writer: Writer,
    mailbox: Arc<Mailbox>,
    events: Receiver<Event>,
    groups: Sender<Write>,
    lanes: BTreeMap<Lane, Sender<Job>>,
    workers: Vec<JoinHandle<()>>,
    /// How many groups and jobs are out.
    outstanding: usize,
    is_writing: bool,
}

impl Driver {
    fn start(writer: Writer) -> io::Result<Self> {
        let mailbox = Arc::clone(writer.mailbox());
        let (back, events) = mpsc::channel();
        let mut workers = Vec::new();
        let (groups, worker) =
            spawn_worker("log-commit", &mailbox, &back, |write: Write| Event::Written(write.run()))?;
        workers.push(worker);
        let mut lanes = BTreeMap::new();
        for lane in Lane::ALL {
            let name = match lane {
                Lane::Flush => "log-flush",
                Lane::Spare => "log-spare",
                Lane::Sync => "log-sync",
                Lane::Removal => "log-remove",
                Lane::Long => "log-compact",
            };
            let (jobs, worker) = spawn_worker(name, &mailbox, &back, |job: Job| Event::Done(job.run()))?;
            workers.push(worker);
            lanes.insert(lane, jobs);
        }
        Ok(Self { writer, mailbox, events, groups, lanes, workers, outstanding: 0, is_writing: false })
    }

    fn run(mut self) -> Result<(), EngineError> {
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.take_back(event);
            }
            self.writer.take();
            self.write();
            while let Some(job) = self.writer.next_job() {
                self.hand_out(job);
            }
            if self.is_finished() {
                break;
            }
            let is_busy = self.writer.is_ready() && !self.is_writing;
            if self.mailbox.is_closed() {
                // Nothing rings any more that is not an event.
                if let Ok(event) = self.events.recv_timeout(CLOSING_TICK) {
                    self.take_back(event);
                }
            } else if !is_busy {
                // What has to wait for something that is out need not be looked at before that is back.
                let tick = self.writer.removal_due_in().map_or(TICK, |left| left.min(TICK));
                self.mailbox.wait(!self.writer.has_waiting(), tick);
            }
        }
        drop((self.groups, self.lanes));
        self.workers.into_iter().for_each(|worker| drop(worker.join()));
        self.writer.close()
    }

    fn take_back(&mut self, event: Event) {
        self.outstanding -= 1;
        match event {
            Event::Written(written) => {
                self.is_writing = false;
                self.writer.finish(written);
            }
            Event::Done(done) => self.writer.job_done(done),
        }
    }

    fn write(&mut self) {
        let Some(write) = self.writer.begin() else { return };
        let has_more = self.writer.has_waiting() || !self.mailbox.is_empty();
        if !has_more && write.bytes() < HANDED_OVER_BYTES_MIN {
            self.writer.finish(write.run());
        } else if self.groups.send(write).is_ok() {
            self.is_writing = true;
            self.outstanding += 1;
        }
    }

    fn hand_out(&mut self, job: Job) {
        if let Some(lane) = self.lanes.get(&job.lane())
            && lane.send(job).is_ok()
        {
            self.outstanding += 1;
        }
    }

    /// Whether nothing is left to do, and nothing more will come.
    fn is_finished(&mut self) -> bool {
        self.mailbox.is_closed()
            && self.mailbox.is_empty()
            && self.outstanding == 0
            && !self.writer.has_waiting()
            && !self.writer.is_ready()
            && self.writer.is_saved()
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// A thread that does one thing after the other, and rings the writer's bell after each.
fn spawn_worker<T: Send + 'static>(
    name: &str,
    mailbox: &Arc<Mailbox>,
    back: &Sender<Event>,
    run: impl Fn(T) -> Event + Send + 'static,
) -> io::Result<(Sender<T>, JoinHandle<()>)> {
    let (sender, receiver) = mpsc::channel();
    let (mailbox, back) = (Arc::clone(mailbox), back.clone());
    let run = move || {
        for work in receiver {
            if back.send(run(work)).is_err() {
                return;
            }
            mailbox.ring();
        }
    };
    Ok((sender, spawn(name, run)?))
}
