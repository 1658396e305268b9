//! What the network counts, as metrics.

use std::sync::atomic::{AtomicU64, Ordering};

use super::text::Text;
use crate::net::Counters;

fn load(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

fn connections(text: &mut Text, counters: &Counters) {
    text.level("strandline_network_connections", "Connections that there are.", counters.open());
}

fn accepted(text: &mut Text, counters: &Counters) {
    let help = "Connections that were taken in.";
    text.count("strandline_network_connections_accepted_total", help, load(&counters.accepted));
}

fn refused(text: &mut Text, counters: &Counters) {
    let help = "Connections that were refused since there were too many, in all or from one address.";
    let values = [("all", load(&counters.refused_total)), ("address", load(&counters.refused_address))];
    text.counts("strandline_network_connections_refused_total", help, "limit", &values);
}

fn accept_failures(text: &mut Text, counters: &Counters) {
    let help = "Connections that could not be accepted, most often for want of descriptors.";
    text.count("strandline_network_accept_failures_total", help, load(&counters.accept_failures));
}

fn closed(text: &mut Text, counters: &Counters) {
    let help = "Connections that this side closed: nothing moved (idle), they held memory that others waited for \
                (stalled), they sent what is no request (invalid).";
    let values = [
        ("idle", load(&counters.closed_idle)),
        ("stalled", load(&counters.closed_stalled)),
        ("invalid", load(&counters.closed_invalid)),
    ];
    text.counts("strandline_network_connections_closed_total", help, "reason", &values);
}

fn requests(text: &mut Text, counters: &Counters) {
    text.count("strandline_network_requests_total", "Requests that were begun.", load(&counters.requests));
}

fn received(text: &mut Text, counters: &Counters) {
    text.count("strandline_network_received_bytes_total", "Bytes that came.", load(&counters.received_bytes));
}

fn sent(text: &mut Text, counters: &Counters) {
    text.count("strandline_network_sent_bytes_total", "Bytes that went.", load(&counters.sent_bytes));
}

fn wakeups(text: &mut Text, counters: &Counters) {
    let help = "How often a connection had something to do.";
    text.count("strandline_network_wakeups_total", help, load(&counters.wakeups));
}

fn calls(text: &mut Text, counters: &Counters) {
    let help = "Calls to the system for connections; read_file is for where a file cannot be sent from.";
    let values = [
        ("read", load(&counters.reads)),
        ("write", load(&counters.writes)),
        ("send_file", load(&counters.file_sends)),
        ("read_file", load(&counters.file_reads)),
    ];
    text.counts("strandline_network_calls_total", help, "call", &values);
}

/// All of them.
pub(super) fn write(text: &mut Text, counters: &Counters) {
    connections(text, counters);
    accepted(text, counters);
    refused(text, counters);
    accept_failures(text, counters);
    closed(text, counters);
    requests(text, counters);
    received(text, counters);
    sent(text, counters);
    wakeups(text, counters);
    calls(text, counters);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_written() {
        let counters = Counters::default();
        counters.accepted.store(7, Ordering::Relaxed);
        counters.closed.store(3, Ordering::Relaxed);
        counters.refused_address.store(2, Ordering::Relaxed);
        let mut text = Text::default();
        write(&mut text, &counters);
        let text = text.into_string();
        for line in [
            "# TYPE strandline_network_connections_accepted_total counter",
            "strandline_network_connections_accepted_total 7",
            "# HELP strandline_network_connections Connections that there are.",
            "strandline_network_connections 4",
            "strandline_network_connections_refused_total{limit=\"address\"} 2",
            "strandline_network_connections_refused_total{limit=\"all\"} 0",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
    }
}
