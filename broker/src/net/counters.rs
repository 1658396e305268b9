//! What the network counts. Read by whoever exports metrics; nothing here is ever reset.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($($(#[$attribute:meta])* $name:ident),+ $(,)?) => {
        /// What happened since the start.
        #[derive(Debug, Default)]
        pub struct Counters {
            $($(#[$attribute])* pub $name: AtomicU64,)+
        }

        /// What one connection has counted and not added to the rest yet: so that what all share is touched once
        /// for each turn of a connection, and not for each call.
        #[derive(Debug, Default)]
        pub(super) struct Tally {
            $(pub(super) $name: u64,)+
        }

        impl Tally {
            /// Adds what was counted.
            pub(super) fn flush(&mut self, counters: &Counters) {
                $(if self.$name > 0 {
                    counters.$name.fetch_add(std::mem::take(&mut self.$name), Ordering::Relaxed);
                })+
            }
        }
    };
}

counters! {
    /// Connections that were taken in.
    accepted,
    /// Connections that have ended, of those.
    closed,
    /// Connections that were refused since there were too many.
    refused_total,
    /// Connections that were refused since there were too many from their address.
    refused_address,
    /// Connections that could not be accepted: most often for want of descriptors.
    accept_failures,
    /// Connections that were closed because nothing moved on them.
    closed_idle,
    /// Connections that were closed because they held memory that others waited for.
    closed_stalled,
    /// Connections that were closed because of what they sent.
    closed_invalid,
    /// Requests that were begun.
    requests,
    /// Bytes that came.
    received_bytes,
    /// Bytes that went.
    sent_bytes,
    /// How often a connection's task ran.
    wakeups,
    /// Calls that read from a socket.
    reads,
    /// Calls that wrote to a socket.
    writes,
    /// Calls that sent from a file.
    file_sends,
    /// Reads of a file for a connection that cannot send from one.
    file_reads,
}

impl Counters {
    /// How many connections there are.
    pub fn open(&self) -> u64 {
        let closed = self.closed.load(Ordering::Relaxed);
        self.accepted.load(Ordering::Relaxed).saturating_sub(closed)
    }
}
