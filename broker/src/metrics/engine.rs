//! What the storage engine does, counted as it happens, and how it stands when somebody asks.

use strandline_log::compaction::Statistics;
use strandline_log::engine::{CompactionOutcome, Event, Figures};

use super::handles::{handles, number};
use super::text::Text;

handles! {
    /// The handles, made once.
    Engine;
    counter "strandline_journal_groups_total", "Groups of appends that were written and synced as one.": groups;
    counter "strandline_journal_requests_total", "Requests that those groups were made of.": group_requests;
    counter "strandline_journal_written_bytes_total", "Bytes that were written to the journal.": group_bytes;
    histogram "strandline_journal_sync_duration_seconds", "How long the write and the sync of a group took.": sync;
    counter "strandline_segment_flushes_total", "How often batches were written into segments.": flushes;
    counter "strandline_segment_flushed_bytes_total", "Bytes of batches that were written into segments.": flushed_bytes;
    histogram "strandline_segment_flush_duration_seconds", "How long that took.": flush;
    counter "strandline_checkpoints_total", "How often the manifest was brought up to date.": checkpoints;
    histogram "strandline_checkpoint_duration_seconds", "How long that took, syncs of segments included.": checkpoint;
    counter "strandline_segments_removed_total", "Segments that are none any more: their files go, or wait for their turn.": removed_segments;
    counter "strandline_segments_removed_bytes_total", "Bytes of batches that they had.": removed_bytes;
    counter "strandline_logs_removed_total", "Deleted partitions whose files go, or wait for their turn.": removed_logs;
    counter "strandline_files_removed_total", "Files that were removed of segments and partitions that are no more.": removed_files;
    counter "strandline_files_removed_bytes_total", "Bytes that they had.": removed_file_bytes;
    counter "strandline_retention_segments_total", "Segments that were given up by retention, by why; age includes those before a start that somebody set.":
        expired_by_age {"reason" = "age"},
        expired_by_size {"reason" = "size"};
    counter "strandline_retention_bytes_total", "Bytes of batches in them.": expired_bytes;
    counter "strandline_retention_checks_total", "How often it was looked what is too old or too much.": looks;
    counter "strandline_retention_checks_without_clock_total", "How often of that nothing could go for its age, since the wall's clock had been set.":
        distrusted;
    counter "strandline_producers_expired_total", "Producers that were forgotten since they sent nothing for long.": producers_expired;
    counter "strandline_compactions_begun_total", "Rounds of compaction that were begun.": compactions_begun;
    counter "strandline_compactions_total", "Rounds of compaction that ended, by how.":
        compactions_cleaned {"outcome" = "cleaned"},
        compactions_stopped {"outcome" = "stopped"},
        compactions_no_room {"outcome" = "no_room"},
        compactions_corrupt {"outcome" = "corrupt"};
    histogram "strandline_compaction_duration_seconds", "How long rounds of compaction took that came to their end.": compaction;
    counter "strandline_compaction_read_bytes_total", "Bytes of batches that compaction looked at.": compaction_read_bytes;
    counter "strandline_compaction_kept_bytes_total", "Bytes of batches that stayed.": compaction_kept_bytes;
    counter "strandline_compaction_records_removed_total", "Records that compaction removed, by why.":
        records_superseded {"reason" = "superseded"},
        records_tombstones {"reason" = "tombstone"},
        records_aborted {"reason" = "aborted"},
        records_without_key {"reason" = "no_key"};
    counter "strandline_disk_full_total", "How often there was no room on the disk for work that cannot wait.": no_room;
}

impl Engine {
    /// Counts what happened.
    pub(super) fn count(&self, event: &Event<'_>) {
        match *event {
            Event::Committed { requests, bytes, took } => {
                self.groups.increment(1);
                self.group_requests.increment(number(requests));
                self.group_bytes.increment(bytes);
                self.sync.record(took);
            }
            Event::Flushed { bytes, took, .. } => {
                self.flushes.increment(1);
                self.flushed_bytes.increment(bytes);
                self.flush.record(took);
            }
            Event::Checkpointed { segments_removed, bytes_removed, logs_removed, took, .. } => {
                self.checkpoints.increment(1);
                self.checkpoint.record(took);
                self.removed_segments.increment(number(segments_removed));
                self.removed_bytes.increment(bytes_removed);
                self.removed_logs.increment(number(logs_removed));
            }
            Event::Removed { files, bytes, .. } => {
                self.removed_files.increment(number(files));
                self.removed_file_bytes.increment(bytes);
            }
            Event::Expired { segments, segments_by_size, bytes, .. } => {
                self.expired_by_size.increment(number(segments_by_size));
                self.expired_by_age.increment(number(segments.saturating_sub(segments_by_size)));
                self.expired_bytes.increment(bytes);
            }
            Event::ProducersExpired { count, .. } => self.producers_expired.increment(number(count)),
            Event::Housekeeping { is_clock_trusted } => {
                self.looks.increment(1);
                self.distrusted.increment(u64::from(!is_clock_trusted));
            }
            Event::CompactionBegun { .. } => self.compactions_begun.increment(1),
            Event::CompactionEnded { took, outcome, .. } => {
                self.compaction.record(took);
                self.count_compaction(&outcome);
            }
            Event::NoRoom { .. } => self.no_room.increment(1),
            Event::Recovered { .. }
            | Event::RoomAgain
            | Event::NoDescriptors
            | Event::JournalGivenUp { .. }
            | Event::Offline { .. } => {}
        }
    }

    fn count_compaction(&self, outcome: &CompactionOutcome<'_>) {
        match outcome {
            CompactionOutcome::Cleaned(statistics) => {
                self.compactions_cleaned.increment(1);
                self.count_cleaned(statistics);
            }
            CompactionOutcome::Stopped => self.compactions_stopped.increment(1),
            CompactionOutcome::NoRoom => self.compactions_no_room.increment(1),
            CompactionOutcome::Corrupt(_) => self.compactions_corrupt.increment(1),
        }
    }

    fn count_cleaned(&self, statistics: &Statistics) {
        self.compaction_read_bytes.increment(statistics.bytes_read);
        self.compaction_kept_bytes.increment(statistics.bytes_kept);
        self.records_superseded.increment(statistics.records_superseded);
        self.records_tombstones.increment(statistics.tombstones_dropped);
        self.records_aborted.increment(statistics.records_aborted);
        self.records_without_key.increment(statistics.records_without_key);
    }
}

fn offline(text: &mut Text, is_offline: bool) {
    let help = "Data directories that take no writes any more, since the disk failed; readers go on.";
    text.level("strandline_offline_directories", help, is_offline.into());
}

fn logs(text: &mut Text, figures: &Figures) {
    text.level("strandline_logs", "Partitions that lie on this broker.", figures.logs);
}

fn journal(text: &mut Text, figures: &Figures) {
    text.level("strandline_journal_bytes", "What of the journal is in use.", figures.journal_bytes);
    let help = "What of the journal may be in use; appends wait beyond that.";
    text.level("strandline_journal_max_bytes", help, figures.journal_bytes_max);
    let help = "Bytes of journal files that are done with and kept by slow consumers, when files were last recycled.";
    text.level("strandline_journal_pinned_bytes", help, figures.journal_pinned_bytes);
    let help =
        "Journal files that were taken from consumers since they kept more than a journal's worth of them.";
    text.count("strandline_journal_given_up_files_total", help, figures.journal_given_up_files);
    let help = "Groups of the journal that a recovery would replay.";
    text.level("strandline_journal_replayed_groups", help, figures.frames_behind);
}

fn tails(text: &mut Text, figures: &Figures) {
    let help = "Memory of what was appended last, by which consumers are served without the disk.";
    text.level("strandline_tail_memory_bytes", help, figures.tail_memory_bytes);
    let help = "What that may be, for all data directories of the process together.";
    text.level("strandline_tail_memory_max_bytes", help, figures.tail_memory_bytes_max);
    let help = "Bytes of batches that lie in the journal and in no segment yet.";
    text.level("strandline_tail_unflushed_bytes", help, figures.unflushed_bytes);
    let help = "Bytes of partitions with async durability that no sync has covered yet.";
    text.level("strandline_unsynced_bytes", help, figures.unsynced_bytes);
}

fn writer(text: &mut Text, figures: &Figures) {
    let help = "Requests before the writer of the logs.";
    text.level("strandline_writer_waiting_requests", help, figures.waiting_requests);
    text.level("strandline_writer_waiting_bytes", "The memory that they take.", figures.waiting_bytes);
}

fn caches(text: &mut Text, figures: &Figures) {
    let Figures { files, indexes, .. } = figures;
    let help = "How often a file or an index of a segment was wanted, and was open or in memory.";
    text.counts(
        "strandline_cache_hits_total",
        help,
        "cache",
        &[("files", files.hits), ("indexes", indexes.hits)],
    );
    let help = "How often it was not.";
    text.counts(
        "strandline_cache_misses_total",
        help,
        "cache",
        &[("files", files.misses), ("indexes", indexes.misses)],
    );
    let help = "Files of segments that are kept open.";
    text.level("strandline_cache_open_files", help, files.weight);
    text.level("strandline_cache_open_files_max", "So many may be.", files.weight_max);
    let help = "Memory of indexes that are kept.";
    text.level("strandline_cache_index_bytes", help, indexes.weight);
}

fn background(text: &mut Text, figures: &Figures) {
    let help = "Partitions that are being compacted.";
    text.level("strandline_compactions_running", help, figures.compacting_logs);
    let help = "Segments and partitions that are no more, and whose files wait for their turn to be removed.";
    text.level("strandline_removals_waiting", help, figures.waiting_removals);
    let help = "Partitions that cannot be compacted, since what lies in their segments cannot be read.";
    text.level("strandline_compaction_unreadable_partitions", help, figures.hopeless_logs);
    let help = "1 while the room on the disk that is kept for emptying the journal is not there: appends are refused.";
    text.level("strandline_disk_reserve_missing", help, figures.missing_reserve);
}

/// How it stands.
pub(super) fn write(text: &mut Text, figures: &Figures, is_offline: bool) {
    offline(text, is_offline);
    logs(text, figures);
    journal(text, figures);
    tails(text, figures);
    writer(text, figures);
    caches(text, figures);
    background(text, figures);
}
