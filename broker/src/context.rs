//! Who asks, and what.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::Text;
use strandline_protocol::apis::ApiKey;

use crate::api::topics::LastFound;
use crate::storage::Gathering;

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
    /// What it has begun and the log's writer does not have yet.
    pub gathering: Gathering,
    /// What it writes to.
    pub last_found: LastFound,
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
