//! An open file of the simulated disk, and a lock.

use std::borrow::Cow;
use std::io;
use std::os::fd::BorrowedFd;
use std::sync::MutexGuard;

use super::SimulatedDisk;
use super::faults::{Operation, Outcome};
use super::names::Node;
use super::state::{State, broken, dead, halted};
use crate::disk::{Access, BLOCK_BYTES, File, Lock};

#[derive(Debug)]
pub(super) struct SimulatedFile {
    disk: SimulatedDisk,
    node: Node,
    access: Access,
    process: u64,
}

impl SimulatedFile {
    pub(super) fn new(disk: SimulatedDisk, node: Node, access: Access, process: u64) -> Self {
        Self { disk, node, access, process }
    }

    fn begin(
        &self,
        operation: Operation,
        offset: u64,
        length: u64,
    ) -> io::Result<(MutexGuard<'_, State>, Outcome)> {
        self.begin_with(operation, offset, length, |_| {})
    }

    /// As [`Self::begin`], and if the operation hangs, `begun` has been done by then.
    fn begin_with(
        &self,
        operation: Operation,
        offset: u64,
        length: u64,
        begun: impl FnOnce(&mut State),
    ) -> io::Result<(MutexGuard<'_, State>, Outcome)> {
        if self.disk.state().process != self.process {
            return Err(dead());
        }
        // Only a live process uses up a planned hang, and it may die before its turn comes, or in the hang.
        let mut state = self.disk.enter(operation, begun)?;
        if state.process != self.process {
            return Err(dead());
        }
        for number in [self.node, offset, length] {
            state.note_number(number);
        }
        let outcome = state.begin(operation)?;
        Ok((state, outcome))
    }

    fn must_write(&self) -> io::Result<()> {
        if self.access == Access::Read { Err(io::ErrorKind::PermissionDenied.into()) } else { Ok(()) }
    }

    /// A file that bypasses the page cache takes whole blocks alone, from memory that is aligned to them.
    fn must_be_aligned(&self, memory: &[u8], offset: u64) -> io::Result<()> {
        let is_aligned = memory.len().is_multiple_of(BLOCK_BYTES)
            && memory.as_ptr().addr().is_multiple_of(BLOCK_BYTES)
            && offset.is_multiple_of(BLOCK_BYTES as u64);
        if self.access == Access::DirectSynced && !is_aligned {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        Ok(())
    }
}

/// A change that ends where it began, with the error that belongs to its outcome.
fn finish(outcome: Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Done => Ok(()),
        Outcome::Failed => Err(broken()),
        Outcome::Halted => Err(halted()),
    }
}

fn whole(length: usize) -> u64 {
    length as u64
}

fn join<'a>(parts: &'a [io::IoSlice<'_>]) -> Cow<'a, [u8]> {
    match parts {
        [part] => Cow::Borrowed(part),
        parts => Cow::Owned(parts.iter().map(|part| &**part).collect::<Vec<_>>().concat()),
    }
}

impl File for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        let (mut state, outcome) = self.begin(Operation::Length, 0, 0)?;
        finish(outcome)?;
        Ok(state.file(self.node)?.length())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.must_be_aligned(&*buffer, offset)?;
        let (mut state, outcome) = self.begin(Operation::Read, offset, whole(buffer.len()))?;
        finish(outcome)?;
        Ok(state.file(self.node)?.read(buffer, offset))
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        self.must_write()?;
        parts.iter().try_for_each(|part| self.must_be_aligned(part, offset))?;
        let bytes = join(parts);
        // A part from the front, which is pending: even one past the page cache may lie in a cache of the
        // disk's own.
        let write_part = |state: &mut State| {
            state.change(self.node, |content, random| {
                let done = random.index(bytes.len() + 1);
                content.write(bytes.get(..done).unwrap_or_default(), offset, random);
            })
        };
        let length = whole(bytes.len());
        let (mut state, outcome) = self.begin_with(Operation::Write, offset, length, |state| {
            // Without room it fails once it goes on.
            if state.has_room(self.node, offset, length) {
                let _ = write_part(state);
            }
        })?;
        state.note(&bytes);
        if !state.has_room(self.node, offset, length) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match (outcome, self.access) {
            (Outcome::Done, Access::DirectSynced) => {
                state.change(self.node, |content, _| content.write_durably(&bytes, offset))?;
            }
            (Outcome::Done, _) => {
                state.change(self.node, |content, random| content.write(&bytes, offset, random))?;
            }
            (Outcome::Failed | Outcome::Halted, _) => write_part(&mut state)?,
        }
        finish(outcome)
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        self.must_write()?;
        if length == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let (mut state, outcome) = self.begin(Operation::Allocate, offset, length)?;
        finish(outcome)?;
        if !state.has_room(self.node, offset, length) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.change(self.node, |content, _| content.allocate(offset, length))
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.must_write()?;
        let (mut state, outcome) = self.begin(Operation::SetLength, 0, length)?;
        if outcome != Outcome::Failed {
            state.change(self.node, |content, _| content.set_length(length))?;
        }
        finish(outcome)
    }

    fn sync(&self) -> io::Result<()> {
        let (mut state, outcome) = self.begin(Operation::Sync, 0, 0)?;
        let (content, random) = state.file_and_random(self.node)?;
        match outcome {
            Outcome::Done => content.sync(),
            Outcome::Failed => content.fail_sync(random),
            // What is pending stays so: the crash decides.
            Outcome::Halted => {}
        }
        finish(outcome)
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        let (_state, outcome) = self.begin(Operation::StartWriteback, offset, length)?;
        finish(outcome)
    }

    fn start_read(&self, _: u64, _: u64) -> io::Result<()> {
        Ok(())
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }
}

impl Drop for SimulatedFile {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.process == self.process {
            state.close(self.node);
        }
    }
}

#[derive(Debug)]
pub(super) struct SimulatedLock {
    disk: SimulatedDisk,
    node: Node,
    process: u64,
}

impl SimulatedLock {
    pub(super) fn new(disk: SimulatedDisk, node: Node, process: u64) -> Self {
        Self { disk, node, process }
    }
}

impl Lock for SimulatedLock {}

impl Drop for SimulatedLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.process == self.process {
            state.locks.remove(&self.node);
        }
    }
}
