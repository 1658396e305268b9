//! Zstandard in Rust alone.
//!
//! Frames are decompressed block by block, so that no more is held than the window and one block beyond what has been put
//! out. There is one way to compress, about as dense as libzstd's lowest level: others are taken for it.

use std::io::Read;

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use ruzstd::encoding::CompressionLevel;

use super::super::output::Output;
use super::super::{Compression, CompressionError, Result};
use super::WINDOW_BYTES_MAX;

/// It keeps nothing from one call to the next.
pub(in super::super) struct Compressing;

pub(in super::super) type Decompressing = Box<FrameDecoder>;

pub(in super::super) const fn compression_context(_level: i32) -> Result<Compressing> {
    Ok(Compressing)
}

pub(in super::super) fn decompression_context() -> Result<Decompressing> {
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(WINDOW_BYTES_MAX);
    Ok(Box::new(decoder))
}

pub(in super::super) fn compress(
    _context: &mut Compressing,
    input: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<usize> {
    buffer.clear();
    ruzstd::encoding::compress(input, &mut *buffer, CompressionLevel::Fastest);
    Ok(buffer.len())
}

pub(in super::super) fn decompress(
    decoder: &mut Decompressing,
    input: &[u8],
    output: &mut Output,
) -> Result<()> {
    let mut rest = input;
    while !rest.is_empty() {
        match decoder.reset(&mut rest) {
            Ok(()) => decompress_frame(decoder, &mut rest, output)?,
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                rest = rest.get(length..).ok_or(Compression::Zstd.corrupt("the frame ends early"))?;
            }
            Err(error) => return Err(corrupt(&error)),
        }
    }
    Ok(())
}

fn decompress_frame(decoder: &mut FrameDecoder, rest: &mut &[u8], output: &mut Output) -> Result<()> {
    let promised = usize::try_from(decoder.content_size()).unwrap_or(usize::MAX);
    output.prepare(promised, rest.len());
    while !decoder.is_finished() {
        decoder.decode_blocks(&mut *rest, BlockDecodingStrategy::UptoBlocks(1)).map_err(|it| corrupt(&it))?;
        while decoder.can_collect() > 0 {
            if output.allowance() == 0 {
                return Err(output.too_large());
            }
            let room = output.room(decoder.can_collect());
            let bytes = decoder.read(room).map_err(|_| Compression::Zstd.corrupt("it cannot be read"))?;
            output.advance(bytes);
        }
    }
    let said = decoder.get_checksum_from_data();
    if said.is_some() && said != decoder.get_calculated_checksum() {
        return Err(Compression::Zstd.corrupt("the checksum is another"));
    }
    Ok(())
}

const fn corrupt(error: &FrameDecoderError) -> CompressionError {
    Compression::Zstd.corrupt(match error {
        FrameDecoderError::WindowSizeTooBig { .. } => "the window is larger than readers accept",
        FrameDecoderError::ReadFrameHeaderError(_) | FrameDecoderError::FrameHeaderError(_) => {
            "that is no frame"
        }
        FrameDecoderError::DictNotProvided { .. } => "it needs a dictionary",
        FrameDecoderError::FailedToReadBlockHeader(_) | FrameDecoderError::FailedToReadChecksum(_) => {
            "the frame ends early"
        }
        _ => "a block makes no sense",
    })
}
