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

    fn note(&self, operation: Operation, path: &Path) -> io::Result<()> {
        self.note_step(Step { operation, path: path.to_owned(), to: None, offset: 0, length: 0 })
    }

    fn note_step(&self, step: Step) -> io::Result<()> {
        let mut notes = self.notes();
        if notes.halts_before.is_some_and(|halts_before| notes.steps.len() >= halts_before) {
            return Err(io::Error::other("the watched machine stands still"));
        }
        notes.steps.push(step);
        Ok(())
    }

    fn wrap(&self, path: &Path, file: Arc<dyn File>) -> Arc<dyn File> {
        Arc::new(WatchedFile { watched: self.clone(), path: path.to_owned(), file })
    }
}

impl Disk for Watched {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.note(Operation::Create, path)?;
        Ok(self.wrap(path, self.disk.create(path, access)?))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.note(Operation::Open, path)?;
        Ok(self.wrap(path, self.disk.open(path, access)?))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        self.note(Operation::CreateDirectory, path)?;
        self.disk.create_directory(path)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        self.note(Operation::RemoveDirectory, path)?;
        self.disk.remove_directory(path)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        self.note(Operation::List, path)?;
        self.disk.list(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let (path, to_path) = (from.to_owned(), Some(to.to_owned()));
        self.note_step(Step { operation: Operation::Rename, path, to: to_path, offset: 0, length: 0 })?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(Operation::Remove, path)?;
        self.disk.remove(path)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.note(Operation::SyncDirectory, path)?;
        self.disk.sync_directory(path)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.note(Operation::SyncFileSystem, Path::new("/"))?;
        self.disk.sync_file_system()
    }

    fn reports_all_losses(&self) -> bool {
        !self.notes().hides_losses
    }

    fn free_bytes(&self) -> io::Result<u64> {
        self.note(Operation::FreeBytes, Path::new("/"))?;
        self.disk.free_bytes()
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        self.note(Operation::Lock, path)?;
        self.disk.lock(path)
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
    fn note(&self, operation: Operation, offset: u64, length: u64) -> io::Result<()> {
        self.watched.note_step(Step { operation, path: self.path.clone(), to: None, offset, length })
    }
}

impl File for WatchedFile {
    fn length(&self) -> io::Result<u64> {
        self.note(Operation::Length, 0, 0)?;
        self.file.length()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.note(Operation::Read, offset, buffer.len() as u64)?;
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.note(Operation::Write, offset, parts.iter().map(|part| part.len() as u64).sum())?;
        self.file.write_at(parts, offset)
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        self.note(Operation::Allocate, offset, length)?;
        self.file.allocate(offset, length)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.note(Operation::SetLength, 0, length)?;
        self.file.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.note(Operation::Sync, 0, 0)?;
        self.file.sync()
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        self.note(Operation::StartWriteback, offset, length)?;
        self.file.start_writeback(offset, length)
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        self.file.start_read(offset, length)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.file.descriptor()
    }
}
