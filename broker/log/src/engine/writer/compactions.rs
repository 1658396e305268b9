//! Which log is compacted, and how its new segments come into use.
//!
//! One log at a time. A step gives new segments for some of the old ones; the next checkpoint makes the manifest
//! name them and lets them take the old ones' names, and then readers get them. Meanwhile the log keeps its old
//! segments: nothing may cut or drop any of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use super::super::checkpoint_job::CheckpointJob;
use super::super::compaction_job::{Brake, CompactionDone, CompactionJob, Step, Work};
use super::super::log::{Log, aborted_transaction};
use super::super::observer::{CompactionOutcome, Event, Reason};
use super::Writer;
use crate::clock::Clock;
use crate::compaction::{
    Candidate, Compaction, CompactionError, CompactionInput, LastRecord, Plan, Replacement, Settings, plan,
};
use crate::local_id::LocalId;
use crate::random::Random;
use crate::segment::Segment;

/// No batch is larger, and its records are not when they are decompressed.
const DECOMPRESSED_BYTES_MAX: usize = 128 << 20;

/// Where the round is that is under way.
enum State {
    /// This is to be handed out.
    Next(Work),
    /// A job is out.
    Out,
    /// New segments wait for the next checkpoint.
    Ready(Replacement, Box<Compaction>),
    /// They are on their way through one.
    Swapping(Box<Compaction>),
}

struct Running {
    partition: LocalId,
    /// Behind the last record that it counts on.
    end_offset: i64,
    /// Whether some of these are gone.
    is_outdated: bool,
    brake: Brake,
    state: State,
    began: Duration,
}

/// What is known about compactions.
pub(in super::super) struct Compactions {
    running: Option<Running>,
    /// Which each round is given anew.
    brake: Brake,
    /// The log that needs it most, of those that were looked at.
    candidate: Option<(f64, LocalId)>,
    /// Logs that cannot be read as a whole: trying again would not help.
    hopeless: BTreeSet<LocalId>,
    random: Random,
}

impl std::fmt::Debug for Compactions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let running = self.running.as_ref().map(|running| running.partition);
        write!(formatter, "compacting {running:?}, next {:?}", self.candidate)
    }
}

impl Compactions {
    pub(super) fn new(bytes_per_second: Arc<AtomicU64>, clock: Arc<dyn Clock>, random: Random) -> Self {
        let brake = Brake::new(bytes_per_second, clock);
        Self { running: None, brake, candidate: None, hopeless: BTreeSet::new(), random }
    }

    /// Ends the round that is under way as soon as it can be ended.
    pub(super) fn stop(&self) {
        self.running.iter().for_each(|running| running.brake.pull());
    }

    /// Ends a round that counts on records which were cut off: what they took the place of has to stay.
    pub(super) fn cut(&mut self, partition: LocalId, end_offset: i64) {
        let running = self.running.as_mut().filter(|running| running.partition == partition);
        if let Some(running) = running.filter(|running| running.end_offset > end_offset) {
            running.is_outdated = true;
            running.brake.pull();
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Of how many logs that is so.
    pub(super) fn hopeless_count(&self) -> usize {
        self.hopeless.len()
    }

    /// Whether a round of a log is under way, and writes into its folder.
    pub(super) fn is_about(&self, partition: LocalId) -> bool {
        self.running.as_ref().is_some_and(|running| running.partition == partition)
    }

    /// Whether a log's old segments are about to be replaced.
    pub(super) fn is_replacing(&self, partition: LocalId) -> bool {
        let running = self.running.as_ref().filter(|running| running.partition == partition);
        running.is_some_and(|running| matches!(running.state, State::Ready(..) | State::Swapping(_)))
    }

    /// Whether new segments of a log wait for a checkpoint.
    pub(super) fn waits_for_checkpoint(&self, partition: LocalId) -> bool {
        let running = self.running.as_ref().filter(|running| running.partition == partition);
        running.is_some_and(|running| matches!(running.state, State::Ready(..)))
    }

    /// The log of which that is so.
    pub(super) fn replacing(&self) -> Option<LocalId> {
        self.running
            .as_ref()
            .map(|running| running.partition)
            .filter(|partition| self.is_replacing(*partition))
    }

    /// Notes what a log would gain.
    pub(super) fn consider(&mut self, partition: LocalId, plan: &Plan) {
        let is_more = self.candidate.is_none_or(|(ratio, _)| plan.dirty_ratio > ratio);
        if is_more && !self.hopeless.contains(&partition) {
            self.candidate = Some((plan.dirty_ratio, partition));
        }
    }
}

impl Log {
    /// What compacting the log would be, if it may be and is worth it.
    pub(super) fn plan_compaction(&self, now_ms: i64) -> Option<Plan> {
        if !self.config.cleanup.compacts || self.is_ending || self.is_changing {
            return None;
        }
        let (sealed, offsets) = {
            let view = self.partition.view();
            // When the next one was begun, this one took no more.
            let next_created = view.segments.iter().skip(1).map(|next| next.facts().created_ms);
            let sealed = view.segments.iter().zip(next_created.chain([now_ms]));
            let sealed = sealed.filter(|(segment, _)| segment.is_sealed());
            let candidates = sealed.map(|(segment, appended_ms)| Candidate::new(segment, appended_ms));
            (candidates.collect::<Vec<_>>(), view.offsets())
        };
        let plan = plan(&sealed, &self.config, offsets.start, self.cleaned_to, offsets.last_stable, now_ms);
        plan.filter(|plan| plan.is_due)
    }

    fn compaction_input(&self, plan: &Plan, now_ms: i64, map_bytes_max: usize) -> CompactionInput {
        let view = self.partition.view();
        let (segments, later) =
            view.segments.split_at_checked(plan.segments).unwrap_or((&view.segments, &[]));
        let last_records: BTreeMap<_, _> = self
            .producers
            .active()
            .map(|producer| {
                let last = LastRecord { data_offset: producer.last_offset, producer_epoch: producer.epoch };
                (producer.producer_id, last)
            })
            .collect();
        CompactionInput {
            segments: segments.to_vec(),
            later: later.to_vec(),
            unindexed: view.aborted.iter().map(aborted_transaction).collect(),
            settings: Settings {
                first_dirty_offset: plan.first_dirty_offset,
                end_offset: plan.end_offset,
                now_ms,
                delete_retention_ms: self.config.delete_retention_ms,
                map_bytes_max,
                decompressed_bytes_max: DECOMPRESSED_BYTES_MAX,
                last_records,
            },
            config: (*self.config).clone(),
        }
    }

    /// Where segments stand in the log, one behind the other; none if they do not any more.
    fn place_of(&self, segments: &[Arc<Segment>]) -> Option<usize> {
        let view = self.partition.view();
        let first = segments.first()?;
        let start = view.segments.iter().position(|segment| Arc::ptr_eq(segment, first))?;
        let there = view.segments.get(start..start + segments.len())?;
        there.iter().zip(segments).all(|(one, other)| Arc::ptr_eq(one, other)).then_some(start)
    }
}

impl Writer {
    /// The next step of a round, or the first one of another round.
    pub(super) fn plan_compaction(&mut self) -> Option<CompactionJob> {
        if self.compactions.running.is_none() {
            self.compactions.running = self.begin_compaction();
        }
        let running = self.compactions.running.as_mut()?;
        match std::mem::replace(&mut running.state, State::Out) {
            State::Next(work) => {
                let sources = Arc::clone(&self.sources);
                let (partition, brake) = (running.partition, running.brake.clone());
                Some(CompactionJob { sources, partition, work, brake })
            }
            state => {
                running.state = state;
                None
            }
        }
    }

    fn begin_compaction(&mut self) -> Option<Running> {
        let (_, partition) = self.compactions.candidate.take()?;
        let now_ms = self.clock.wall_ms();
        let log = self.logs.get(&partition)?;
        let plan = log.plan_compaction(now_ms)?;
        let input = log.compaction_input(&plan, now_ms, self.options.compaction_map_bytes);
        self.tell(&Event::CompactionBegun {
            log: &log.description,
            dirty_ratio: plan.dirty_ratio,
            segments: plan.segments,
            is_forced: plan.is_forced,
        });
        let brake = self.compactions.brake.released();
        let state = State::Next(Work::Begin(Box::new(input), self.compactions.random.split()));
        let began = self.clock.monotonic();
        Some(Running { partition, end_offset: plan.end_offset, is_outdated: false, brake, state, began })
    }

    pub(super) fn compaction_done(&mut self, done: CompactionDone) {
        let CompactionDone { partition, result } = done;
        self.tell_compaction(partition, &result);
        let is_outdated = self.compactions.running.as_ref().is_some_and(|running| running.is_outdated);
        let next = match result {
            Ok(Step::Replacement(replacement, _)) if is_outdated => {
                Some(State::Next(Work::Discard(replacement)))
            }
            Ok(Step::Finished(_)) if is_outdated => None,
            Ok(Step::Replacement(replacement, compaction)) => {
                self.checkpoints.want(Reason::Compaction);
                Some(State::Ready(replacement, compaction))
            }
            Ok(Step::Finished(cleaned)) => {
                if let Some(log) = self.logs.get_mut(&partition) {
                    log.cleaned_to = Some(cleaned.cleaned_to);
                    self.unsaved.insert(partition);
                }
                // Others may wait for their turn.
                self.housekeeping.hurry();
                None
            }
            Ok(Step::Discarded) => None,
            Err(error) if error.is_corrupt() => {
                self.compactions.hopeless.insert(partition);
                None
            }
            Err(error) if error.is_harmless() => None,
            Err(error) => {
                self.go_offline(&error);
                None
            }
        };
        match (next, &mut self.compactions.running) {
            (Some(state), Some(running)) => running.state = state,
            (_, running) => *running = None,
        }
    }

    fn tell_compaction(&self, partition: LocalId, result: &Result<Step, CompactionError>) {
        let running = self.compactions.running.as_ref();
        let reason;
        let outcome = match result {
            Ok(Step::Replacement(..)) => return,
            Ok(Step::Finished(cleaned)) if running.is_some_and(|running| !running.is_outdated) => {
                CompactionOutcome::Cleaned(&cleaned.statistics)
            }
            Err(error) if error.is_corrupt() => {
                reason = error.to_string();
                CompactionOutcome::Corrupt(&reason)
            }
            Err(error) if error.is_disk_full() => CompactionOutcome::NoRoom,
            _ => CompactionOutcome::Stopped,
        };
        let began = running.map_or(Duration::MAX, |running| running.began);
        let took = self.clock.monotonic().saturating_sub(began);
        let log = self.logs.get(&partition).map(|log| &*log.description);
        self.tell(&Event::CompactionEnded { log, took, outcome });
    }

    /// Lets a checkpoint take new segments along that wait for one.
    pub(super) fn add_replacement(&mut self, job: &mut CheckpointJob) {
        let Some(running) = &mut self.compactions.running else { return };
        let log = self.logs.get(&running.partition);
        if log.is_some_and(|log| log.staged_starts > 0 || log.is_changing) {
            // What is on its way would take segments out of the log while they are replaced. A checkpoint is asked for
            // when it is published.
            return;
        }
        let (replacement, compaction) = match std::mem::replace(&mut running.state, State::Out) {
            State::Ready(replacement, compaction) => (replacement, compaction),
            state => {
                running.state = state;
                return;
            }
        };
        let partition = running.partition;
        let log = self.logs.get(&partition).filter(|log| !log.is_ending);
        if log.is_none_or(|log| log.place_of(&replacement.replaced).is_none()) {
            running.state = State::Next(Work::Discard(replacement));
            return;
        }
        running.state = State::Swapping(compaction);
        let old = replacement.replaced.iter().map(|segment| (partition, segment.base_offset(), None));
        let new = replacement.segments.iter();
        let new = new.map(|segment| (partition, segment.base_offset(), Some(segment.facts())));
        // What is said last of a segment counts.
        job.changes.segments.extend(old.chain(new));
        job.replacements.push(replacement);
    }

    /// The new segments have their names: from now on they are read.
    pub(super) fn install(&mut self, replacement: &Replacement) {
        let Replacement { replaced, segments } = replacement;
        let Some(running) = &mut self.compactions.running else { return };
        if let State::Swapping(compaction) = std::mem::replace(&mut running.state, State::Out) {
            running.state = State::Next(Work::GoOn(compaction));
        }
        let partition = running.partition;
        let Some(log) = self.logs.get_mut(&partition) else { return };
        let Some(start) = log.place_of(replaced) else { return };
        log.partition.view().segments.splice(start..start + replaced.len(), segments.iter().cloned());
        // Its row says that names may have to be given still.
        self.unsaved.insert(partition);
    }
}
