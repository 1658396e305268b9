//! What the writer knows of a partition and readers need not.

use std::sync::Arc;

use bytes::Bytes;

use super::partition::Partition;
use super::read::Sources;
use crate::config::{Durability, LogConfig};
use crate::producers::{CompletedTransaction, Producers};
use crate::segment::{AbortedTransaction, Segment, SegmentError};

/// What the manifest does not say yet.
#[derive(Debug, Default)]
pub(super) struct Unsaved {
    /// Segments that are longer, or sealed, or new.
    pub(super) changed: Vec<Arc<Segment>>,
    /// Segments that are another one's beginning now: their files are longer than they are.
    pub(super) cut: Vec<Arc<Segment>>,
    /// Segments that are no part of the log any more.
    pub(super) gone: Vec<Arc<Segment>>,
    /// The producers' state exactly at `flushed_to`, if that has moved; none for no producers.
    pub(super) snapshot: Option<(i64, Option<Vec<u8>>)>,
    /// Snapshots in the manifest that nothing will ask for any more.
    pub(super) stale_snapshots: Vec<i64>,
    /// Whether its end was cut off.
    pub(super) is_truncated: bool,
}

/// A partition, as its one owner sees it.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) partition: Arc<Partition>,
    pub(super) config: Arc<LogConfig>,
    pub(super) description: Bytes,
    pub(super) producers: Producers,
    /// The offset behind the last one that is staged.
    pub(super) next_offset: i64,
    /// The last epoch that something is staged in; -1 if none.
    pub(super) latest_epoch: i32,
    /// How many operations are staged and not published.
    pub(super) staged: u32,
    /// How many bytes the batches among them have that go through the journal.
    pub(super) staged_bytes: u64,
    /// How many of those let it begin further on, with fewer segments.
    pub(super) staged_starts: u32,
    /// Whether one of them leaves nothing as it was: what comes after it waits until it is published.
    pub(super) is_changing: bool,
    /// Whether one of them is its end.
    pub(super) is_ending: bool,
    /// The frame of the first batch that is in no segment.
    pub(super) first_unflushed: Option<u64>,
    /// Whether it counts among those of which the journal has something.
    pub(super) needs_room: bool,
    /// The offset up to which everything is in segments.
    pub(super) flushed_to: i64,
    /// Whether the manifest may have it end behind its end, for a batch that leaves a gap.
    pub(super) is_ahead: bool,
    /// What the wall's clock showed when its last segment was last written to, or first looked at; none before that.
    pub(super) appended_ms: Option<i64>,
    /// Up to where it has been compacted.
    pub(super) cleaned_to: Option<i64>,
    /// Where snapshots lie in the manifest, oldest first.
    pub(super) snapshots: Vec<i64>,
    /// Whether a checkpoint is about to remove files of it, whose names no new one may take meanwhile, or to
    /// tell the manifest of a truncation.
    pub(super) is_removing: bool,
    pub(super) unsaved: Option<Box<Unsaved>>,
}

impl Log {
    pub(super) fn is_async(&self) -> bool {
        self.config.durability == Durability::Async
    }

    /// Keeps it so from now on, and lets everybody see it.
    pub(super) fn set_config(&mut self, config: Arc<LogConfig>) {
        self.partition.view().config = Arc::clone(&config);
        self.config = config;
    }

    /// The segment that takes what comes next, if it takes more.
    pub(super) fn active(&self) -> Option<Arc<Segment>> {
        self.partition.view().segments.last().filter(|segment| !segment.is_sealed()).cloned()
    }

    /// Where in its segment's file the next batch will lie, if no new segment begins before it.
    pub(super) fn next_position(&self) -> u64 {
        let flushed = self.active().map_or(0, |active| active.room().length());
        flushed + self.partition.view().tail.bytes() + self.staged_bytes
    }

    /// Whether the batch before a cut is what it was. Where it is not, what is left would end earlier, in silence.
    pub(super) fn check_readable_before(
        &self,
        end_offset: i64,
        sources: &Sources,
    ) -> Result<(), SegmentError> {
        match self.segment_before(end_offset) {
            Some(segment) => segment.find(&sources.files, end_offset - 1).map(drop),
            None => Ok(()),
        }
    }

    /// What is left of the segment that a cut goes through; none if it goes through none.
    pub(super) fn prefix(
        &self,
        end_offset: i64,
        sources: &Sources,
    ) -> Result<Option<Arc<Segment>>, SegmentError> {
        match self.segment_before(end_offset).filter(|segment| segment.end_offset() > end_offset) {
            Some(segment) => segment.prefix(&sources.files, end_offset),
            None => Ok(None),
        }
    }

    /// The last segment that begins before an offset.
    pub(super) fn segment_before(&self, offset: i64) -> Option<Arc<Segment>> {
        let view = self.partition.view();
        view.segments.iter().rev().find(|segment| segment.base_offset() < offset).cloned()
    }

    /// The first offset that a reader of decided records does not get to. While the layer above has not said what is
    /// replicated, a transaction is decided when it ends; what ended before is kept until then, since the high
    /// watermark may turn out to lie below.
    pub(super) fn first_unstable(&self, high_watermark: Option<i64>) -> Option<i64> {
        match high_watermark {
            Some(_) => self.producers.first_unstable_offset(),
            None => self.producers.first_open_offset(),
        }
    }

    pub(super) fn unsaved(&mut self) -> &mut Unsaved {
        self.unsaved.get_or_insert_default()
    }

    /// Notes that the manifest does not have a segment as it is.
    pub(super) fn note_changed(&mut self, segment: Arc<Segment>) {
        let changed = &mut self.unsaved().changed;
        if !changed.iter().any(|noted| Arc::ptr_eq(noted, &segment)) {
            changed.push(segment);
        }
    }

    /// Notes segments that are no part of the log any more.
    pub(super) fn note_gone(&mut self, gone: Vec<Arc<Segment>>) {
        // Who reads one looks elsewhere.
        gone.iter().for_each(|segment| segment.let_go());
        let unsaved = self.unsaved();
        for noted in [&mut unsaved.changed, &mut unsaved.cut] {
            noted.retain(|segment| !gone.iter().any(|gone| Arc::ptr_eq(gone, segment)));
        }
        unsaved.gone.extend(gone);
    }

    /// Moves aborted transactions to the segments that have their markers by now.
    ///
    /// A segment that compaction wrote lists all that it needs: what it does not list has gone with its marker, which a
    /// snapshot need not know. Listed once more, it would hide what its producer committed since.
    pub(super) fn move_aborted(&mut self) {
        let mut view = self.partition.view();
        let flushed_to = view.segments.last().map_or(0, |segment| segment.end_offset());
        let moved: Vec<_> = view.aborted.extract_if(.., |aborted| aborted.last_offset < flushed_to).collect();
        for aborted in moved {
            let place = view.segments.partition_point(|segment| segment.end_offset() <= aborted.last_offset);
            let segment = view.segments.get(place);
            let has_marker = |segment: &&Arc<Segment>| {
                segment.generation() == 0 && segment.base_offset() <= aborted.last_offset
            };
            if let Some(segment) = segment.filter(has_marker) {
                segment.add_aborted(aborted_transaction(&aborted));
            }
        }
    }
}

/// A transaction as a segment's index lists it.
pub(super) fn aborted_transaction(aborted: &CompletedTransaction) -> AbortedTransaction {
    let CompletedTransaction { producer_id, first_offset, last_offset, last_stable_offset, .. } = *aborted;
    AbortedTransaction { producer_id, first_offset, last_offset, last_stable_offset }
}
