//! Operations that hang: until somebody lets them go on, or until some simulated time has passed.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, MutexGuard, PoisonError};

use super::SimulatedDisk;
use super::faults::Operation;
use super::state::{State, dead};
use crate::clock::SimulatedClock;

/// What an operation waits for before it goes on.
#[derive(Debug)]
pub(super) enum Hold {
    /// The end of the stall with this number.
    Stall(u64),
    /// So many milliseconds of a clock that the operation moves on itself.
    Delay(Arc<SimulatedClock>, u32),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Progress {
    Planned,
    Reached,
}

/// The stalls that have not ended.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    open: BTreeMap<u64, Progress>,
    last_number: u64,
}

impl Stalls {
    fn plan(&mut self) -> u64 {
        self.last_number += 1;
        self.open.insert(self.last_number, Progress::Planned);
        self.last_number
    }

    /// Forgets those that no operation has come to.
    pub(super) fn forget_planned(&mut self) {
        self.open.retain(|_, progress| *progress == Progress::Reached);
    }

    pub(super) fn end_all(&mut self) {
        self.open.clear();
    }
}

/// An operation that is going to hang, or does. It goes on when this is released or dropped.
///
/// Meanwhile others go on, also on the same file; of a write a part may be done. When the process dies first,
/// the operation ends with an error and does nothing any more.
#[derive(Debug)]
#[must_use = "dropped, it ends"]
pub struct Stall {
    disk: SimulatedDisk,
    number: u64,
}

impl Stall {
    /// Waits until an operation hangs. False if none ever will: the fault was forgotten, or the process died.
    pub fn wait_until_reached(&self) -> bool {
        let mut state = self.disk.state();
        while state.stalls.open.get(&self.number) == Some(&Progress::Planned) {
            state = self.disk.wait(state);
        }
        state.stalls.open.contains_key(&self.number)
    }

    /// Lets the operation go on.
    pub fn release(self) {}
}

impl Drop for Stall {
    fn drop(&mut self) {
        self.disk.state().stalls.open.remove(&self.number);
        self.disk.shared.changed.notify_all();
    }
}

impl SimulatedDisk {
    /// Lets the `nth` operation of a kind from now on hang, once; one is the next. It blocks the thread that it
    /// is called on, so another one has to release it.
    pub fn stall(&self, operation: Operation, nth: u64) -> Stall {
        let mut state = self.state();
        let number = state.stalls.plan();
        state.faults.hold(operation, nth, Hold::Stall(number));
        Stall { disk: self.clone(), number }
    }

    /// Lets the `nth` operation of a kind from now on take so long, once; one is the next. Nobody waits: the
    /// operation moves the clock, as befits a simulation on one thread.
    pub fn delay(&self, operation: Operation, nth: u64, clock: Arc<SimulatedClock>, duration_ms: u32) {
        self.state().faults.hold(operation, nth, Hold::Delay(clock, duration_ms));
    }

    /// Begins an operation: where it is to hang, `begun` does what is done before it does, and it hangs.
    pub(super) fn enter(
        &self,
        operation: Operation,
        begun: impl FnOnce(&mut State),
    ) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state();
        let holds = state.faults.holds(operation);
        if holds.is_empty() || state.is_halted {
            return Ok(state);
        }
        begun(&mut state);
        let process = state.process;
        for hold in holds {
            match hold {
                Hold::Stall(number) => {
                    state.stalls.open.entry(number).and_modify(|progress| *progress = Progress::Reached);
                    self.shared.changed.notify_all();
                    while state.stalls.open.contains_key(&number) {
                        state = self.wait(state);
                    }
                }
                Hold::Delay(clock, duration_ms) => clock.advance(duration_ms),
            }
        }
        if state.process == process { Ok(state) } else { Err(dead()) }
    }

    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::path::Path;
    use std::sync::{Arc, mpsc};
    use std::thread;

    use super::super::{Operation, Options, SimulatedDisk};
    use crate::clock::{Clock, SimulatedClock};
    use crate::disk::{Access, Disk, File};

    fn disk_with_file(seed: u64) -> (SimulatedDisk, Arc<dyn File>) {
        let disk = SimulatedDisk::new(Options { seed, ..Options::default() });
        let file = disk.create(Path::new("a"), Access::Write).unwrap();
        disk.sync_directory(Path::new("/")).unwrap();
        (disk, file)
    }

    fn read(disk: &SimulatedDisk) -> Vec<u8> {
        let file = disk.open(Path::new("a"), Access::Read).unwrap();
        let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
        file.read_at(&mut bytes, 0).unwrap();
        bytes
    }

    #[test]
    fn a_stalled_sync_returns_when_it_is_released_and_others_go_on_meanwhile() {
        let (disk, file) = disk_with_file(1);
        file.write_at(&[IoSlice::new(b"before")], 0).unwrap();
        let stall = disk.stall(Operation::Sync, 2);
        file.sync().unwrap();
        let (sender, synced) = mpsc::channel();
        let syncing = Arc::clone(&file);
        let thread = thread::spawn(move || sender.send(syncing.sync()).unwrap());
        assert!(stall.wait_until_reached());
        file.write_at(&[IoSlice::new(b"behind")], 0).unwrap();
        file.sync().unwrap();
        assert!(synced.try_recv().is_err(), "it hangs still");
        stall.release();
        synced.recv().unwrap().unwrap();
        thread.join().unwrap();
    }

    #[test]
    fn of_a_stalled_write_any_part_is_there_after_a_crash_and_it_never_succeeds() {
        let mut lengths: Vec<usize> = (0..100)
            .map(|seed| {
                let (disk, file) = disk_with_file(seed);
                let stall = disk.stall(Operation::Write, 1);
                let write = thread::spawn(move || file.write_at(&[IoSlice::new(&[7; 20_000])], 0));
                assert!(stall.wait_until_reached());
                disk.crash();
                assert!(write.join().unwrap().is_err());
                assert!(!stall.wait_until_reached(), "it died with its process");
                read(&disk).len()
            })
            .collect();
        lengths.sort_unstable();
        assert!(lengths.first() == Some(&0) && lengths.last().is_some_and(|length| *length > 10_000));
        assert!(lengths.iter().all(|length| *length <= 20_000));
    }

    #[test]
    fn a_stalled_write_that_goes_on_is_whole_and_operations_on_names_stall_too() {
        let (disk, file) = disk_with_file(1);
        let stalls = [Operation::Write, Operation::Rename, Operation::SyncFileSystem]
            .map(|operation| disk.stall(operation, 1));
        let shared = disk.clone();
        let thread = thread::spawn(move || {
            file.write_at(&[IoSlice::new(b"all of it")], 0)?;
            shared.rename(Path::new("a"), Path::new("b"))?;
            shared.rename(Path::new("b"), Path::new("a"))?;
            shared.sync_file_system()
        });
        for stall in stalls {
            assert!(stall.wait_until_reached());
            stall.release();
        }
        thread.join().unwrap().unwrap();
        disk.crash();
        assert_eq!(read(&disk), b"all of it");
    }

    #[test]
    fn a_stall_that_is_forgotten_is_never_reached() {
        let (disk, file) = disk_with_file(1);
        let stall = disk.stall(Operation::Sync, 1);
        disk.forget_faults();
        file.sync().unwrap();
        assert!(!stall.wait_until_reached());
    }

    #[test]
    fn a_delayed_operation_moves_the_clock_once() {
        let (disk, file) = disk_with_file(1);
        let clock = Arc::new(SimulatedClock::new(0));
        disk.delay(Operation::Sync, 2, Arc::clone(&clock), 30_000);
        let times = [(); 3].map(|()| {
            file.sync().unwrap();
            clock.monotonic().as_secs()
        });
        assert_eq!(times, [0, 30, 30]);
    }
}
