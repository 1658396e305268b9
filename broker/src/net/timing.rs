//! When a request came and its answer went.

use std::sync::OnceLock;

use bytes::Bytes;
use tokio::time::Instant;

use super::service::Times;
use crate::metrics::IS_MEASURED;

/// The time, of which nothing is asked but how long something took.
pub(super) fn now() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    if IS_MEASURED { Instant::now() } else { *START.get_or_init(Instant::now) }
}

/// When a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The API, as the request's first two bytes say.
    api: i16,
    /// When the read ended that brought its first byte.
    began: Instant,
    /// When it was whole.
    whole: Instant,
}

impl Arrival {
    /// A request is whole.
    pub(super) fn new(frame: &Bytes, began: Option<Instant>) -> Self {
        let whole = now();
        let api = frame.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes));
        Self { api, began: began.unwrap_or(whole), whole }
    }
}

/// An answer on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    arrival: Arrival,
    /// When it was there.
    answered: Instant,
}

impl Departure {
    /// The answer to this request is there.
    pub(super) fn new(arrival: Arrival) -> Self {
        Self { arrival, answered: now() }
    }

    /// The answer's last byte is written: the API, and how long everything took.
    pub(super) fn end(&self, now: Instant) -> (i16, Times) {
        let Arrival { api, began, whole } = self.arrival;
        let times = Times {
            read: whole.saturating_duration_since(began),
            write: now.saturating_duration_since(self.answered),
            total: now.saturating_duration_since(began),
        };
        (api, times)
    }
}
