//! A member of a classic group.

use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::{Bytes, Text};

use crate::coordinator::Ticket;

/// A member, with what it asked for, what it got, and what it waits for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Member {
    /// Its configured name, if it is static.
    pub instance_id: Option<Text>,
    /// What its client calls itself.
    pub client_id: Text,
    /// Where it is.
    pub client_host: Text,
    /// How long a rebalance waits for it.
    pub rebalance_timeout_ms: i32,
    /// How long it may be silent.
    pub session_timeout_ms: i32,
    /// What it is, such as `consumer`; empty where that is not known any more.
    pub protocol_type: Text,
    /// What it can do, by name, the preferred first.
    pub protocols: Arc<Vec<(Text, Bytes)>>,
    /// What it was assigned last.
    pub assignment: Bytes,
    /// Who waits for the next generation, if it has joined.
    pub(super) joining: Option<Ticket>,
    /// Who waits for what it is assigned.
    pub(super) syncing: Option<Ticket>,
    /// Whether it came in this rebalance, and so has no session yet.
    pub(super) is_new: bool,
    /// When it was last heeded, by the clock that nobody sets: its session's timer may be older.
    pub(super) heard: Option<Duration>,
}

impl Member {
    /// How many bytes it sent of what it can do.
    pub(super) fn bytes(&self) -> usize {
        self.protocols.iter().map(|(name, metadata)| name.len() + metadata.len()).sum()
    }

    /// What it sent for a protocol.
    pub fn metadata(&self, protocol: &str) -> Option<&Bytes> {
        self.protocols.iter().find(|(name, _)| name == protocol).map(|(_, metadata)| metadata)
    }
}
