//! Inputs that are cut, changed, glued together or nothing at all.

use proptest::collection::vec;
use proptest::prelude::*;
use strandline_protocol::ErrorCode;
use strandline_protocol::compression::{Compression, CompressionError, Decompressor};

use crate::allocations::peak_bytes;
use crate::{CODECS, sample};

/// What any input may cost: the cap, what a promise may always have, and contexts.
const PEAK_BYTES_MAX: usize = BYTES_MAX + (256 << 10);
const BYTES_MAX: usize = 200_000;

fn check(codec: Compression, input: &[u8]) -> Result<Vec<u8>, CompressionError> {
    let (result, peak) = peak_bytes(|| Decompressor::new().decompress_vec(codec, input, BYTES_MAX));
    assert!(peak <= PEAK_BYTES_MAX, "{codec}: {peak} bytes for {} of input", input.len());
    match &result {
        Ok(output) => assert!(output.len() <= BYTES_MAX),
        Err(CompressionError::TooLarge { bytes_max }) => assert_eq!(*bytes_max, BYTES_MAX),
        Err(error) => assert_eq!(error.error_code(), ErrorCode::INVALID_RECORD),
    }
    result
}

#[test]
fn whatever_is_cut_off_is_missed() {
    let sample = sample();
    for codec in CODECS {
        let compressed = codec.compress(None, &sample).unwrap();
        for length in 1..compressed.len() {
            match check(codec, &compressed[..length]) {
                Err(_) => {}
                // Framed snappy has no end of its own: cut between blocks it is shorter, and still right.
                Ok(output) => assert!(codec == Compression::Snappy && sample.starts_with(&output), "{codec}"),
            }
        }
    }
}

#[test]
fn no_byte_at_all_is_no_stream_but_for_zstd() {
    for codec in CODECS {
        assert_eq!(check(codec, b"").is_ok(), codec == Compression::Zstd, "{codec}");
        let nothing = codec.compress(None, b"").unwrap();
        assert_eq!(check(codec, &nothing), Ok(Vec::new()), "{codec}");
    }
}

#[test]
fn streams_behind_each_other_are_read_as_kafka_reads_them() {
    for (codec, both) in [
        (Compression::Gzip, true),
        (Compression::Snappy, true),
        // Kafka's reader stops at the end of the first frame.
        (Compression::Lz4, false),
        (Compression::Zstd, true),
    ] {
        let two = [codec.compress(None, b"ebb").unwrap(), codec.compress(None, b"flow").unwrap()].concat();
        let expected = if both { &b"ebbflow"[..] } else { b"ebb" };
        assert_eq!(check(codec, &two).unwrap(), expected, "{codec}");
    }
    let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9][..]].concat();
    let frame = Compression::Zstd.compress(None, b"ebb").unwrap();
    assert_eq!(check(Compression::Zstd, &[skippable, frame].concat()).unwrap(), b"ebb");
}

#[test]
fn garbage_behind_a_stream_is_ignored_where_kafka_ignores_it() {
    for (codec, ignored) in [
        (Compression::Gzip, true),
        (Compression::Snappy, false),
        (Compression::Lz4, true),
        (Compression::Zstd, false),
    ] {
        let mut input = codec.compress(None, b"ebb").unwrap();
        input.extend(b"garbage");
        assert_eq!(check(codec, &input).is_ok(), ignored, "{codec}");
    }
}

#[test]
fn gzip_headers_with_everything_in_them_are_read() {
    let mut header = vec![0x1F, 0x8B, 8, 0b1_1110, 0, 0, 0, 0, 0, 0];
    header.extend([3, 0, 1, 2, 3]);
    header.extend(b"name\0comment\0");
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    let plain = Compression::Gzip.compress(None, b"ebb").unwrap();
    let body = &plain[10..];
    let [first, second, ..] = crc.sum().to_le_bytes();
    let good = [&header, &[first, second][..], body].concat();
    assert_eq!(check(Compression::Gzip, &good).unwrap(), b"ebb");
    let bad = [&header, &[first ^ 1, second][..], body].concat();
    assert!(check(Compression::Gzip, &bad).is_err());
    for length in 0..good.len() {
        assert!(check(Compression::Gzip, &good[..length]).is_err());
    }
}

#[test]
fn lz4_frames_that_kafka_refuses_are_refused() {
    let frame = Compression::Lz4.compress(None, b"ebb ebb ebb ebb ebb ebb ebb ebb").unwrap();
    for (place, value, why) in [
        (0, 0x05, "magic"),
        (4, 0x40, "dependent blocks"),
        (4, 0x20, "version 0"),
        (4, 0x61, "a dictionary"),
        (5, 0x30, "an unknown block size"),
        (5, 0x50, "a header that is not the one of the checksum"),
        (6, 0x83, "a wrong checksum"),
        (10, 0x7F, "a block longer than the frame allows"),
    ] {
        let mut frame = frame.clone();
        frame[place] = value;
        assert!(check(Compression::Lz4, &frame).is_err(), "{why}");
    }
}

#[test]
fn lz4_checksums_of_blocks_are_verified() {
    let block = &lz4_flex::block::compress(b"ebb ebb ebb ebb ebb ebb ebb ebb")[..];
    let descriptor = [0x70, 0x40];
    let [_, header_checksum, ..] = twox_hash::XxHash32::oneshot(0, &descriptor).to_le_bytes();
    let length = u32::try_from(block.len()).unwrap().to_le_bytes();
    let checksum = twox_hash::XxHash32::oneshot(0, block);
    let frame = |checksum: u32| {
        let head = [&[0x04, 0x22, 0x4D, 0x18][..], &descriptor, &[header_checksum]].concat();
        [&head, &length[..], block, &checksum.to_le_bytes(), &[0; 4]].concat()
    };
    assert_eq!(check(Compression::Lz4, &frame(checksum)).unwrap().len(), 31);
    assert!(check(Compression::Lz4, &frame(checksum ^ 1)).is_err());
}

#[test]
fn a_zstd_window_that_consumers_refuse_is_refused() {
    let frame = |window: u8| [0x28, 0xB5, 0x2F, 0xFD, 0, window, 1 | 3 << 3, 0, 0, b'e', b'b', b'b'];
    assert_eq!(check(Compression::Zstd, &frame(17 << 3)).unwrap(), b"ebb");
    assert!(check(Compression::Zstd, &frame(17 << 3 | 1)).is_err());
    assert!(check(Compression::Zstd, &frame(0xFF)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn changed_bytes_never_panic_and_never_pass_the_cap(
        flips in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        from in 0..80_000usize,
        length in 0..1_600usize,
    ) {
        let sample = sample();
        for codec in CODECS {
            let mut input = codec.compress(None, &sample[from..from + length]).unwrap();
            for (place, value) in &flips {
                let place = place.index(input.len());
                input[place] = *value;
            }
            let _ = check(codec, &input);
        }
    }

    #[test]
    fn noise_behind_a_true_beginning_never_panics(noise in vec(any::<u8>(), 0..300)) {
        let beginnings: [(Compression, &[u8]); 6] = [
            (Compression::Gzip, &[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0]),
            (Compression::Gzip, &[0x1F, 0x8B, 8]),
            (Compression::Snappy, b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0"),
            (Compression::Snappy, b""),
            (Compression::Lz4, &[0x04, 0x22, 0x4D, 0x18, 0x60, 0x70, 0x73]),
            (Compression::Zstd, &[0x28, 0xB5, 0x2F, 0xFD]),
        ];
        for (codec, beginning) in beginnings {
            let _ = check(codec, &[beginning, &noise].concat());
        }
    }
}
