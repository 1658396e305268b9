//! What the manifest says, held against itself.

use super::{CheckError, Checker, Partitions, Problem};
use crate::config::Durability;
use crate::epochs::{EpochEntry, LeaderEpochs};
use crate::local_id::LocalId;
use crate::manifest::{ManifestInspection, PartitionRow};
use crate::producers::Producers;
use crate::segment::SegmentFacts;

/// What is known of a partition.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) segments: Vec<(i64, SegmentFacts)>,
    pub(super) includes_sequence: u64,
    /// Where it begins, by its row or by the journal.
    pub(super) log_start: i64,
    pub(super) flushed_to: i64,
    /// Whether batches go to segments straight away, and may lie behind what the manifest knows of.
    pub(super) is_async: bool,
    /// Whether offsets may be missing because compaction took their records.
    pub(super) compacts: bool,
    /// Whether compacted segments may not have their names yet.
    pub(super) is_swapping: bool,
    /// Whether the journal says that it is no more.
    pub(super) is_deleted: bool,
    /// Where the journal says that it was cut off.
    pub(super) cut_at: Option<i64>,
}

impl Known {
    fn new(row: &PartitionRow, segments: Vec<(i64, SegmentFacts)>) -> Self {
        // A setting may have changed since, and what compaction did is still done.
        let was_compacted = segments.iter().any(|(_, facts)| facts.generation > 0);
        Self {
            segments,
            includes_sequence: row.includes_sequence,
            log_start: row.log_start,
            flushed_to: row.flushed_to,
            is_async: row.config.durability == Durability::Async,
            compacts: row.config.cleanup.compacts || was_compacted,
            is_swapping: row.is_swapping,
            is_deleted: false,
            cut_at: None,
        }
    }
}

/// Whether a snapshot is one of what was in segments then, and of nothing that came later: that is replayed on top of it.
fn check_snapshot(offset: i64, snapshot: &[u8], known: &Known) -> Result<(), String> {
    let producers = Producers::restore(snapshot).map_err(|error| error.to_string())?;
    if offset > known.flushed_to {
        return Err(format!("segments end at {}", known.flushed_to));
    }
    for producer in producers.active() {
        let known_to = producer.last_offset.max(producer.transaction_start);
        if let Some(later) = known_to.filter(|known_to| *known_to >= offset) {
            return Err(format!("of producer {} it knows {later}", producer.producer_id));
        }
    }
    match producers.aborted().find(|aborted| aborted.last_offset >= offset) {
        Some(aborted) => Err(format!("it knows of a transaction that ended at {}", aborted.last_offset)),
        None => Ok(()),
    }
}

impl Checker<'_> {
    /// Reads all rows, and holds each against itself; none if they cannot be read.
    pub(super) fn read_rows(
        &mut self,
        manifest: &ManifestInspection,
    ) -> Result<Option<Partitions>, CheckError> {
        let mut known = Partitions::new();
        let next_local_id = manifest.meta().next_local_id;
        let loaded = manifest.load(|partition, row, segments| {
            self.summary.partitions += 1;
            self.summary.segments += segments.len() as u64;
            if partition.0 >= next_local_id {
                self.report_row(partition, format!("ids are given from {next_local_id} on"));
            }
            self.check_row(partition, &row, &segments);
            self.included = self.included.max(row.includes_sequence);
            known.insert(partition, Known::new(&row, segments));
        });
        if self.unless_corrupt(loaded)?.is_none() {
            return Ok(None);
        }
        let read = manifest.snapshots(|partition, offset, snapshot| match known.get(&partition) {
            None => self.report_row(partition, format!("there is nothing but a snapshot at {offset}")),
            Some(known) => {
                if let Err(what) = check_snapshot(offset, snapshot, known) {
                    self.report_row(partition, format!("its snapshot at {offset}: {what}"));
                }
            }
        });
        Ok(self.unless_corrupt(read)?.map(|()| known))
    }

    fn report_row(&mut self, partition: LocalId, what: String) {
        self.report(&self.layout.manifest(), None, Problem::Row { partition, what });
    }

    fn check_row(&mut self, partition: LocalId, row: &PartitionRow, segments: &[(i64, SegmentFacts)]) {
        if row.log_start < 0 || row.flushed_to < 0 {
            self.report_row(partition, format!("it is from {} to {}", row.log_start, row.flushed_to));
        }
        let epochs = row
            .epochs
            .iter()
            .map(|(epoch, start_offset)| EpochEntry { epoch: *epoch, start_offset: *start_offset });
        if let Err(error) = LeaderEpochs::from_entries(epochs) {
            self.report_row(partition, error.to_string());
        }
        let mut end = i64::MIN;
        for (number, (base_offset, facts)) in segments.iter().enumerate() {
            if *base_offset < end || facts.end_offset < *base_offset {
                let what = format!("the segment {base_offset} to {} begins below {end}", facts.end_offset);
                self.report_row(partition, what);
            }
            end = facts.end_offset;
            let is_last = number + 1 == segments.len();
            if !facts.is_sealed && !is_last {
                self.report_row(
                    partition,
                    format!("the segment {base_offset} is open, and not the last one"),
                );
            }
        }
        if let Some(cleaned_to) = row.cleaned_to.filter(|cleaned_to| *cleaned_to > row.flushed_to) {
            let what = format!("it ends at {}, and is compacted up to {cleaned_to}", row.flushed_to);
            self.report_row(partition, what);
        }
        if end > row.flushed_to {
            let what = format!("it ends at {}, and its last segment at {end}", row.flushed_to);
            self.report_row(partition, what);
        }
    }
}
