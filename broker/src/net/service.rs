//! Who answers requests, as the network sees it.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::apis::ApiKey;

use crate::api;
use crate::broker::Broker;
use crate::context::Connection;

pub use crate::api::{Append, Dispatching};
pub use crate::metrics::Together;

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Begins to answer a request, which was whole at this time. The next one of the same connection comes when this one
    /// is dispatched.
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes, received_at: Duration) -> Dispatching;

    /// Sends what requests of this connection have left to go together; until it is ready, no other is begun. Called before
    /// requests are begun that have come, and when no more are to be begun now.
    fn poll_sent(&self, _connection: &Connection, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    /// Whether nothing of a request is kept for longer than it takes to work on it, and that is not long.
    fn is_brief(&self, _frame: &[u8]) -> bool {
        false
    }

    /// The time since some moment, for whoever asks how long something took. It stands still where nobody does.
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    /// An answer is sent, one of several that were sent together. The API is the number that its request began with.
    fn answered(&self, _together: &mut Together, _api: i16, _times: Times) {}

    /// Those were all of them.
    fn answered_all(&self, _together: Together) {}
}

/// How long a request and its answer took on their way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Times {
    /// From the first byte of the request to its last.
    pub read: Duration,
    /// For what is appended: how long that took.
    pub append: Option<Append>,
    /// From when the answer was there until its last byte was written.
    pub write: Duration,
    /// From the first byte of the request to the last of the answer.
    pub total: Duration,
}

impl Service for Arc<Broker> {
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes, received_at: Duration) -> Dispatching {
        api::dispatch(self, connection, frame, received_at)
    }

    fn poll_sent(&self, connection: &Connection, context: &mut Context<'_>) -> Poll<()> {
        connection.turn.poll_end(&self.storage, context)
    }

    fn is_brief(&self, frame: &[u8]) -> bool {
        api::is_brief(frame)
    }

    fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    fn answered(&self, together: &mut Together, api: i16, times: Times) {
        if let Ok(api) = ApiKey::try_from(api) {
            self.metrics.answered(together, api, &times);
        }
    }

    fn answered_all(&self, together: Together) {
        self.metrics.answered_all(together);
    }
}
