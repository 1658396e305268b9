//! Whatever arrives, decoding does not panic, takes memory in proportion to what arrived, and says where it
//! went wrong. The properties are those that the fuzz targets check; here they meet inputs made on purpose.

// Each module is marked as test code in so many words, for the lints that let only test code unwrap.
#[cfg(test)]
mod amplification;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod frames;
#[cfg(test)]
mod messages;
#[cfg(test)]
#[path = "../../fuzz/src/lib.rs"]
pub mod properties;
#[cfg(test)]
mod regressions;

#[global_allocator]
static ALLOCATOR: properties::allocation::Counting = properties::allocation::Counting;
