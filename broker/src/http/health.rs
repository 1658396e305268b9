//! Whether a node serves, and if not, why: as others are told.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use strandline_log::engine::Mailbox;

use super::server::{Page, Pages};
use crate::metrics;
use crate::net::Counters;

/// What a node is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// It is coming up.
    Starting,
    /// It serves.
    Serving,
    /// It is going down.
    Stopping,
}

/// What a node tells of itself.
pub struct Health {
    stage: Mutex<Stage>,
    counters: OnceLock<Arc<Counters>>,
    mailbox: OnceLock<Arc<Mailbox>>,
}

impl fmt::Debug for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Health({:?})", self.stage())
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { stage: Mutex::new(Stage::Starting), counters: OnceLock::new(), mailbox: OnceLock::new() }
    }
}

impl Health {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It serves from now on: what the network counts, and the way to the data directory.
    pub fn set_serving(&self, counters: Arc<Counters>, mailbox: Arc<Mailbox>) {
        // It comes up once.
        let _ = (self.counters.set(counters), self.mailbox.set(mailbox));
        *self.stage() = Stage::Serving;
    }

    /// It goes down.
    pub fn set_stopping(&self) {
        *self.stage() = Stage::Stopping;
    }

    /// Why it does not serve; none if it does.
    pub fn obstacle(&self) -> Option<String> {
        match *self.stage() {
            Stage::Starting => return Some("starting".to_owned()),
            Stage::Stopping => return Some("shutting down".to_owned()),
            Stage::Serving => {}
        }
        let offline = self.mailbox.get().and_then(|mailbox| mailbox.offline());
        offline.map(|reason| format!("the data directory is offline: {reason}"))
    }
}

impl Pages for Health {
    fn page(&self, path: &str) -> Option<Page> {
        let page = match path {
            "/healthz" => Page::text("ok\n".to_owned()),
            "/readyz" => match self.obstacle() {
                None => Page::text("ready\n".to_owned()),
                Some(obstacle) => Page { status: "503 Service Unavailable", ..Page::text(obstacle + "\n") },
            },
            "/metrics" => {
                let counters = self.counters.get().map(|counters| &**counters);
                let body = metrics::render(self.obstacle().is_none(), counters);
                Page { content_type: "text/plain; version=0.0.4; charset=utf-8", ..Page::text(body) }
            }
            _ => return None,
        };
        Some(page)
    }
}
