//! Every message in every version, against random values and an independent codec.
//!
//! Each test goes through the whole catalog. `STRANDLINE_TEST_SEEDS=200` makes it a long run; a failure names
//! message, version and seed, and comes back with them.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod frames;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod independent_codec;
#[cfg(test)]
mod kafka_samples;
#[cfg(test)]
mod own_codec;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod refusals;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
