//! Zstandard frames: by libzstd, which is C, where a build asks for it (the feature `zstd-c`), and in Rust alone where none
//! does. Both read all that there is, and take the same memory for what they read; what the second writes is less dense,
//! whatever the level, and takes longer.

#[cfg(feature = "zstd-c")]
mod c;
#[cfg(any(test, not(feature = "zstd-c")))]
mod rust;

#[cfg(feature = "zstd-c")]
pub(super) use c::{
    Compressing, Decompressing, compress, compression_context, decompress, decompression_context,
};
#[cfg(not(feature = "zstd-c"))]
pub(super) use rust::{
    Compressing, Decompressing, compress, compression_context, decompress, decompression_context,
};

/// The largest window that libzstd's own streaming readers accept, and with them Kafka's consumers.
const WINDOW_BYTES_MAX: u64 = 128 << 20;

#[cfg(test)]
mod tests;
