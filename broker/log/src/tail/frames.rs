//! The newest frames of a journal, in memory as far as the budget allows.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::budget::{Budget, Keeper};
use super::memory::{CHUNK_BYTES, FrameMemory, FrameSlice, OpenChunk};
use crate::journal::{FrameBuffer, Position};

/// So many frames are forgotten, or lose their memory, under one hold of the lock.
const FORGOTTEN_AT_ONCE: usize = 64;

/// Where the frames of a journal are: all that were not forgotten, those that were evicted from memory too.
///
/// One writer keeps and forgets them, and any thread looks for them. Their memory may go at any moment, for that of
/// other frames of the budget. Clones are the same frames.
#[derive(Clone, Debug)]
pub struct Frames {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    budget: Budget,
    /// What the writer adds to. Where both locks are held, this one was taken first.
    chunk: Mutex<Option<OpenChunk>>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// With rising numbers, almost all of which are there: nobody keeps a seal.
    frames: VecDeque<Frame>,
    /// So many of them at the front have no memory.
    evicted: usize,
}

/// A frame: its number, where it lies in the journal, and its memory.
#[derive(Debug)]
struct Frame {
    sequence: u64,
    file: u64,
    offset: u64,
    /// When it was kept, among all frames of the budget.
    age: u64,
    memory: Option<Arc<FrameMemory>>,
}

impl Kept {
    fn find(&self, sequence: u64) -> Option<&Frame> {
        let first = self.frames.front()?.sequence;
        let last_index = self.frames.len() - 1;
        let index = usize::try_from(sequence.checked_sub(first)?).unwrap_or(usize::MAX).min(last_index);
        // Where numbers are left out, a frame stands so many places before this one.
        let mut before = self.frames.range(..=index).rev();
        before.find(|frame| frame.sequence <= sequence).filter(|frame| frame.sequence == sequence)
    }

    /// The oldest frame that has memory.
    fn oldest(&mut self) -> Option<&mut Frame> {
        while self.frames.get(self.evicted)?.memory.is_none() {
            self.evicted += 1;
        }
        self.frames.get_mut(self.evicted)
    }

    /// How many frames have numbers up to `sequence`.
    fn up_to(&self, sequence: u64) -> usize {
        self.frames.partition_point(|frame| frame.sequence <= sequence)
    }

    /// What some more frames have of memory; none where no more of them has any.
    fn release_some(&mut self, sequence: u64) -> Option<Vec<Arc<FrameMemory>>> {
        let end = self.up_to(sequence).min(self.evicted + FORGOTTEN_AT_ONCE);
        let frames = (self.evicted < end).then(|| self.frames.range_mut(self.evicted..end))?;
        let released = frames.filter_map(|frame| frame.memory.take()).collect();
        self.evicted = end;
        Some(released)
    }

    fn forget_some(&mut self, sequence: u64) -> Vec<Frame> {
        let forgotten = self.up_to(sequence).min(FORGOTTEN_AT_ONCE);
        self.evicted = self.evicted.saturating_sub(forgotten);
        self.frames.drain(..forgotten).collect()
    }
}

impl Frames {
    /// No frames yet, and memory from this budget.
    pub fn new(budget: Budget) -> Self {
        let shared = Arc::new(Shared { budget, chunk: Mutex::default(), kept: Mutex::default() });
        let keeper: Weak<Shared> = Arc::downgrade(&shared);
        shared.budget.add_keeper(keeper);
        Self { shared }
    }

    /// Adds a frame that was committed, whose memory is kept if the budget allows: older ones are evicted for
    /// it, of these frames and of all others that share the budget, and where those are still in use by readers,
    /// it is not kept. Frames come in order.
    pub fn keep(&self, sequence: u64, file: u64, offset: u64, buffer: FrameBuffer) {
        let memory = self.memory_of(buffer).map(Arc::new);
        let age = self.budget().next_age();
        self.add(Frame { sequence, file, offset, age, memory });
    }

    /// Adds a frame that lies in the journal alone, as recovery finds them; one that is there already may be
    /// named again.
    pub fn keep_evicted(&self, sequence: u64, file: u64, offset: u64) {
        self.add(Frame { sequence, file, offset, age: 0, memory: None });
    }

    fn add(&self, frame: Frame) {
        let mut kept = self.kept();
        if kept.frames.back().is_none_or(|last| last.sequence < frame.sequence) {
            kept.frames.push_back(frame);
        }
    }

    /// Gives up the memory of the frames with numbers up to `sequence`, whose batches are in segments: that of the next
    /// frames is the same then, and in a cache still. Whoever was about to read them finds them in the journal.
    pub fn release_up_to(&self, sequence: u64) {
        loop {
            // Their memory goes when the lock is free again.
            let released = self.kept().release_some(sequence);
            if released.is_none() {
                break;
            }
        }
    }

    /// Forgets the frames with numbers up to `sequence`. To be called before the journal uses their files
    /// again.
    pub fn forget_up_to(&self, sequence: u64) {
        loop {
            // Their memory goes when the lock is free again.
            let forgotten = self.kept().forget_some(sequence);
            if forgotten.is_empty() {
                break;
            }
        }
    }

    /// A part of a frame in memory; none if the frame is not there, or is shorter.
    pub fn slice(&self, sequence: u64, offset_in_frame: u32, length: u32) -> Option<FrameSlice> {
        self.kept().find(sequence)?.memory.as_ref()?.slice(offset_in_frame, length)
    }

    /// Where a part of a frame lies in the journal; none if the frame was forgotten.
    ///
    /// It can be read there as long as its file is held by [`crate::journal::Reader::pin`]. Where that finds no
    /// such file, the frame was forgotten meanwhile.
    pub fn place(&self, sequence: u64, offset_in_frame: u32, length: u32) -> Option<Position> {
        let kept = self.kept();
        let frame = kept.find(sequence)?;
        Some(Position { file: frame.file, offset: frame.offset + u64::from(offset_in_frame), length })
    }

    /// What the memory is taken from.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept()
    }

    /// The memory of a frame: its buffer, or a copy where that would be mostly empty.
    fn memory_of(&self, buffer: FrameBuffer) -> Option<FrameMemory> {
        let length = buffer.bytes().len();
        if length < buffer.allocated_bytes() / 2 {
            if length <= CHUNK_BYTES / 4 {
                return self.part_of_chunk(buffer.bytes());
            }
            return self.whole(buffer.fitted());
        }
        self.whole(buffer)
    }

    fn whole(&self, buffer: FrameBuffer) -> Option<FrameMemory> {
        let charge = self.budget().charge_evicting(buffer.allocated_bytes())?;
        Some(FrameMemory::Whole { buffer, _charge: charge })
    }

    fn part_of_chunk(&self, frame: &[u8]) -> Option<FrameMemory> {
        if let Some(part) = self.shared.chunk().as_mut().and_then(|chunk| chunk.add(frame)) {
            return Some(part);
        }
        let mut chunk = OpenChunk::new(self.budget().charge_evicting(CHUNK_BYTES)?);
        let part = chunk.add(frame);
        *self.shared.chunk() = Some(chunk);
        part
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk(&self) -> MutexGuard<'_, Option<OpenChunk>> {
        self.chunk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper for Shared {
    fn oldest_age(&self) -> Option<u64> {
        self.kept().oldest().map(|frame| frame.age)
    }

    fn evict_oldest(&self) {
        // Its memory goes when the lock is free again.
        let (evicted, is_last) = {
            let mut kept = self.kept();
            let evicted = kept.oldest().and_then(|frame| frame.memory.take());
            (evicted, kept.oldest().is_none())
        };
        drop(evicted);
        if is_last {
            // Nothing but the readers' hold is left of the chunk either.
            self.give_up_spare();
        }
    }

    fn give_up_spare(&self) {
        *self.chunk() = None;
    }
}
