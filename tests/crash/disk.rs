//! The machine's disk, and the same as if its file system knew no direct writes.

use std::io;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, Disk, Entry, File, Lock};

use crate::{Failure, Outcome};

/// How a journal gets to the disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// Past the page cache.
    Direct,
    /// Through it, with a sync behind each write.
    Buffered,
}

impl Way {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Buffered => "buffered",
        }
    }
}

impl FromStr for Way {
    type Err = Failure;

    fn from_str(text: &str) -> Outcome<Self> {
        [Self::Direct, Self::Buffered]
            .into_iter()
            .find(|way| way.word() == text)
            .ok_or_else(|| format!("{text:?} is no way to a disk").into())
    }
}

/// The disk that holds `root`.
pub(crate) fn disk(root: &Path, way: Way) -> io::Result<Arc<dyn Disk>> {
    let disk = RealDisk::new(root)?;
    Ok(match way {
        Way::Direct => Arc::new(disk),
        Way::Buffered => Arc::new(BufferedDisk(disk)),
    })
}

/// The machine's disk, which refuses direct writes as some file systems do.
#[derive(Debug)]
struct BufferedDisk(RealDisk);

impl BufferedDisk {
    fn refuse_direct(access: Access) -> io::Result<()> {
        match access {
            Access::DirectSynced => Err(io::ErrorKind::InvalidInput.into()),
            Access::Read | Access::Write => Ok(()),
        }
    }
}

impl Disk for BufferedDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        Self::refuse_direct(access)?;
        self.0.create(path, access)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        Self::refuse_direct(access)?;
        self.0.open(path, access)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.0.create_directory(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.0.remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.0.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.0.sync_directory(path)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.0.sync_file_system()
    }

    fn reports_all_losses(&self) -> bool {
        self.0.reports_all_losses()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.0.free_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.0.lock(path)
    }
}
