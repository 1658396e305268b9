//! The one owner of a data directory: it alone assigns offsets, decides, and publishes.
//!
//! It is a state machine without a thread of its own. Whoever drives it calls, in any order and as often as it
//! likes:
//!
//! - [`Writer::take`] to stage what is asked,
//! - [`Writer::begin`] to get the group that is to be written, and [`Writer::finish`] with the group when it is,
//! - [`Writer::next_job`] to get work that is done elsewhere, and [`Writer::job_done`] when it is.
//!
//! The production's driver is `threads`; a simulation is another one, and lets the time between handing out and
//! coming back be as long as it likes. What the writer does itself on the disk is the beginning of a journal
//! file, the reading of headers before a truncation, and writes of `async` logs into the page cache.
//!
//! After a failure of the disk it is offline: everything that is asked is refused, nothing is written any more,
//! and readers go on.

mod appends;
mod checkpoint;
mod closing;
mod compactions;
mod control;
mod flush;
mod housekeeping;
mod publish;
mod removals;
mod replies;
mod resting;
mod room;
mod sweeping;
mod unjournaled;
mod watching;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use super::error::Refusal;
use super::group::Group;
use super::jobs::{Job, JobDone};
use super::log::Log;
use super::mailbox::Mailbox;
use super::observer::Event;
use super::options::Options;
use super::partition::Partition;
use super::read::Sources;
use super::recovery::Recovery;
use super::request::{Replies, Request};
use super::watch::Shared;
use crate::clock::Clock;
use crate::directory::Directory;
use crate::journal::{self, Journal};
use crate::local_id::LocalId;
use crate::manifest::Manifest;
use crate::random::{Random, mix};
use crate::reserve::Reserve;
use crate::retention::WallClockGuard;

/// Spreads local ids, the same way in each run: a simulation has to be able to repeat one.
#[derive(Debug, Default)]
pub(super) struct LocalIdHasher(u64);

impl Hasher for LocalIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = mix(self.0 ^ u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(number);
    }
}

/// Each by itself: the map is up to half empty, and a place in it that nobody has should cost little.
pub(super) type Logs = HashMap<LocalId, Box<Log>, BuildHasherDefault<LocalIdHasher>>;

pub use self::control::decode_description;

/// What became of a request.
enum Taken {
    /// It is staged, or answered.
    Yes,
    /// It has to wait, and all behind it.
    NotYet(Request),
}

/// What a data directory consists of beside its logs.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) manifest: Manifest,
    pub(super) reserve: Reserve,
    pub(super) directory: Directory,
}

/// The owner of a data directory.
#[derive(Debug)]
pub struct Writer {
    pub(super) options: Options,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sources: Arc<Sources>,
    pub(super) journal: Journal,
    pub(super) manifest: Arc<Manifest>,
    pub(super) reserve: Reserve,
    pub(super) logs: Logs,
    pub(super) next_local_id: u64,
    /// The last frame that is published.
    pub(super) published: u64,
    /// Taken from the mailbox and not staged.
    pub(super) inbox: VecDeque<Request>,
    /// Staged, and not on its way.
    pub(super) forming: Group,
    /// On its way to the disk.
    pub(super) writing: Option<Group>,
    /// Who gets answers that were given since the last flush.
    pub(super) answered: Vec<Arc<dyn Replies>>,
    pub(super) flushing: flush::Flushing,
    pub(super) checkpoints: checkpoint::Checkpoints,
    pub(super) housekeeping: housekeeping::Housekeeping,
    pub(super) compactions: compactions::Compactions,
    pub(super) removals: removals::Removals,
    sweeping: sweeping::Sweeping,
    pub(super) unjournaled: unjournaled::Unjournaled,
    shortages: room::Shortages,
    closing: closing::Closing,
    resting: resting::Resting,
    shared: Arc<Shared>,
    watched: watching::Watched,
    /// Logs that the manifest does not have as they are.
    pub(super) unsaved: BTreeSet<LocalId>,
    /// Why nothing is done any more.
    pub(super) offline: Option<Arc<str>>,
    // Held until everything else is gone.
    pub(super) directory: Directory,
}

impl Writer {
    pub(super) fn new(
        recovery: Recovery,
        opened: Opened,
        options: Options,
        clock: Arc<dyn Clock>,
        random: Random,
    ) -> Self {
        let Recovery { sources, mut logs, next_local_id, changed, removed, sync, .. } = recovery;
        let Opened { journal, manifest, reserve, directory } = opened;
        let now = clock.monotonic();
        let shared = Arc::new(Shared::new(&options));
        logs.values().for_each(|log| log.show_open_transactions());
        let guard =
            WallClockGuard::new(&*clock, WallClockGuard::TOLERANCE_DEFAULT, WallClockGuard::GRACE_DEFAULT);
        Self {
            mailbox: Arc::new(Mailbox::new(options.mailbox)),
            published: journal.next_sequence() - 1,
            flushing: flush::Flushing::new(&mut logs),
            housekeeping: housekeeping::Housekeeping::new(guard, now),
            compactions: compactions::Compactions::new(
                Arc::clone(&shared.compaction_bytes_per_second),
                Arc::clone(&clock),
                random,
            ),
            removals: removals::Removals::new(options.removal_bytes_per_second),
            sweeping: sweeping::Sweeping::new(&logs, &removed, next_local_id),
            checkpoints: checkpoint::Checkpoints::new(manifest.meta().checkpoint, removed, sync, now),
            unjournaled: unjournaled::Unjournaled::default(),
            shortages: room::Shortages::default(),
            closing: closing::Closing::default(),
            resting: resting::Resting::default(),
            shared,
            watched: watching::Watched::default(),
            options,
            clock,
            sources,
            journal,
            manifest: Arc::new(manifest),
            reserve,
            logs,
            next_local_id,
            inbox: VecDeque::new(),
            forming: Group::default(),
            writing: None,
            answered: Vec::new(),
            unsaved: changed,
            offline: None,
            directory,
        }
    }

    /// Stages what is asked until nothing waits, or something has to: for the group that is being written, for
    /// room in the journal, or for work that was handed out.
    pub fn take(&mut self) {
        self.mailbox.take(&mut self.inbox);
        let (mut count, mut bytes) = (0, 0);
        let now = self.clock.monotonic();
        while let Some(request) = self.inbox.pop_front() {
            request.replies.taken(now);
            let request_bytes = request.command.bytes();
            match self.take_one(request) {
                Taken::Yes => {
                    count += 1;
                    bytes += request_bytes;
                }
                Taken::NotYet(request) => {
                    self.inbox.push_front(request);
                    break;
                }
            }
        }
        self.mailbox.release(count, bytes);
        self.rest_unless(count > 0, now);
        self.write_unjournaled();
        self.note_numbers();
        self.flush_replies();
    }

    fn take_one(&mut self, request: Request) -> Taken {
        if let Some(reason) = &self.offline {
            let refusal = Refusal::Offline(Arc::clone(reason));
            self.refuse(request, refusal);
            return Taken::Yes;
        }
        if request.command.is_append() { self.take_append(request) } else { self.take_control(request) }
    }

    /// Whether something waits that could not be staged yet.
    pub fn has_waiting(&self) -> bool {
        !self.inbox.is_empty()
    }

    /// Whether a group can be written: something is staged, and no other is on its way.
    pub fn is_ready(&self) -> bool {
        let is_idle = self.writing.is_none() && self.offline.is_none();
        is_idle && !self.forming.is_empty() && self.may_begin_file()
    }

    /// Hands out the group that has formed; none if there is none, or another one is on its way.
    pub fn begin(&mut self) -> Option<journal::Write> {
        if !self.is_ready() {
            return None;
        }
        match self.journal.begin_commit() {
            Ok(write) => {
                let bytes = write.as_ref().map_or(0, |write| write.bytes() as u64);
                self.note_begun(bytes, self.forming.operations.len());
                self.writing = Some(self.forming.take());
                write
            }
            Err(error) => {
                self.cannot_begin(&error);
                None
            }
        }
    }

    /// Takes back what [`Writer::begin`] handed out, publishes it, and answers.
    pub fn finish(&mut self, written: journal::Written) {
        match self.journal.end_commit(written) {
            Ok((committed, frame)) => {
                self.publish(committed, frame);
                self.note_committed();
            }
            Err(error) => self.go_offline(&error),
        }
        self.flush_replies();
    }

    /// Work to be done elsewhere. Each piece has to come back through [`Writer::job_done`], in any order.
    pub fn next_job(&mut self) -> Option<Job> {
        if self.offline.is_some() {
            return None;
        }
        if self.is_closing() {
            return self.plan_last_job();
        }
        self.heed_tuning();
        self.plan_housekeeping();
        if let Some(job) = self.plan_removals(false) {
            return Some(Job::Removal(job));
        }
        if self.is_short() {
            return None;
        }
        if self.may_make_spare()
            && let Some(spare) = self.journal.begin_spare()
        {
            return Some(Job::Spare(spare));
        }
        // First: it may have something flushed that it waits for.
        if let Some(job) = self.plan_checkpoint() {
            return Some(Job::Checkpoint(Box::new(job)));
        }
        if let Some(job) = self.plan_flush() {
            return Some(Job::Flush(job));
        }
        if let Some(job) = self.plan_sweep() {
            return Some(Job::Sweep(job));
        }
        self.plan_compaction().map(|job| Job::Compaction(Box::new(job)))
    }

    /// Whether nothing is worth beginning any more but the last work.
    fn is_closing(&self) -> bool {
        let is_closing = self.mailbox.is_closed()
            && self.mailbox.is_empty()
            && !self.has_waiting()
            && self.forming.is_empty()
            && self.writing.is_none();
        if is_closing {
            self.compactions.stop();
        }
        is_closing
    }

    /// Takes back what [`Writer::next_job`] handed out.
    pub fn job_done(&mut self, done: JobDone) {
        if self.offline.is_some() {
            return;
        }
        match done {
            JobDone::Spare(done) => match self.journal.end_spare(done) {
                Ok(true) => {}
                Ok(false) => self.miss_spare(),
                Err(error) => self.go_offline(&error),
            },
            JobDone::Flush(done) => self.flush_done(done),
            JobDone::Checkpoint(done) => self.checkpoint_done(*done),
            JobDone::Compaction(done) => self.compaction_done(*done),
            JobDone::Removal(done) => self.removals_done(done),
            JobDone::Sweep(done) => self.sweep_done(done),
        }
        self.note_numbers();
        self.flush_replies();
    }

    /// Why nothing is done any more, if so.
    pub fn offline(&self) -> Option<&Arc<str>> {
        self.offline.as_ref()
    }

    /// Where requests are left for this writer.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// The number of the data directory, drawn when it was made.
    pub fn directory_id(&self) -> u128 {
        self.directory.id()
    }

    /// Whether the process before was closed, with everything saved. Where it died, `async` logs may have lost their
    /// end, and this is so at each start until [`Watch::answer_for_losses`](super::Watch::answer_for_losses).
    pub fn was_closed(&self) -> bool {
        self.journal.was_closed()
    }

    /// The partitions that are there, in the order of their ids, each with what was said when it was created.
    pub fn partitions(&self) -> Vec<(Arc<Partition>, bytes::Bytes)> {
        let mut partitions: Vec<_> =
            self.logs.values().map(|log| (Arc::clone(&log.partition), log.description.clone())).collect();
        partitions.sort_by_key(|(partition, _)| partition.id());
        partitions
    }

    /// Nothing goes on after this. What was staged is not acknowledged; nobody knows what is on the disk.
    fn go_offline(&mut self, error: &dyn std::fmt::Display) {
        let reason: Arc<str> = error.to_string().into();
        if self.offline.is_none() {
            self.tell(&Event::Offline { reason: &reason });
        }
        self.offline.get_or_insert_with(|| Arc::clone(&reason));
        self.mailbox.set_offline(Arc::clone(&reason));
        let groups = [self.writing.take(), Some(std::mem::take(&mut self.forming))];
        for group in groups.into_iter().flatten() {
            let waiting = group.operations.into_iter().filter_map(|operation| operation.reply);
            for reply in waiting.chain(group.answers.into_iter().map(|(reply, _)| reply)) {
                self.reply(reply, Err(Refusal::Offline(Arc::clone(&reason))));
            }
        }
        self.compactions.stop();
        self.abandon_unjournaled(&reason);
        // Whatever it was that failed, nothing may follow that would wake who waits for these.
        self.flush_replies();
    }

    fn offline_refusal(&self) -> Refusal {
        Refusal::Offline(self.offline.as_ref().map_or_else(|| "unknown".into(), Arc::clone))
    }

    fn log(&self, partition: LocalId) -> Result<&Log, Refusal> {
        self.logs
            .get(&partition)
            .map(|log| &**log)
            .filter(|log| !log.is_ending)
            .ok_or(Refusal::UnknownPartition)
    }
}
