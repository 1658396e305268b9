//! A disk that does not do what it says.

use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use strandline_log::disk::simulated::SimulatedDisk;
use strandline_log::disk::{Access, Disk, Entry, File, Lock};

/// What is left out, in silence.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lie {
    /// Every sync of a file.
    Sync,
    /// To wait for a sync of the journal: each comes with the next write.
    LateSync,
    /// Every sync of names.
    DirectorySync,
}

/// A disk that does not do what it says.
#[derive(Debug)]
pub(crate) struct LyingDisk {
    pub(crate) disk: SimulatedDisk,
    pub(crate) lie: Lie,
}

#[derive(Debug)]
struct LyingFile {
    file: Arc<dyn File>,
    lie: Lie,
}

impl LyingDisk {
    fn lies_about(&self, path: &Path) -> bool {
        match self.lie {
            Lie::Sync => true,
            Lie::LateSync => path.starts_with("/data/journal"),
            Lie::DirectorySync => false,
        }
    }

    /// A write that is durable when it returns becomes one that is not.
    fn access(&self, path: &Path, access: Access) -> Access {
        if access == Access::DirectSynced && self.lies_about(path) { Access::Write } else { access }
    }

    fn wrap(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        if self.lies_about(path) { Arc::new(LyingFile { file, lie: self.lie }) } else { file }
    }
}

impl Disk for LyingDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(path, self.disk.create(path, self.access(path, access))?))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        Ok(self.wrap(path, self.disk.open(path, self.access(path, access))?))
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
        if self.lie == Lie::Sync { Ok(()) } else { self.disk.sync_file_system() }
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.disk.lock(path)
    }
}

impl File for LyingFile {
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
        self.file.write_at(parts, offset)
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.allocate(offset, length)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_writeback(offset, length)
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_read(offset, length)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}
