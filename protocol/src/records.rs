//! The place of record batches in a message: bytes at hand, or bytes that only the transport will touch.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;

/// The record batches of one partition, as a message carries them.
///
/// Decoded, they are one slice of the frame. To be encoded, they may be any sequence of [`Piece`]s: slices
/// of a log's tail, ranges of its files. The writer leaves large pieces out of line, so that nothing copies
/// them on their way to the socket.
#[derive(Clone, Default, PartialEq)]
pub struct Records(Pieces);

// One slice is what is decoded and what most answers hold: it costs no allocation.
#[derive(Clone)]
enum Pieces {
    One(Bytes),
    Many(Vec<Piece>),
}

/// A contiguous part of a partition's records.
#[derive(Clone, PartialEq)]
pub enum Piece {
    /// Bytes in memory.
    Slice(Bytes),
    /// Bytes in a place that this crate does not look into.
    External(External),
}

/// Bytes that lie in a file, or anywhere else where only the transport can send them from.
///
/// `source` is kept alive until the frame has been dropped; the transport finds the concrete type behind it
/// by downcasting.
#[derive(Clone)]
pub struct External {
    /// What holds the bytes.
    pub source: Arc<dyn Any + Send + Sync>,
    /// Where they start in it.
    pub position: u64,
    /// How many they are.
    pub length: usize,
}

impl Records {
    /// No records: what a fetch answers where there is nothing (never null, which clients take for an error).
    pub const fn empty() -> Self {
        Self(Pieces::One(Bytes::new()))
    }

    /// How many bytes the records take on the wire.
    pub fn len(&self) -> usize {
        match &self.0 {
            Pieces::One(slice) => slice.len(),
            Pieces::Many(pieces) => pieces.iter().map(Piece::len).sum(),
        }
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes, where they are one slice in memory, as decoded records always are.
    pub fn as_slice(&self) -> Option<&Bytes> {
        match &self.0 {
            Pieces::One(slice) => Some(slice),
            Pieces::Many(_) => None,
        }
    }

    /// The same, for good.
    pub fn into_slice(self) -> Option<Bytes> {
        match self.0 {
            Pieces::One(slice) => Some(slice),
            Pieces::Many(_) => None,
        }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece> + '_ {
        let (one, many) = match &self.0 {
            Pieces::One(slice) => (Some(Piece::Slice(slice.clone())), &[][..]),
            Pieces::Many(pieces) => (None, pieces.as_slice()),
        };
        one.into_iter().chain(many.iter().cloned())
    }
}

impl Default for Pieces {
    fn default() -> Self {
        Self::One(Bytes::new())
    }
}

impl PartialEq for Pieces {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::One(left), Self::One(right)) => left == right,
            (Self::Many(left), Self::Many(right)) => left == right,
            _ => false,
        }
    }
}

impl Piece {
    /// How many bytes it is.
    pub fn len(&self) -> usize {
        match self {
            Self::Slice(slice) => slice.len(),
            Self::External(external) => external.length,
        }
    }

    /// Whether it has no byte.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl From<Bytes> for Records {
    fn from(slice: Bytes) -> Self {
        Self(Pieces::One(slice))
    }
}

impl From<Vec<Piece>> for Records {
    fn from(mut pieces: Vec<Piece>) -> Self {
        match pieces.pop() {
            None => Self::empty(),
            Some(Piece::Slice(slice)) if pieces.is_empty() => Self(Pieces::One(slice)),
            Some(last) => {
                pieces.push(last);
                Self(Pieces::Many(pieces))
            }
        }
    }
}

/// The same place in the same source.
impl PartialEq for External {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
            && self.position == other.position
            && self.length == other.length
    }
}

impl fmt::Debug for External {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "External({} bytes at {})", self.length, self.position)
    }
}

// The bytes themselves are a user's data: logs and panics get to see their number only.
impl fmt::Debug for Piece {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slice(slice) => write!(formatter, "Slice({} bytes)", slice.len()),
            Self::External(external) => external.fmt(formatter),
        }
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Records({} bytes)", self.len())
    }
}
