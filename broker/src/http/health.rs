//! Whether a node serves, and if not, why: as others are told.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::server::{Page, Pages};

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
    serving: OnceLock<Arc<dyn Insight>>,
    /// One at a time: who asks often is not answered at the cost of everything else.
    looking: Mutex<()>,
}

/// What there is to be seen of a node that serves.
pub trait Insight: Send + Sync + fmt::Debug {
    /// Why it does not serve after all; none if it does.
    fn obstacle(&self) -> Option<String>;

    /// All metrics, in the text format of Prometheus.
    fn metrics(&self) -> String;
}

impl fmt::Debug for Health {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Health({:?})", self.stage())
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { stage: Mutex::new(Stage::Starting), serving: OnceLock::new(), looking: Mutex::default() }
    }
}

impl Health {
    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It serves from now on, and can be looked into.
    pub fn set_serving(&self, insight: Arc<dyn Insight>) {
        // It comes up once.
        let _ = self.serving.set(insight);
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
        self.serving.get().and_then(|insight| insight.obstacle())
    }

    fn metrics(&self) -> String {
        let _looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = self.serving.get().map(|insight| insight.metrics()).unwrap_or_default();
        let is_ready = u8::from(self.obstacle().is_none());
        let (name, help) = ("strandline_ready", "1 while clients are served.");
        text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {is_ready}\n"));
        text
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
            "/metrics" => Page {
                content_type: "text/plain; version=0.0.4; charset=utf-8",
                ..Page::text(self.metrics())
            },
            _ => return None,
        };
        Some(page)
    }
}
