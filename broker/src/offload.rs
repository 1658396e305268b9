//! Where work is done that waits for a disk or takes long, so that the workers of the connections are not held up.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{self, JoinError, JoinHandle};
use tokio::time::sleep;

/// How long work takes where it takes no time of its own.
pub trait Pauses: Send + Sync + fmt::Debug {
    /// The time until the next piece of work is done.
    fn next(&self) -> Duration;
}

/// Where such work is done.
#[derive(Clone, Debug, Default)]
pub enum Offload {
    /// On threads that may wait.
    #[default]
    Threads,
    /// On tasks of their own, after a pause: a simulation has no threads, and its disk does not wait.
    Tasks(Arc<dyn Pauses>),
}

impl Offload {
    /// Has the work done. It goes on to its end even if nobody waits any more.
    ///
    /// # Errors
    /// It panicked, or nothing is done any more.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        self.start(work).await
    }

    /// Has the work done, and waits for it or not.
    pub fn start<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
        match self {
            Self::Threads => task::spawn_blocking(work),
            Self::Tasks(pauses) => {
                let pause = pauses.next();
                task::spawn(async move {
                    sleep(pause).await;
                    work()
                })
            }
        }
    }
}

/// So many pieces of work that take a lot of memory are done at one time, whatever the processors: each may take 64 MiB,
/// and what the first has taken the next one has again.
const LARGE_AT_ONCE_MAX: usize = 1;

/// How much work is done at one time that takes a processor: who comes later waits, and takes up no thread that work
/// for disks could be done on.
#[derive(Debug)]
pub struct Turns {
    all: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

/// Somebody's turn, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    _one: OwnedSemaphorePermit,
    _large: Option<OwnedSemaphorePermit>,
}

impl Turns {
    /// For so many at one time.
    pub fn new(at_once: usize) -> Self {
        let semaphore = |at_once| Arc::new(Semaphore::new(at_once));
        Self { all: semaphore(at_once), large: semaphore(at_once.min(LARGE_AT_ONCE_MAX)) }
    }

    /// As many as can go on where this is done: each processor has one.
    pub fn of(offload: &Offload) -> Self {
        Self::new(match offload {
            Offload::Threads => thread::available_parallelism().map_or(1, NonZero::get),
            Offload::Tasks(_) => 1,
        })
    }

    /// Waits for a turn, behind those who came before; one that takes a lot of memory waits for others like it as well.
    /// None if there are none any more, which never is.
    pub async fn take(&self, is_large: bool) -> Option<Turn> {
        let large = if is_large { Some(Arc::clone(&self.large).acquire_owned().await.ok()?) } else { None };
        Some(Turn { _one: Arc::clone(&self.all).acquire_owned().await.ok()?, _large: large })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Hour;

    impl Pauses for Hour {
        fn next(&self) -> Duration {
            Duration::from_hours(1)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn work_is_done_elsewhere_and_comes_back() {
        let here = std::thread::current().id();
        let there = Offload::Threads.run(|| std::thread::current().id()).await.unwrap();
        assert_ne!(there, here);
        let begin = tokio::time::Instant::now();
        let done = Offload::Tasks(Arc::new(Hour)).run(|| std::thread::current().id()).await.unwrap();
        assert_eq!((done, begin.elapsed()), (here, Duration::from_hours(1)));
    }
}
