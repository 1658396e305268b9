//! The codecs from outside: what they make of their own bytes, of Kafka's, and of bytes that mean harm.

mod allocations;
mod bombs;
mod golden;
mod hostile;
mod round_trip;

use strandline_protocol::Compression;

#[global_allocator]
static ALLOCATOR: allocations::Counting = allocations::Counting;

/// The codecs that change the bytes.
const CODECS: [Compression; 4] =
    [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd];

/// Some 90 KB of text: more than one block of snappy and of lz4.
fn sample() -> Vec<u8> {
    (0..2_000)
        .flat_map(|line| format!("{}: the tide comes in, the tide goes out\n", line % 64).into_bytes())
        .collect()
}
