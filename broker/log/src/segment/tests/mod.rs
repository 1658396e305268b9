//! Segments on the simulated disk: written, read, cut, damaged, and left behind by another process.

mod damage;
mod indexes;
mod names;
mod reading;
mod real;
mod writing;

use std::io::IoSlice;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};
use strandline_protocol::compression::Compression;

use super::{BatchFacts, Files, FilesOptions, Segment, Way};
use crate::disk::simulated::{Options, SimulatedDisk};
use crate::disk::{Access, Disk};
use crate::layout::{FileKind, Layout};
use crate::local_id::LocalId;
use crate::random::Random;

const PARTITION: LocalId = LocalId(7);
const INTERVAL: u32 = 4_096;

/// A disk with the folders that a data directory has.
struct Place {
    disk: SimulatedDisk,
    files: Files,
}

fn layout() -> Layout {
    Layout::new("data".into())
}

fn files_on(disk: &SimulatedDisk) -> Files {
    Files::new(Arc::new(disk.clone()), layout(), &FilesOptions::default())
}

impl Place {
    fn new() -> Self {
        let disk = SimulatedDisk::new(Options::default());
        disk.create_directory("data".as_ref()).unwrap();
        disk.create_directory(&layout().logs()).unwrap();
        let files = files_on(&disk);
        Self { disk, files }
    }

    /// The process dies, and another one begins.
    fn kill(&mut self) {
        self.disk.kill();
        self.files = files_on(&self.disk);
    }

    fn path(&self, segment: &Segment, kind: FileKind) -> PathBuf {
        layout().segment(segment.partition(), segment.base_offset(), kind)
    }

    fn flip(&self, segment: &Segment, kind: FileKind, offset: u64, bit: u8) {
        self.disk.flip_bit(&self.path(segment, kind), offset, bit).unwrap();
    }

    fn overwrite(&self, segment: &Segment, kind: FileKind, bytes: &[u8]) {
        let path = self.path(segment, kind);
        let _ = self.disk.remove(&path);
        let file = self.disk.create(&path, Access::Write).unwrap();
        file.write_at(&[IoSlice::new(bytes)], 0).unwrap();
    }

    fn content(&self, segment: &Segment, kind: FileKind) -> Vec<u8> {
        let file = self.disk.open(&self.path(segment, kind), Access::Read).unwrap();
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    }

    fn is_there(&self, segment: &Segment, kind: FileKind) -> bool {
        self.disk.length_of(&self.path(segment, kind)).is_ok()
    }
}

/// A batch of `count` records with these timestamps and on, and values of so many bytes.
fn compressed(base_offset: i64, timestamps: &[i64], value_bytes: usize, codec: Compression) -> Vec<u8> {
    let mut builder = BatchBuilder::new().base_offset(base_offset).partition_leader_epoch(3);
    builder = builder.compression(codec, None);
    let value = vec![u8::try_from(base_offset & 0x7f).unwrap(); value_bytes];
    for timestamp in timestamps {
        builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(*timestamp) }).unwrap();
    }
    builder.build().unwrap().to_vec()
}

fn batch(base_offset: i64, timestamps: &[i64], value_bytes: usize) -> Vec<u8> {
    compressed(base_offset, timestamps, value_bytes, Compression::None)
}

fn facts(batch: &[u8]) -> BatchFacts {
    BatchFacts::from(&BatchHeader::parse(batch).unwrap())
}

/// Writes batches behind what is there, and publishes them.
fn append(files: &Files, segment: &Segment, batches: &[Vec<u8>]) {
    let parts: Vec<_> = batches.iter().map(|batch| IoSlice::new(batch)).collect();
    segment.write(files, segment.length(), &parts, Way::ThroughCache).unwrap();
    let all: Vec<_> = batches.iter().map(|batch| facts(batch)).collect();
    segment.extend(&all, INTERVAL);
}

/// Batches of various lengths, one to five records each, sometimes with offsets left out between them.
fn random_batches(random: &mut Random, count: usize, value_bytes_max: usize) -> Vec<Vec<u8>> {
    let (mut offset, mut timestamp) = (0, 1_000);
    let mut batches = Vec::new();
    for _ in 0..count {
        let records = 1 + random.index(5);
        timestamp += i64::try_from(random.below(5)).unwrap() - 1;
        let timestamps: Vec<_> =
            (0..records).map(|_| timestamp - i64::try_from(random.below(3)).unwrap()).collect();
        batches.push(batch(offset, &timestamps, 1 + random.index(value_bytes_max)));
        offset += i64::try_from(records).unwrap() + if random.one_in(4) { 7 } else { 0 };
    }
    batches
}

/// Where each batch begins.
fn positions(batches: &[Vec<u8>]) -> Vec<u64> {
    let mut position = 0;
    let next = |batch: &Vec<u8>| {
        position += batch.len() as u64;
        position - batch.len() as u64
    };
    batches.iter().map(next).collect()
}

/// What [`Segment::find`] has to give, by looking at every batch.
fn expected(batches: &[Vec<u8>], offset: i64) -> Option<(u64, BatchFacts)> {
    let all = positions(batches).into_iter().zip(batches.iter().map(|batch| facts(batch)));
    all.into_iter().find(|(_, facts)| facts.last_offset >= offset)
}

/// Finds every offset, and compares.
fn assert_finds_all(files: &Files, segment: &Segment, batches: &[Vec<u8>]) {
    for offset in 0..segment.end_offset() + 2 {
        let found = segment.find(files, offset).unwrap();
        assert_eq!(found.map(|found| (found.position, found.batch)), expected(batches, offset), "{offset}");
    }
}
