//! Who answers requests, as the network sees it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::apis::ApiKey;

use crate::api;
use crate::broker::Broker;
use crate::context::Connection;
use crate::metrics::Stage;

pub use crate::api::Dispatching;

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Begins to answer a request. The next one of the same connection comes when this one is dispatched.
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes) -> Dispatching;

    /// An answer is sent. The API is the number that its request began with.
    fn answered(&self, _api: i16, _times: Times) {}
}

/// How long a request and its answer took on their way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Times {
    /// From the first byte of the request to its last.
    pub read: Duration,
    /// From when the answer was there until its last byte was written.
    pub write: Duration,
    /// From the first byte of the request to the last of the answer.
    pub total: Duration,
}

impl Service for Arc<Broker> {
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes) -> Dispatching {
        api::dispatch(self, connection, frame)
    }

    fn answered(&self, api: i16, times: Times) {
        let Ok(api) = ApiKey::try_from(api) else { return };
        self.metrics.stage(api, Stage::Read, times.read);
        self.metrics.stage(api, Stage::Write, times.write);
        self.metrics.answered(api, times.total);
    }
}
