//! A disk in memory that loses what a real one may lose.
//!
//! It keeps what was written apart from what is durable: per block for bytes, per folder for names. The
//! process can be killed ([`SimulatedDisk::kill`]: everything stays readable, nothing becomes durable) and the
//! power can fail ([`SimulatedDisk::crash`]: any of what was pending is lost). Calls can fail, and the machine
//! can halt in the middle of any ([`SimulatedDisk::halt_in`]), or hang in one ([`SimulatedDisk::stall`]). It never
//! touches the machine's own disk.
//!
//! It is harsher than most file systems where it knows them to differ: a write may reach the disk at any
//! time before its sync, in any order; a block may be torn at the borders of its sectors; a file's length and
//! its bytes go their own ways; after a failed sync the lost pages read as if they had been kept.
//!
//! Everything follows from the seed and the calls: [`SimulatedDisk::trace`] tells two runs apart.

mod content;
mod faults;
mod file;
mod names;
mod stalls;
mod state;

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use self::content::Content;
use self::file::{SimulatedFile, SimulatedLock};
use self::state::State;
use super::{Access, BLOCK_BYTES, Disk, Entry, File, Lock};

pub use self::faults::Operation;
pub use self::stalls::Stall;

/// What a simulated disk is like.
#[derive(Clone, Debug)]
pub struct Options {
    /// What everything random follows from.
    pub seed: u64,
    /// How many bytes fit on it.
    pub capacity_bytes: u64,
    /// What is written as a whole or not at all: 512 on most disks, never more than a block.
    pub sector_bytes: usize,
    /// Whether it refuses [`Access::DirectSynced`], as some file systems do.
    pub refuses_direct: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 0, capacity_bytes: 1 << 40, sector_bytes: 512, refuses_direct: false }
    }
}

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimulatedDisk {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// A stall was reached, or has ended.
    changed: Condvar,
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new(options: Options) -> Self {
        let shared = Shared { state: Mutex::new(State::new(options)), changed: Condvar::new() };
        Self { shared: Arc::new(shared) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The power fails and comes back. What was not durable is gone, or not; files and locks of before are
    /// dead; planned faults are forgotten.
    pub fn crash(&self) {
        self.state().crash();
        self.shared.changed.notify_all();
    }

    /// The process dies, and another one begins. All that was written can be read, and what was pending still
    /// is; files and locks of before are dead; planned faults are forgotten.
    pub fn kill(&self) {
        self.state().kill();
        self.shared.changed.notify_all();
    }

    /// Lets the `nth` operation of a kind from now on fail, once; one is the next.
    pub fn fail(&self, operation: Operation, nth: u64) {
        self.state().faults.fail(operation, nth);
    }

    /// Halts the machine in the middle of the operation that is so many away; one is the next. It and all
    /// that follow give errors until [`SimulatedDisk::crash`] or [`SimulatedDisk::kill`].
    pub fn halt_in(&self, operations: u64) {
        self.state().faults.halt_in(Some(operations));
    }

    /// Forgets the faults that are planned and have not happened.
    pub fn forget_faults(&self) {
        self.state().forget_faults();
        self.shared.changed.notify_all();
    }

    /// Whether the machine has halted.
    pub fn is_halted(&self) -> bool {
        self.state().is_halted
    }

    /// Makes the disk larger or smaller. What is there stays.
    pub fn set_capacity(&self, capacity_bytes: u64) {
        self.state().options.capacity_bytes = capacity_bytes;
    }

    /// Lets it refuse [`Access::DirectSynced`] from now on, or not any more.
    pub fn set_refuses_direct(&self, refuses: bool) {
        self.state().options.refuses_direct = refuses;
    }

    /// Lets it open and make no file from now on, as where a process has as many open as it may, or lets it again.
    pub fn set_lacks_descriptors(&self, lacks: bool) {
        self.state().lacks_descriptors = lacks;
    }

    /// Turns a bit of a file around, as a decaying disk does.
    pub fn flip_bit(&self, path: &Path, offset: u64, bit: u8) -> io::Result<()> {
        let mut state = self.state();
        let node = state.names.find(path)?;
        state.file(node)?.flip_bit(offset, bit);
        Ok(())
    }

    /// How long a file is for its readers, without counting as an operation.
    pub fn length_of(&self, path: &Path) -> io::Result<u64> {
        let mut state = self.state();
        let node = state.names.find(path)?;
        Ok(state.file(node)?.length())
    }

    /// How many operations there have been.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// A number that follows from all operations, what they wrote and how they went.
    pub fn trace(&self) -> u64 {
        self.state().trace
    }

    fn file(&self, node: names::Node, access: Access, state: &mut State) -> Arc<dyn File> {
        *state.open.entry(node).or_default() += 1;
        Arc::new(SimulatedFile::new(self.clone(), node, access, state.process))
    }
}

impl Disk for SimulatedDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let mut state = self.enter(Operation::Create, |_| {})?;
        state.refuse_opening(access)?;
        let node = state.name(Operation::Create, path, |state| state.names.add(path, false))?;
        state.files.insert(node, Content::default());
        Ok(self.file(node, access, &mut state))
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        let mut state = self.enter(Operation::Open, |_| {})?;
        state.refuse_opening(access)?;
        let node = state.name(Operation::Open, path, |state| state.names.find(path))?;
        if state.names.is_folder(node) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        Ok(self.file(node, access, &mut state))
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter(Operation::CreateDirectory, |_| {})?;
        state.name(Operation::CreateDirectory, path, |state| state.names.add(path, true)).map(drop)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter(Operation::RemoveDirectory, |_| {})?;
        state.name(Operation::RemoveDirectory, path, |state| state.names.remove(path, true))
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut state = self.enter(Operation::List, |_| {})?;
        state.name(Operation::List, path, |state| state.names.list(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.enter(Operation::Rename, |_| {})?;
        state.note(to.as_os_str().as_encoded_bytes());
        state.name(Operation::Rename, from, |state| state.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.enter(Operation::Remove, |_| {})?;
        state.name(Operation::Remove, path, |state| state.remove(path))
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        self.enter(Operation::SyncDirectory, |_| {})?.sync_directory(path)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        self.enter(Operation::SyncFileSystem, |_| {})?.sync_file_system()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let mut state = self.enter(Operation::FreeBytes, |_| {})?;
        state.begin_simple(Operation::FreeBytes)?;
        Ok(state.free_blocks() * BLOCK_BYTES as u64)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut state = self.enter(Operation::Lock, |_| {})?;
        state.note(path.as_os_str().as_encoded_bytes());
        state.begin_simple(Operation::Lock)?;
        let node = state.names.find(path).or_else(|_| state.names.add(path, false))?;
        state.files.entry(node).or_default();
        if state.locks.insert(node) {
            Ok(Box::new(SimulatedLock::new(self.clone(), node, state.process)))
        } else {
            Err(io::ErrorKind::WouldBlock.into())
        }
    }
}

#[cfg(test)]
mod tests;
