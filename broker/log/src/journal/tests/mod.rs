//! The journal against a disk that fails, and against a model of what it acknowledged.

mod blocks;
mod pins;
mod planted;
mod real;
mod rules;
mod simulation;
mod staging;
mod stall;

use std::path::Path;
use std::sync::Arc;

use super::{Class, Committed, Entry, Error, Journal, Options, Replayed};
use crate::disk::Disk;
use crate::disk::simulated::{self, SimulatedDisk};
use crate::random::Random;

const BLOCK: usize = crate::disk::BLOCK_BYTES;
const FOLDER: &str = "/journal";

/// Sixteen blocks to a file, four files.
const OPTIONS: Options = Options {
    file_bytes: 64 << 10,
    bytes_max: 256 << 10,
    entries_max: 1_000,
    group_bytes_max: 16 << 10,
    placed_bytes_min: 1_000,
};

/// A frame that was found: its number and its entries as bytes.
type Found = (u64, Vec<Vec<u8>>);

fn new_disk(seed: u64) -> SimulatedDisk {
    SimulatedDisk::new(simulated::Options { seed, ..simulated::Options::default() })
}

fn bytes(entry: &Entry<'_>) -> Vec<u8> {
    let (prefix, body) = entry.encode().unwrap();
    [prefix.bytes(), body].concat()
}

fn append(batch: &[u8]) -> Entry<'_> {
    Entry::Append { partition: 1, base_offset: 0, batch }
}

fn note(found: &mut Vec<Found>, replayed: &Replayed<'_>) {
    match found.last_mut().filter(|(sequence, _)| *sequence == replayed.sequence) {
        Some((_, entries)) => entries.push(bytes(&replayed.entry)),
        None => found.push((replayed.sequence, vec![bytes(&replayed.entry)])),
    }
}

fn recover_with(
    disk: &SimulatedDisk,
    options: Options,
    checkpoint: u64,
) -> Result<(Journal, Vec<Found>), Error> {
    let mut found = Vec::new();
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    let random = Random::from_seed(disk.operations());
    let journal = Journal::recover(shared, FOLDER.into(), options, random, checkpoint, |replayed| {
        note(&mut found, &replayed);
    })?;
    Ok((journal, found))
}

fn recover(disk: &SimulatedDisk, checkpoint: u64) -> Result<(Journal, Vec<Found>), Error> {
    recover_with(disk, OPTIONS, checkpoint)
}

fn commit(journal: &mut Journal, batches: &[&[u8]]) -> Committed {
    for batch in batches {
        journal.stage(&append(batch), Class::Append).unwrap();
    }
    journal.commit().unwrap().unwrap().0
}

fn names(disk: &SimulatedDisk) -> Vec<String> {
    disk.list(Path::new(FOLDER)).unwrap().into_iter().map(|entry| entry.name).collect()
}
