//! What must hold of the protocol crate whatever bytes it is given, in a form that fuzz targets and ordinary
//! tests share: `protocol/tests/hostile` includes these modules and runs them on its own inputs.
//!
//! It owns the properties, the allocator that counts, and the making of valid messages to be damaged. It
//! never decides what is fed in: that is up to libFuzzer or to the test.

pub mod allocation;
pub mod check;
pub mod random;
pub mod sample;
pub mod subject;
