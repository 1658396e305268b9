//! A file that is written over and over without an engine: what the disk and the kernel reach by themselves.

use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use rustix::fs::{Mode, OFlags};
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, BLOCK_BYTES, Disk, File};

use super::Outcome;

/// What each way writes over, round and round.
const FILE_BYTES: u64 = 128 << 20;

/// Files that were written from end to end, and a place in them that moves on.
///
/// One is for writes through the page cache alone: direct writes would take its pages out of there.
pub(super) struct Raw {
    cached: Arc<dyn File>,
    synced: Arc<dyn File>,
    unsynced: OwnedFd,
    memory: Vec<u8>,
    offset: u64,
}

impl Raw {
    /// New files in a folder, for writes of up to `bytes_max`.
    pub(super) fn new(disk: &RealDisk, folder: &Path, bytes_max: usize) -> Outcome<Self> {
        let [cached, direct] = ["raw-cached", "raw-direct"].map(|name| folder.join(name));
        let flags = OFlags::WRONLY | OFlags::DIRECT | OFlags::CLOEXEC;
        filled_file(disk, &direct)?;
        Ok(Self {
            cached: filled_file(disk, &cached)?,
            synced: disk.open(&direct, Access::DirectSynced)?,
            unsynced: rustix::fs::open(&direct, flags, Mode::empty())?,
            memory: vec![7; bytes_max + BLOCK_BYTES],
            offset: 0,
        })
    }

    /// Past the page cache, and durable only once the disk's own cache is.
    pub(super) fn write_direct(&mut self, length: usize) -> Outcome {
        let offset = self.advance(length);
        let bytes = aligned(&self.memory, length);
        // A part of a block device's write is an error in itself: nothing here is worth to go on with.
        if rustix::io::pwrite(&self.unsynced, bytes, offset)? == bytes.len() {
            Ok(())
        } else {
            Err("a direct write was cut short".into())
        }
    }

    /// Past the page cache, and durable.
    pub(super) fn write_direct_synced(&mut self, length: usize) -> Outcome {
        let offset = self.advance(length);
        Ok(self.synced.write_at(&[IoSlice::new(aligned(&self.memory, length))], offset)?)
    }

    /// Through the page cache, and durable.
    pub(super) fn write_cached_synced(&mut self, length: usize) -> Outcome {
        let offset = self.advance(length);
        self.cached.write_at(&[IoSlice::new(aligned(&self.memory, length))], offset)?;
        Ok(self.cached.sync()?)
    }

    fn advance(&mut self, length: usize) -> u64 {
        let length = length as u64;
        let offset = if self.offset + length > FILE_BYTES { 0 } else { self.offset };
        self.offset = offset + length;
        offset
    }
}

/// So many bytes that begin at a block's border.
fn aligned(memory: &[u8], length: usize) -> &[u8] {
    let start = memory.as_ptr().align_offset(BLOCK_BYTES);
    memory.get(start..start + length).unwrap_or_default()
}

/// A file whose blocks were all written: writing over them changes nothing but data.
fn filled_file(disk: &RealDisk, path: &Path) -> Outcome<Arc<dyn File>> {
    let file = disk.create(path, Access::Write)?;
    file.allocate(0, FILE_BYTES)?;
    let ones = vec![1; 1 << 20];
    for offset in (0..FILE_BYTES).step_by(ones.len()) {
        file.write_at(&[IoSlice::new(&ones)], offset)?;
    }
    file.sync()?;
    Ok(file)
}
