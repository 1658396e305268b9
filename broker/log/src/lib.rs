//! The storage engine: what has been acknowledged is there after anything that leaves the disk's synced bytes
//! intact.
//!
//! This crate is synchronous and knows no network. What it cannot decide itself comes in: the disk through
//! [`disk::Disk`], so that a simulated one can tear, lose and refuse.

pub mod check;
pub mod clock;
mod codec;
pub mod compaction;
pub mod config;
pub mod directory;
pub mod disk;
pub mod engine;
pub mod epochs;
pub mod journal;
pub mod layout;
pub mod local_id;
pub mod manifest;
pub mod producers;
pub mod random;
pub mod reserve;
pub mod retention;
pub mod segment;
pub mod tail;
