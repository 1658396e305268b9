//! Compressing, with a context and a buffer that outlive the call.

use std::fmt;

use flate2::Compress;

use super::{BUFFER_KEPT_BYTES_MAX, Compression, CompressionError, Result, gzip, lz4, snappy, zstandard};

/// Compresses batches with one codec at one level, one after the other.
///
/// Between calls it keeps the codec's context (for zstd that depends on the level: some MiB at the default,
/// hundreds at the highest) and a buffer of at most [`BUFFER_KEPT_BYTES_MAX`].
pub struct Compressor {
    context: Context,
    // Initialised to its full length, as the codecs write into plain slices.
    buffer: Vec<u8>,
}

enum Context {
    None,
    Gzip(Compress),
    // Boxed for its size: it holds its table in place.
    Snappy(Box<snap::raw::Encoder>),
    Lz4(lz4::Tables),
    Zstd(zstandard::Compressing),
}

impl Compressor {
    /// A compressor for `codec`, at its default level where none is given.
    ///
    /// lz4 has one speed whatever the level: its slower, denser search is not implemented here.
    pub fn new(codec: Compression, level: Option<i32>) -> Result<Self> {
        if let Some(level) = level {
            let allowed = codec.levels().is_some_and(|levels| levels.contains(&level))
                || codec == Compression::Gzip && level == -1;
            if !allowed {
                return Err(CompressionError::LevelOutOfRange { codec, level });
            }
        }
        let level = level.or(codec.level_default()).unwrap_or_default();
        let context = match codec {
            Compression::None => Context::None,
            Compression::Gzip => Context::Gzip(gzip::compression_context(level)),
            Compression::Snappy => Context::Snappy(Box::new(snap::raw::Encoder::new())),
            Compression::Lz4 => Context::Lz4(lz4::Tables::new()),
            Compression::Zstd => Context::Zstd(zstandard::compression_context(level)?),
        };
        Ok(Self { context, buffer: Vec::new() })
    }

    /// The codec.
    pub const fn codec(&self) -> Compression {
        match self.context {
            Context::None => Compression::None,
            Context::Gzip(_) => Compression::Gzip,
            Context::Snappy(_) => Compression::Snappy,
            Context::Lz4(_) => Compression::Lz4,
            Context::Zstd(_) => Compression::Zstd,
        }
    }

    /// Compresses `input`; the bytes stay in place until the next call.
    ///
    /// Without a codec they are the input itself.
    pub fn compress<'a>(&'a mut self, input: &'a [u8]) -> Result<&'a [u8]> {
        if self.buffer.len() > BUFFER_KEPT_BYTES_MAX {
            self.buffer = Vec::new();
        }
        let length = match &mut self.context {
            Context::None => return Ok(input),
            Context::Gzip(deflate) => gzip::compress(deflate, input, &mut self.buffer),
            Context::Snappy(encoder) => snappy::compress(encoder, input, &mut self.buffer),
            Context::Lz4(tables) => lz4::compress(tables, input, &mut self.buffer),
            Context::Zstd(context) => zstandard::compress(context, input, &mut self.buffer),
        }?;
        Ok(self.buffer.get(..length).unwrap_or_default())
    }

    /// Compresses `input` into a buffer of its own.
    pub fn compress_vec(&mut self, input: &[u8]) -> Result<Vec<u8>> {
        self.compress(input).map(<[u8]>::to_vec)
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Compressor({}, {} bytes kept)", self.codec(), self.buffer.len())
    }
}

/// Lengthens an initialised buffer to at least `bytes`.
pub(super) fn grow(buffer: &mut Vec<u8>, bytes: usize) {
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
}
