//! Tails: what was appended to the partitions and is not in their segments yet.
//!
//! The tail of a partition is a list of places ([`Tail`]); the bytes are those of the journal's frames. The
//! newest frames stay in memory ([`Frames`]), as far as one budget ([`Budget`]) allows for all partitions and
//! directories of a process. What is evicted from there is read where it lies already: in the journal's files,
//! which are not used again before a tail's batches are in segments. So an eviction writes nothing.
//!
//! This module does no I/O, and no lock of it is held for more than a look into a list.

mod budget;
mod frames;
mod list;
mod memory;

pub use self::budget::{BUDGET_BYTES_MAX, Budget};
pub use self::frames::Frames;
pub use self::list::{RefusedEntry, Tail, TailEntry};
pub use self::memory::FrameSlice;

#[cfg(test)]
mod tests;
