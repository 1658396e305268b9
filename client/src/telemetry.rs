//! What a client tells of itself: numbers through the `metrics` crate and lines through `tracing`, wherever the program
//! takes them, and nowhere if it does not. One function for each number, so that nobody else sees the library.
//!
//! All names begin with `strandline_client_`. Nothing is counted for each record: only for batches and requests.

use std::time::Duration;

use metrics::{counter, gauge, histogram};

/// A connection was opened.
pub(crate) fn connected() {
    counter!("strandline_client_connections_total", "outcome" => "opened").increment(1);
}

/// One could not be.
pub(crate) fn not_connected() {
    counter!("strandline_client_connections_total", "outcome" => "failed").increment(1);
}

/// An answer has come, so long after its request was handed over.
pub(crate) fn answered(api: &'static str, after: Duration) {
    histogram!("strandline_client_request_seconds", "api" => api).record(after.as_secs_f64());
}

/// A broker wants to be left alone for so long.
pub(crate) fn throttled(wait: Duration) {
    histogram!("strandline_client_throttle_seconds").record(wait.as_secs_f64());
}

/// A request of so many batches leaves a producer.
pub(crate) fn batches_sent(batches: usize, records: u64, bytes: u64) {
    counter!("strandline_client_batches_sent_total").increment(u64::try_from(batches).unwrap_or(u64::MAX));
    counter!("strandline_client_records_sent_total").increment(records);
    counter!("strandline_client_bytes_sent_total").increment(bytes);
}

/// A batch was not taken and is sent again.
pub(crate) fn batch_retried() {
    counter!("strandline_client_batches_retried_total").increment(1);
}

/// A batch was given up.
pub(crate) fn batch_failed() {
    counter!("strandline_client_batches_failed_total").increment(1);
}

/// A fetch has brought so many bytes of records.
pub(crate) fn fetched(bytes: usize) {
    counter!("strandline_client_bytes_fetched_total").increment(u64::try_from(bytes).unwrap_or(u64::MAX));
}

/// A consumer holds so much that has been fetched, or may come, and has not been read; and its client keeps so much
/// memory of answers, that of those which are still read included.
pub(crate) fn held(consumer_bytes: usize, kept_bytes: usize) {
    let number =
        |bytes: usize| u32::try_from(bytes >> 10).map_or(f64::INFINITY, |kib| f64::from(kib) * 1024.0);
    gauge!("strandline_client_consumer_held_bytes").set(number(consumer_bytes));
    gauge!("strandline_client_kept_buffer_bytes").set(number(kept_bytes));
}

/// A member of a group was given partitions, or had some taken.
pub(crate) fn rebalanced() {
    counter!("strandline_client_rebalances_total").increment(1);
}

/// A transaction has ended.
pub(crate) fn transaction_ended(is_committed: bool) {
    let outcome = if is_committed { "committed" } else { "aborted" };
    counter!("strandline_client_transactions_total", "outcome" => outcome).increment(1);
}
