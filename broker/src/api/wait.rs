//! Waiting for partitions to go on: one waker for all of them, and one wake-up of the task.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use strandline_log::engine::{Partition, UpTo};

/// Whether any partition went on, and who is to know.
#[derive(Debug, Default)]
struct Bell(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    has_rung: bool,
    task: Option<Waker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let task = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.has_rung = true;
            state.task.take()
        };
        task.into_iter().for_each(Waker::wake);
    }
}

/// Done once any of the partitions has gone on, or was deleted.
///
/// Dropped, it leaves nothing behind in them: clients that come and go would fill a quiet partition with wakers.
#[derive(Debug)]
pub(super) struct Wait {
    bell: Arc<Bell>,
    waker: Waker,
    logs: Vec<Arc<Partition>>,
}

impl Wait {
    /// Waits for any of these logs to get beyond an offset; none if one of them is there already.
    pub(super) fn on<'a>(places: impl IntoIterator<Item = (&'a Arc<Partition>, i64, UpTo)>) -> Option<Self> {
        let bell = Arc::<Bell>::default();
        let waker = Waker::from(Arc::clone(&bell));
        let mut wait = Self { bell, waker, logs: Vec::new() };
        for (log, beyond, up_to) in places {
            if !log.wake_when_beyond(beyond, up_to, wait.waker.clone()) {
                return None;
            }
            wait.logs.push(Arc::clone(log));
        }
        Some(wait)
    }
}

impl Future for Wait {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.bell.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.has_rung {
            return Poll::Ready(());
        }
        match &mut state.task {
            Some(task) => task.clone_from(context.waker()),
            None => state.task = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.logs.iter().for_each(|log| log.stop_waking(&self.waker));
    }
}
