//! Every metric: one function each, with its name and its text, so that call sites know nothing of the format.
//!
//! What counts is counted where it happens, in plain atomics; here it is read when somebody asks, and written in the
//! text format of Prometheus. That is a few lines: the library for it brings two dozen crates, some of them twice.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use strandline_log::journal::Pins;

use crate::net::Counters;

/// Metrics as text.
#[derive(Debug, Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) -> fmt::Result {
        writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}")
    }

    /// A count that only grows.
    fn count(&mut self, name: &str, help: &str, value: &AtomicU64) -> fmt::Result {
        self.family(name, "counter", help)?;
        writeln!(self.0, "{name} {}", value.load(Ordering::Relaxed))
    }

    /// Several of those, told apart by a label whose values are known here: none of them needs escaping.
    fn counts(&mut self, name: &str, help: &str, label: &str, values: &[(&str, &AtomicU64)]) -> fmt::Result {
        self.family(name, "counter", help)?;
        values.iter().try_for_each(|(value, count)| {
            writeln!(self.0, "{name}{{{label}=\"{value}\"}} {}", count.load(Ordering::Relaxed))
        })
    }

    /// Something that goes up and down.
    fn level(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        self.family(name, "gauge", help)?;
        writeln!(self.0, "{name} {value}")
    }
}

macro_rules! counts {
    ($($function:ident: $name:literal, $help:literal;)+) => {
        $(fn $function(text: &mut Text, value: &AtomicU64) -> fmt::Result {
            text.count($name, $help, value)
        })+
    };
}

counts! {
    accepted: "strandline_network_connections_accepted_total", "Connections that were taken in.";
    accept_failures: "strandline_network_accept_failures_total", "Connections that could not be accepted.";
    requests: "strandline_network_requests_total", "Requests that were begun.";
    received: "strandline_network_received_bytes_total", "Bytes that came.";
    sent: "strandline_network_sent_bytes_total", "Bytes that went.";
    wakeups: "strandline_network_wakeups_total", "How often a connection had something to do.";
}

fn ready(text: &mut Text, is_ready: bool) -> fmt::Result {
    text.level("strandline_ready", "1 while clients are served.", is_ready.into())
}

fn connections(text: &mut Text, open: u64) -> fmt::Result {
    text.level("strandline_network_connections", "Connections that there are.", open)
}

fn refused(text: &mut Text, counters: &Counters) -> fmt::Result {
    let help = "Connections that were refused since there were too many, in all or from one address.";
    let values = [("all", &counters.refused_total), ("address", &counters.refused_address)];
    text.counts("strandline_network_connections_refused_total", help, "limit", &values)
}

fn closed(text: &mut Text, counters: &Counters) -> fmt::Result {
    let help = "Connections that this side closed: nothing moved, they held memory that others waited for, or they \
                sent what is no request.";
    let values = [
        ("idle", &counters.closed_idle),
        ("stalled", &counters.closed_stalled),
        ("invalid", &counters.closed_invalid),
    ];
    text.counts("strandline_network_connections_closed_total", help, "reason", &values)
}

fn calls(text: &mut Text, counters: &Counters) -> fmt::Result {
    let help = "Calls to the system for connections; read_file is for where a file cannot be sent from.";
    let values = [
        ("read", &counters.reads),
        ("write", &counters.writes),
        ("send_file", &counters.file_sends),
        ("read_file", &counters.file_reads),
    ];
    text.counts("strandline_network_calls_total", help, "call", &values)
}

fn network(text: &mut Text, counters: &Counters) -> fmt::Result {
    connections(text, counters.open())?;
    accepted(text, &counters.accepted)?;
    refused(text, counters)?;
    accept_failures(text, &counters.accept_failures)?;
    closed(text, counters)?;
    requests(text, &counters.requests)?;
    received(text, &counters.received_bytes)?;
    sent(text, &counters.sent_bytes)?;
    wakeups(text, &counters.wakeups)?;
    calls(text, counters)
}

fn pinned(text: &mut Text, pins: &Pins) -> fmt::Result {
    let help = "Bytes of journal files that are done with and kept by slow consumers, when files were last recycled.";
    text.level("strandline_journal_pinned_bytes", help, pins.held_bytes())?;
    let help =
        "Journal files that were taken from consumers since they kept more than a journal's worth of them.";
    text.count("strandline_journal_given_up_files_total", help, &AtomicU64::new(pins.given_up()))
}

/// All metrics, in the text format of Prometheus. What the network and the journal count is not there before it serves.
pub fn render(is_ready: bool, serving: Option<(&Counters, &Pins)>) -> String {
    let mut text = Text::default();
    // Writing to memory does not fail.
    let _ = ready(&mut text, is_ready).and_then(|()| match serving {
        Some((counters, pins)) => network(&mut text, counters).and_then(|()| pinned(&mut text, pins)),
        None => Ok(()),
    });
    text.0
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use strandline_log::journal::Pins;

    use super::render;
    use crate::net::Counters;

    #[test]
    fn what_was_counted_is_rendered() {
        let counters = Counters::default();
        counters.accepted.store(7, Ordering::Relaxed);
        counters.closed.store(3, Ordering::Relaxed);
        counters.refused_address.store(2, Ordering::Relaxed);
        let text = render(true, Some((&counters, &Pins::default())));
        for line in [
            "# TYPE strandline_network_connections_accepted_total counter",
            "strandline_network_connections_accepted_total 7",
            "# HELP strandline_network_connections Connections that there are.",
            "strandline_network_connections 4",
            "strandline_network_connections_refused_total{limit=\"address\"} 2",
            "strandline_network_connections_refused_total{limit=\"all\"} 0",
            "strandline_journal_pinned_bytes 0",
            "strandline_journal_given_up_files_total 0",
            "strandline_ready 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        counters.accepted.store(9, Ordering::Relaxed);
        let text = render(false, Some((&counters, &Pins::default())));
        assert!(
            text.contains("connections_accepted_total 9\n") && text.contains("strandline_ready 0\n"),
            "{text}"
        );
    }
}
