//! The disk of the machine. The only place of the engine with `fsync`, `rename` and their kin; each says what
//! it is for.

mod ahead;
mod file;
mod kernel;
mod loaded;
mod loading;
mod loads;
mod past_cache;

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use self::file::{RealFile, Shared};
use self::kernel::reports_all_losses;
use super::{Access, Disk, Entry, File, Lock};

/// The file system that a folder lies in.
#[derive(Debug)]
pub struct RealDisk {
    // Held from the start: the kernel reports a lost write to those who had the file system open when it
    // was lost, and to nobody who comes later.
    root: OwnedFd,
    reports_all_losses: bool,
    shared: Arc<Shared>,
}

impl RealDisk {
    /// The file system that holds `root`, a folder that is there.
    pub fn new(root: &Path) -> io::Result<Self> {
        let root = fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        // Not known is as good as too old: that is slower, and safe.
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let nowhere = fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).ok();
        let shared = Arc::new(Shared::new(nowhere));
        Ok(Self { root, reports_all_losses: reports_all_losses(&release), shared })
    }

    fn open_with(&self, path: &Path, access: Access, extra: OFlags) -> io::Result<Arc<dyn File>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
            Access::DirectSynced => OFlags::RDWR | OFlags::DIRECT | OFlags::DSYNC,
        };
        let descriptor =
            retry(|| fs::open(path, flags | extra | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR | Mode::RGRP))?;
        Ok(Arc::new(RealFile::new(descriptor, access, Arc::clone(&self.shared))))
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.open_with(path, access, OFlags::CREATE | OFlags::EXCL)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.open_with(path, access, OFlags::empty())
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        u64::try_from(fs::stat(path)?.st_size).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        Ok(fs::mkdir(path, Mode::RWXU | Mode::RGRP | Mode::XGRP)?)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        Ok(fs::rmdir(path)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in when_there_are_descriptors(|| std::fs::read_dir(path))? {
            let entry = entry?;
            // A name that is no text is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry { name, is_directory: entry.file_type()?.is_dir() });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(fs::rename(from, to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Ok(fs::unlink(path)?)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = when_there_are_descriptors(|| Ok(fs::open(path, flags, Mode::empty())?))?;
        Ok(fs::fsync(directory)?)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        Ok(fs::syncfs(&self.root)?)
    }

    fn reports_all_losses(&self) -> bool {
        self.reports_all_losses
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = fs::fstatvfs(&self.root)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }

    fn total_bytes(&self) -> io::Result<Option<u64>> {
        let state = fs::fstatvfs(&self.root)?;
        Ok(Some(state.f_blocks.saturating_mul(state.f_frsize)))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let descriptor = fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
        // Belongs to the open file: it goes with the process, however that dies.
        fs::flock(&descriptor, fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(RealLock { _descriptor: descriptor }))
    }
}

/// How often, and with how long between, a folder is opened that has to be, while there are no descriptors.
const TRIES_MAX: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

/// Opens a folder, and waits where the process has as many files open as it may: whoever syncs one or lists it is in the
/// middle of something, and cannot put it off as whoever opens a file does.
fn when_there_are_descriptors<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..TRIES_MAX {
        match open() {
            Err(error) if lacks_descriptors(&error) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    open()
}

/// Whether a file was not opened since the process, or the machine, has as many open as it may: nothing happened to the
/// file, and it can be opened when others were closed.
pub fn lacks_descriptors(error: &io::Error) -> bool {
    let without = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| without.contains(&code))
}

/// What a system says that lets a process open no more.
pub(crate) fn no_descriptors() -> io::Error {
    Errno::MFILE.into()
}

/// A lock on an open file of the machine.
#[derive(Debug)]
struct RealLock {
    // Closing it gives the lock back.
    _descriptor: OwnedFd,
}

impl Lock for RealLock {}

/// Reads once, as much as comes.
fn read_once(file: &OwnedFd, room: &mut [u8], at: u64) -> io::Result<usize> {
    Ok(retry(|| rustix::io::pread(file, &mut *room, at))?)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Repeats a call that a signal interrupted before it did anything.
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
