//! When a request came and its answer went, by its service's clock.

use std::time::Duration;

use bytes::Bytes;

use super::service::Times;
use crate::api::Answering;

/// When a request came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// The API, as the request's first two bytes say.
    api: i16,
    /// When the read ended that brought its first byte.
    began: Duration,
    /// When it was whole.
    whole: Duration,
}

impl Arrival {
    /// A request is whole.
    pub(super) fn new(frame: &Bytes, began: Option<Duration>, whole: Duration) -> Self {
        let api = frame.first_chunk().map_or(-1, |bytes| i16::from_be_bytes(*bytes));
        Self { api, began: began.unwrap_or(whole), whole }
    }
}

/// An answer on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Departure {
    arrival: Arrival,
    answering: Answering,
}

impl Departure {
    /// The answer to this request is there.
    pub(super) const fn new(arrival: Arrival, answering: Answering) -> Self {
        Self { arrival, answering }
    }

    /// The answer's last byte is written: the API, and how long everything took.
    pub(super) fn end(&self, now: Duration) -> (i16, Times) {
        let Arrival { api, began, whole } = self.arrival;
        let times = Times {
            read: whole.saturating_sub(began),
            append: self.answering.append,
            write: now.saturating_sub(self.answering.answered_at),
            total: now.saturating_sub(began),
        };
        (api, times)
    }
}
