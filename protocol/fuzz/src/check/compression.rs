//! What holds of the codecs: whatever the input, the output and the memory for it stay below the cap, contexts
//! remember nothing, and what was compressed comes back.

use strandline_protocol::ErrorCode;
use strandline_protocol::compression::{Compression, CompressionError, Compressor, Decompressor};

use super::super::allocation::measure;

/// Contexts, and what a small output may always have. What zstd's library takes from C's heap is not in it.
pub(super) const FIXED_BYTES: usize = 256 << 10;

/// The caps to hold: nothing, hardly anything, and more than an input of the fuzzer's plausibly is.
const BYTES_MAX: [usize; 4] = [0, 100, 64 << 10, 4 << 20];

/// gzip; the first byte chooses the cap, the rest is what to decompress, and then what to compress.
pub fn gzip(input: &[u8]) {
    codec(Compression::Gzip, input);
}

/// As [`gzip`], for snappy.
pub fn snappy(input: &[u8]) {
    codec(Compression::Snappy, input);
}

/// As [`gzip`], for lz4.
pub fn lz4(input: &[u8]) {
    codec(Compression::Lz4, input);
}

/// As [`gzip`], for zstd.
pub fn zstd(input: &[u8]) {
    codec(Compression::Zstd, input);
}

fn codec(codec: Compression, input: &[u8]) {
    let Some((&cap, input)) = input.split_first() else { return };
    let Some(&bytes_max) = BYTES_MAX.get(usize::from(cap) % BYTES_MAX.len()) else { return };
    hostile(codec, input, bytes_max);
    round_trip(codec, input);
}

/// Takes the input for compressed.
pub fn hostile(codec: Compression, input: &[u8], bytes_max: usize) {
    let (result, usage) = measure(|| codec.decompress(input, bytes_max));
    assert!(usage.peak_bytes <= 2 * bytes_max + FIXED_BYTES, "{codec} below {bytes_max}: {usage:?}");
    // Growing by doubling copies less than what there is in the end, twice over.
    assert!(usage.total_bytes <= 4 * bytes_max + 2 * FIXED_BYTES, "{codec} below {bytes_max}: {usage:?}");
    match &result {
        Ok(output) => assert!(output.len() <= bytes_max),
        Err(CompressionError::TooLarge { bytes_max: cap }) => assert_eq!(*cap, bytes_max),
        Err(error) => assert_eq!(error.error_code(), ErrorCode::INVALID_RECORD, "{error}"),
    }
    let mut used = Decompressor::new();
    let _ = used.decompress(codec, input.get(1..).unwrap_or_default(), bytes_max);
    assert_eq!(used.decompress_vec(codec, input, bytes_max), result, "{codec}: the context remembers");
    if let Ok(output) = &result {
        let exact = codec.decompress(input, output.len());
        assert_eq!(exact.as_ref(), Ok(output), "{codec}: a cap that just suffices");
    }
}

/// Takes the input for something to compress.
fn round_trip(codec: Compression, input: &[u8]) {
    let compressed = Compressor::new(codec, None).and_then(|mut compressor| compressor.compress_vec(input));
    match compressed.and_then(|compressed| codec.decompress(&compressed, input.len())) {
        Ok(output) => assert_eq!(output, input, "{codec}"),
        Err(error) => panic!("{codec} does not read what it wrote: {error}"),
    }
}
