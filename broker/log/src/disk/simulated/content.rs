//! The bytes of one simulated file: what a reader sees, and what a power cut leaves of it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use crate::disk::BLOCK_BYTES;
use crate::random::Random;

type Block = [u8; BLOCK_BYTES];
type Blocks = BTreeMap<u64, Arc<Block>>;

const ZERO: Block = [0; BLOCK_BYTES];
const BLOCK: u64 = BLOCK_BYTES as u64;

/// A file's bytes.
///
/// A block that is in `written` and not in `pending` is clean: no sync will write it. After a failed sync
/// such blocks may differ from their durable ones, and then they lie.
#[derive(Debug, Default)]
pub(super) struct Content {
    written: Blocks,
    durable: Blocks,
    pending: BTreeSet<u64>,
    length: u64,
    durable_length: u64,
    /// The lengths that the file had since the durable one, in order: a cut that is followed by growth leaves
    /// zeros where there were bytes, and the order matters.
    pending_lengths: Vec<u64>,
    /// The blocks that have room of their own on the disk.
    allocated: Allocated,
}

/// Which blocks have room, most of them one behind the other.
#[derive(Debug, Default)]
struct Allocated {
    /// By its number, one for each that has.
    blocks: Vec<u8>,
    count: u64,
}

impl Allocated {
    fn has(&self, block: u64) -> bool {
        let block = usize::try_from(block).ok().and_then(|block| self.blocks.get(block));
        block.is_some_and(|has| *has != 0)
    }

    fn add(&mut self, blocks: Range<u64>) {
        let end = usize::try_from(blocks.end).unwrap_or(usize::MAX);
        if self.blocks.len() < end {
            self.blocks.resize(end, 0);
        }
        let start = usize::try_from(blocks.start).unwrap_or(usize::MAX);
        let Some(added) = self.blocks.get_mut(start..end) else { return };
        self.count += added.iter().filter(|has| **has == 0).count() as u64;
        added.fill(1);
    }

    fn truncate(&mut self, blocks: u64) {
        let left = usize::try_from(blocks).unwrap_or(usize::MAX);
        let gone = self.blocks.get(left..).unwrap_or_default();
        self.count -= gone.iter().filter(|has| **has != 0).count() as u64;
        self.blocks.truncate(left);
    }
}

impl Content {
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn allocated_blocks(&self) -> u64 {
        self.allocated.count
    }

    /// How many blocks of the range have no room yet.
    pub(super) fn holes(&self, offset: u64, length: u64) -> u64 {
        blocks_of(offset, length).filter(|block| !self.allocated.has(*block)).count() as u64
    }

    pub(super) fn read(&self, buffer: &mut [u8], offset: u64) -> usize {
        let available = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(available);
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..wanted).filter(|rest| !rest.is_empty()) {
            let position = offset + done as u64;
            let block = self.written.get(&(position / BLOCK)).map_or(&ZERO, |block| block);
            let source = block.get(within_block(position)..).unwrap_or_default();
            let bytes = source.len().min(rest.len());
            copy(rest, source);
            done += bytes;
        }
        wanted
    }

    /// Writes into the page cache.
    pub(super) fn write(&mut self, bytes: &[u8], offset: u64, random: &mut Random) {
        self.each_block(bytes, offset, |content, number, within, part| {
            // The kernel writes back when it likes: an earlier version may be the one that survives.
            if content.pending.contains(&number) && random.one_in(2) {
                content.make_durable(number);
            }
            put(&mut content.written, number, within, part);
            content.pending.insert(number);
        });
    }

    /// Writes past the page cache, durably.
    pub(super) fn write_durably(&mut self, bytes: &[u8], offset: u64) {
        self.settle_lengths();
        self.each_block(bytes, offset, |content, number, within, part| {
            put(&mut content.written, number, within, part);
            if part.len() == BLOCK_BYTES {
                content.make_durable(number);
            } else {
                put(&mut content.durable, number, within, part);
            }
            content.pending.remove(&number);
        });
        self.settle_lengths();
    }

    fn each_block(&mut self, bytes: &[u8], offset: u64, mut each: impl FnMut(&mut Self, u64, usize, &[u8])) {
        let mut rest = bytes;
        let mut position = offset;
        while !rest.is_empty() {
            let within = within_block(position);
            let (part, behind) = rest.split_at(rest.len().min(BLOCK_BYTES - within));
            each(self, position / BLOCK, within, part);
            self.allocated.add(position / BLOCK..position / BLOCK + 1);
            position += part.len() as u64;
            rest = behind;
        }
        if position > self.length {
            self.grow(position);
        }
    }

    pub(super) fn allocate(&mut self, offset: u64, length: u64) {
        self.allocated.add(blocks_of(offset, length));
        if offset + length > self.length {
            self.grow(offset + length);
        }
    }

    fn grow(&mut self, length: u64) {
        self.length = length;
        self.pending_lengths.push(length);
    }

    pub(super) fn set_length(&mut self, length: u64) {
        if let Some(block) = cut(&mut self.written, length) {
            self.pending.insert(block);
        }
        self.pending.retain(|block| block * BLOCK < length);
        self.allocated.truncate(length.div_ceil(BLOCK));
        self.grow(length);
    }

    pub(super) fn sync(&mut self) {
        self.settle_lengths();
        for number in std::mem::take(&mut self.pending) {
            self.make_durable(number);
        }
    }

    /// A sync that reports an error: any part of it may have happened, and the rest is forgotten, not kept for
    /// another try.
    pub(super) fn fail_sync(&mut self, random: &mut Random) {
        if random.one_in(2) {
            self.settle_lengths();
        }
        self.pending_lengths.clear();
        for number in std::mem::take(&mut self.pending) {
            if random.one_in(2) {
                self.make_durable(number);
            }
        }
    }

    fn make_durable(&mut self, number: u64) {
        if let Some(block) = self.written.get(&number) {
            self.durable.insert(number, Arc::clone(block));
        }
    }

    fn settle_lengths(&mut self) {
        for length in std::mem::take(&mut self.pending_lengths) {
            cut(&mut self.durable, length);
            self.durable_length = length;
        }
    }

    /// The power fails: some of what is pending made it, in any order and torn at the borders of sectors.
    pub(super) fn crash(&mut self, sector_bytes: usize, random: &mut Random) {
        let kept = random.index(self.pending_lengths.len() + 1);
        self.pending_lengths.truncate(kept);
        self.settle_lengths();
        for number in std::mem::take(&mut self.pending) {
            match random.below(4) {
                0 => {}
                1 => self.tear(number, sector_bytes, random),
                _ => self.make_durable(number),
            }
        }
        cut(&mut self.durable, self.durable_length);
        self.written.clone_from(&self.durable);
        self.length = self.durable_length;
        self.allocated.truncate(self.durable_length.div_ceil(BLOCK));
    }

    fn tear(&mut self, number: u64, sector_bytes: usize, random: &mut Random) {
        let Some(written) = self.written.get(&number) else { return };
        let durable = Arc::make_mut(self.durable.entry(number).or_insert_with(zero));
        for (to, from) in durable.chunks_mut(sector_bytes).zip(written.chunks(sector_bytes)) {
            if random.one_in(2) {
                to.copy_from_slice(from);
            }
        }
    }

    /// Turns a bit around on the disk, and in the page cache with it.
    pub(super) fn flip_bit(&mut self, offset: u64, bit: u8) {
        for blocks in [&mut self.written, &mut self.durable] {
            let block = Arc::make_mut(blocks.entry(offset / BLOCK).or_insert_with(zero));
            if let Some(byte) = block.get_mut(within_block(offset)) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }
}

fn zero() -> Arc<Block> {
    Arc::new(ZERO)
}

fn within_block(position: u64) -> usize {
    usize::try_from(position % BLOCK).unwrap_or(0)
}

fn blocks_of(offset: u64, length: u64) -> Range<u64> {
    if length == 0 { 0..0 } else { offset / BLOCK..(offset + length).div_ceil(BLOCK) }
}

fn put(blocks: &mut Blocks, number: u64, within: usize, part: &[u8]) {
    if let Ok(whole) = Block::try_from(part) {
        // What was there is not looked at, let alone copied: it may be shared with what is durable.
        blocks.insert(number, Arc::new(whole));
    } else {
        let block = Arc::make_mut(blocks.entry(number).or_insert_with(zero));
        copy(block.get_mut(within..).unwrap_or_default(), part);
    }
}

/// Copies as much as there is on both sides.
fn copy(to: &mut [u8], from: &[u8]) {
    let bytes = to.len().min(from.len());
    if let (Some(to), Some(from)) = (to.get_mut(..bytes), from.get(..bytes)) {
        to.copy_from_slice(from);
    }
}

/// Forgets what lies behind `length`, and says which block was cut in two.
fn cut(blocks: &mut Blocks, length: u64) -> Option<u64> {
    blocks.split_off(&length.div_ceil(BLOCK));
    let within = within_block(length);
    let number = length / BLOCK;
    let block = blocks.get_mut(&number).filter(|_| within > 0)?;
    Arc::make_mut(block).get_mut(within..).unwrap_or_default().fill(0);
    Some(number)
}
