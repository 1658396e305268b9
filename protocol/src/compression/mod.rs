//! The codecs that record batches are compressed with: none, gzip, snappy, lz4, zstd.
//!
//! Owns the framing that Kafka's clients write around each of them, the caps that keep a small hostile
//! input from becoming a large output, and the errors. Never looks at what the bytes mean.
//!
//! [`Compressor`] and [`Decompressor`] keep their contexts and their buffer from one call to the next, and
//! are what a busy place holds, one per worker rather than one per connection. The methods of
//! [`Compression`] make fresh ones each time.
//!
//! Nothing is allocated for a promise: a size that the input announces is believed up to the cap, and up to
//! what bytes of that number plausibly hold. Past that, memory follows what was really produced.
//!
//! ```
//! use strandline_protocol::compression::{Compression, Compressor, Decompressor};
//!
//! let records = b"tide tide tide tide tide tide tide tide tide tide".as_slice();
//! let mut compressor = Compressor::new(Compression::Zstd, Some(3)).unwrap();
//! let compressed = compressor.compress(records).unwrap();
//! assert!(compressed.len() < records.len());
//!
//! let mut decompressor = Decompressor::new();
//! assert_eq!(decompressor.decompress(Compression::Zstd, compressed, 1 << 20).unwrap(), records);
//! assert!(decompressor.decompress(Compression::Zstd, compressed, 10).is_err(), "the cap holds");
//! ```

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error_code::ErrorCode;

mod compressor;
mod decompressor;
mod gzip;
mod lz4;
mod output;
mod snappy;
mod zstandard;

pub use compressor::Compressor;
pub use decompressor::Decompressor;

/// Buffers longer than this are given back when the next call begins; shorter ones are kept for it.
pub const BUFFER_KEPT_BYTES_MAX: usize = 4 << 20;

/// A codec, as the three lowest bits of a batch's attributes name it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum Compression {
    /// The records as they are.
    #[default]
    None = 0,
    /// One or more gzip members.
    Gzip = 1,
    /// Snappy blocks in the framing of Kafka's Java client, or one block without it.
    Snappy = 2,
    /// One LZ4 frame of independent blocks.
    Lz4 = 3,
    /// Zstandard frames.
    Zstd = 4,
}

/// Why bytes could not be compressed or decompressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CompressionError {
    /// The attributes name a codec that does not exist.
    #[error("no codec has the id {0}")]
    UnknownId(u8),
    /// A configuration names a codec that does not exist.
    #[error("the codecs are none, gzip, snappy, lz4 and zstd")]
    UnknownName,
    /// The codec has no such level.
    #[error("{codec} has no level {level}")]
    LevelOutOfRange {
        /// The codec.
        codec: Compression,
        /// The level asked for.
        level: i32,
    },
    /// The output would exceed the cap.
    #[error("decompresses to more than {bytes_max} bytes")]
    TooLarge {
        /// The cap.
        bytes_max: usize,
    },
    /// The input is not what the codec writes.
    #[error("not {codec}: {reason}")]
    Corrupt {
        /// The codec.
        codec: Compression,
        /// What was wrong.
        reason: &'static str,
    },
    /// The codec's library refused to compress.
    #[error("cannot compress with {codec}: {reason}")]
    CannotCompress {
        /// The codec.
        codec: Compression,
        /// What the library says.
        reason: &'static str,
    },
}

type Result<T> = std::result::Result<T, CompressionError>;

impl CompressionError {
    /// What Kafka's protocol calls it.
    ///
    /// Bytes that do not decompress came past the batch's checksum: whoever sent them would send the same ones
    /// again, and so they are INVALID_RECORD and not CORRUPT_MESSAGE, which asks for just that.
    pub const fn error_code(&self) -> ErrorCode {
        match self {
            Self::UnknownId(_) | Self::UnknownName => ErrorCode::UNSUPPORTED_COMPRESSION_TYPE,
            Self::LevelOutOfRange { .. } => ErrorCode::INVALID_CONFIG,
            Self::TooLarge { .. } => ErrorCode::MESSAGE_TOO_LARGE,
            Self::Corrupt { .. } => ErrorCode::INVALID_RECORD,
            Self::CannotCompress { .. } => ErrorCode::UNKNOWN_SERVER_ERROR,
        }
    }
}

impl Compression {
    /// Every codec, by rising id.
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec of this id.
    pub const fn from_id(id: u8) -> Result<Self> {
        match id {
            0 => Ok(Self::None),
            1 => Ok(Self::Gzip),
            2 => Ok(Self::Snappy),
            3 => Ok(Self::Lz4),
            4 => Ok(Self::Zstd),
            _ => Err(CompressionError::UnknownId(id)),
        }
    }

    /// The number that stands in a batch's attributes.
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// The name that stands in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }

    /// The levels that `compression.<codec>.level` may name. gzip has -1 besides, for its default.
    pub const fn levels(self) -> Option<RangeInclusive<i32>> {
        match self {
            Self::None | Self::Snappy => None,
            Self::Gzip => Some(1..=9),
            Self::Lz4 => Some(1..=17),
            Self::Zstd => Some(-131_072..=22),
        }
    }

    /// The level where none is configured.
    pub const fn level_default(self) -> Option<i32> {
        match self {
            Self::None | Self::Snappy => None,
            Self::Gzip => Some(-1),
            Self::Lz4 => Some(9),
            Self::Zstd => Some(3),
        }
    }

    /// Compresses `input` in a fresh context. Where it happens often, a [`Compressor`] is faster.
    pub fn compress(self, level: Option<i32>, input: &[u8]) -> Result<Vec<u8>> {
        Compressor::new(self, level)?.compress_vec(input)
    }

    /// Decompresses `input` in a fresh context, to at most `bytes_max` bytes. Where it happens often, a
    /// [`Decompressor`] is faster.
    pub fn decompress(self, input: &[u8], bytes_max: usize) -> Result<Vec<u8>> {
        Decompressor::new().decompress_vec(self, input, bytes_max)
    }

    const fn corrupt(self, reason: &'static str) -> CompressionError {
        CompressionError::Corrupt { codec: self, reason }
    }

    const fn cannot_compress(self, reason: &'static str) -> CompressionError {
        CompressionError::CannotCompress { codec: self, reason }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Compression {
    type Err = CompressionError;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|codec| codec.name() == name).ok_or(CompressionError::UnknownName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_lead_back_to_the_codec() {
        for codec in Compression::ALL {
            assert_eq!(Compression::from_id(codec.id()), Ok(codec));
            assert_eq!(codec.name().parse(), Ok(codec));
        }
        for id in 5..8 {
            let error = Compression::from_id(id).unwrap_err();
            assert_eq!(error, CompressionError::UnknownId(id));
            assert_eq!(error.error_code(), ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
        }
        assert_eq!("GZIP".parse::<Compression>(), Err(CompressionError::UnknownName));
    }

    #[test]
    fn levels_outside_of_the_range_are_refused() {
        for (codec, good, bad) in [
            (Compression::Gzip, &[-1, 1, 9][..], &[-2, 0, 10][..]),
            (Compression::Lz4, &[1, 17], &[0, 18, -1]),
            (Compression::Zstd, &[-131_072, 0, 22], &[-131_073, 23]),
            (Compression::None, &[], &[0, 1]),
            (Compression::Snappy, &[], &[0, 1]),
        ] {
            for &level in good {
                assert!(codec.compress(Some(level), b"x").is_ok(), "{codec} {level}");
            }
            for &level in bad {
                let error = CompressionError::LevelOutOfRange { codec, level };
                assert_eq!(codec.compress(Some(level), b"x"), Err(error));
            }
        }
    }
}
