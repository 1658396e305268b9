//! The simulation finds mistakes: each of these was made on purpose, and is found.

use std::sync::Arc;

use super::super::recovery::Recovery;
use super::FOLDER;
use super::simulation::{HONEST, Subject, run};
use crate::disk::liar::{Liar, Lie};
use crate::random::Random;

/// How many seeds may pass before a mistake is found.
const SEEDS_MAX: u64 = 3_000;

fn is_found(subject: Subject) {
    for seed in 0..SEEDS_MAX {
        if let Err(violation) = run(seed, subject) {
            println!("seed {seed}: {violation}");
            return;
        }
    }
    panic!("nobody noticed");
}

#[test]
fn a_sync_that_is_left_out() {
    is_found(Subject { disk: |disk| Arc::new(Liar { disk: disk.clone(), lie: Lie::Sync }), ..HONEST });
}

#[test]
fn a_sync_of_names_that_is_left_out() {
    is_found(Subject {
        disk: |disk| Arc::new(Liar { disk: disk.clone(), lie: Lie::DirectorySync }),
        ..HONEST
    });
}

#[test]
fn a_group_that_is_admitted_before_its_room_is_allocated() {
    is_found(Subject { disk: |disk| Arc::new(Liar { disk: disk.clone(), lie: Lie::Allocation }), ..HONEST });
}

#[test]
fn a_last_frame_that_is_not_written_again_because_it_reads_as_it_should() {
    is_found(Subject { disk: |disk| Arc::new(Liar { disk: disk.clone(), lie: Lie::EqualWrites }), ..HONEST });
}

#[test]
fn an_acknowledgement_before_the_sync() {
    is_found(Subject { acknowledges_before_commit: true, ..HONEST });
}

#[test]
fn a_file_that_is_recycled_before_the_checkpoint() {
    is_found(Subject { recycles_before_checkpoint: true, ..HONEST });
}

#[test]
fn a_salt_that_can_be_guessed() {
    is_found(Subject { random: |_| Random::stuck(), ..HONEST });
}

#[test]
fn a_page_cache_that_is_trusted() {
    is_found(Subject {
        recover: |disk, options, random, checkpoint, mut visit| {
            let mut recovery = Recovery::open(disk, FOLDER.into(), options, checkpoint)?;
            let end = recovery.walk.replay(&mut visit)?;
            recovery.walk.refuse_newer_frames(&end)?;
            let is_torn = recovery.walk.is_torn(&end)?;
            recovery.release_files_behind(&end)?;
            let mut journal = recovery.begin(end, random)?;
            journal.seal_found(is_torn)?;
            journal.recycle(checkpoint)?;
            Ok(journal)
        },
        ..HONEST
    });
}

#[test]
fn a_cut_that_is_not_sealed() {
    is_found(Subject {
        recover: |disk, options, random, checkpoint, mut visit| {
            let mut recovery = Recovery::open(disk, FOLDER.into(), options, checkpoint)?;
            let end = recovery.walk.replay(&mut visit)?;
            recovery.walk.refuse_newer_frames(&end)?;
            recovery.release_files_behind(&end)?;
            recovery.rewrite_last_frame(&end)?;
            recovery.begin(end, random)
        },
        ..HONEST
    });
}

#[test]
fn rot_that_is_taken_for_a_torn_frame() {
    is_found(Subject {
        recover: |disk, options, random, checkpoint, mut visit| {
            let mut recovery = Recovery::open(disk, FOLDER.into(), options, checkpoint)?;
            let end = recovery.walk.replay(&mut visit)?;
            let is_torn = recovery.walk.is_torn(&end)?;
            recovery.release_files_behind(&end)?;
            recovery.rewrite_last_frame(&end)?;
            let mut journal = recovery.begin(end, random)?;
            journal.seal_found(is_torn)?;
            journal.recycle(checkpoint)?;
            Ok(journal)
        },
        ..HONEST
    });
}
