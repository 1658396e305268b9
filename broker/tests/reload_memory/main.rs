//! What it takes to have committed offsets back after a restart, in memory: with an allocator that counts for the whole
//! process.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[path = "../network_memory/counting.rs"]
mod counting;
#[cfg(test)]
mod offsets;
#[cfg(test)]
#[path = "../node/support.rs"]
mod support;

#[global_allocator]
static ALLOCATOR: counting::Counting = counting::Counting;
