//! What a broker decides, as pure state machines: the same inputs give the same decisions, always.
//!
//! Nothing here reads a clock, a disk, a socket or a random number: whoever calls brings the time and the ids
//! along, and carries out what was decided. Every machine has the same two functions:
//!
//! ```text
//! decide(&state, now, command) -> records, and a reply | error code
//! evolve(&mut state, offset, &record)
//! ```
//!
//! State is replayed records, and what replay cannot rebuild is not state. Records come from a disk: they are
//! never trusted for a length, and a newer version than this program knows is an error, not a crash.
//!
//! [`coordinator`] is what the machines promise that keep their records in an internal topic.
//! [`groups`] is the first of them: groups of consumers, and the offsets that they commit.
//! [`transactions`] is the second: who has a transactional id, what its transaction has touched, and how it ends.
//! [`metadata`] is what a cluster knows of itself; [`settings`] is the one table of everything that can be set.

pub mod coordinator;
pub mod groups;
pub mod metadata;
pub mod regex;
pub mod settings;
pub mod transactions;
pub mod tree;
