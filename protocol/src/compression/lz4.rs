//! One LZ4 frame, as Kafka's client writes and reads it: independent blocks of 64 KiB, no checksum but the
//! header's. Blocks are decompressed in place, without the window and the copies of a streaming reader.

use lz4_flex::block::{self, CompressTable, DecompressError};
use twox_hash::XxHash32;

use super::compressor::grow;
use super::output::Output;
use super::{Compression, Result};

const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
/// Version 1 with independent blocks, blocks of 64 KiB, and the checksum of these two bytes.
const DESCRIPTOR: [u8; 3] = [0x60, 0x40, 0x82];
const END_MARK: [u8; 4] = [0; 4];
const BLOCK_BYTES: usize = 64 << 10;
const STORED: u32 = 1 << 31;

/// No byte of a block stands for more bytes of output than this, but for the few a token takes.
const RATIO_MAX: usize = 255;

/// The tables of the match finder: input of less than 64 KiB is faster with the smaller one.
pub(super) struct Tables {
    small: CompressTable,
    large: CompressTable,
}

impl Tables {
    pub(super) fn new() -> Self {
        Self { small: CompressTable::small(), large: CompressTable::large() }
    }
}

pub(super) fn compress(tables: &mut Tables, input: &[u8], buffer: &mut Vec<u8>) -> Result<usize> {
    let blocks = input.chunks(BLOCK_BYTES);
    let block_bytes_max = 4 + block::get_maximum_output_size(BLOCK_BYTES.min(input.len()));
    grow(buffer, MAGIC.len() + DESCRIPTOR.len() + blocks.len() * block_bytes_max + END_MARK.len());
    let mut written = 0;
    put(buffer, &mut written, &MAGIC)?;
    put(buffer, &mut written, &DESCRIPTOR)?;
    for block in blocks {
        let room = buffer.get_mut(written + 4..).unwrap_or_default();
        let table = if block.len() < BLOCK_BYTES - 1 { &mut tables.small } else { &mut tables.large };
        let length = block::compress_into_with_table(block, room, table)
            .map_err(|_| Compression::Lz4.cannot_compress("the block does not fit"))?;
        // Kafka's reader refuses a block that grew.
        let stored = length >= block.len();
        let (length, flag) = if stored { (block.len(), STORED) } else { (length, 0) };
        let length_field =
            u32::try_from(length).map_err(|_| Compression::Lz4.cannot_compress("the block is too long"))?;
        put(buffer, &mut written, &(length_field | flag).to_le_bytes())?;
        if stored {
            put(buffer, &mut written, block)?;
        } else {
            written += length;
        }
    }
    put(buffer, &mut written, &END_MARK)?;
    Ok(written)
}

fn put(buffer: &mut [u8], written: &mut usize, bytes: &[u8]) -> Result<()> {
    let end = *written + bytes.len();
    let room = buffer.get_mut(*written..end).ok_or(Compression::Lz4.cannot_compress("the buffer is full"))?;
    room.copy_from_slice(bytes);
    *written = end;
    Ok(())
}

pub(super) fn decompress(input: &[u8], output: &mut Output) -> Result<()> {
    let frame = Frame::open(input)?;
    let (mut bound, mut bodies_bytes) = (0usize, 0usize);
    for block in frame {
        let block = block?;
        bound = bound.saturating_add(frame.block_bound(block));
        bodies_bytes += block.body.len();
    }
    output.prepare(bound, bodies_bytes);
    for block in frame {
        let block = block?;
        if block.stored {
            output.append(block.body)?;
        } else {
            decompress_block(block.body, frame.block_bound(block), output)?;
        }
    }
    Ok(())
}

// Never inlined: the library's inner loop compiled into the one above takes half as long again for 16 KiB.
#[inline(never)]
fn decompress_block(body: &[u8], bound: usize, output: &mut Output) -> Result<()> {
    let allowance = output.allowance();
    let room = output.room(bound);
    let offered = bound.min(room.len());
    match block::decompress_into(body, room.get_mut(..offered).unwrap_or_default()) {
        Ok(bytes) => {
            output.advance(bytes);
            Ok(())
        }
        Err(DecompressError::OutputTooSmall { .. }) if allowance < bound => Err(output.too_large()),
        Err(DecompressError::OutputTooSmall { .. }) => {
            Err(Compression::Lz4.corrupt("a block holds more than the frame allows"))
        }
        Err(_) => Err(Compression::Lz4.corrupt("a block does not decompress")),
    }
}

/// The blocks of a frame that are still to come. What stands behind the frame is left alone, and a checksum
/// of the content is not verified, both as by Kafka's reader: the batch has a checksum of its own.
#[derive(Clone, Copy)]
struct Frame<'a> {
    rest: &'a [u8],
    block_bytes_max: usize,
    block_checksums: bool,
    ended: bool,
}

#[derive(Clone, Copy)]
struct Block<'a> {
    body: &'a [u8],
    stored: bool,
}

impl<'a> Frame<'a> {
    fn open(input: &'a [u8]) -> Result<Self> {
        let ends_early = Compression::Lz4.corrupt("the header ends early");
        let descriptor = input.strip_prefix(&MAGIC).ok_or(Compression::Lz4.corrupt("no magic number"))?;
        let &[flags, block_descriptor, ..] = descriptor else { return Err(ends_early) };
        if flags >> 6 != 1 || flags & 0x03 != 0 || block_descriptor & 0x8F != 0 {
            return Err(Compression::Lz4.corrupt("the header has an unknown version or flag"));
        }
        if flags & 0x20 == 0 {
            return Err(Compression::Lz4.corrupt("the blocks depend on each other"));
        }
        let block_bytes_max = match block_descriptor >> 4 {
            size @ 4..=7 => 1usize << (8 + 2 * size),
            _ => return Err(Compression::Lz4.corrupt("the header has an unknown block size")),
        };
        // The content's own size would be a promise that nothing here needs.
        let length = if flags & 0x08 == 0 { 2 } else { 10 };
        let (descriptor, rest) = descriptor.split_at_checked(length).ok_or(ends_early)?;
        let (&[checksum], rest) = rest.split_first_chunk().ok_or(ends_early)?;
        let [_, expected, ..] = XxHash32::oneshot(0, descriptor).to_le_bytes();
        if checksum != expected {
            return Err(Compression::Lz4.corrupt("the header's checksum differs"));
        }
        Ok(Self { rest, block_bytes_max, block_checksums: flags & 0x10 != 0, ended: false })
    }

    fn block_bound(&self, block: Block<'_>) -> usize {
        if block.stored {
            return block.body.len();
        }
        block.body.len().saturating_mul(RATIO_MAX).min(self.block_bytes_max)
    }

    fn block(&mut self) -> Result<Option<Block<'a>>> {
        let ends_early = Compression::Lz4.corrupt("the frame ends early");
        let (&field, rest) = self.rest.split_first_chunk().ok_or(ends_early)?;
        let field = u32::from_le_bytes(field);
        let length = usize::try_from(field & !STORED).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(None);
        }
        if length > self.block_bytes_max {
            return Err(Compression::Lz4.corrupt("a block is longer than the frame allows"));
        }
        let (body, mut rest) = rest.split_at_checked(length).ok_or(ends_early)?;
        if self.block_checksums {
            let (&checksum, behind) = rest.split_first_chunk().ok_or(ends_early)?;
            if XxHash32::oneshot(0, body) != u32::from_le_bytes(checksum) {
                return Err(Compression::Lz4.corrupt("a block's checksum differs"));
            }
            rest = behind;
        }
        self.rest = rest;
        Ok(Some(Block { body, stored: field & STORED != 0 }))
    }
}

impl<'a> Iterator for Frame<'a> {
    type Item = Result<Block<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let block = self.block().transpose();
        self.ended = !matches!(block, Some(Ok(_)));
        block
    }
}
