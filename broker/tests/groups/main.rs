//! Groups of consumers over a socket: classic members, what they commit, and what administrators see and do.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod administration;
#[cfg(test)]
mod compaction;
#[cfg(test)]
mod internal;
#[cfg(test)]
mod members;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod requests;
#[cfg(test)]
#[path = "../node/support.rs"]
mod support;
