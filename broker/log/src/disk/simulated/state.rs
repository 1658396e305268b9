//! All of the simulated disk behind its lock: names, contents, faults, and the count of what happened.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::content::Content;
use super::faults::{Faults, Operation, Outcome};
use super::names::{Names, Node};
use super::stalls::Stalls;
use super::{Access, Options};
use crate::disk::BLOCK_BYTES;
use crate::disk::real::no_descriptors;
use crate::random::{Random, mix};

#[derive(Debug)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) names: Names,
    pub(super) files: BTreeMap<Node, Content>,
    /// How often each file is open.
    pub(super) open: BTreeMap<Node, usize>,
    /// Files that are open and have no name any more: they keep their room until nobody has them open.
    nameless: BTreeSet<Node>,
    /// What all files take of the disk that are open or have a name.
    used_blocks: u64,
    pub(super) locks: BTreeSet<Node>,
    pub(super) faults: Faults,
    pub(super) stalls: Stalls,
    pub(super) is_halted: bool,
    pub(super) lacks_descriptors: bool,
    /// Rises when the process dies: its files and locks are told by it.
    pub(super) process: u64,
    pub(super) operations: u64,
    pub(super) trace: u64,
    pub(super) random: Random,
}

/// The error of a disk that does not do what it is for.
pub(super) fn broken() -> io::Error {
    io::Error::from_raw_os_error(libc::EIO)
}

pub(super) fn halted() -> io::Error {
    io::Error::other("the simulated machine has halted")
}

pub(super) fn dead() -> io::Error {
    io::Error::other("the process that asked for it is dead")
}

impl State {
    pub(super) fn new(options: Options) -> Self {
        Self {
            random: Random::from_seed(options.seed),
            options,
            names: Names::new(),
            files: BTreeMap::new(),
            open: BTreeMap::new(),
            nameless: BTreeSet::new(),
            used_blocks: 0,
            locks: BTreeSet::new(),
            faults: Faults::default(),
            stalls: Stalls::default(),
            is_halted: false,
            lacks_descriptors: false,
            process: 0,
            operations: 0,
            trace: 0,
        }
    }

    /// Counts an operation and says what becomes of it.
    pub(super) fn begin(&mut self, operation: Operation) -> io::Result<Outcome> {
        if self.is_halted {
            return Err(halted());
        }
        let outcome = self.faults.outcome(operation);
        self.operations += 1;
        self.trace = mix(self.trace ^ (operation as u64) << 8 ^ outcome as u64).wrapping_add(self.operations);
        self.is_halted = outcome == Outcome::Halted;
        Ok(outcome)
    }

    /// Counts an operation of which nothing happens if it does not succeed.
    pub(super) fn begin_simple(&mut self, operation: Operation) -> io::Result<()> {
        match self.begin(operation)? {
            Outcome::Done => Ok(()),
            Outcome::Failed => Err(broken()),
            Outcome::Halted => Err(halted()),
        }
    }

    /// Lets the trace follow from what an operation is about.
    pub(super) fn note(&mut self, bytes: &[u8]) {
        self.note_number(u64::from(crc32c::crc32c(bytes)) << 32 | bytes.len() as u64);
    }

    pub(super) fn note_number(&mut self, number: u64) {
        self.trace = mix(self.trace ^ number);
    }

    /// An operation on names: in a machine that halts it happened or did not.
    pub(super) fn name<T>(
        &mut self,
        operation: Operation,
        path: &Path,
        act: impl FnOnce(&mut Self) -> io::Result<T>,
    ) -> io::Result<T> {
        self.note(path.as_os_str().as_encoded_bytes());
        match self.begin(operation)? {
            Outcome::Done => act(self),
            Outcome::Failed => Err(broken()),
            Outcome::Halted => {
                // A created file would be one without contents: that one did not happen.
                if operation != Operation::Create && self.random.one_in(2) {
                    act(self).map(drop).or(Err(halted()))?;
                }
                Err(halted())
            }
        }
    }

    pub(super) fn refuse_opening(&self, access: Access) -> io::Result<()> {
        if self.lacks_descriptors {
            Err(no_descriptors())
        } else if access == Access::DirectSynced && self.options.refuses_direct {
            Err(io::ErrorKind::InvalidInput.into())
        } else {
            Ok(())
        }
    }

    pub(super) fn file(&mut self, node: Node) -> io::Result<&mut Content> {
        self.files.get_mut(&node).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// A file, and what its chances follow from.
    pub(super) fn file_and_random(&mut self, node: Node) -> io::Result<(&mut Content, &mut Random)> {
        let content = self.files.get_mut(&node).ok_or(io::ErrorKind::NotFound)?;
        Ok((content, &mut self.random))
    }

    /// Changes what an open file takes of the disk.
    pub(super) fn change(
        &mut self,
        node: Node,
        change: impl FnOnce(&mut Content, &mut Random),
    ) -> io::Result<()> {
        let (content, random) = self.file_and_random(node)?;
        let before = content.allocated_blocks();
        change(content, random);
        let after = content.allocated_blocks();
        self.used_blocks = self.used_blocks + after - before;
        Ok(())
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let replaced = self.names.find(to).ok();
        self.names.rename(from, to)?;
        let is_gone = |node: &Node| self.names.find(to).ok() != Some(*node);
        replaced.filter(is_gone).into_iter().for_each(|node| self.forget_name(node));
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) -> io::Result<()> {
        let node = self.names.find(path)?;
        self.names.remove(path, false)?;
        self.forget_name(node);
        Ok(())
    }

    fn forget_name(&mut self, node: Node) {
        if self.open.contains_key(&node) {
            self.nameless.insert(node);
        } else {
            self.give_room_back(node);
        }
    }

    pub(super) fn close(&mut self, node: Node) {
        let Some(count) = self.open.get_mut(&node) else { return };
        *count -= 1;
        if *count == 0 {
            self.open.remove(&node);
            if self.nameless.remove(&node) {
                self.give_room_back(node);
            }
        }
    }

    fn give_room_back(&mut self, node: Node) {
        self.used_blocks -= self.files.get(&node).map_or(0, Content::allocated_blocks);
    }

    /// Whether the holes of the range can be filled.
    pub(super) fn has_room(&self, node: Node, offset: u64, length: u64) -> bool {
        let holes = self.files.get(&node).map_or(0, |content| content.holes(offset, length));
        // What takes nothing fits on a disk that was made too small for what is on it.
        holes == 0 || holes <= self.free_blocks()
    }

    pub(super) fn free_blocks(&self) -> u64 {
        (self.options.capacity_bytes / BLOCK_BYTES as u64).saturating_sub(self.used_blocks)
    }

    pub(super) fn sync_directory(&mut self, path: &Path) -> io::Result<()> {
        self.note(path.as_os_str().as_encoded_bytes());
        let outcome = self.begin(Operation::SyncDirectory)?;
        let folder = self.names.find_folder(path)?;
        match outcome {
            Outcome::Done => {
                self.names.sync(folder);
                Ok(())
            }
            Outcome::Failed => {
                self.names.fail_sync(folder, &mut self.random);
                Err(broken())
            }
            // What is pending stays so: the crash decides.
            Outcome::Halted => Err(halted()),
        }
    }

    pub(super) fn sync_file_system(&mut self) -> io::Result<()> {
        match self.begin(Operation::SyncFileSystem)? {
            Outcome::Done => {
                self.names.sync_all();
                self.files.values_mut().for_each(Content::sync);
                Ok(())
            }
            Outcome::Failed => {
                for content in self.files.values_mut() {
                    content.fail_sync(&mut self.random);
                }
                Err(broken())
            }
            Outcome::Halted => Err(halted()),
        }
    }

    pub(super) fn forget_faults(&mut self) {
        self.faults.clear();
        self.stalls.forget_planned();
    }

    pub(super) fn kill(&mut self) {
        self.process += 1;
        self.is_halted = false;
        self.faults.clear();
        self.stalls.end_all();
        self.locks.clear();
        self.open.clear();
        for node in std::mem::take(&mut self.nameless) {
            self.give_room_back(node);
        }
    }

    pub(super) fn crash(&mut self) {
        self.kill();
        self.names.crash(&mut self.random);
        let named = self.names.reachable();
        self.files.retain(|node, _| named.contains(node));
        for content in self.files.values_mut() {
            content.crash(self.options.sector_bytes, &mut self.random);
        }
        self.used_blocks = self.files.values().map(Content::allocated_blocks).sum();
    }
}
