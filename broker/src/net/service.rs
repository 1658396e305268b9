//! Who answers requests, as the network sees it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::api::{self, Dispatched};
use crate::broker::Broker;
use crate::context::Connection;

/// A request that is being dispatched.
pub type Dispatching = Pin<Box<dyn Future<Output = Dispatched> + Send>>;

/// Answers requests.
pub trait Service: Send + Sync + 'static {
    /// Begins to answer a request. The next one of the same connection comes when this one is dispatched.
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes) -> Dispatching;
}

impl Service for Arc<Broker> {
    fn dispatch(&self, connection: &Arc<Connection>, frame: Bytes) -> Dispatching {
        let (broker, connection) = (Self::clone(self), Arc::clone(connection));
        Box::pin(async move { api::dispatch(&broker, &connection, frame).await })
    }
}
