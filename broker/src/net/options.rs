//! What can be set for the network. Where Kafka has a setting, it is named.

use std::time::Duration;

/// Where clients may connect.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListenerOptions {
    /// What it is called, such as `PLAINTEXT`.
    pub name: String,
    /// The host and the port to listen at; port 0 is any that is free.
    pub bind: (String, u16),
    /// The host and the port that clients are told; port 0 is the bound one. Without it they are told what it is
    /// bound to or, where that is every address, the machine's name.
    pub advertised: Option<(String, u16)>,
    /// Whether one who comes here is taken in although there are as many as there may be: one of another listener is
    /// closed for it.
    pub is_protected: bool,
}

impl ListenerOptions {
    /// A listener that is advertised as it is bound.
    pub fn new(name: &str, host: &str, port: u16) -> Self {
        Self { name: name.to_owned(), bind: (host.to_owned(), port), advertised: None, is_protected: false }
    }
}

/// What can be set for the network.
#[derive(Clone, Debug)]
pub struct NetOptions {
    /// `listeners` and `advertised.listeners`.
    pub listeners: Vec<ListenerOptions>,
    /// `max.connections`: what comes beyond is closed at once, but for what comes to a protected listener.
    pub connections_max: usize,
    /// `max.connections.per.ip`.
    pub connections_per_address_max: usize,
    /// `connections.max.idle.ms`: closed when nothing moved for so long and nothing is being worked on.
    pub connections_idle_max: Duration,
    /// `socket.listen.backlog.size`.
    pub backlog: u32,
    /// `socket.request.max.bytes`.
    pub request_bytes_max: usize,
    /// `queued.max.request.bytes`: the memory of all requests in flight. What is beyond waits in its socket. One
    /// connection may have a sixteenth of it, or one request: several groups of the journal, and no more of what one client
    /// sends faster than it is written.
    pub requests_bytes_max: usize,
    /// So many requests of one connection may be in flight.
    pub pipeline_requests_max: usize,
    /// The memory of all answers that are not sent yet, apart from what is a log's anyway. Beyond it no request is
    /// begun.
    pub answers_bytes_max: usize,
    /// When memory of requests or answers has run out, who holds some of it and moves less than a sixth as much in this
    /// time is closed.
    pub stalled_max: Duration,
    /// How long a client that sends no more may wait for the rest of its answers.
    pub half_closed_max: Duration,
    /// How long answers may take when the broker shuts down.
    pub shutdown_max: Duration,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self {
            listeners: vec![ListenerOptions::new("PLAINTEXT", "127.0.0.1", 9092)],
            connections_max: 50_000,
            connections_per_address_max: 50_000,
            connections_idle_max: Duration::from_mins(10),
            backlog: 1_024,
            request_bytes_max: 100 << 20,
            requests_bytes_max: 256 << 20,
            pipeline_requests_max: 128,
            answers_bytes_max: 128 << 20,
            stalled_max: Duration::from_secs(5),
            half_closed_max: Duration::from_secs(30),
            shutdown_max: Duration::from_secs(10),
        }
    }
}
