//! Decompressing, with contexts and a buffer that outlive the call.

use std::fmt;

use flate2::Decompress;

use super::output::Output;
use super::{BUFFER_KEPT_BYTES_MAX, Compression, CompressionError, Result, gzip, lz4, snappy, zstandard};

/// Decompresses batches of any codec, one after the other.
///
/// Between calls it keeps the contexts of the codecs it has met (some 50 KiB for gzip, 160 KiB for zstd) and
/// a buffer of at most [`BUFFER_KEPT_BYTES_MAX`].
pub struct Decompressor {
    contexts: Contexts,
    buffer: Vec<u8>,
    kept_bytes_max: usize,
}

impl Default for Decompressor {
    fn default() -> Self {
        Self { contexts: Contexts::default(), buffer: Vec::new(), kept_bytes_max: BUFFER_KEPT_BYTES_MAX }
    }
}

#[derive(Default)]
struct Contexts {
    gzip: Option<Decompress>,
    snappy: snap::raw::Decoder,
    zstd: Option<zstandard::Decompressing>,
}

impl Decompressor {
    /// A decompressor that holds nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A decompressor for something large, that has its buffer from the beginning and keeps it. The system gives memory for
    /// what is used of it, and has all of it back in the end; of one that grows, the allocator would keep each size.
    pub fn with_room(bytes: usize) -> Self {
        Self { buffer: vec![0; bytes], kept_bytes_max: bytes, ..Self::default() }
    }

    /// Decompresses `input` to at most `bytes_max` bytes, which stay in place until the next call.
    ///
    /// What is not compressed is returned as it is, without a copy.
    pub fn decompress<'a>(
        &'a mut self,
        codec: Compression,
        input: &'a [u8],
        bytes_max: usize,
    ) -> Result<&'a [u8]> {
        if codec == Compression::None {
            let too_large = CompressionError::TooLarge { bytes_max };
            return if input.len() <= bytes_max { Ok(input) } else { Err(too_large) };
        }
        if self.buffer.len() > self.kept_bytes_max {
            self.buffer = Vec::new();
        }
        let mut output = Output::new(std::mem::take(&mut self.buffer), bytes_max);
        let result = self.contexts.decompress(codec, input, &mut output);
        // The buffer is worth keeping even after an error.
        let (buffer, filled) = output.into_parts();
        self.buffer = buffer;
        result.map(|()| self.buffer.get(..filled).unwrap_or_default())
    }

    /// Decompresses `input` to at most `bytes_max` bytes in a buffer of their own.
    pub fn decompress_vec(&mut self, codec: Compression, input: &[u8], bytes_max: usize) -> Result<Vec<u8>> {
        let mut output = Output::new(Vec::new(), bytes_max);
        self.contexts.decompress(codec, input, &mut output)?;
        let (mut buffer, filled) = output.into_parts();
        buffer.truncate(filled);
        buffer.shrink_to_fit();
        Ok(buffer)
    }
}

impl Contexts {
    fn decompress(&mut self, codec: Compression, input: &[u8], output: &mut Output) -> Result<()> {
        match codec {
            Compression::None => output.append(input),
            Compression::Gzip => {
                let inflate = self.gzip.get_or_insert_with(|| Decompress::new(false));
                gzip::decompress(inflate, input, output)
            }
            Compression::Snappy => snappy::decompress(&mut self.snappy, input, output),
            Compression::Lz4 => lz4::decompress(input, output),
            Compression::Zstd => {
                let context = match &mut self.zstd {
                    Some(context) => context,
                    empty => empty.insert(zstandard::decompression_context()?),
                };
                zstandard::decompress(context, input, output)
            }
        }
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Decompressor({} bytes kept)", self.buffer.len())
    }
}
