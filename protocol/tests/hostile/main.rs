//! Whatever arrives, decoding does not panic, takes memory in proportion to what arrived, and says where it
//! went wrong. The properties are those that the fuzz targets check; here they meet inputs made on purpose.

#[path = "../../fuzz/src/lib.rs"]
pub mod properties;

mod amplification;
mod messages;
mod regressions;

#[global_allocator]
static ALLOCATOR: properties::allocation::Counting = properties::allocation::Counting;
