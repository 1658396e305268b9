//! Opening a data directory: what the manifest says, and then what the journal says that is newer.
//!
//! No segment is opened but where a truncation is replayed into it, and those of `async` logs, whose last bytes
//! nothing else knows of. So the time it takes follows from the journal's bound and the number of partitions,
//! not from the bytes that are there.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_protocol::batch::{BatchView, NO_LEADER_EPOCH};

use super::checkpoint_job::Sync;
use super::error::EngineError;
use super::group::Cut;
use super::log::Log;
use super::options::Options;
use super::partition::Partition;
use super::read::Sources;
use super::replay::{producers_at, replay_batch};
use super::writer::{LocalIdHasher, Logs, Opened, Writer, decode_description};
use crate::clock::Clock;
use crate::compaction::finish_swap;
use crate::config::LogConfig;
use crate::directory::Directory;
use crate::disk::Disk;
use crate::epochs::{EpochEntry, LeaderEpochs};
use crate::journal::{Entry, Journal, Replayed};
use crate::layout::Layout;
use crate::local_id::LocalId;
use crate::manifest::{Manifest, PartitionRow};
use crate::producers::Producers;
use crate::random::Random;
use crate::reserve::Reserve;
use crate::segment::{Segment, SegmentError, SegmentFacts};
use crate::tail::TailEntry;

/// A directory on its way to a writer.
pub(super) struct Recovery {
    pub(super) sources: Arc<Sources>,
    pub(super) logs: Logs,
    pub(super) next_local_id: u64,
    /// Logs that the manifest does not have as they are.
    pub(super) changed: BTreeSet<LocalId>,
    /// Logs that came to their end, and that the manifest may have a row of still.
    pub(super) removed: Vec<LocalId>,
    /// What was found that no manifest knew of, and that may be in the page cache alone.
    pub(super) sync: Sync,
    /// Up to which frame each row says everything.
    included: HashMap<LocalId, u64, BuildHasherDefault<LocalIdHasher>>,
    /// Settings that were seen: most partitions share theirs.
    configs: Vec<Arc<LogConfig>>,
    /// Logs whose producers have to be worked out anew when everything is replayed.
    truncated: BTreeSet<LocalId>,
    /// Segments that are cut through, and whose files are not there.
    missing: BTreeMap<LocalId, (i64, SegmentError)>,
    /// Logs whose compacted segments may not have their names yet.
    swapping: Vec<LocalId>,
    last_frame: u64,
    /// What does not go together, if anything.
    contradiction: Option<EngineError>,
}

impl Writer {
    /// Opens the data directory at `root`, or makes one there. When this returns, everything in it is durable.
    pub fn recover(
        disk: Arc<dyn Disk>,
        root: PathBuf,
        mut options: Options,
        clock: Arc<dyn Clock>,
        mut random: Random,
    ) -> Result<Self, EngineError> {
        if !disk.reports_all_losses() {
            options.syncs_max = usize::MAX;
        }
        let began = clock.monotonic();
        let layout = Layout::new(root);
        let directory = Directory::open(&disk, layout.clone(), &mut random)?;
        let reserve = Reserve::open(&*disk, &layout, options.reserve_bytes)?;
        let manifest =
            Manifest::open(Arc::clone(&disk), &layout.manifest(), options.manifest, random.split())?;
        let meta = manifest.meta();
        let sources = Arc::new(Sources::new(&disk, layout, &options));
        let mut recovery = Recovery::new(Arc::clone(&sources), meta.next_local_id);
        manifest.load(|id, row, segments| recovery.add_row(id, row, segments))?;
        recovery.restore_producers(&manifest)?;
        recovery.finish_swaps()?;
        let (random_of_writer, random) = (random.split(), random.split());
        // A frame that some row includes was whole.
        let durable = recovery.included.values().fold(meta.checkpoint, |last, included| last.max(*included));
        let (path, frames) = (sources.layout.journal(), (meta.checkpoint, durable));
        let mut journal = Journal::recover_beyond(disk, path, options.journal, random, frames, |replayed| {
            recovery.replay(&replayed);
        })?;
        journal.use_reader(sources.journal.clone());
        journal.use_buffers(options.tail_budget.buffers().clone());
        recovery.finish(&manifest, options.syncs_max, clock.wall_ms())?;
        let opened = Opened { journal, manifest, reserve, directory };
        let writer = Self::new(recovery, opened, options, clock, random_of_writer);
        writer.tell_recovered(began);
        Ok(writer)
    }
}

impl Recovery {
    fn new(sources: Arc<Sources>, next_local_id: u64) -> Self {
        Self {
            sources,
            logs: Logs::default(),
            next_local_id,
            changed: BTreeSet::new(),
            removed: Vec::new(),
            sync: Sync::default(),
            included: HashMap::default(),
            configs: Vec::new(),
            truncated: BTreeSet::new(),
            missing: BTreeMap::new(),
            swapping: Vec::new(),
            last_frame: 0,
            contradiction: None,
        }
    }

    fn config(&mut self, config: LogConfig) -> Arc<LogConfig> {
        if let Some(known) = self.configs.iter().find(|known| ***known == config) {
            return Arc::clone(known);
        }
        let config = Arc::new(config);
        self.configs.push(Arc::clone(&config));
        config
    }

    fn contradict(&mut self, what: String) {
        self.contradiction.get_or_insert(EngineError::Inconsistent(what));
    }

    fn add_row(&mut self, id: LocalId, row: PartitionRow, segments: Vec<(i64, SegmentFacts)>) {
        let config = self.config(row.config);
        let partition =
            Partition::new(id, Arc::clone(&self.sources), Arc::clone(&config), row.log_start, row.flushed_to);
        let partition = Arc::new(partition);
        let log = Log::new(Arc::clone(&partition), config, row.description.into(), row.flushed_to);
        let mut log = Box::new(log);
        let epochs = row.epochs.into_iter().map(|(epoch, start_offset)| EpochEntry { epoch, start_offset });
        {
            let mut view = partition.view();
            let segments = segments.iter().map(|(at, facts)| Arc::new(Segment::recovered(id, *at, facts)));
            view.segments.extend(segments);
            view.local_start = row.local_start;
            match LeaderEpochs::from_entries(epochs) {
                Ok(epochs) => view.epochs = epochs,
                Err(error) => self.contradict(format!("partition {id}: {error}")),
            }
            log.latest_epoch = view.epochs.latest().map_or(NO_LEADER_EPOCH, |entry| entry.epoch);
        }
        log.cleaned_to = row.cleaned_to;
        if row.is_swapping {
            self.swapping.push(id);
        }
        self.included.insert(id, row.includes_sequence);
        self.logs.insert(id, log);
    }

    fn restore_producers(&mut self, manifest: &Manifest) -> Result<(), EngineError> {
        let mut broken = None;
        manifest.snapshots(|id, offset, snapshot| {
            let Some(log) = self.logs.get_mut(&id) else { return };
            log.snapshots.push(offset);
            if offset == log.flushed_to {
                match Producers::restore(snapshot) {
                    Ok(producers) => log.producers = producers,
                    Err(error) => broken = Some(format!("partition {id}: {error}")),
                }
            }
        })?;
        broken.into_iter().for_each(|what| self.contradict(what));
        for log in self.logs.values_mut().filter(|log| !log.snapshots.is_empty()) {
            log.snapshots.sort_unstable();
            // The snapshot may be older than the log's start, and know of markers whose segments are gone.
            let start = log.partition.offsets().start;
            log.producers.log_start_moved(start);
            log.partition.view().aborted = log.producers.aborted().copied().collect();
            // Their markers are in segments, some of whose indexes may have them: those know one twice.
            log.move_aborted();
            log.show_transactions();
        }
        Ok(())
    }

    /// Gives compacted segments the names that the manifest says they have.
    fn finish_swaps(&mut self) -> Result<(), EngineError> {
        let Sources { disk, layout, .. } = &*self.sources;
        for id in std::mem::take(&mut self.swapping) {
            let Some(log) = self.logs.get(&id) else { continue };
            for segment in log.partition.view().segments.iter().filter(|segment| segment.generation() > 0) {
                finish_swap(&**disk, layout, id, segment.base_offset(), segment.generation())?;
            }
            self.changed.insert(id);
        }
        Ok(())
    }

    /// One entry of the journal, in the order in which they were written.
    fn replay(&mut self, replayed: &Replayed<'_>) {
        let Replayed { sequence, frame_offset, position, entry } = replayed;
        if *sequence != self.last_frame {
            self.sources.frames.keep_evicted(*sequence, position.file, *frame_offset);
            self.last_frame = *sequence;
        }
        let id = match entry {
            Entry::Append { partition, .. }
            | Entry::Truncate { partition, .. }
            | Entry::SetLogStart { partition, .. }
            | Entry::CreatePartition { partition, .. }
            | Entry::Configure { partition, .. }
            | Entry::DeletePartition { partition } => LocalId(*partition),
            Entry::Seal(_) => return,
            Entry::Metadata(_) | Entry::RaftEntry(_) | Entry::RaftVote(_) => {
                return self.contradict(format!("frame {sequence} holds what no partition has"));
            }
        };
        if self.included.get(&id).is_some_and(|included| sequence <= included) {
            return;
        }
        if let Entry::CreatePartition { description, .. } = entry {
            return self.replay_creation(id, description);
        }
        let result = match self.logs.remove(&id) {
            Some(log) => self.replay_change(log, replayed),
            // Of a partition whose row is gone already, the end comes later in the journal, or came before.
            None if id.0 < self.next_local_id => {
                if let Entry::DeletePartition { .. } = entry {
                    // Its files may be there still.
                    self.removed.push(id);
                }
                Ok(())
            }
            None => Err(EngineError::Inconsistent(format!("partition {id} never came to be"))),
        };
        if let Err(error) = result {
            self.contradiction.get_or_insert(error);
        }
    }

    fn replay_creation(&mut self, id: LocalId, description: &[u8]) {
        self.next_local_id = self.next_local_id.max(id.0 + 1);
        let Some((config, description)) = decode_description(description) else {
            return self.contradict(format!("the settings of partition {id} cannot be read"));
        };
        let config = self.config(config);
        let partition = Partition::new(id, Arc::clone(&self.sources), Arc::clone(&config), 0, 0);
        let partition = Arc::new(partition);
        self.logs.insert(id, Box::new(Log::new(partition, config, description, 0)));
        self.changed.insert(id);
    }

    fn replay_change(&mut self, mut log: Box<Log>, replayed: &Replayed<'_>) -> Result<(), EngineError> {
        let id = log.partition.id();
        let contradiction =
            |what: &dyn ToString| EngineError::Inconsistent(format!("partition {id}: {}", what.to_string()));
        self.changed.insert(id);
        match replayed.entry {
            Entry::Append { batch, .. } => {
                let batch = BatchView::parse_only(batch).map_err(|error| contradiction(&error))?;
                if batch.header().base_offset < log.next_offset {
                    return Err(contradiction(&"an offset was given twice"));
                }
                log.replay_append(&batch, replayed)?;
            }
            Entry::Truncate { end_offset, .. } if end_offset < log.next_offset => {
                // Its name may belong to one already that begins where this one is cut off in the end.
                self.missing.retain(|of, (base_offset, _)| *of != id || *base_offset < end_offset);
                let base_offset = log.segment_before(end_offset).map_or(0, |segment| segment.base_offset());
                let prefix = match log.prefix(end_offset, &self.sources) {
                    // Nothing was left of it: then it goes before the manifest says so.
                    Err(error) if error.is_missing() => {
                        if !log.is_async() {
                            self.missing.insert(id, (base_offset, error));
                        }
                        None
                    }
                    prefix => prefix?,
                };
                // They follow from what is there in the end.
                self.truncated.insert(id);
                log.next_offset = end_offset;
                log.truncate(Cut { end_offset, prefix, producers: Producers::default() });
                log.first_unflushed = log.partition.view().tail.first_frame();
            }
            Entry::SetLogStart { start_offset, .. } => {
                // Nothing goes before it is known where the segments of an `async` log end.
                let mut view = log.partition.view();
                view.start = view.start.max(start_offset);
                let start = view.start;
                view.epochs.truncate_from_start(start);
            }
            Entry::Configure { mut config, .. } => {
                let config = LogConfig::decode(&mut config).map_err(|error| contradiction(&error))?;
                log.set_config(self.config(config));
            }
            Entry::DeletePartition { .. } => {
                self.changed.remove(&id);
                self.truncated.remove(&id);
                self.missing.remove(&id);
                self.removed.push(id);
                return Ok(());
            }
            _ => {}
        }
        self.logs.insert(id, log);
        Ok(())
    }

    fn finish(&mut self, manifest: &Manifest, syncs_max: usize, now_ms: i64) -> Result<(), EngineError> {
        if let Some(contradiction) = self.contradiction.take() {
            return Err(contradiction);
        }
        if let Some((_, (_, error))) = self.missing.pop_first() {
            return Err(error.into());
        }
        for id in &self.truncated {
            let Some(log) = self.logs.get_mut(id) else { continue };
            log.producers = producers_at(log, log.next_offset, &self.sources, manifest)?;
            log.show_transactions();
            let flushed_to = log.flushed_to;
            let flushed = producers_at(log, flushed_to, &self.sources, manifest)?;
            log.unsaved().snapshot = Some((flushed_to, flushed.snapshot()));
        }
        // What was cut off may lie there still; nothing was appended behind a cut before it was gone.
        let truncated = &self.truncated;
        let scanned = self.logs.iter_mut().filter(|(id, log)| log.is_async() && !truncated.contains(id));
        for (id, log) in scanned {
            let sync = &mut self.sync;
            let is_longer = log.find_unsaved(&self.sources, now_ms, |found| sync.add(found, syncs_max))?;
            if is_longer || log.is_overtaken() {
                self.changed.insert(*id);
            }
            log.go_on_from_start();
        }
        for id in &self.changed {
            let Some(log) = self.logs.get_mut(id) else { continue };
            let start = log.partition.offsets().start;
            log.set_start(start);
        }
        Ok(())
    }
}

impl Log {
    fn replay_append(&mut self, batch: &BatchView<'_>, replayed: &Replayed<'_>) -> Result<(), EngineError> {
        let header = batch.header();
        let offset_in_frame = replayed.position.offset - replayed.frame_offset;
        let entry = TailEntry {
            base_offset: header.base_offset,
            frame: replayed.sequence,
            offset_in_frame: u32::try_from(offset_in_frame).unwrap_or(u32::MAX),
            length: replayed.position.length,
            last_offset_delta: header.last_offset_delta,
            max_timestamp: header.max_timestamp,
        };
        self.first_unflushed.get_or_insert(replayed.sequence);
        self.add_from_disk(batch)?;
        let id = self.partition.id();
        let pushed = self.partition.view().tail.push(entry);
        pushed.map_err(|error| EngineError::Inconsistent(format!("partition {id}: {error}")))
    }

    /// Takes a batch that is in the log already.
    pub(super) fn add_from_disk(&mut self, batch: &BatchView<'_>) -> Result<(), EngineError> {
        let header = batch.header();
        replay_batch(&mut self.producers, batch)?;
        self.next_offset = header.last_offset() + 1;
        self.latest_epoch = self.latest_epoch.max(header.partition_leader_epoch);
        {
            let mut view = self.partition.view();
            view.end = self.next_offset;
            let _ = view.epochs.assign(header.partition_leader_epoch, header.base_offset);
        }
        if header.has_producer_id() {
            self.show_transactions();
        }
        Ok(())
    }

    pub(super) fn show_transactions(&mut self) {
        let mut view = self.partition.view();
        view.first_unstable = self.first_unstable(view.high_watermark);
        let flushed_to = self.flushed_to;
        let in_tail = self.producers.aborted().filter(|aborted| aborted.last_offset >= flushed_to);
        view.aborted = in_tail.copied().collect();
    }
}
