//! Zstandard by libzstd.
//!
//! Frames are decompressed whole into the output: the codec then needs no window of its own, whose size
//! the input would choose. Where the output proves too small it grows and the work starts over; as it grows
//! fourfold, all attempts together cost little more than the last.

use zstd::zstd_safe::zstd_sys::ZSTD_ErrorCode;
use zstd::zstd_safe::{self, CCtx, CParameter, DCtx};

use super::super::compressor::grow;
use super::super::output::Output;
use super::super::{Compression, CompressionError, Result};
use super::WINDOW_BYTES_MAX;

const GROWTH: usize = 4;

pub(in super::super) type Compressing = CCtx<'static>;
pub(in super::super) type Decompressing = DCtx<'static>;

pub(in super::super) fn compression_context(level: i32) -> Result<Compressing> {
    let mut context =
        CCtx::try_create().ok_or(Compression::Zstd.cannot_compress("no memory for the context"))?;
    context.set_parameter(CParameter::CompressionLevel(level)).map_err(cannot_compress)?;
    Ok(context)
}

pub(in super::super) fn decompression_context() -> Result<Decompressing> {
    DCtx::try_create().ok_or(Compression::Zstd.corrupt("no memory for the context"))
}

pub(in super::super) fn compress(
    context: &mut Compressing,
    input: &[u8],
    buffer: &mut Vec<u8>,
) -> Result<usize> {
    grow(buffer, zstd_safe::compress_bound(input.len()));
    context.compress2(buffer.as_mut_slice(), input).map_err(cannot_compress)
}

pub(in super::super) fn decompress(
    context: &mut Decompressing,
    input: &[u8],
    output: &mut Output,
) -> Result<()> {
    let bound = output_bound(input)?;
    output.prepare(bound, input.len());
    loop {
        let room = output.room(1);
        let offered = room.len();
        match context.decompress(room, input) {
            Ok(bytes) => {
                output.advance(bytes);
                return Ok(());
            }
            Err(code) if !is_output_too_small(code) => return Err(corrupt(code)),
            Err(_) if offered == output.allowance() => return Err(output.too_large()),
            Err(code) if offered >= bound => return Err(corrupt(code)),
            Err(_) => {
                output.room(offered.saturating_mul(GROWTH).min(bound));
            }
        }
    }
}

/// What the frames of the input can hold at most, by the sizes in their headers or else by the number of
/// their blocks: both are promises, and nothing is allocated for them alone.
fn output_bound(input: &[u8]) -> Result<usize> {
    let mut frames = input;
    while !frames.is_empty() {
        let length = zstd_safe::find_frame_compressed_size(frames).map_err(corrupt)?;
        let (frame, rest) =
            frames.split_at_checked(length).ok_or(Compression::Zstd.corrupt("the frame ends early"))?;
        if window_bytes(frame).is_some_and(|window| window > WINDOW_BYTES_MAX) {
            return Err(Compression::Zstd.corrupt("the window is larger than readers accept"));
        }
        frames = rest;
    }
    let bound = zstd_safe::decompress_bound(input).map_err(corrupt)?;
    Ok(usize::try_from(bound).unwrap_or(usize::MAX))
}

/// The window that a frame asks for; none where its content is the window, or where it is to be skipped.
fn window_bytes(frame: &[u8]) -> Option<u64> {
    const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();
    const SINGLE_SEGMENT: u8 = 0x20;
    match frame {
        [a, b, c, d, flags, window, ..] if [*a, *b, *c, *d] == MAGIC && flags & SINGLE_SEGMENT == 0 => {
            let base = 1u64 << (10 + (window >> 3));
            Some(base + base / 8 * u64::from(window & 7))
        }
        _ => None,
    }
}

fn is_output_too_small(code: usize) -> bool {
    code == (ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize).wrapping_neg()
}

fn corrupt(code: usize) -> CompressionError {
    Compression::Zstd.corrupt(zstd_safe::get_error_name(code))
}

fn cannot_compress(code: usize) -> CompressionError {
    Compression::Zstd.cannot_compress(zstd_safe::get_error_name(code))
}
