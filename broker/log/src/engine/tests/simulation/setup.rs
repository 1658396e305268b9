//! What a run begins with, and what all runs together must have come by.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::super::super::{MailboxOptions, Options};
use super::neighbour::Neighbour;
use super::{Model, Reached, Simulation, Subject};
use crate::clock::{Clock, SimulatedClock};
use crate::config::{Cleanup, Durability, LogConfig};
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::journal;
use crate::manifest::ManifestOptions;
use crate::random::Random;
use crate::tail::Budget;

/// What was done to the wall's clock.
#[derive(Debug, Default)]
pub(super) struct Wall {
    /// The latest time that it showed before it was last looked at.
    pub(super) latest_ms: i64,
    /// The earliest time that it was ever set to.
    pub(super) earliest_ms: i64,
    /// When it was last set, by the monotonic clock, as far as this process could notice.
    pub(super) set_at: Option<Duration>,
    /// The same when the engine last looked, and how far it was set since: back and forth is nothing that it could notice.
    pub(super) seen_set_at: Option<Duration>,
    pub(super) unseen_ms: i64,
}

impl Simulation {
    pub(super) fn new(seed: u64, subject: Subject) -> Self {
        let mut random = Random::from_seed(seed);
        let disk = SimulatedDisk::new(simulated::Options {
            seed: random.next_u64(),
            sector_bytes: if random.one_in(3) { crate::disk::BLOCK_BYTES } else { 512 },
            refuses_direct: random.one_in(2),
            ..simulated::Options::default()
        });
        disk.create_directory(Path::new("/data")).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        let options = options(&mut random);
        let neighbour = Neighbour::new(&options.tail_budget, seed);
        let wall_ms = 1_000_000_000;
        Self {
            subject,
            disk,
            clock: Arc::new(SimulatedClock::new(wall_ms)),
            options,
            random,
            writer: None,
            answers: Arc::default(),
            sent: Default::default(),
            group: None,
            jobs: Vec::new(),
            reads: Vec::new(),
            readers_waiting: Vec::new(),
            sender_waiting: None,
            model: Model::default(),
            neighbour,
            recent: Default::default(),
            sequences: Default::default(),
            has_fault: false,
            has_died: false,
            is_verbose: std::env::var_os("SIMULATION_VERBOSE").is_some(),
            was_full: false,
            is_full: false,
            wall: Wall { latest_ms: wall_ms, earliest_ms: i64::MAX, ..Wall::default() },
            last_ticket: 0,
            last_number: 0,
            last_value: 0,
            without_room: Default::default(),
            steps: 0,
            trace: 0,
            reached: Reached::new(),
        }
    }

    pub(super) fn pass_time(&mut self) {
        self.wall.latest_ms = self.latest_ms();
        match self.random.below(12) {
            0..=6 => self.clock.advance(1 + small(&mut self.random, 100)),
            7..=10 => self.clock.advance(1_000 + small(&mut self.random, 20_000)),
            _ if self.random.one_in(4) => {
                let shift_ms = [3_600_000, -3_600_000, 315_360_000_000, 86_400_000][self.random.index(4)];
                let before_ms = self.clock.wall_ms();
                self.clock.set_wall_ms((before_ms + shift_ms).max(1));
                self.wall.unseen_ms += self.clock.wall_ms() - before_ms;
                self.wall.earliest_ms = self.wall.earliest_ms.min(self.clock.wall_ms());
                let is_back = self.wall.unseen_ms == 0;
                self.wall.set_at = if is_back { self.wall.seen_set_at } else { Some(self.clock.monotonic()) };
                self.reach("wall clock set");
            }
            _ => self.clock.advance(600_000 + small(&mut self.random, 3_600_000)),
        }
    }

    /// The latest time that the wall's clock ever showed. It is only ever set here; other than that it goes on.
    pub(super) fn latest_ms(&self) -> i64 {
        self.wall.latest_ms.max(self.clock.wall_ms())
    }
}

fn small(random: &mut Random, bound: u64) -> u32 {
    u32::try_from(random.below(bound)).unwrap()
}

/// Small enough that each bound is met soon, and not the same in all runs.
fn options(random: &mut Random) -> Options {
    let file_bytes = [16 << 10, 32 << 10, 64 << 10][random.index(3)];
    let flush_bytes = [1 << 10, 8 << 10, 64 << 10][random.index(3)];
    Options {
        journal: journal::Options {
            file_bytes,
            bytes_max: file_bytes * (4 + random.below(4)),
            entries_max: [12, 40, 200, 1_000][random.index(4)],
            group_bytes_max: if file_bytes == 16 << 10 { 4 << 10 } else { 8 << 10 },
            placed_bytes_min: [100, 1_000, 64 << 10][random.index(3)],
        },
        manifest: ManifestOptions { file_bytes: [16 << 10, 64 << 10][random.index(2)] },
        mailbox: if random.one_in(3) {
            MailboxOptions { bytes_max: 4 << 10, requests_max: 8 }
        } else {
            MailboxOptions { bytes_max: 64 << 10, requests_max: 64 }
        },
        tail_budget: Budget::new([0, 4 << 10, 300 << 10, 8 << 20][random.index(4)]),
        flush_bytes,
        flush_job_bytes: [256, 4 << 10, 16 << 10][random.index(3)],
        full_tail_bytes: [1, 4 << 10, 256 << 10][random.index(3)],
        past_cache_bytes_min: 4 << 10,
        unsynced_bytes_max: [8 << 10, 16 << 10, 256 << 10][random.index(3)],
        open_files_max: [1, 4, 4_096][random.index(3)],
        syncs_max: [1, 4, 64][random.index(3)],
        reserve_bytes: 32 << 10,
        checkpoint_interval: Duration::from_secs(5),
        housekeeping_interval: Duration::from_secs(10),
        producer_expiration_ms: [i64::MAX, 10_000, 600_000][random.index(3)],
        compaction_map_bytes: [24 * 4, 24 * 64, 1 << 20][random.index(3)],
        compaction_bytes_per_second: u64::MAX,
        // The smallest lets four files go in a second.
        removal_bytes_per_second: [u64::MAX, 64 << 20, 1 << 20][random.index(3)],
        observer: Options::default().observer,
    }
}

/// The settings of a log, all of them small.
pub(super) fn config(random: &mut Random) -> Arc<LogConfig> {
    let cleanup = match random.below(10) {
        0..=3 => Cleanup { deletes: true, compacts: false },
        4 | 5 => Cleanup { deletes: false, compacts: false },
        6..=8 => Cleanup { deletes: false, compacts: true },
        _ => Cleanup { deletes: true, compacts: true },
    };
    Arc::new(LogConfig {
        durability: if random.one_in(3) { Durability::Async } else { Durability::Fsync },
        cleanup,
        segment_bytes: [1_000, 2_000, 6_000][random.index(3)],
        segment_ms: if random.one_in(4) { 20_000 } else { LogConfig::default().segment_ms },
        index_interval_bytes: [1, 300, 4_096][random.index(3)],
        index_bytes_max: if random.one_in(4) { 60 } else { 10 << 20 },
        retention_ms: [-1, 60_000, 3_600_000][random.index(3)],
        retention_bytes: [-1, 3_000, 20_000][random.index(3)],
        delete_retention_ms: [0, 60_000, 86_400_000][random.index(3)],
        compaction_lag_min_ms: if random.one_in(4) { 10_000 } else { 0 },
        compaction_lag_max_ms: if random.one_in(4) { 30_000 } else { i64::MAX },
        dirty_ratio_min: [0.0, 0.1, 0.5][random.index(3)],
    })
}

/// Each of these is a way in which the engine could fail: a simulation that never comes by proves nothing about it.
const PLACES: &[&str] = &[
    "abort",
    "aborted records",
    "append that waits for a flush",
    "async log that lost its end",
    "batch of a leader",
    "checked offline",
    "checkpoint",
    "checkpoint after a truncation",
    "checkpoint with async segments that go",
    "checkpoint with compacted segments",
    "checkpoint with partitions that go",
    "checkpoint with segments that go",
    "clean end",
    "commit",
    "compacted",
    "compacted in part",
    "compacted segments",
    "compaction",
    "compaction that failed",
    "compressed batch",
    "death in a checkpoint's syncs",
    "death in a compaction",
    "death in a flush",
    "death in a group's write",
    "death in a manifest's commit",
    "death in a recovery",
    "death in a sweep",
    "death in an append",
    "death in making a spare",
    "death in the beginning of a group",
    "death in the removal of a segment",
    "death in the removal of files",
    "death in the swap of compacted segments",
    "death in the writing of indexes",
    "deletion",
    "disk filled",
    "duplicate",
    "duplicate of what is staged",
    "durability switched",
    "evicted for a neighbour",
    "flush",
    "flush of several logs",
    "found by time",
    "full mailbox",
    "group that was kept",
    "group that was lost",
    "kill",
    "kill with a group on its way",
    "kill with a job on its way",
    "no room for a checkpoint",
    "no room for a flush",
    "power cut",
    "power cut with a group on its way",
    "power cut with a job on its way",
    "producer that was forgotten",
    "read from a segment",
    "read from memory",
    "read from the journal",
    "reader that was woken",
    "recovered again",
    "removal",
    "removal in part",
    "refused",
    "refused by a failed disk",
    "refused for its producer",
    "refused on a full disk",
    "rest",
    "rest on a full disk",
    "retention",
    "rot that was harmless",
    "rot that was told to readers",
    "sender that was woken",
    "slow read",
    "slow sync",
    "spare",
    "sweep",
    "truncation",
    "truncation through a batch",
    "wall clock set",
    "went on when there was room",
];

pub(super) fn assert_all_reached(reached: &Reached) {
    let missing: Vec<_> =
        PLACES.iter().filter(|place| reached.get(*place).is_none_or(|times| *times < 5)).collect();
    assert!(missing.is_empty(), "not tried, or hardly: {missing:?}");
}
