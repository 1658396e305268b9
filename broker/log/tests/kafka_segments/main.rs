//! Our segments for Kafka's tools, and Kafka's segments for us: `tests/conformance/segments` runs these two, and
//! knows what the lines mean that they write and read.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod ours;
#[cfg(test)]
mod place;
#[cfg(test)]
mod theirs;
