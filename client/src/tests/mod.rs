//! Connections and clusters against a broker that lives in the test: what it answers, and when, is the test's.

mod bad_brokers;
mod cluster;
mod connection;
mod coordinator;
mod delivery;
mod fake;
mod groups;
mod impatient;
mod lookups;
mod members;
mod modern_members;
mod nearest;
pub(crate) mod numbers;
mod producing;
mod rounds;
mod telemetry;
mod transactions;
mod troubled;

use std::time::Duration;

/// Waits for what comes to be by itself; long enough for a machine that is busy with something else.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came to be that {what}");
}
