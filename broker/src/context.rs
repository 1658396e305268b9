//! Who asks, and what.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use strandline_protocol::Text;
use strandline_protocol::apis::ApiKey;

use crate::api::turn::Turn;
use crate::broker::Broker;

/// An address that clients can reach this broker at, and how it is called.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Endpoint {
    /// The listener's name, such as `PLAINTEXT`.
    pub listener: Text,
    /// The host to tell clients; never a wildcard.
    pub host: Text,
    /// The port to tell clients; never 0.
    pub port: u16,
}

/// What is known of a connection for as long as it lasts.
#[derive(Debug)]
pub struct Connection {
    /// Its number in this process.
    pub id: u64,
    /// Who is at the other end, for authorisation; `User:ANONYMOUS` without authentication.
    pub principal: Text,
    /// From where.
    pub peer: SocketAddr,
    /// The same as members of groups are described: as Kafka writes it, with a slash before the address.
    pub client_host: Text,
    /// The listener that it came in by: answers name its endpoint.
    pub endpoint: Arc<Endpoint>,
    /// What it does once for requests that came together.
    pub turn: Turn,
    /// What serves it.
    pub served_by: ServedBy,
}

/// The broker that serves a connection, from its first request on.
///
/// Who works on its requests is counted here and not at the broker: there, each request would change what all threads want.
#[derive(Debug, Default)]
pub struct ServedBy(OnceLock<Arc<Serving>>);

impl ServedBy {
    /// The broker for one request.
    pub(crate) fn broker(&self, broker: &Arc<Broker>) -> Arc<Serving> {
        Arc::clone(self.0.get_or_init(|| Arc::new(Serving(Arc::clone(broker)))))
    }
}

/// A broker that serves a connection.
pub(crate) struct Serving(Arc<Broker>);

impl fmt::Debug for Serving {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "broker {}", self.0.topics.node_id())
    }
}

impl Deref for Serving {
    type Target = Broker;

    fn deref(&self) -> &Broker {
        &self.0
    }
}

/// One request, as far as its header tells.
#[derive(Clone, Debug)]
pub struct Call {
    /// The connection that it came by.
    pub connection: Arc<Connection>,
    /// What the client calls itself.
    pub client_id: Option<Text>,
    /// What is asked.
    pub api: ApiKey,
    /// In which version.
    pub version: i16,
    /// What the answer repeats.
    pub correlation_id: i32,
    /// How many bytes the frame has.
    pub request_bytes: usize,
    /// When the frame was whole, by the broker's monotonic clock.
    pub received_at: Duration,
}
