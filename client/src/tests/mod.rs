//! Connections and clusters against a broker that lives in the test: what it answers, and when, is the test's.

mod bad_brokers;
mod cluster;
mod connection;
mod coordinator;
mod delivery;
mod fake;
mod groups;
mod lookups;
mod members;
mod modern_members;
mod nearest;
pub(crate) mod numbers;
mod telemetry;
mod transactions;
mod troubled;
