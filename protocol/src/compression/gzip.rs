//! gzip members around deflate.
//!
//! The members' headers and trailers are read here and not by the deflate library: its contexts can be used
//! again only without them.

use flate2::{Compress, Crc, Decompress, FlushCompress, FlushDecompress, Status};

use super::compressor::grow;
use super::output::Output;
use super::{Compression, Result};

const MAGIC: [u8; 2] = [0x1F, 0x8B];
const METHOD_DEFLATE: u8 = 8;
const WINDOW_BITS: u8 = 15;
const TRAILER_BYTES: usize = 8;

const HEADER_CHECKSUM: u8 = 1 << 1;
const EXTRA: u8 = 1 << 2;
const NAME: u8 = 1 << 3;
const COMMENT: u8 = 1 << 4;

/// What the output buffer has in front of the first call, beyond the input's length: deflate may grow
/// what it cannot compress by a little, and a header and a trailer come on top.
const SLACK_BYTES: usize = 64;

pub(super) fn compression_context(level: i32) -> Compress {
    let level = u32::try_from(level).map_or(flate2::Compression::default(), flate2::Compression::new);
    Compress::new_gzip(level, WINDOW_BITS)
}

pub(super) fn compress(deflate: &mut Compress, input: &[u8], buffer: &mut Vec<u8>) -> Result<usize> {
    deflate.reset();
    let (mut taken, mut written) = (0, 0);
    grow(buffer, input.len() + input.len() / 8 + SLACK_BYTES);
    loop {
        let rest = input.get(taken..).unwrap_or_default();
        let room = buffer.get_mut(written..).unwrap_or_default();
        let (taken_before, written_before) = (deflate.total_in(), deflate.total_out());
        let status = deflate
            .compress(rest, room, FlushCompress::Finish)
            .map_err(|_| Compression::Gzip.cannot_compress("deflate failed"))?;
        taken += difference(deflate.total_in(), taken_before);
        written += difference(deflate.total_out(), written_before);
        if status == Status::StreamEnd {
            return Ok(written);
        }
        let longer = buffer.len() + buffer.len() / 2;
        grow(buffer, longer);
    }
}

pub(super) fn decompress(inflate: &mut Decompress, input: &[u8], output: &mut Output) -> Result<()> {
    output.prepare(promised_bytes(input), input.len());
    let mut rest = member(inflate, input, output)?;
    // Members may follow each other. What does not begin as one is ignored, as Java's reader ignores it.
    while rest.starts_with(&MAGIC) {
        rest = member(inflate, rest, output)?;
    }
    Ok(())
}

/// Decompresses one member and returns what stands behind it.
fn member<'a>(inflate: &mut Decompress, input: &'a [u8], output: &mut Output) -> Result<&'a [u8]> {
    let body = behind_header(input)?;
    let start = output.len();
    let rest = deflated(inflate, body, output)?;
    let ends_early = Compression::Gzip.corrupt("the trailer ends early");
    let (&checksum, rest) = rest.split_first_chunk().ok_or(ends_early)?;
    let (&length, rest) = rest.split_first_chunk().ok_or(ends_early)?;
    let mut crc = Crc::new();
    crc.update(output.filled_from(start));
    if crc.sum() != u32::from_le_bytes(checksum) {
        return Err(Compression::Gzip.corrupt("the checksum differs"));
    }
    if crc.amount() != u32::from_le_bytes(length) {
        return Err(Compression::Gzip.corrupt("the length differs"));
    }
    Ok(rest)
}

fn deflated<'a>(inflate: &mut Decompress, body: &'a [u8], output: &mut Output) -> Result<&'a [u8]> {
    inflate.reset(false);
    let mut rest = body;
    loop {
        let mut beyond_cap = [0];
        let allowance = output.allowance();
        // At the cap, one more byte is still offered: a stream that ends exactly there must see its end.
        let room = if allowance == 0 { &mut beyond_cap[..] } else { output.room(1) };
        let (taken_before, written_before) = (inflate.total_in(), inflate.total_out());
        let status = inflate
            .decompress(rest, room, FlushDecompress::None)
            .map_err(|_| Compression::Gzip.corrupt("the stream does not decompress"))?;
        let taken = difference(inflate.total_in(), taken_before);
        let written = difference(inflate.total_out(), written_before);
        rest = rest.get(taken..).unwrap_or_default();
        if written > allowance {
            return Err(output.too_large());
        }
        output.advance(written);
        match status {
            Status::StreamEnd => return Ok(rest),
            _ if taken == 0 && written == 0 => {
                return Err(Compression::Gzip.corrupt("the stream ends early"));
            }
            _ => {}
        }
    }
}

/// What stands behind a member's header.
fn behind_header(input: &[u8]) -> Result<&[u8]> {
    let ends_early = Compression::Gzip.corrupt("the header ends early");
    let (&[magic_first, magic_second, method, flags, ..], rest) =
        input.split_first_chunk::<10>().ok_or(ends_early)?;
    if [magic_first, magic_second] != MAGIC || method != METHOD_DEFLATE {
        return Err(Compression::Gzip.corrupt("no magic number"));
    }
    let mut rest = rest;
    if flags & EXTRA != 0 {
        let (&length, behind) = rest.split_first_chunk().ok_or(ends_early)?;
        rest = behind.get(usize::from(u16::from_le_bytes(length))..).ok_or(ends_early)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|&byte| byte == 0).ok_or(ends_early)?;
            rest = rest.get(end + 1..).ok_or(ends_early)?;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        let (&checksum, behind) = rest.split_first_chunk().ok_or(ends_early)?;
        let mut crc = Crc::new();
        crc.update(input.get(..input.len() - rest.len()).unwrap_or_default());
        let [first, second, ..] = crc.sum().to_le_bytes();
        if [first, second] != checksum {
            return Err(Compression::Gzip.corrupt("the header's checksum differs"));
        }
        rest = behind;
    }
    Ok(rest)
}

/// The length at the end of the input: true for a single member shorter than 4 GiB, a mere hint otherwise.
fn promised_bytes(input: &[u8]) -> usize {
    let length = if input.len() < TRAILER_BYTES { None } else { input.last_chunk() };
    length.map_or(0, |&length| usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX))
}

fn difference(after: u64, before: u64) -> usize {
    // Both count bytes of slices in memory.
    usize::try_from(after - before).unwrap_or(usize::MAX)
}
