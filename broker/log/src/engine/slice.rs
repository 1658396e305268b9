//! What is read of a log: where its bytes are.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use crate::disk;
use crate::journal::Pinned;
use crate::segment::FileRange;
use crate::tail::FrameSlice;

/// Some of a log's bytes, left where they are.
#[derive(Clone, Debug)]
pub enum Slice {
    /// In memory.
    Memory(FrameSlice),
    /// In a segment.
    Segment(FileRange),
    /// In memory, brought there from a segment.
    Loaded(Bytes),
    /// In a file of the journal, which is not used again while this is there.
    Journal {
        /// The file.
        file: Arc<Pinned>,
        /// Where in it they begin.
        offset: u64,
        /// How many they are.
        length: u64,
    },
}

impl Slice {
    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        match self {
            Self::Memory(slice) => slice.as_ref().len() as u64,
            Self::Segment(range) => range.length,
            Self::Loaded(bytes) => bytes.len() as u64,
            Self::Journal { length, .. } => *length,
        }
    }

    /// How many of them are in no memory of this process.
    pub(super) fn length_in_file(&self) -> u64 {
        match self {
            Self::Memory(_) | Self::Loaded(_) => 0,
            Self::Segment(_) | Self::Journal { .. } => self.length(),
        }
    }

    /// Its bytes; copied only where they are in a file.
    pub fn read(&self) -> io::Result<Bytes> {
        let (file, offset, length) = match self {
            Self::Memory(slice) => return Ok(slice.clone().into_bytes()),
            Self::Loaded(bytes) => return Ok(bytes.clone()),
            Self::Segment(range) => (&*range.file, range.offset, range.length),
            Self::Journal { file, offset, length } => (file.file(), *offset, *length),
        };
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| io::ErrorKind::InvalidInput)?];
        disk::read_exact_at(file, &mut bytes, offset)?;
        Ok(bytes.into())
    }
}
