//! The memory of frames, and slices of it.

use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use super::budget::Charge;
use crate::journal::FrameBuffer;

/// Frames that are small for their buffer are copied together into chunks of this size.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// The bytes of a frame that is kept. In both kinds the bytes are dropped before what was charged for them.
pub(super) enum FrameMemory {
    /// A buffer of its own.
    Whole { buffer: FrameBuffer, _charge: Charge },
    /// A part of a chunk.
    Part { bytes: Bytes, _charge: Arc<Charge> },
}

impl FrameMemory {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole { buffer, .. } => buffer.bytes(),
            Self::Part { bytes, .. } => bytes,
        }
    }

    /// A part of the frame; none if it reaches beyond the frame's end.
    pub(super) fn slice(self: &Arc<Self>, offset: u32, length: u32) -> Option<FrameSlice> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        self.bytes().get(start..end)?;
        Some(FrameSlice { memory: Arc::clone(self), start, end })
    }
}

impl fmt::Debug for FrameMemory {
    /// The bytes are a user's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FrameMemory({} bytes)", self.bytes().len())
    }
}

/// A part of a frame in memory. As long as it is there, all of the memory is: the frame's own, or the chunk
/// that it shares with others.
#[derive(Clone)]
pub struct FrameSlice {
    memory: Arc<FrameMemory>,
    start: usize,
    end: usize,
}

impl FrameSlice {
    /// The same memory as [`Bytes`], not copied.
    pub fn into_bytes(self) -> Bytes {
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for FrameSlice {
    fn as_ref(&self) -> &[u8] {
        // It was held against the frame's length when it was made.
        self.memory.bytes().get(self.start..self.end).unwrap_or_default()
    }
}

impl fmt::Debug for FrameSlice {
    /// The bytes are a user's.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FrameSlice({}..{} of {:?})", self.start, self.end, self.memory)
    }
}

/// A chunk that has room for more frames.
///
/// It is one allocation, of which the filled front is handed out part by part, and it counts until it takes no
/// more and all of its parts are gone.
#[derive(Debug)]
pub(super) struct OpenChunk {
    free: BytesMut,
    charge: Arc<Charge>,
}

impl OpenChunk {
    pub(super) fn new(charge: Charge) -> Self {
        Self { free: BytesMut::with_capacity(CHUNK_BYTES), charge: Arc::new(charge) }
    }

    /// Copies a frame behind the others, if there is room for it.
    pub(super) fn add(&mut self, frame: &[u8]) -> Option<FrameMemory> {
        if frame.len() > self.free.capacity() {
            return None;
        }
        self.free.extend_from_slice(frame);
        Some(FrameMemory::Part { bytes: self.free.split().freeze(), _charge: Arc::clone(&self.charge) })
    }
}
