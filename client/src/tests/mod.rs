//! Connections and clusters against a broker that lives in the test: what it answers, and when, is the test's.

mod cluster;
mod connection;
mod delivery;
mod fake;
pub(crate) mod numbers;
mod troubled;
