//! Snappy in the framing that Kafka's Java client took over from snappy-java: a header of 16 bytes, then
//! blocks, each behind its length. Clients in other languages also send one block without any framing.

use snap::raw::{Decoder, Encoder};

use super::compressor::grow;
use super::output::Output;
use super::{Compression, Result};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// The version of the framing, and the oldest reader that understands it.
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
const VERSION_MIN: i32 = 1;
const HEADER_BYTES: usize = MAGIC.len() + VERSIONS.len();

/// What Kafka's client puts into one block.
const BLOCK_BYTES: usize = 32 << 10;

/// No byte of a block stands for more bytes of output than this: three make a copy of at most 64.
const RATIO_MAX: usize = 22;

pub(super) fn compress(encoder: &mut Encoder, input: &[u8], buffer: &mut Vec<u8>) -> Result<usize> {
    let blocks = input.chunks(BLOCK_BYTES);
    let block_bytes_max = 4 + snap::raw::max_compress_len(BLOCK_BYTES.min(input.len()));
    grow(buffer, HEADER_BYTES + blocks.len() * block_bytes_max);
    let full = Compression::Snappy.cannot_compress("the buffer is full");
    let (header, mut rest) = buffer.split_first_chunk_mut::<HEADER_BYTES>().ok_or(full)?;
    let (magic, versions) = header.split_at_mut(MAGIC.len());
    magic.copy_from_slice(&MAGIC);
    versions.copy_from_slice(&VERSIONS);
    let mut written = HEADER_BYTES;
    for block in blocks {
        let (prefix, room) = rest.split_first_chunk_mut().ok_or(full)?;
        let length = encoder
            .compress(block, room)
            .map_err(|_| Compression::Snappy.cannot_compress("the block does not fit"))?;
        *prefix = i32::try_from(length).map_err(|_| full)?.to_be_bytes();
        rest = room.get_mut(length..).ok_or(full)?;
        written += prefix.len() + length;
    }
    Ok(written)
}

pub(super) fn decompress(decoder: &mut Decoder, input: &[u8], output: &mut Output) -> Result<()> {
    if input.is_empty() {
        return Err(Compression::Snappy.corrupt("there is no byte"));
    }
    // Every length is checked before the first byte is decompressed, so that one allocation holds them all
    // and what is over the cap costs nothing.
    let mut total = 0usize;
    for block in Blocks::new(input) {
        total = total.saturating_add(decompressed_bytes(block?)?);
    }
    if total > output.allowance() {
        return Err(output.too_large());
    }
    let room = output.room(total);
    let mut filled = 0;
    for block in Blocks::new(input) {
        let block = block?;
        let length = decompressed_bytes(block)?;
        let place = room
            .get_mut(filled..filled + length)
            .ok_or(Compression::Snappy.corrupt("the block is longer than announced"))?;
        decoder
            .decompress(block, place)
            .map_err(|_| Compression::Snappy.corrupt("the block does not decompress"))?;
        filled += length;
    }
    output.advance(total);
    Ok(())
}

/// What a block says it holds, where its own length can hold that much.
fn decompressed_bytes(block: &[u8]) -> Result<usize> {
    let length = snap::raw::decompress_len(block)
        .map_err(|_| Compression::Snappy.corrupt("the block announces no length"))?;
    if length > block.len().saturating_mul(RATIO_MAX) {
        return Err(Compression::Snappy.corrupt("the block announces more than it can hold"));
    }
    Ok(length)
}

/// The blocks of an input, with or without framing.
struct Blocks<'a> {
    rest: &'a [u8],
    framed: bool,
}

impl<'a> Blocks<'a> {
    fn new(input: &'a [u8]) -> Self {
        // As snappy-java decides it: a raw block may begin with the same byte, never with all eight.
        Self { rest: input, framed: input.len() >= HEADER_BYTES && input.starts_with(&MAGIC) }
    }

    fn framed_block(&mut self) -> Result<Option<&'a [u8]>> {
        // Streams may be concatenated: a header can stand wherever a block can.
        while let Some(behind) = self.rest.strip_prefix(&MAGIC) {
            let header_ends_early = Compression::Snappy.corrupt("the header ends early");
            let (&version, behind) = behind.split_first_chunk().ok_or(header_ends_early)?;
            let (_compatible, behind) = behind.split_first_chunk::<4>().ok_or(header_ends_early)?;
            if i32::from_be_bytes(version) < VERSION_MIN {
                return Err(Compression::Snappy.corrupt("the framing has an unknown version"));
            }
            self.rest = behind;
        }
        // Fewer bytes than a length needs end the stream, as they do for snappy-java.
        let Some((&length, behind)) = self.rest.split_first_chunk() else { return Ok(None) };
        let length = match usize::try_from(i32::from_be_bytes(length)) {
            Ok(length) if length > 0 => length,
            _ => return Err(Compression::Snappy.corrupt("a block has no positive length")),
        };
        let (block, behind) = behind
            .split_at_checked(length)
            .ok_or(Compression::Snappy.corrupt("a block is longer than the input"))?;
        self.rest = behind;
        Ok(Some(block))
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.framed {
            return self.framed_block().transpose();
        }
        let block = std::mem::take(&mut self.rest);
        (!block.is_empty()).then_some(Ok(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decompressed(input: &[u8]) -> Result<Vec<u8>> {
        Compression::Snappy.decompress(input, 1 << 20)
    }

    fn framed(blocks: &[&[u8]]) -> Vec<u8> {
        let mut input = [MAGIC, VERSIONS].concat();
        for block in blocks {
            let block = Encoder::new().compress_vec(block).unwrap();
            input.extend(i32::try_from(block.len()).unwrap().to_be_bytes());
            input.extend(block);
        }
        input
    }

    #[test]
    fn framed_concatenated_and_bare_blocks_are_read() {
        assert_eq!(decompressed(&framed(&[b"ebb", b"flow"])).unwrap(), b"ebbflow");
        let twice = [framed(&[b"ebb"]), framed(&[b"flow"])].concat();
        assert_eq!(decompressed(&twice).unwrap(), b"ebbflow");
        assert_eq!(decompressed(&Encoder::new().compress_vec(b"ebb").unwrap()).unwrap(), b"ebb");
        assert_eq!(decompressed(&framed(&[])).unwrap(), b"");
    }

    #[test]
    fn a_few_bytes_at_the_end_are_ignored_as_by_snappy_java() {
        let mut input = framed(&[b"ebb"]);
        input.extend(b"...");
        assert_eq!(decompressed(&input).unwrap(), b"ebb");
    }

    #[test]
    fn hostile_lengths_are_refused() {
        let header = [MAGIC, VERSIONS].concat();
        for length in [0, -1, i32::MIN, i32::MAX, 5] {
            let input = [&header[..], &length.to_be_bytes(), b"1234"].concat();
            assert!(matches!(
                decompressed(&input),
                Err(crate::compression::CompressionError::Corrupt { .. })
            ));
        }
        // Five bytes that announce 4 GiB.
        let error = decompressed(&[0xFF, 0xFF, 0xFF, 0xFF, 0x0F]).unwrap_err();
        assert_eq!(error, Compression::Snappy.corrupt("the block announces more than it can hold"));
        assert!(decompressed(&[&MAGIC[..], &[0; 8]].concat()).is_err(), "version 0");
        assert!(decompressed(b"").is_err());
    }

    #[test]
    fn no_block_beats_the_ratio() {
        let block = Encoder::new().compress_vec(&vec![0; 1 << 16]).unwrap();
        assert!((1 << 16) <= block.len() * RATIO_MAX);
        assert!((1 << 16) > block.len() * (RATIO_MAX - 3), "the bound is not loose either");
    }
}
