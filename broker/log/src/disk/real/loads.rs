//! Ranges of files that are read into memory of this process before somebody asks for them.
//!
//! They are told by the file's descriptor, which is open as long as it is used, and forgotten when the file is written there.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::RawFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::loaded::{Loaded, Pool};
use super::lock;

/// What was read ahead is kept while so many others ask for memory: whoever wanted it has gone elsewhere then.
pub(super) const OTHERS_MAX: u64 = 64;

/// What becomes of a range that is read ahead.
#[derive(Debug)]
enum State {
    Reading,
    /// None where nothing came of it.
    Done(Option<Loaded>),
}

#[derive(Debug)]
struct Slot {
    state: Mutex<State>,
    is_done: Condvar,
}

impl Slot {
    /// Waits while it is being read.
    fn done(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        while matches!(*state, State::Reading) {
            state = self.is_done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }
}

/// A range that is read ahead.
#[derive(Debug)]
struct Ahead {
    file: RawFd,
    range: Range<u64>,
    slot: Arc<Slot>,
    /// How many had asked for memory when it was.
    asked: u64,
}

/// A range that is to be read: whoever comes for it waits until this is dropped.
#[derive(Debug)]
pub(super) struct Loading {
    range: Range<u64>,
    loaded: Option<Loaded>,
    slot: Arc<Slot>,
}

impl Loading {
    /// Reads it, if there is memory for it by now.
    pub(super) fn run(mut self, loads: &Loads, read: impl Fn(&mut [u8], u64) -> io::Result<usize>) {
        self.loaded = loads.begin(self.range.start);
        if let Some(loaded) = &mut self.loaded {
            // Whoever comes for it reads what is missing, and meets what is wrong with the disk.
            let _ = loaded.fill(self.range.end, read);
        }
    }
}

impl Drop for Loading {
    fn drop(&mut self) {
        *lock(&self.slot.state) = State::Done(self.loaded.take());
        self.slot.is_done.notify_all();
    }
}

/// All ranges that are in memory.
#[derive(Debug, Default)]
pub(super) struct Loads {
    pool: Pool,
    ahead: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    /// The oldest first.
    ranges: VecDeque<Ahead>,
    asked: u64,
}

impl Queue {
    fn place(&self, file: RawFd, position: u64) -> Option<usize> {
        self.ranges.iter().position(|ahead| ahead.file == file && ahead.range.contains(&position))
    }
}

impl Loads {
    /// Memory for what begins there; none if all of it is in use.
    pub(super) fn begin(&self, start: u64) -> Option<Loaded> {
        let mut queue = lock(&self.ahead);
        queue.asked += 1;
        let is_old = |ahead: &Ahead, asked: u64| ahead.asked + OTHERS_MAX < asked;
        while queue.ranges.front().is_some_and(|ahead| is_old(ahead, queue.asked)) {
            queue.ranges.pop_front();
        }
        self.pool.begin(start)
    }

    /// Notes a range that somebody is about to ask for, and that is going to be read.
    pub(super) fn begin_ahead(&self, file: RawFd, range: Range<u64>) -> Loading {
        let slot = Arc::new(Slot { state: Mutex::new(State::Reading), is_done: Condvar::new() });
        let loading = Loading { range: range.clone(), loaded: None, slot: Arc::clone(&slot) };
        let mut queue = lock(&self.ahead);
        let asked = queue.asked;
        queue.ranges.push_back(Ahead { file, range, slot, asked });
        loading
    }

    /// What was read ahead from there on, or some of it; waits for one that is being read.
    pub(super) fn take(&self, file: RawFd, start: u64) -> Option<Loaded> {
        let slot = {
            let mut queue = lock(&self.ahead);
            let place = queue.place(file, start)?;
            queue.ranges.remove(place)?.slot
        };
        let mut state = slot.done();
        match std::mem::replace(&mut *state, State::Done(None)) {
            State::Done(loaded) => loaded,
            State::Reading => None,
        }
    }

    /// Copies a few bytes of what was read ahead; false where they are not among it.
    pub(super) fn copy(&self, file: RawFd, start: u64, bytes: &mut [u8]) -> bool {
        let slot = {
            let queue = lock(&self.ahead);
            let ahead = queue.place(file, start).and_then(|place| queue.ranges.get(place));
            let Some(slot) = ahead.map(|ahead| Arc::clone(&ahead.slot)) else { return false };
            slot
        };
        let state = slot.done();
        let State::Done(Some(loaded)) = &*state else { return false };
        loaded.copy(start, bytes)
    }

    /// Forgets what was read ahead of a file from there on: it is written there, or closed.
    pub(super) fn forget(&self, file: RawFd, from: u64) {
        lock(&self.ahead).ranges.retain(|ahead| ahead.file != file || ahead.range.end <= from);
    }
}
