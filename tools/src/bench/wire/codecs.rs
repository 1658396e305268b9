//! Each codec beside the library it is made of, used as that library is fastest: contexts and buffers are
//! kept, and the reader knows how long the output is.

use std::hint::black_box;
use std::io::{self, Read, Write};

use flate2::{Compress, Decompress, FlushCompress, FlushDecompress};
use lz4_flex::frame::{BlockSize, FrameDecoder, FrameEncoder, FrameInfo};
use strandline_protocol::{Compression, Compressor, Decompressor};

use super::content::json_lines;
use crate::bench::Plan;
use crate::bench::measure::{Amount, Comparison};

const SIZES: [(&str, usize); 2] = [("16 KiB", 16 << 10), ("1 MiB", 1 << 20)];

pub(super) fn run(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    for (size, bytes) in SIZES {
        let content = json_lines(bytes);
        compress(size, &content, plan, out)?;
        decompress(size, &content, plan, out)?;
    }
    Ok(())
}

/// The name of a comparison, and our part in it.
fn compression<'a>(codec: Compression, size: &str, content: &'a [u8]) -> io::Result<Comparison<'a>> {
    let mut compressor = Compressor::new(codec, None).map_err(io::Error::other)?;
    let bytes = compressor.compress(content).map_err(io::Error::other)?.len();
    let name = format!("compress {codec} {size} to {bytes}");
    let comparison = Comparison::new(name, Amount::Bytes(content.len()));
    Ok(comparison.contender("strandline", move || {
        let _ = black_box(compressor.compress(black_box(content)));
    }))
}

fn compress(size: &str, content: &[u8], plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    // Room for whatever a codec makes of it.
    let room = || vec![0; content.len() * 2 + 1_024];

    let (mut deflate, mut output) = (Compress::new_gzip(flate2::Compression::default(), 15), room());
    compression(Compression::Gzip, size, content)?
        .contender("flate2", move || {
            deflate.reset();
            let _ = black_box(deflate.compress(black_box(content), &mut output, FlushCompress::Finish));
        })
        .run(plan, out)?;

    let (mut encoder, mut output) = (snap::raw::Encoder::new(), room());
    compression(Compression::Snappy, size, content)?
        .contender("snap", move || {
            let _ = black_box(encoder.compress(black_box(content), &mut output));
        })
        .run(plan, out)?;

    let mut output = Vec::new();
    compression(Compression::Lz4, size, content)?
        .contender("lz4_flex frame", move || {
            output.clear();
            let info = FrameInfo::new().block_size(BlockSize::Max64KB);
            let mut encoder = FrameEncoder::with_frame_info(info, &mut output);
            let _ = encoder.write_all(black_box(content));
            let _ = black_box(encoder.finish());
        })
        .run(plan, out)?;

    let mut output = room();
    let mut zstd = zstd::bulk::Compressor::new(3)?;
    compression(Compression::Zstd, size, content)?
        .contender("zstd bulk", move || {
            let _ = black_box(zstd.compress_to_buffer(black_box(content), output.as_mut_slice()));
        })
        .run(plan, out)
}

/// The name of a comparison, and our part in it: into a buffer that is kept, and into one of its own.
fn decompression<'a>(codec: Compression, size: &str, content: &[u8], input: &'a [u8]) -> Comparison<'a> {
    let (mut kept, mut owned) = (Decompressor::new(), Decompressor::new());
    Comparison::new(format!("decompress {codec} {size}"), Amount::Bytes(content.len()))
        .contender("strandline", move || {
            let _ = black_box(kept.decompress(codec, black_box(input), 16 << 20));
        })
        .contender("strandline, owned output", move || {
            let _ = black_box(owned.decompress_vec(codec, black_box(input), 16 << 20));
        })
}

fn decompress(size: &str, content: &[u8], plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let compressed = |codec: Compression| codec.compress(None, content).map_err(io::Error::other);
    let room = || vec![0; content.len()];

    let (input, mut output) = (compressed(Compression::Gzip)?, room());
    decompression(Compression::Gzip, size, content, &input)
        .contender("flate2", || {
            let mut inflate = Decompress::new_gzip(15);
            let _ = black_box(inflate.decompress(black_box(&input), &mut output, FlushDecompress::Finish));
        })
        .run(plan, out)?;

    let (input, mut output) = (compressed(Compression::Snappy)?, room());
    let bare = snap::raw::Encoder::new().compress_vec(content).map_err(io::Error::other)?;
    decompression(Compression::Snappy, size, content, &input)
        .contender("snap", || {
            let _ = black_box(snap::raw::Decoder::new().decompress(black_box(&bare), &mut output));
        })
        .run(plan, out)?;

    let (input, mut output) = (compressed(Compression::Lz4)?, room());
    decompression(Compression::Lz4, size, content, &input)
        .contender("lz4_flex frame", || {
            let _ = black_box(FrameDecoder::new(black_box(&input[..])).read_exact(&mut output));
        })
        .run(plan, out)?;

    let (input, mut output) = (compressed(Compression::Zstd)?, room());
    let mut zstd = zstd::bulk::Decompressor::new()?;
    decompression(Compression::Zstd, size, content, &input)
        .contender("zstd bulk", || {
            let _ = black_box(zstd.decompress_to_buffer(black_box(&input), output.as_mut_slice()));
        })
        .run(plan, out)
}
