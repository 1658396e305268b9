//! The line of each thing that the engine does by itself.

use std::time::Duration;

use strandline_log::compaction::Statistics;
use strandline_log::engine::Reason;
use strandline_protocol::{Bytes, Uuid};

use super::*;
use crate::tests::lines::Lines;

const TOOK: Duration = Duration::from_millis(3);

/// A partition of a topic that has no name here.
fn log() -> Bytes {
    TopicPartition { topic_id: Uuid([7; 16]), index: 3 }.to_description()
}

/// Has each of these seen, and holds its line against what is expected: how it begins, and all that is in it.
fn expect(events: &[(Event<'_>, &str, &[&str])]) {
    let background = Background::new(Arc::default());
    let lines = Lines::begin();
    let partition = format!("partition={}-3", Uuid([7; 16]));
    for (event, start, parts) in events {
        background.see(event);
        let line = lines.only();
        assert!(line.starts_with(start), "{event:?} is told by: {line}");
        for part in *parts {
            let part = if *part == "partition" { &partition } else { *part };
            assert!(line.contains(part), "{part} is not in: {line}");
        }
    }
}

#[test]
fn each_decision_about_retention_has_its_line() {
    let log = log();
    let expired = Event::Expired { log: &log, start_offset: 7, segments: 3, segments_by_size: 1, bytes: 99 };
    expect(&[
        (
            expired,
            "INFO strandline_log::retention: the log begins further on",
            &["partition", "start_offset=7", "bytes=99", "segments_by_size=1", "segments_by_age=2"],
        ),
        (
            Event::ProducersExpired { log: &log, count: 5 },
            "DEBUG strandline_log::retention: producers are forgotten",
            &["partition", "count=5", "producer.id.expiration.ms"],
        ),
        (
            Event::ProducersExpired { log: b"?", count: 5 },
            "DEBUG strandline_log::retention: producers are forgotten",
            &["partition=a partition that nobody knows"],
        ),
        (
            Event::Housekeeping { is_clock_trusted: false },
            "WARN strandline_log::retention: nothing is deleted for its age for now: the wall's clock was set",
            &[],
        ),
        (
            Event::Removed { files: 4, bytes: 98, waiting: 2 },
            "DEBUG strandline_log::retention: files were removed",
            &["files=4", "bytes=98", "waiting=2"],
        ),
    ]);
}

#[test]
fn each_round_of_compaction_has_its_lines() {
    let log = log();
    let begun = |is_forced| Event::CompactionBegun { log: &log, dirty_ratio: 0.25, segments: 6, is_forced };
    let statistics = Statistics {
        bytes_read: 10,
        bytes_kept: 4,
        records_superseded: 9,
        tombstones_dropped: 2,
        ..Default::default()
    };
    let ended = |outcome| Event::CompactionEnded { log: Some(&log), took: TOOK, outcome };
    let gains: &[&str] = &["partition", "dirty_ratio=0.25", "segments=6", "this one gains most"];
    let waited: &[&str] = &["partition", "dirty_ratio=0.25", "segments=6", "max.compaction.lag.ms"];
    expect(&[
        (begun(false), "DEBUG strandline_log::compaction: compaction begins", gains),
        (begun(true), "DEBUG strandline_log::compaction: compaction begins", waited),
        (
            ended(CompactionOutcome::Cleaned(&statistics)),
            "INFO strandline_log::compaction: compacted",
            &["partition", "took=3ms", "bytes_read=10", "bytes_kept=4", "superseded=9", "tombstones=2"],
        ),
        (
            ended(CompactionOutcome::Stopped),
            "INFO strandline_log::compaction: compaction was stopped: the log changed or went",
            &["partition", "took=3ms"],
        ),
        (
            ended(CompactionOutcome::NoRoom),
            "WARN strandline_log::compaction: compaction found no room on the disk",
            &["partition"],
        ),
        (
            ended(CompactionOutcome::Corrupt("rot")),
            "ERROR strandline_log::compaction: not compacted any more until the next start",
            &["partition", "error=rot"],
        ),
        (
            Event::CompactionEnded { log: None, took: TOOK, outcome: CompactionOutcome::Stopped },
            "INFO strandline_log::compaction: compaction was stopped",
            &["partition=a deleted partition"],
        ),
    ]);
}

#[test]
fn what_happens_to_the_disk_and_to_the_journal_has_its_lines() {
    let removed = Event::Checkpointed {
        logs: 1,
        segments_removed: 2,
        bytes_removed: 3,
        logs_removed: 4,
        took: TOOK,
        reason: Reason::JournalHalfFull,
    };
    expect(&[
        (
            Event::NoRoom { released_bytes: 0 },
            "ERROR strandline_log::disk: the disk is full, and nothing",
            &[],
        ),
        (
            Event::NoRoom { released_bytes: 5 },
            "WARN strandline_log::disk: the disk is full: appends are refused",
            &["released_bytes=5"],
        ),
        (Event::RoomAgain, "WARN strandline_log::disk: the disk has room again: appends are taken", &[]),
        (Event::NoDescriptors, "WARN strandline_log::disk: no file can be opened, since as many are", &[]),
        (
            Event::Offline { reason: "a sync failed" },
            "ERROR strandline_log::disk: the data directory is offline",
            &["reason=\"a sync failed\""],
        ),
        (
            Event::JournalGivenUp { files: 8 },
            "WARN strandline_log::journal: journal files were taken from consumers",
            &["files=8"],
        ),
        (
            Event::Recovered { logs: 2, was_closed: false, took: TOOK },
            "INFO strandline_log::journal: the data directory is open",
            &["logs=2", "was_closed=false", "took=3ms"],
        ),
        (
            Event::Flushed { logs: 2, bytes: 97, took: TOOK, reason: Reason::TailMemory },
            "DEBUG strandline_log::segment: batches were written into segments",
            &["logs=2", "bytes=97", "took=3ms", "reason=\"tails were as large as they are to become\""],
        ),
        (
            removed,
            "DEBUG strandline_log::checkpoint: the manifest is up to date",
            &[
                "logs=1",
                "segments_removed=2",
                "bytes_removed=3",
                "logs_removed=4",
                "the journal was half full",
            ],
        ),
    ]);
}

#[test]
fn what_happens_all_the_time_has_no_line() {
    let background = Background::new(Arc::default());
    let lines = Lines::begin();
    background.see(&Event::Committed { requests: 1, bytes: 2, took: TOOK });
    background.see(&Event::Housekeeping { is_clock_trusted: true });
    assert_eq!(lines.take(), [""; 0]);
}
