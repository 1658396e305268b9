//! Room that is kept for what must be written when there is no other.
//!
//! It owns one file, allocated and never written. What the journal holds has been acknowledged: it must get into
//! segments, and the manifest must be able to say so, also on a disk that somebody else has filled. Then the
//! file gives its room back, piece by piece; until it is whole again nothing new is acknowledged.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::directory::{DirectoryError, failed};
use crate::disk::{Access, BLOCK_BYTES, Disk, File};
use crate::layout::Layout;

/// The room that a data directory keeps.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    file: Arc<dyn File>,
    bytes: u64,
    held_bytes: u64,
}

impl Reserve {
    /// Keeps `bytes`, or for now what is kept already if the disk has no room for more.
    pub fn open(disk: &dyn Disk, layout: &Layout, bytes: u64) -> Result<Self, DirectoryError> {
        let path = layout.reserve();
        let file = match disk.open(&path, Access::Write) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = disk.create(&path, Access::Write).map_err(failed("create", &path))?;
                disk.sync_directory(layout.root()).map_err(failed("sync", layout.root()))?;
                file
            }
            file => file.map_err(failed("open", &path))?,
        };
        let held_bytes = file.length().map_err(failed("measure", &path))?.min(bytes);
        // It may have been larger.
        file.set_length(held_bytes).map_err(failed("cut", &path))?;
        let mut reserve = Self { path, file, bytes, held_bytes };
        reserve.restore()?;
        Ok(reserve)
    }

    /// Whether all of the room is there. While it is not, nothing may be promised that needs room later.
    pub fn is_whole(&self) -> bool {
        self.held_bytes == self.bytes
    }

    /// Gives at least so much back to the disk, or what is left; says how much that was. Only whole blocks are of use
    /// to anybody.
    pub fn release(&mut self, bytes: u64) -> Result<u64, DirectoryError> {
        let kept = self.held_bytes.saturating_sub(bytes.max(1));
        let held_bytes = kept - kept % BLOCK_BYTES as u64;
        let released = self.held_bytes - held_bytes;
        if released > 0 {
            self.file.set_length(held_bytes).map_err(failed("cut", &self.path))?;
            self.held_bytes = held_bytes;
            // File systems hand blocks out again when it is durable that they were given back.
            self.file.sync().map_err(failed("sync", &self.path))?;
        }
        Ok(released)
    }

    /// Takes back what was given, if there is room for all of it; says whether there was.
    ///
    /// All or nothing: a part of it would be taken from those who write what the rest was given for.
    pub fn restore(&mut self) -> Result<bool, DirectoryError> {
        if self.bytes == 0 {
            // File systems refuse to allocate nothing.
            return Ok(true);
        }
        match self.file.allocate(0, self.bytes) {
            Ok(()) => self.held_bytes = self.bytes,
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                // Some file systems keep what they found until they noticed.
                self.file.set_length(self.held_bytes).map_err(failed("cut", &self.path))?;
            }
            Err(error) => return Err(failed("allocate", &self.path)(error)),
        }
        Ok(self.is_whole())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{ErrorKind, IoSlice};
    use std::path::Path;
    use std::sync::Arc;

    use super::Reserve;
    use crate::disk::simulated::{Operation, Options, SimulatedDisk};
    use crate::disk::{Access, BLOCK_BYTES, Disk, File};
    use crate::layout::Layout;

    const BLOCK: u64 = BLOCK_BYTES as u64;
    const BYTES: u64 = 10 * BLOCK;

    fn new_disk(blocks: u64) -> SimulatedDisk {
        SimulatedDisk::new(Options { capacity_bytes: blocks * BLOCK, ..Options::default() })
    }

    fn open(disk: &SimulatedDisk, bytes: u64) -> Reserve {
        Reserve::open(disk, &Layout::new("/".into()), bytes).unwrap()
    }

    fn other_file(disk: &SimulatedDisk) -> Arc<dyn File> {
        disk.create(Path::new("/other"), Access::Write).unwrap()
    }

    fn write(file: &dyn File, blocks: usize, at_block: u64) -> Option<ErrorKind> {
        let bytes = vec![1; blocks * BLOCK_BYTES];
        file.write_at(&[IoSlice::new(&bytes)], at_block * BLOCK).err().map(|error| error.kind())
    }

    #[test]
    fn what_others_cannot_take_can_be_given_to_who_needs_it() {
        let disk = new_disk(12);
        let mut reserve = open(&disk, BYTES);
        assert!(reserve.is_whole());
        let file = other_file(&disk);
        assert_eq!(write(&*file, 3, 0), Some(ErrorKind::StorageFull));
        assert_eq!(write(&*file, 2, 0), None);
        assert_eq!(write(&*file, 1, 2), Some(ErrorKind::StorageFull));
        assert_eq!(reserve.release(4 * BLOCK).unwrap(), 4 * BLOCK);
        assert!(!reserve.is_whole());
        assert_eq!(write(&*file, 4, 2), None);
        assert_eq!(reserve.release(u64::MAX).unwrap(), 6 * BLOCK);
        assert_eq!(reserve.release(1).unwrap(), 0);
    }

    #[test]
    fn however_little_is_asked_for_a_block_is_given() {
        let disk = new_disk(12);
        let mut reserve = open(&disk, BYTES);
        let file = other_file(&disk);
        assert_eq!(write(&*file, 2, 0), None);
        for number in 0..10 {
            assert_eq!(reserve.release(number % 3).unwrap(), BLOCK);
            assert_eq!(write(&*file, 1, 2 + number), None);
        }
        assert_eq!(reserve.release(1).unwrap(), 0);
    }

    #[test]
    fn it_is_whole_again_when_there_is_room_for_all_of_it() {
        let disk = new_disk(12);
        let mut reserve = open(&disk, BYTES);
        reserve.release(4 * BLOCK).unwrap();
        let file = other_file(&disk);
        assert_eq!(write(&*file, 4, 0), None);
        assert!(!reserve.restore().unwrap());
        assert_eq!(write(&*file, 2, 4), None, "nothing of the room was taken");
        drop(file);
        disk.remove(Path::new("/other")).unwrap();
        assert!(reserve.restore().unwrap());
        assert_eq!(disk.free_bytes().unwrap(), 2 * BLOCK);
    }

    #[test]
    fn after_a_crash_it_is_what_it_should_be_if_there_is_room() {
        let disk = new_disk(12);
        open(&disk, BYTES).release(7 * BLOCK).unwrap();
        disk.crash();
        assert!(open(&disk, BYTES).is_whole());
        assert!(open(&disk, 2 * BLOCK).is_whole());
        assert_eq!(disk.free_bytes().unwrap(), 10 * BLOCK, "it became smaller");
        disk.set_capacity(5 * BLOCK);
        assert!(!open(&disk, BYTES).is_whole());
        assert_eq!(disk.free_bytes().unwrap(), 3 * BLOCK);
    }

    #[test]
    fn a_disk_that_fails_is_an_error() {
        let disk = new_disk(12);
        let mut reserve = open(&disk, BYTES);
        disk.fail(Operation::SetLength, 1);
        assert!(reserve.release(BLOCK).is_err());
        assert!(reserve.is_whole());
        disk.fail(Operation::Allocate, 1);
        assert!(reserve.restore().is_err());
    }
}
