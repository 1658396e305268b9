//! What the storage engine decides by itself, in the log and in the metrics: what it did, to which partition, and why.
//!
//! The targets are those of the engine's parts, so that each can be turned up alone. Nothing of a record is known here.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use strandline_log::engine::{CompactionOutcome, Event, Observer};

use crate::metadata::Metadata;
use crate::metrics::Metrics;
use crate::storage::TopicPartition;

/// Looks on.
pub struct Background {
    metrics: Arc<Metrics>,
    /// Knows what topics are called, once there is one.
    metadata: OnceLock<Weak<Metadata>>,
}

impl fmt::Debug for Background {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Background")
    }
}

/// A partition as people call it.
struct Named(String);

impl fmt::Display for Named {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Background {
    /// Counts here.
    pub fn new(metrics: Arc<Metrics>) -> Self {
        Self { metrics, metadata: OnceLock::new() }
    }

    /// Asks this for the names of topics from now on.
    pub fn set_metadata(&self, metadata: &Arc<Metadata>) {
        self.metadata.get_or_init(|| Arc::downgrade(metadata));
    }

    fn name(&self, log: &[u8]) -> Named {
        let Some(place) = TopicPartition::from_description(log) else {
            return Named("a partition that nobody knows".to_owned());
        };
        let metadata = self.metadata.get().and_then(Weak::upgrade);
        let name = metadata.and_then(|metadata| {
            metadata.image().topic_by_id(place.topic_id).map(|topic| topic.name().to_string())
        });
        Named(format!("{}-{}", name.unwrap_or_else(|| place.topic_id.to_string()), place.index))
    }

    fn log_retention(&self, event: &Event<'_>) {
        match *event {
            Event::Expired { log, start_offset, segments, segments_by_size, bytes } => {
                let partition = self.name(log);
                let by_age = segments.saturating_sub(segments_by_size);
                tracing::info!(
                    target: "strandline_log::retention",
                    %partition, start_offset, bytes, segments_by_size, segments_by_age = by_age,
                    "the log begins further on: its oldest segments are too old, or more than it may have"
                );
            }
            Event::ProducersExpired { log, count } => {
                let partition = self.name(log);
                tracing::debug!(
                    target: "strandline_log::retention",
                    %partition, count, "producers are forgotten: they sent nothing for longer than producer.id.expiration.ms"
                );
            }
            Event::Housekeeping { is_clock_trusted: false } => {
                tracing::warn!(
                    target: "strandline_log::retention",
                    "nothing is deleted for its age for now: the wall's clock was set"
                );
            }
            _ => {}
        }
    }

    fn log_compaction(&self, event: &Event<'_>) {
        match *event {
            Event::CompactionBegun { log, dirty_ratio, segments, is_forced } => {
                let partition = self.name(log);
                let reason = if is_forced {
                    "a record has waited for longer than max.compaction.lag.ms"
                } else {
                    "of the logs that were looked at, this one gains most"
                };
                tracing::debug!(
                    target: "strandline_log::compaction",
                    %partition, dirty_ratio, segments, reason, "compaction begins"
                );
            }
            Event::CompactionEnded { log, took, outcome } => {
                let partition =
                    log.map_or_else(|| Named("a deleted partition".to_owned()), |log| self.name(log));
                log_outcome(&partition, took, &outcome);
            }
            _ => {}
        }
    }
}

fn log_outcome(partition: &Named, took: std::time::Duration, outcome: &CompactionOutcome<'_>) {
    match *outcome {
        CompactionOutcome::Cleaned(statistics) => tracing::info!(
            target: "strandline_log::compaction",
            %partition, ?took,
            bytes_read = statistics.bytes_read,
            bytes_kept = statistics.bytes_kept,
            superseded = statistics.records_superseded,
            tombstones = statistics.tombstones_dropped,
            "compacted"
        ),
        CompactionOutcome::Stopped => tracing::info!(
            target: "strandline_log::compaction",
            %partition, ?took,
            "compaction was stopped: the log changed or went, or the broker ends; another round does it"
        ),
        CompactionOutcome::NoRoom => tracing::warn!(
            target: "strandline_log::compaction",
            %partition, "compaction found no room on the disk; another round tries again"
        ),
        CompactionOutcome::Corrupt(error) => tracing::error!(
            target: "strandline_log::compaction",
            %partition, %error,
            "not compacted any more until the next start: what lies in its segments cannot be read"
        ),
    }
}

fn log_disk(event: &Event<'_>) {
    match *event {
        Event::NoRoom { released_bytes: 0 } => tracing::error!(
            target: "strandline_log::disk",
            "the disk is full, and nothing that was kept is left: appends are refused, readers go on"
        ),
        Event::NoRoom { released_bytes } => tracing::warn!(
            target: "strandline_log::disk",
            released_bytes, "the disk is full: appends are refused, and what was kept is used to empty the journal"
        ),
        Event::RoomAgain => tracing::warn!(
            target: "strandline_log::disk", "the disk has room again: appends are taken"
        ),
        Event::NoDescriptors => tracing::warn!(
            target: "strandline_log::disk",
            "no file can be opened, since as many are open as may be: what needs one waits. Raise the limit (ulimit -n), \
             or lower max.connections or strandline.open.files"
        ),
        Event::Offline { reason } => tracing::error!(
            target: "strandline_log::disk",
            reason, "the data directory is offline: nothing is written any more, readers go on"
        ),
        Event::JournalGivenUp { files } => tracing::warn!(
            target: "strandline_log::journal",
            files, "journal files were taken from consumers that were too slow: they kept more than a journal's worth"
        ),
        Event::Recovered { logs, was_closed, took } => tracing::info!(
            target: "strandline_log::journal",
            logs, was_closed, ?took, "the data directory is open; where it was not closed, its journal was replayed"
        ),
        Event::Flushed { logs, bytes, took, reason } => tracing::debug!(
            target: "strandline_log::segment",
            logs, bytes, ?took, reason = reason.words(), "batches were written into segments"
        ),
        Event::Checkpointed { logs, segments_removed, bytes_removed, logs_removed, took, reason } => {
            tracing::debug!(
                target: "strandline_log::checkpoint",
                logs, segments_removed, bytes_removed, logs_removed, ?took, reason = reason.words(),
                "the manifest is up to date"
            );
        }
        Event::Removed { files, bytes, waiting } => tracing::debug!(
            target: "strandline_log::retention",
            files, bytes, waiting,
            "files were removed: what they were of was deleted, or is too old; the rest waits for its turn"
        ),
        _ => {}
    }
}

impl Observer for Background {
    fn see(&self, event: &Event<'_>) {
        self.metrics.count_event(event);
        match event {
            // Far too many to be told of.
            Event::Committed { .. } => {}
            Event::Expired { .. } | Event::ProducersExpired { .. } | Event::Housekeeping { .. } => {
                self.log_retention(event);
            }
            Event::CompactionBegun { .. } | Event::CompactionEnded { .. } => self.log_compaction(event),
            _ => log_disk(event),
        }
    }
}

#[cfg(test)]
mod tests;
