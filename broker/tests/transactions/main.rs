//! Transactions over a socket: producers of both versions, what consumers see, and what operators do.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod compaction;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod operators;
#[cfg(test)]
mod producers;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod restarts;
#[cfg(test)]
#[path = "../node/support.rs"]
mod support;
