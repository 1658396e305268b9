//! The memory of large frames that have been read and let go of, kept for the next ones.
//!
//! Fresh memory is dear: the kernel clears each page of it when it is first touched, and takes longer for that than for
//! copying as much out of a socket. Owns what it keeps, up to a bound, and never a frame that somebody still reads.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::BytesMut;

use super::UNPROVEN_BYTES_MAX;

/// What is smaller is not worth the trouble.
const BYTES_MIN: usize = 64 << 10;

/// Buffers that several [`FrameAssembler`](super::FrameAssembler)s use one after the other: cheap to clone, and all
/// clones are the same.
///
/// ```
/// use strandline_protocol::frame::{FrameAssembler, FrameBuffers};
///
/// let buffers = FrameBuffers::new(1 << 20);
/// let mut assembler = FrameAssembler::new(1 << 20).with_buffers(buffers.clone());
/// assembler.room().extend_from_slice(&[0, 0, 0, 4, 1, 2, 3, 4]);
/// assert_eq!(assembler.next_frame()?.unwrap(), [1, 2, 3, 4].as_slice());
/// assert_eq!(buffers.kept_bytes(), 0, "what is small is not worth the trouble");
/// # Ok::<(), strandline_protocol::frame::FrameError>(())
/// ```
#[derive(Clone, Debug)]
pub struct FrameBuffers {
    bytes_max: usize,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Debug, Default)]
struct Kept {
    // The oldest first: it is the likeliest that nobody reads any more.
    buffers: VecDeque<Buffer>,
    bytes: usize,
    // Since the last time that somebody asked to give up what is not needed.
    was_needed: bool,
}

/// An empty handle on an allocation of so many bytes, which others may still have parts of.
#[derive(Debug)]
struct Buffer {
    handle: BytesMut,
    bytes: usize,
}

impl Buffer {
    /// Whether nobody has a part of it any more. All of it is there to be written to then.
    fn reclaim(&mut self) -> bool {
        self.handle.try_reclaim(self.bytes)
    }
}

impl FrameBuffers {
    /// Keeps up to `bytes_max`, and nothing where that is 0.
    pub fn new(bytes_max: usize) -> Self {
        Self { bytes_max, kept: Arc::default() }
    }

    /// How much is kept at the most.
    pub const fn bytes_max(&self) -> usize {
        self.bytes_max
    }

    /// How much is kept now, that of frames which are still read included.
    pub fn kept_bytes(&self) -> usize {
        self.kept().bytes
    }

    /// Gives up one buffer, unless some have been used since the last call: for whoever has a clock.
    pub fn trim(&self) {
        let mut kept = self.kept();
        if !std::mem::take(&mut kept.was_needed) {
            kept.drop_oldest();
        }
    }

    /// Room for at least `bytes`, and for less than twice as much.
    pub(super) fn take(&self, bytes: usize) -> BytesMut {
        if bytes < BYTES_MIN || bytes > self.bytes_max {
            return BytesMut::with_capacity(bytes);
        }
        let mut kept = self.kept();
        kept.was_needed = true;
        let fits =
            |buffer: &mut Buffer| buffer.bytes >= bytes && buffer.bytes / 2 < bytes && buffer.reclaim();
        let place = kept.buffers.iter_mut().position(fits);
        match place.and_then(|place| kept.buffers.remove(place)) {
            Some(buffer) => {
                kept.bytes -= buffer.bytes;
                buffer.handle
            }
            None => BytesMut::with_capacity(rounded(bytes)),
        }
    }

    /// Takes back what is left of a buffer of `bytes` whose frames have been taken out.
    pub(super) fn give(&self, mut handle: BytesMut, bytes: usize) {
        if bytes < BYTES_MIN || bytes > self.bytes_max {
            return;
        }
        handle.clear();
        let mut kept = self.kept();
        while kept.bytes + bytes > self.bytes_max {
            kept.drop_oldest();
        }
        kept.bytes += bytes;
        kept.buffers.push_back(Buffer { handle, bytes });
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn drop_oldest(&mut self) {
        match self.buffers.pop_front() {
            Some(buffer) => self.bytes -= buffer.bytes,
            None => self.bytes = 0,
        }
    }
}

thread_local! {
    /// What the last small frames on this thread were read into, for the next ones: a buffer of that size for each
    /// request costs the allocator more than the rest of reading it.
    static SMALL: Cell<BytesMut> = Cell::new(BytesMut::new());
}

/// Room for [`UNPROVEN_BYTES_MAX`].
pub(super) fn take_small() -> BytesMut {
    let mut small = SMALL.take();
    // Without an allocation where it was used before.
    small.reserve(UNPROVEN_BYTES_MAX);
    small
}

/// Takes such a buffer back, unless a frame still lies in it.
pub(super) fn give_small(mut handle: BytesMut) {
    handle.clear();
    if handle.try_reclaim(UNPROVEN_BYTES_MAX) {
        SMALL.set(handle);
    }
}

/// Up to the next of four steps between two powers of two, so that frames of about one size use one another's buffers.
fn rounded(bytes: usize) -> usize {
    let step = (bytes.next_power_of_two() / 8).max(1);
    bytes.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameAssembler;
    use bytes::Bytes;

    /// A frame of `bytes`, read in pieces of `step`.
    fn read(assembler: &mut FrameAssembler, bytes: usize, step: usize) -> Bytes {
        let content = bytes - 4;
        let mut stream = u32::try_from(content).unwrap().to_be_bytes().to_vec();
        stream.extend((0..=250).cycle().take(content));
        let mut rest = stream.as_slice();
        loop {
            if let Some(frame) = assembler.next_frame().unwrap() {
                assert_eq!(frame, stream[4..]);
                return frame;
            }
            let room = assembler.room();
            let (now, later) = rest.split_at(step.min(room.capacity() - room.len()).min(rest.len()));
            room.extend_from_slice(now);
            rest = later;
        }
    }

    fn assembler(buffers: &FrameBuffers) -> FrameAssembler {
        FrameAssembler::new(64 << 20).with_buffers(buffers.clone())
    }

    #[test]
    fn a_buffer_is_used_again_once_nobody_reads_it() {
        let buffers = FrameBuffers::new(16 << 20);
        let mut assembler = assembler(&buffers);
        read(&mut assembler, 1 << 20, usize::MAX);
        let first = read(&mut assembler, 1 << 20, usize::MAX);
        let place = first.as_ptr();
        let second = read(&mut assembler, 1 << 20, 10_000);
        assert_ne!(second.as_ptr(), place, "the first is still read");
        drop(first);
        let third = read(&mut assembler, (1 << 20) - 5_000, 70_000);
        assert_eq!(third.as_ptr(), place);
        // A slice of it holds it as well.
        let slice = third.slice(1_000..1_001);
        drop((second, third));
        let kept = slice[0];
        for _ in 0..5 {
            assert!(!read(&mut assembler, 1 << 20, usize::MAX).as_ptr_range().contains(&slice.as_ptr()));
        }
        assert_eq!(slice[0], kept);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let buffers = FrameBuffers::new(4 << 20);
        let mut assemblers = [assembler(&buffers), assembler(&buffers)];
        let mut frames = Vec::new();
        for round in 0..20 {
            frames.push(read(&mut assemblers[round % 2], (300 << 10) * (1 + round % 7), 1 << 20));
            assert!(buffers.kept_bytes() <= 4 << 20);
        }
        frames.clear();
        assert!(buffers.kept_bytes() > 1 << 20);
        for _ in 0..30 {
            buffers.trim();
        }
        assert_eq!(buffers.kept_bytes(), 0);
        let none = FrameBuffers::new(0);
        read(&mut assembler(&none), 1 << 20, usize::MAX);
        assert_eq!(none.kept_bytes(), 0);
    }

    #[test]
    fn what_is_used_is_not_given_up() {
        let buffers = FrameBuffers::new(4 << 20);
        let mut assembler = assembler(&buffers);
        for _ in 0..10 {
            read(&mut assembler, 200 << 10, usize::MAX);
            buffers.trim();
            assert!(buffers.kept_bytes() > 0);
        }
    }

    #[test]
    fn sizes_are_rounded_by_a_quarter_at_the_most() {
        for bytes in [BYTES_MIN, BYTES_MIN + 1, 100_000, (1 << 20) - 1, 1 << 20, (4 << 20) + 100] {
            let rounded = rounded(bytes);
            assert!(rounded >= bytes && rounded - bytes <= bytes / 4, "{bytes}: {rounded}");
        }
    }
}
