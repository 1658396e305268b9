//! Frames: four bytes of length, then a header and a message.
//!
//! Outbound, an [`OutboundFrame`] is a list of pieces to send in order, so that record payloads need no
//! copy. Inbound there are two ways. [`FrameCodec`] is tokio-util's codec, for clients and tests.
//! [`FrameAssembler`] is for the broker, which must hold a length against its limits and take a permit for it
//! before it reads on, and whose memory follows the bytes that arrived, never a length that was promised.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::headers::ResponseHeader;
use crate::message::{Message, Request};
use crate::reader::Reader;
use crate::records::Piece;
use crate::wire::DecodeResult;

mod buffers;
mod outbound;

pub use buffers::FrameBuffers;
pub use outbound::OutboundFrame;

/// The bytes of the length in front of each frame.
pub const LENGTH_BYTES: usize = size_of::<i32>();

/// The shortest content that means anything: a response header of a correlation id and nothing else.
pub const CONTENT_BYTES_MIN: usize = size_of::<i32>();

/// What a connection may hold for bytes that have not arrived yet, at the most, before it has shown that it
/// sends large frames whole.
pub const UNPROVEN_BYTES_MAX: usize = 16 << 10;

/// Frames up to this are copied out of the buffer that they came in: one that is long in the answering must not hold a
/// whole buffer.
const COPIED_BYTES_MAX: usize = 4 << 10;

/// From this on, a frame of which nobody keeps anything for long stays where it is, in a buffer that is half full at
/// least. Shorter ones that came together are copied together.
const SHARED_BYTES_MIN: usize = 1 << 10;

/// How far one frame that came whole is taken as a promise for the next one.
const PROVEN_BYTES_MAX: usize = 2 << 20;

/// A length that no frame may have. The connection cannot be read any further: close it.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// Negative, or too short for any header.
    #[error("a frame of {0} bytes is too short to be one")]
    TooShort(i32),
    /// Above the limit of the connection.
    #[error("a frame of {length} bytes is above the limit of {length_max}")]
    TooLong {
        /// The length that was announced.
        length: usize,
        /// The limit.
        length_max: usize,
    },
    /// A piece outside of memory, which only a transport that knows its place can send.
    #[error("the frame has a piece that lies outside of memory")]
    NotInMemory,
    /// The transport failed.
    #[error(transparent)]
    Transport(#[from] std::io::Error),
}

/// Holds an announced length against the limit.
///
/// ```
/// use strandline_protocol::frame::content_length;
/// assert_eq!(content_length([0, 0, 1, 0], 1 << 20).unwrap(), 256);
/// assert!(content_length([0xFF; 4], 1 << 20).is_err());
/// assert!(content_length([0x7F, 0xFF, 0xFF, 0xFF], 1 << 20).is_err());
/// ```
pub fn content_length(prefix: [u8; LENGTH_BYTES], length_max: usize) -> Result<usize, FrameError> {
    let announced = i32::from_be_bytes(prefix);
    match usize::try_from(announced) {
        Ok(length) if length > length_max => Err(FrameError::TooLong { length, length_max }),
        Ok(length) if length >= CONTENT_BYTES_MIN => Ok(length),
        _ => Err(FrameError::TooShort(announced)),
    }
}

/// The length of the frame at the front of `buffer`, once its four bytes are there.
fn announced_length(buffer: &[u8], length_max: usize) -> Result<Option<usize>, FrameError> {
    buffer.first_chunk().map(|&prefix| content_length(prefix, length_max)).transpose()
}

/// The content of the frame at the front of `buffer`, once all of it is there; a copy, if it is to be one.
fn take_frame(
    buffer: &mut BytesMut,
    length_max: usize,
    is_copied: impl FnOnce(&[u8]) -> bool,
) -> Result<Option<Bytes>, FrameError> {
    match announced_length(buffer, length_max)? {
        Some(length) if buffer.len() - LENGTH_BYTES >= length => {
            buffer.advance(LENGTH_BYTES);
            let copied = buffer.get(..length).filter(|content| is_copied(content));
            let Some(frame) = copied.map(Bytes::copy_from_slice) else {
                return Ok(Some(buffer.split_to(length).freeze()));
            };
            buffer.advance(length);
            Ok(Some(frame))
        }
        _ => Ok(None),
    }
}

/// How many bytes at the front of `buffer` are whole frames that are to be copied together.
fn copied_together(buffer: &[u8], is_brief: impl Fn(&[u8]) -> bool) -> usize {
    let mut bytes = 0;
    while let Some(rest) = buffer.get(bytes..)
        && let Ok(Some(length @ ..SHARED_BYTES_MIN)) = announced_length(rest, usize::MAX)
        && let Some(content) = rest.get(LENGTH_BYTES..LENGTH_BYTES + length)
        && bytes + LENGTH_BYTES + length <= UNPROVEN_BYTES_MAX
        && is_brief(content)
    {
        bytes += LENGTH_BYTES + length;
    }
    bytes
}

/// Puts the frames of one connection together from what its socket gives.
///
/// Sans-io; whoever owns the socket goes round like this:
///
/// ```
/// use strandline_protocol::frame::FrameAssembler;
///
/// # fn read_some(room: &mut bytes::BytesMut) { room.extend_from_slice(&[0, 0, 0, 4, 1, 2, 3, 4]) }
/// # fn main() -> Result<(), strandline_protocol::frame::FrameError> {
/// let mut assembler = FrameAssembler::new(512 << 10);
/// let frame = loop {
///     if let Some(frame) = assembler.next_frame()? {
///         break frame;
///     }
///     if let Some(_length) = assembler.announced_length()? {
///         // The place to wait for a permit for that many bytes.
///     }
///     // Once the socket is readable: an idle connection holds no buffer.
///     read_some(assembler.room());
/// };
/// assert_eq!(frame, [1, 2, 3, 4].as_slice());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FrameAssembler {
    buffer: BytesMut,
    // A copy of what the buffer begins with: small frames, of which nobody keeps anything for long. They take one piece of
    // memory together, where one for each would be more than the allocator has at hand.
    copied: Bytes,
    length_max: usize,
    // What the last frame that came whole shows this connection to be good for.
    proven_bytes: usize,
    // How large the buffer was when it was new, and where it goes when it is done with.
    buffer_bytes: usize,
    buffers: Option<FrameBuffers>,
}

impl FrameAssembler {
    /// For a connection whose frames may have `length_max` bytes of content.
    pub fn new(length_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            copied: Bytes::new(),
            length_max,
            proven_bytes: 0,
            buffer_bytes: 0,
            buffers: None,
        }
    }

    /// Uses these buffers for large frames. As many bytes as they may keep are what one frame that came whole promises
    /// for the next one.
    #[must_use]
    pub fn with_buffers(mut self, buffers: FrameBuffers) -> Self {
        self.buffers = Some(buffers);
        self
    }

    /// Another limit from the next frame on: authentication lifts it.
    pub fn set_length_max(&mut self, length_max: usize) {
        self.length_max = length_max;
    }

    /// The length of the frame that is arriving, known as soon as its first four bytes are there.
    pub fn announced_length(&self) -> Result<Option<usize>, FrameError> {
        announced_length(&self.buffer, self.length_max)
    }

    /// The next frame's content, once all of it has arrived.
    pub fn next_frame(&mut self) -> Result<Option<Bytes>, FrameError> {
        self.next_frame_where(|_| false)
    }

    /// The same where `is_brief` says of a frame whether nobody keeps anything of it for long. Then it may share its
    /// memory with those that came with it, even if it is small: as long as any of them is there, all of that is.
    pub fn next_frame_where(
        &mut self,
        is_brief: impl Fn(&[u8]) -> bool,
    ) -> Result<Option<Bytes>, FrameError> {
        let frame = match self.next_copied(&is_brief)? {
            Some(frame) => Some(frame),
            None => self.next_alone(is_brief)?,
        };
        if let Some(frame) = &frame {
            let proven_max = self.buffers.as_ref().map_or(0, FrameBuffers::bytes_max).max(PROVEN_BYTES_MAX);
            self.proven_bytes = (LENGTH_BYTES + frame.len()).min(proven_max);
            // Between requests nothing is held; frames that are still in use keep what they lie in.
            self.release_empty();
        }
        Ok(frame)
    }

    /// The next frame if it is one of those that are copied together.
    fn next_copied(&mut self, is_brief: impl Fn(&[u8]) -> bool) -> Result<Option<Bytes>, FrameError> {
        let Some(length) = self.announced_length()? else { return Ok(None) };
        if self.copied.is_empty() {
            let bytes = copied_together(&self.buffer, is_brief);
            self.copied = self.buffer.get(..bytes).map(Bytes::copy_from_slice).unwrap_or_default();
        }
        if self.copied.is_empty() {
            return Ok(None);
        }
        self.buffer.advance(LENGTH_BYTES + length);
        let mut frame = self.copied.split_to(LENGTH_BYTES + length);
        frame.advance(LENGTH_BYTES);
        Ok(Some(frame))
    }

    /// The next frame, which takes memory of its own or stays in the buffer.
    fn next_alone(&mut self, is_brief: impl FnOnce(&[u8]) -> bool) -> Result<Option<Bytes>, FrameError> {
        // What has come into the buffer, frames that were taken out included.
        let filled = self.buffer_bytes.saturating_sub(self.buffer.capacity()) + self.buffer.len();
        let is_half_full = filled >= self.buffer_bytes / 2;
        let is_copied = |content: &[u8]| match content.len() {
            SHARED_BYTES_MIN..=COPIED_BYTES_MAX => !is_half_full || !is_brief(content),
            length => length <= COPIED_BYTES_MAX,
        };
        take_frame(&mut self.buffer, self.length_max, is_copied)
    }

    fn replace_buffer(&mut self, buffer: BytesMut) {
        let bytes = std::mem::replace(&mut self.buffer_bytes, buffer.capacity());
        let spent = std::mem::replace(&mut self.buffer, buffer);
        if bytes == UNPROVEN_BYTES_MAX {
            buffers::give_small(spent);
        } else if let Some(buffers) = &self.buffers {
            buffers.give(spent, bytes);
        }
    }

    /// The buffer with room to read into, never with more than the frame that is arriving can use.
    ///
    /// The room grows with what has arrived: to five times as much at the most, to [`UNPROVEN_BYTES_MAX`], or to
    /// what the last whole frame took. A large frame ends in a buffer of exactly its size, after copies of less
    /// than two thirds of it the first time, and of no more than its first read from then on.
    pub fn room(&mut self) -> &mut BytesMut {
        let step = self.next_capacity();
        if step > 0 {
            let mut larger = match &self.buffers {
                _ if step == UNPROVEN_BYTES_MAX => buffers::take_small(),
                Some(buffers) => buffers.take(step),
                None => BytesMut::with_capacity(step),
            };
            larger.put_slice(&self.buffer);
            self.replace_buffer(larger);
        }
        &mut self.buffer
    }

    /// How large a buffer the next call of [`Self::room`] will make: 0 if there is room in the one that is there.
    /// What is to be paid for before it is there can be asked for here.
    pub fn next_capacity(&self) -> usize {
        let received = self.buffer.len();
        let affordable = UNPROVEN_BYTES_MAX.max(self.proven_bytes).max(5 * received);
        // A length beyond the limit comes to light in `next_frame`: until then it is worth nothing here.
        let frame = self.announced_length().ok().flatten().map_or(0, |length| LENGTH_BYTES + length);
        let capacity = self.buffer.capacity();
        // Grown when full, and once more as soon as the whole frame is affordable: a sender of single bytes
        // causes no more copies than any other.
        if capacity == received || (capacity < frame && frame <= affordable) {
            // A step short of the whole stays well short of it: else a few last bytes would move all the others.
            let step = if frame <= affordable { frame } else { affordable / 5 * 4 };
            // A small frame leaves room for those that follow it on the same read.
            step.max(UNPROVEN_BYTES_MAX)
        } else {
            0
        }
    }

    /// Gives the buffer up if nothing is in it: it turned out that there was nothing to read.
    pub fn release_empty(&mut self) {
        if self.buffer.is_empty() {
            self.replace_buffer(BytesMut::new());
        }
    }

    /// How many bytes have arrived that belong to no frame that was taken out.
    pub fn received_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// How much memory the connection holds for frames that have not come whole.
    pub fn held_bytes(&self) -> usize {
        self.buffer.capacity()
    }
}

/// tokio-util's codec for frames: reads their content, writes [`OutboundFrame`]s.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    length_max: usize,
}

impl FrameCodec {
    /// A codec that refuses frames of more than `length_max` bytes of content.
    pub fn new(length_max: usize) -> Self {
        Self { length_max }
    }
}

impl Decoder for FrameCodec {
    type Item = Bytes;
    type Error = FrameError;

    fn decode(&mut self, buffer: &mut BytesMut) -> Result<Option<Bytes>, FrameError> {
        take_frame(buffer, self.length_max, |_| false)
    }
}

impl Encoder<OutboundFrame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: OutboundFrame, buffer: &mut BytesMut) -> Result<(), FrameError> {
        buffer.reserve(frame.len());
        for piece in frame.into_pieces() {
            match piece {
                Piece::Slice(slice) => buffer.put_slice(&slice),
                Piece::External(_) => return Err(FrameError::NotInMemory),
            }
        }
        Ok(())
    }
}

/// The correlation id at the front of a response, from which a client learns what the rest is.
pub fn response_correlation_id(content: &[u8]) -> Option<i32> {
    content.first_chunk().map(|&bytes| i32::from_be_bytes(bytes))
}

/// Reads the response to a request of type `R` that was sent in `version`: the correlation id and the body.
pub fn read_response<R: Request>(content: Bytes, version: i16) -> DecodeResult<(i32, R::Response)> {
    let mut reader = Reader::new(content);
    let header = ResponseHeader::read(&mut reader, R::KEY.api().response_header_version(version))?;
    let body = R::Response::read(&mut reader, version)?;
    reader.finish()?;
    Ok((header.correlation_id, body))
}

#[cfg(test)]
mod tests;
