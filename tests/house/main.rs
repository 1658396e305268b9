//! The rules of the house that a machine can check. `docs/ARCHITECTURE.md` says why they are there.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed look at the sources is a failed test"
)]

mod client;
mod crates;
mod engine;
mod logs;
mod shape;
mod sources;
