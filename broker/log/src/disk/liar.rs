//! Disks that do not do what they say: what a programming mistake would make of an honest one.

#![cfg(test)]

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use crate::disk::simulated::SimulatedDisk;
use crate::disk::{Access, Disk, Entry, File, Lock};

/// What is left out, in silence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    /// Every sync of a file.
    Sync,
    /// Every sync of names.
    DirectorySync,
    /// The room of files, which grow all the same.
    Allocation,
    /// To write what reads as it should already.
    EqualWrites,
    /// The same, and to cut files.
    CutsAndEqualWrites,
    /// The sync of the whole file system.
    FileSystemSync,
    /// To wait for a sync of the engine's journal: each comes when the next write does.
    LateSync,
    /// That a sync failed: it is tried again, and then it is fine.
    FailedSync,
}

#[derive(Debug)]
pub(crate) struct Liar {
    pub(crate) disk: SimulatedDisk,
    pub(crate) lie: Lie,
}

#[derive(Debug)]
struct LiarFile {
    file: Arc<dyn File>,
    readable: Arc<dyn File>,
    lie: Lie,
}

fn is_journal(path: &Path) -> bool {
    path.starts_with("/data/journal")
}

impl Liar {
    fn wrap(&self, path: &Path, file: Arc<dyn File>) -> io::Result<Arc<dyn File>> {
        let readable = self.disk.open(path, Access::Read)?;
        let lie = match self.lie {
            Lie::LateSync if !is_journal(path) => return Ok(file),
            lie => lie,
        };
        Ok(Arc::new(LiarFile { file, readable, lie }))
    }
}

impl Disk for Liar {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.wrap(path, self.disk.create(path, access)?)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let lies = self.lie == Lie::Sync || (self.lie == Lie::LateSync && is_journal(path));
        let is_unsynced = lies && access == Access::DirectSynced;
        let access = if is_unsynced { Access::Write } else { access };
        self.wrap(path, self.disk.open(path, access)?)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.disk.create_directory(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.disk.remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.disk.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        if self.lie == Lie::DirectorySync { Ok(()) } else { self.disk.sync_directory(path) }
    }

    fn sync_file_system(&self) -> io::Result<()> {
        if self.lie == Lie::FileSystemSync { Ok(()) } else { self.disk.sync_file_system() }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.disk.lock(path)
    }
}

impl File for LiarFile {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        if self.lie == Lie::LateSync {
            self.file.sync()?;
        }
        if matches!(self.lie, Lie::EqualWrites | Lie::CutsAndEqualWrites) {
            let wanted = parts.iter().map(|part| &**part).collect::<Vec<_>>().concat();
            let mut there = vec![0; wanted.len()];
            if self.readable.read_at(&mut there, offset)? == wanted.len() && there == wanted {
                return Ok(());
            }
        }
        self.file.write_at(parts, offset)
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        if self.lie == Lie::Allocation {
            self.file.set_length(self.file.length()?.max(offset + length))
        } else {
            self.file.allocate(offset, length)
        }
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        if self.lie == Lie::CutsAndEqualWrites { Ok(()) } else { self.file.set_length(length) }
    }

    fn sync(&self) -> io::Result<()> {
        match self.lie {
            Lie::Sync | Lie::LateSync => Ok(()),
            Lie::FailedSync => self.file.sync().or_else(|_| self.file.sync()),
            _ => self.file.sync(),
        }
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_writeback(offset, length)
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_read(offset, length)
    }

    fn read_ahead(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.read_ahead(offset, length)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
