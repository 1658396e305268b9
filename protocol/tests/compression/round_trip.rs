//! What was compressed comes back, in every codec and level, from contexts that have seen other input.

use proptest::collection::vec;
use proptest::prelude::*;
use strandline_protocol::compression::{Compression, CompressionError, Compressor, Decompressor};

use crate::{CODECS, sample};

/// Bytes from noise to a single value, in lengths around the blocks of the codecs.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let length = prop_oneof![0..200usize, 30_000..35_000usize, 63_000..68_000usize, 100_000..200_000usize];
    (length, any::<u64>(), 1..=255u8).prop_map(|(length, seed, values)| {
        let mut state = seed | 1;
        let mut byte = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % u64::from(values)).to_le_bytes()[0]
        };
        (0..length).map(|_| byte()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn contexts_used_again_give_the_same_bytes_as_fresh_ones(contents in vec(content(), 1..5)) {
        let mut decompressor = Decompressor::new();
        for codec in Compression::ALL {
            let mut compressor = Compressor::new(codec, None).unwrap();
            for content in &contents {
                let compressed = compressor.compress(content).unwrap();
                prop_assert!(compressed == codec.compress(None, content).unwrap());
                let output = decompressor.decompress(codec, compressed, content.len()).unwrap();
                prop_assert!(output == content, "{}", codec);
                prop_assert!(codec.decompress(compressed, content.len()).unwrap() == *content);
                if !content.is_empty() {
                    let bytes_max = content.len() - 1;
                    let error = CompressionError::TooLarge { bytes_max };
                    prop_assert_eq!(decompressor.decompress(codec, compressed, bytes_max), Err(error));
                }
            }
        }
    }
}

#[test]
fn every_level_writes_what_every_reader_reads() {
    let sample = &sample()[..5_000];
    for codec in CODECS {
        for level in codec.levels().into_iter().flatten().filter(|level| *level > -8) {
            let compressed = codec.compress(Some(level), sample).unwrap();
            assert!(codec.decompress(&compressed, sample.len()).unwrap() == sample, "{codec} {level}");
        }
    }
}

#[test]
fn zstd_takes_its_lowest_level() {
    let compressed = Compression::Zstd.compress(Some(-131_072), b"ebb").unwrap();
    assert_eq!(Compression::Zstd.decompress(&compressed, 3).unwrap(), b"ebb");
}
