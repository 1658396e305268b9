//! The logs that Kafka's cleaner has compacted, compacted by us: `tests/conformance/compaction` has them made, and
//! runs this.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod rounds;
