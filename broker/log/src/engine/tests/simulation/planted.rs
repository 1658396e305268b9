//! The simulation finds mistakes: each of these was made on purpose, and is found.
//!
//! An assertion of the engine's own that fails counts as found as well, but where it says that the model has to.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::plants::Plant;
use super::{HONEST, Subject, run};
use crate::disk::liar::{Liar, Lie};
use crate::random::Random;

/// How many seeds may pass before a mistake is found.
const SEEDS_MAX: u64 = 3_000;

/// Says whether it was found, and by whom.
fn find(subject: Subject, seeds: std::ops::Range<u64>) -> Option<(u64, Finder)> {
    seeds.into_iter().find_map(|seed| match catch_unwind(AssertUnwindSafe(|| run(seed, subject))) {
        Ok(Ok(_)) => None,
        Ok(Err(violation)) => {
            println!("seed {seed}: {violation}");
            Some((seed, Finder::Model))
        }
        Err(_) => Some((seed, Finder::Assertion)),
    })
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Finder {
    Model,
    Assertion,
}

fn is_found(subject: Subject) {
    assert!(find(subject, 0..SEEDS_MAX).is_some(), "nobody noticed");
}

fn plant(plant: Plant) {
    is_found(Subject { plant: Some(plant), ..HONEST });
}

/// Lets the model find a mistake, whatever the engine's own assertions find before.
fn plant_for_model(plant: Plant) {
    let subject = Subject { plant: Some(plant), ..HONEST };
    let mut start = 0;
    while let Some((seed, finder)) = find(subject, start..SEEDS_MAX) {
        if finder == Finder::Model {
            return;
        }
        start = seed + 1;
    }
    panic!("the model did not notice");
}

macro_rules! lies {
    ($($name:ident: $lie:expr;)*) => {$(
        #[test]
        fn $name() {
            is_found(Subject { disk: |disk| Arc::new(Liar { disk: disk.clone(), lie: $lie }), ..HONEST });
        }
    )*};
}

lies! {
    a_sync_that_is_left_out: Lie::Sync;
    a_sync_of_names_that_is_left_out: Lie::DirectorySync;
    a_sync_of_the_file_system_that_is_left_out: Lie::FileSystemSync;
    an_acknowledgement_before_the_sync: Lie::LateSync;
    a_failed_sync_that_is_tried_again: Lie::FailedSync;
    an_append_that_is_admitted_before_its_room_is_allocated: Lie::Allocation;
    a_page_cache_that_is_trusted_by_the_journal: Lie::EqualWrites;
    a_page_cache_that_is_trusted_by_segments: Lie::CutsAndEqualWrites;
}

#[test]
fn a_stale_or_forged_frame_that_is_accepted() {
    is_found(Subject { random: |_| Random::stuck(), ..HONEST });
}

#[test]
fn a_duplicate_that_is_acknowledged_before_its_original_is_durable() {
    plant(Plant::DuplicateAnsweredEarly);
}

#[test]
fn a_journal_that_is_recycled_before_the_manifest_is_committed() {
    plant(Plant::RecycledEarly);
}

#[test]
fn a_checkpoint_that_syncs_no_segment() {
    plant(Plant::CheckpointWithoutSync);
}

#[test]
fn a_snapshot_that_is_newer_than_what_was_flushed() {
    plant_for_model(Plant::SnapshotTooNew);
}

#[test]
fn a_truncation_that_goes_one_batch_too_far() {
    plant(Plant::TruncatedTooFar);
}

#[test]
fn segments_that_are_dropped_before_the_logs_start_is_durable() {
    plant(Plant::DroppedBeforeStart);
}

#[test]
fn files_that_are_unlinked_before_the_deletion_is_durable() {
    plant(Plant::UnlinkedBeforeDeletion);
}

#[test]
fn files_that_are_unlinked_before_their_rows_are_removed() {
    plant(Plant::UnlinkedBeforeManifest);
}

#[test]
fn a_flush_that_is_taken_for_done() {
    plant(Plant::FlushSkipped);
}

#[test]
fn compaction_that_drops_a_live_key() {
    plant(Plant::LiveKeyDropped);
}

#[test]
fn compaction_beyond_what_is_stable() {
    plant(Plant::CompactedTooFar);
}

#[test]
fn a_tombstone_that_is_cleaned_too_early() {
    plant(Plant::TombstonesEarly);
}

#[test]
fn a_switch_to_async_without_a_flush() {
    plant(Plant::SwitchedWithoutFlush);
}

#[test]
fn a_sweep_that_takes_too_much() {
    plant(Plant::SweptTooMuch);
}

#[test]
fn aborted_records_that_are_taken_for_committed() {
    plant_for_model(Plant::AbortedForgotten);
}

#[test]
fn a_reader_that_is_not_woken() {
    plant_for_model(Plant::ReadersForgotten);
}

#[test]
fn a_producer_that_is_forgotten_too_early() {
    plant_for_model(Plant::ProducersForgottenEarly);
}
