#![no_main]

use strandline_protocol_fuzz::{allocation, check};

#[global_allocator]
static ALLOCATOR: allocation::Counting = allocation::Counting;

libfuzzer_sys::fuzz_target!(|input: &[u8]| check::builder::round_trip(input));
