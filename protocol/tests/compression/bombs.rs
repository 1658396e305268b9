//! Small inputs that stand for gigabytes stop at the cap, and never held more than it.

use std::io::Write;

use flate2::write::DeflateEncoder;
use strandline_protocol::compression::{Compression, CompressionError, Decompressor};

use crate::allocations::peak_bytes;

const BYTES_MAX: usize = 8 << 20;

/// Contexts, and what allocators round up to. Without libzstd that of zstd is counted as well.
const FIXED_BYTES_MAX: usize = if cfg!(feature = "zstd-c") { 256 << 10 } else { 512 << 10 };

static ZEROS: [u8; 1 << 16] = [0; 1 << 16];

fn assert_stopped(codec: Compression, bomb: &[u8]) {
    for bytes_max in [0, 1, 1_000, 100_000, BYTES_MAX] {
        let mut decompressor = Decompressor::new();
        let (result, peak) = peak_bytes(|| decompressor.decompress(codec, bomb, bytes_max).map(<[u8]>::len));
        assert_eq!(result, Err(CompressionError::TooLarge { bytes_max }), "{codec}");
        assert!(peak <= bytes_max + FIXED_BYTES_MAX, "{codec}, {bytes_max}: {peak} bytes");
    }
}

#[test]
fn gzip() {
    // A flushed piece of deflate can stand in a stream any number of times: 2 GiB of zeros.
    let mut deflate = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    deflate.write_all(&[0; 1 << 20]).unwrap();
    deflate.flush().unwrap();
    let piece = deflate.get_ref().clone();
    let header = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    let bomb = [&header[..], &piece.repeat(2_048)].concat();
    assert!(bomb.len() < 4 << 20);
    assert_stopped(Compression::Gzip, &bomb);
}

#[test]
fn snappy() {
    let block = snap::raw::Encoder::new().compress_vec(&ZEROS).unwrap();
    let block = [&i32::try_from(block.len()).unwrap().to_be_bytes()[..], &block].concat();
    let header = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
    let bomb = [&header[..], &block.repeat(1 << 14)].concat();
    assert_stopped(Compression::Snappy, &bomb);
}

#[test]
fn lz4() {
    let frame = Compression::Lz4.compress(None, &ZEROS).unwrap();
    let (header, block) = (&frame[..7], &frame[7..frame.len() - 4]);
    assert_stopped(Compression::Lz4, &[header, &block.repeat(1 << 14)[..], &[0; 4]].concat());
}

#[test]
fn zstd() {
    assert_stopped(Compression::Zstd, &zstd_bomb(1 << 14));
}

/// `blocks` blocks of 128 KiB, four bytes each: a length and the byte to repeat.
fn zstd_bomb(blocks: usize) -> Vec<u8> {
    let header = [0x28, 0xB5, 0x2F, 0xFD, 0, 7 << 3];
    let block = |last: u32| {
        let [low, middle, high, _] = (128 << 10 << 3 | 1 << 1 | last).to_le_bytes();
        [low, middle, high, 0]
    };
    [&header[..], &block(0).repeat(blocks - 1), &block(1)].concat()
}

#[test]
fn a_bomb_below_the_cap_is_just_data() {
    let output = Compression::Zstd.decompress(&zstd_bomb(16), 16 * (128 << 10)).unwrap();
    assert!(output.len() == 16 * (128 << 10) && output.iter().all(|&byte| byte == 0));
}

#[test]
fn a_promise_allocates_nothing_beyond_the_plausible() {
    // A gzip member that ends in a length of 4 GiB, a zstd frame that begins with one.
    let mut gzip = Compression::Gzip.compress(None, b"ebb").unwrap();
    let end = gzip.len();
    gzip[end - 4..].copy_from_slice(&[0xFF; 4]);
    let mut zstd = vec![0x28, 0xB5, 0x2F, 0xFD, 0xE0];
    zstd.extend((4u64 << 30).to_le_bytes());
    zstd.extend([1 | 3 << 3, 0, 0, b'e', b'b', b'b']);
    for (codec, liar) in [(Compression::Gzip, gzip), (Compression::Zstd, zstd)] {
        let (result, peak) = peak_bytes(|| Decompressor::new().decompress_vec(codec, &liar, usize::MAX));
        assert!(matches!(result, Err(CompressionError::Corrupt { .. })), "{codec}: {result:?}");
        assert!(peak <= (1 << 20) + FIXED_BYTES_MAX, "{codec}: {peak} bytes");
    }
}

#[test]
fn who_has_room_from_the_beginning_grows_no_more() {
    let mut decompressor = Decompressor::with_room(BYTES_MAX);
    let large = zstd_bomb(64);
    let first = decompressor.decompress(Compression::Zstd, &large, BYTES_MAX).unwrap().len();
    let (again, peak) =
        peak_bytes(|| decompressor.decompress(Compression::Zstd, &large, BYTES_MAX).map(<[u8]>::len));
    assert_eq!((again.unwrap(), peak), (first, 0));
}

#[test]
fn a_large_buffer_is_not_kept() {
    let mut decompressor = Decompressor::new();
    let (large, small) = (zstd_bomb(64), zstd_bomb(1));
    decompressor.decompress(Compression::Zstd, &large, BYTES_MAX).unwrap();
    // What is measured here is freed in between: the old buffer first, the new one after.
    let (_, peak) =
        peak_bytes(|| decompressor.decompress(Compression::Zstd, &small, BYTES_MAX).map(<[u8]>::len));
    assert_eq!(peak, 0, "the large buffer went before the small one came");
    assert_eq!(format!("{decompressor:?}"), "Decompressor(131072 bytes kept)");
}
