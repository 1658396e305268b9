//! The disk behind a small trait: everything that the engine asks of a file system, and nothing more.
//!
//! Two implementations: [`real::RealDisk`], where every `fsync`, `rename` and `fallocate` of the engine lives,
//! and [`simulated::SimulatedDisk`], which keeps what was written apart from what is durable, and can crash in
//! between. The engine's code is the same on both.
//!
//! What the engine may rely on, and no more:
//!
//! - A write is durable after a `sync` of its file that returned without an error, and not before.
//! - A name is durable after a `sync_directory` of its folder; a rename is atomic.
//! - After a sync of a file that failed nothing is known about what it covered, and no later sync makes up for
//!   it: what was lost may well be readable.
//! - Reads see what was written, durable or not: what can be read after the death of the process may be gone
//!   after the death of the machine.

use std::fmt;
use std::io;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

pub(crate) mod liar;
pub mod real;
pub mod simulated;
pub(crate) mod watched;

pub use self::real::lacks_descriptors;

/// The unit in which journals are written: file systems and disks tear no smaller than their sector, and no
/// known one has a larger block that matters here.
pub const BLOCK_BYTES: usize = 4 << 10;

/// What came of something that was done to a file or a folder which need not be there; none if it is not.
pub(crate) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

/// A file system, or a part of it.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a new file; one that is there already is an error. Its name is durable only after
    /// [`Disk::sync_directory`].
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>>;

    /// Opens a file that is there.
    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>>;

    /// How long a file is that need not be open.
    fn length(&self, path: &Path) -> io::Result<u64> {
        self.open(path, Access::Read)?.length()
    }

    /// Makes a new folder; one that is there already is an error.
    fn create_directory(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_directory(&self, path: &Path) -> io::Result<()>;

    /// What a folder holds, in the order of the names.
    fn list(&self, path: &Path) -> io::Result<Vec<Entry>>;

    /// Gives a file or folder another name, in place of what had that name.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Those who have it open keep its bytes.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a folder durable: created, renamed and removed ones.
    fn sync_directory(&self, path: &Path) -> io::Result<()>;

    /// Makes everything durable that has been written to the file system, names included, and reports what
    /// went wrong with any of it since the disk was opened or last asked.
    fn sync_file_system(&self) -> io::Result<()>;

    /// Whether [`Disk::sync_file_system`] reports every write that was lost. Where it does not, a file's own sync has to.
    fn reports_all_losses(&self) -> bool {
        true
    }

    /// How many bytes are left for new files.
    fn free_bytes(&self) -> io::Result<u64>;

    /// How many bytes it holds at most, free or not; none if it is of no certain size.
    fn total_bytes(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }

    /// Keeps other processes away from the folder that holds `path`, until what is returned is dropped; an
    /// error of kind [`io::ErrorKind::WouldBlock`] where another one was first.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;
}

/// Reads ahead what is likely to be loaded.
pub type LoadJob = Box<dyn FnOnce() + Send>;

/// An open file.
pub trait File: fmt::Debug + Send + Sync {
    /// How long it is.
    fn length(&self) -> io::Result<u64>;

    /// Reads at `offset` until `buffer` is full or the file ends; says how much it read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of the parts at `offset`, one behind the other.
    ///
    /// On an error any of it may have been written, and any not.
    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()>;

    /// The same, for what is not likely to be read soon: as much of it as can leaves no copy in memory. It is as durable
    /// as what [`File::write_at`] has written, which is not at all before a sync.
    fn write_past_cache_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.write_at(parts, offset)
    }

    /// Gives the file blocks of its own for the range, so that writing there cannot fail for want of room; the
    /// file grows to hold it. New bytes read as zero. A range of nothing is an error.
    fn allocate(&self, offset: u64, length: u64) -> io::Result<()>;

    /// Cuts the file, or lengthens it by a hole that reads as zero.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes what was written durable, and the length with it.
    fn sync(&self) -> io::Result<()>;

    /// Asks that writing the range to the disk begin, so that a later sync has less to wait for. A hint: it
    /// promises nothing, and loses nothing where it does nothing.
    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()>;

    /// Asks that the range be read into memory, so that a later read has less to wait for. A hint, as well.
    fn start_read(&self, offset: u64, length: u64) -> io::Result<()>;

    /// The same for somebody who will go on behind it, and waits: some of what follows may be read too. A hint, as well.
    fn read_ahead(&self, offset: u64, length: u64) -> io::Result<()> {
        self.start_read(offset, length)
    }

    /// The range in memory of this process, where that is the cheaper way to bytes that are sent once; none where they are
    /// better sent from the file, or cannot be had like this.
    fn load(&self, _offset: u64, _length: u64) -> Option<Bytes> {
        None
    }

    /// Work that reads what is likely to be loaded next, for a thread that may wait; none where nothing is. All bytes up to
    /// `end` are good. Whoever comes for the range waits for the work, which has to be done or dropped.
    fn load_ahead(&self, _offset: u64, _length: u64, _end: u64) -> Option<LoadJob> {
        None
    }

    /// The descriptor for those who send from it; a simulated file has none.
    fn descriptor(&self) -> Option<BorrowedFd<'_>>;
}

/// Keeps other processes away until it is dropped.
pub trait Lock: fmt::Debug + Send + Sync {}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Reading.
    Read,
    /// Reading and writing, through the page cache.
    Write,
    /// Reading and writing past the page cache: memory, offsets and lengths are multiples of [`BLOCK_BYTES`], and a
    /// write is durable when it returns without an error. File systems may refuse it, when the file is opened
    /// or when it is first written to.
    DirectSynced,
}

/// What a folder holds under a name.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Entry {
    /// The name.
    pub name: String,
    /// Whether it is a folder itself.
    pub is_directory: bool,
}

/// Fills `buffer` from `offset`; a file that ends before it is an error of kind
/// [`io::ErrorKind::UnexpectedEof`].
pub fn read_exact_at(file: &dyn File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    if file.read_at(buffer, offset)? == buffer.len() {
        Ok(())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests;
