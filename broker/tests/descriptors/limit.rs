//! How many files this process may have open, for one test at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Nobody else lowers the limit while this is held.
pub(crate) fn one_at_a_time() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The limit is lower until this goes.
pub(crate) struct Lowered(Rlimit);

impl Lowered {
    /// To what is open, and so many more.
    pub(crate) fn to_leave(descriptors: u64) -> Self {
        let before = getrlimit(Resource::Nofile);
        let used = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64;
        let limit = Rlimit { current: Some(used + descriptors), maximum: before.maximum };
        setrlimit(Resource::Nofile, limit).unwrap();
        Self(before)
    }
}

impl Drop for Lowered {
    fn drop(&mut self) {
        setrlimit(Resource::Nofile, self.0).unwrap();
    }
}
