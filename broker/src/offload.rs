//! Where work is done that waits for a disk or takes long, so that the workers of the connections are not held up.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

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
        let running: JoinHandle<T> = match self {
            Self::Threads => task::spawn_blocking(work),
            Self::Tasks(pauses) => {
                let pause = pauses.next();
                task::spawn(async move {
                    sleep(pause).await;
                    work()
                })
            }
        };
        running.await
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
