//! What one turn of a connection does once for all the requests that it begins: they have come together, and what holds for
//! one of them holds for the next.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use strandline_log::clock::Clock;

use super::topics::Found;
use crate::storage::{Gathering, Storage};

/// A turn of a connection. By default each request is one by itself.
#[derive(Debug, Default)]
pub struct Turn {
    /// What it has begun and the log's writer does not have yet.
    pub(crate) gathering: Gathering,
    /// None as long as it has begun nothing.
    noted: Mutex<Option<Noted>>,
}

/// What a turn has found out. It is forgotten when the turn ends, so that it is never older than a request, and nobody keeps
/// a log that is gone.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    /// The partition that it has looked up last. To look it up again would show the same, but that others look it up too, and
    /// all of them count who uses it.
    pub(crate) found: Option<Arc<Found>>,
    /// What time it is.
    pub(crate) now_ms: i64,
}

impl Turn {
    /// For a connection that says when its turn ends, by [`Turn::poll_end`].
    pub fn of_connection() -> Self {
        Self { gathering: Gathering::by_turns(), ..Self::default() }
    }

    /// It ends: what it has begun goes to the writer, and no other is begun until that has all of it.
    pub fn poll_end(&self, storage: &Storage, context: &mut Context<'_>) -> Poll<()> {
        *self.noted_now() = None;
        self.gathering.poll_in(storage, context)
    }

    fn noted_now(&self) -> MutexGuard<'_, Option<Noted>> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it has found out so far, and the time.
    pub(crate) fn noted(&self, clock: &dyn Clock) -> Noted {
        let begin = || Noted { found: None, now_ms: clock.wall_ms() };
        if self.gathering.is_by_turns() {
            self.noted_now().get_or_insert_with(begin).clone()
        } else {
            begin()
        }
    }

    /// It has looked a partition up.
    pub(crate) fn note_found(&self, found: &Arc<Found>) {
        if let Some(noted) = &mut *self.noted_now() {
            noted.found = Some(Arc::clone(found));
        }
    }
}
