//! Whether a node serves, and if not, why: as others are told.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use strandline_log::engine::Mailbox;
use strandline_log::journal::Pins;

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
    serving: OnceLock<Serving>,
}

/// What there is once it serves.
struct Serving {
    counters: Arc<Counters>,
    mailbox: Arc<Mailbox>,
    pins: Pins,
}

impl fmt::Debug for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Health({:?})", self.stage())
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { stage: Mutex::new(Stage::Starting), serving: OnceLock::new() }
    }
}

impl Health {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It serves from now on: what the network and the journal count, and the way to the data directory.
    pub fn set_serving(&self, counters: Arc<Counters>, mailbox: Arc<Mailbox>, pins: Pins) {
        // It comes up once.
        let _ = self.serving.set(Serving { counters, mailbox, pins });
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
        let offline = self.serving.get().and_then(|serving| serving.mailbox.offline());
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
                let serving = self.serving.get().map(|serving| (&*serving.counters, &serving.pins));
                let body = metrics::render(self.obstacle().is_none(), serving);
                Page { content_type: "text/plain; version=0.0.4; charset=utf-8", ..Page::text(body) }
            }
            _ => return None,
        };
        Some(page)
    }
}
