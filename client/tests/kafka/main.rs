//! The library against a real broker: `tests/conformance/client` starts one and runs this.

// Marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod administration;
#[cfg(test)]
mod common;
#[cfg(test)]
mod groups;
#[cfg(test)]
mod modern;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod trouble;
