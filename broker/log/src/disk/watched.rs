//! A disk that writes down what it is asked, and stops exactly between two things that it is asked.

#![cfg(test)]

use std::io;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::disk::simulated::{Operation, SimulatedDisk};
use crate::disk::{Access, Disk, Entry, File, Lock};

/// Something that was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    pub(crate) operation: Operation,
    pub(crate) path: PathBuf,
    /// The new name, of what got one.
    pub(crate) to: Option<PathBuf>,
    pub(crate) offset: u64,
    pub(crate) length: u64,
    /// Whether the disk refused it.
    pub(crate) has_failed: bool,
}

impl Step {
    fn new(operation: Operation, path: &Path) -> Self {
        Self { operation, path: path.to_owned(), to: None, offset: 0, length: 0, has_failed: false }
    }
}

#[derive(Debug, Default)]
struct Notes {
    steps: Vec<Step>,
    /// Nothing is done from this step on.
    halts_before: Option<usize>,
    hides_losses: bool,
}

/// A simulated disk, watched. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    disk: SimulatedDisk,
    notes: Arc<Mutex<Notes>>,
}

impl Watched {
    pub(crate) fn new(disk: &SimulatedDisk) -> Self {
        Self { disk: disk.clone(), notes: Arc::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was asked since the last call, or since the beginning.
    pub(crate) fn take_steps(&self) -> Vec<Step> {
        std::mem::take(&mut self.notes().steps)
    }

    /// Does nothing any more from the step on that has this place among those that are noted; all goes on with none.
    pub(crate) fn halt_before(&self, step: Option<usize>) {
        self.notes().halts_before = step;
    }

    /// Is an old kernel's from now on, whose sync of the whole file system does not tell of what was lost.
    pub(crate) fn hide_losses(&self) {
        self.notes().hides_losses = true;
    }

    fn see<T>(
        &self,
        operation: Operation,
        path: &Path,
        act: impl FnOnce(&SimulatedDisk) -> io::Result<T>,
    ) -> io::Result<T> {
        self.see_step(Step::new(operation, path), || act(&self.disk))
    }

    fn see_step<T>(&self, step: Step, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let place = {
            let mut notes = self.notes();
            if notes.halts_before.is_some_and(|halts_before| notes.steps.len() >= halts_before) {
                return Err(io::Error::other("the watched machine stands still"));
            }
            notes.steps.push(step);
            notes.steps.len() - 1
        };
        let result = act();
        if result.is_err()
            && let Some(step) = self.notes().steps.get_mut(place)
        {
            step.has_failed = true;
        }
        result
    }

    fn wrap(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(WatchedFile { watched: self.clone(), path: path.to_owned(), file })
    }
}

impl Disk for Watched {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let file = self.see(Operation::Create, path, |disk| disk.create(path, access))?;
        Ok(self.wrap(path, file))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let file = self.see(Operation::Open, path, |disk| disk.open(path, access))?;
        Ok(self.wrap(path, file))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.see(Operation::CreateDirectory, path, |disk| disk.create_directory(path))
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.see(Operation::RemoveDirectory, path, |disk| disk.remove_directory(path))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.see(Operation::List, path, |disk| disk.list(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let step = Step { to: Some(to.to_owned()), ..Step::new(Operation::Rename, from) };
        self.see_step(step, || self.disk.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.see(Operation::Remove, path, |disk| disk.remove(path))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.see(Operation::SyncDirectory, path, |disk| disk.sync_directory(path))
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.see(Operation::SyncFileSystem, Path::new("/"), Disk::sync_file_system)
    }

    fn reports_all_losses(&self) -> bool {
        !self.notes().hides_losses
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.see(Operation::FreeBytes, Path::new("/"), Disk::free_bytes)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.see(Operation::Lock, path, |disk| disk.lock(path))
    }
}

/// An open file, by the name that it was opened with.
#[derive(Debug)]
struct WatchedFile {
    watched: Watched,
    path: PathBuf,
    file: Arc<dyn File>,
}

impl WatchedFile {
    fn see<T>(
        &self,
        operation: Operation,
        (offset, length): (u64, u64),
        act: impl FnOnce(&dyn File) -> io::Result<T>,
    ) -> io::Result<T> {
        let step = Step { offset, length, ..Step::new(operation, &self.path) };
        self.watched.see_step(step, || act(&*self.file))
    }
}

impl File for WatchedFile {
    fn length(&self) -> io::Result<u64> {
        self.see(Operation::Length, (0, 0), |file| file.length())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.see(Operation::Read, (offset, buffer.len() as u64), |file| file.read_at(buffer, offset))
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        self.see(Operation::Write, (offset, length), |file| file.write_at(parts, offset))
    }

    fn write_past_cache_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        let length = parts.iter().map(|part| part.len() as u64).sum();
        self.see(Operation::WritePastCache, (offset, length), |file| file.write_past_cache_at(parts, offset))
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        self.see(Operation::Allocate, (offset, length), |file| file.allocate(offset, length))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.see(Operation::SetLength, (0, length), |file| file.set_length(length))
    }

    fn sync(&self) -> io::Result<()> {
        self.see(Operation::Sync, (0, 0), |file| file.sync())
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        self.see(Operation::StartWriteback, (offset, length), |file| file.start_writeback(offset, length))
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_read(offset, length)
    }

    fn read_ahead(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.read_ahead(offset, length)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.descriptor()
    }
}
