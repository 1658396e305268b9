//! Connections and clusters against a broker that lives in the test: what it answers, and when, is the test's.

mod bad_brokers;
mod cluster;
mod connection;
mod coordinator;
mod delivery;
mod fake;
mod groups;
mod impatient;
mod listings;
mod lookups;
mod members;
mod memberships;
mod modern_members;
mod nearest;
pub(crate) mod numbers;
mod producing;
mod rounds;
mod telemetry;
mod transactions;
mod troubled;

use std::future::Future;
use std::time::Duration;

/// Nothing that a test waits for takes so long, however loaded the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for what `what` says, and fails where it does not come.
async fn in_time<T>(what: &str, awaited: impl Future<Output = T>) -> T {
    let waited = tokio::time::timeout(PATIENCE, awaited).await;
    waited.unwrap_or_else(|_| panic!("waited {PATIENCE:?} in vain: {what}"))
}

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
