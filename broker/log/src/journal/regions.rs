//! Memory that is handed out in pieces of any length, which grow together again when they come back.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::BytesMut;

use super::options::GROUP_BYTES_MAX;
use crate::disk::BLOCK_BYTES;

/// The first region is this part of all: what little work needs has little memory.
const FIRST_PART: usize = 16;

/// Where so much is free in one place, a frame finds room to grow, until it is as long as most will ever be.
const ROOMY_BYTES: usize = GROUP_BYTES_MAX;

/// A piece of a region: whole blocks, from a block's border on.
pub(super) struct Piece {
    /// Where it lies among all regions.
    start: usize,
    bytes: BytesMut,
}

impl Piece {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Keeps so many bytes, which are no more than there are, and gives those behind them.
    fn split_off(&mut self, length: usize) -> Self {
        Self { start: self.start + length, bytes: self.bytes.split_off(length) }
    }

    /// Takes the piece that lies right behind it, in the same region: nothing is copied.
    fn join(&mut self, next: Self) {
        self.bytes.unsplit(next.bytes);
    }

    fn end(&self) -> usize {
        self.start + self.length()
    }
}

/// Two regions, a short one and a long one, each of them there from when it is needed until nothing of it is used and
/// its memory is wanted elsewhere.
///
/// Pieces are looked for at the front, where memory was touched before, and is in a cache still: as much of it is used as
/// is held at once. Where nothing at the front has room to grow in, they are looked for behind the one that was taken
/// last. Since frames go in about the order in which they came, what is free stays in one place, as in a ring; and a piece
/// that is held for long is no obstacle but by its length.
#[derive(Default)]
pub(super) struct Regions {
    /// Where the regions lie. There is a gap between them, so that no pieces of two of them touch.
    ranges: [Range<usize>; 2],
    is_there: [bool; 2],
    /// By where they start.
    free: BTreeMap<usize, BytesMut>,
    /// Where the last piece that was taken ended.
    last_end: usize,
}

impl Regions {
    /// Regions with so many bytes in all, none of them there yet.
    pub(super) fn new(bytes: usize) -> Self {
        let first = (bytes / FIRST_PART).next_multiple_of(BLOCK_BYTES);
        let second = bytes.saturating_sub(first) / BLOCK_BYTES * BLOCK_BYTES;
        let behind = first + BLOCK_BYTES;
        Self { ranges: [0..first, behind..behind + second], ..Self::default() }
    }

    /// How many bytes of memory the regions have that are there, used or not.
    pub(super) fn bytes(&self) -> usize {
        self.ranges
            .iter()
            .zip(self.is_there)
            .filter(|(_, is_there)| *is_there)
            .map(|(range, _)| range.len())
            .sum()
    }

    /// How many bytes of them nobody uses.
    pub(super) fn free_bytes(&self) -> usize {
        self.free.values().map(BytesMut::len).sum()
    }

    /// A piece of so many bytes, a number of whole blocks. A region is made for it if it has no more than `bytes_left`.
    pub(super) fn take(&mut self, bytes: usize, bytes_left: usize) -> Option<Piece> {
        let start = match self.find(bytes) {
            Some(start) => start,
            None => self.add_region(bytes, bytes_left)?,
        };
        let mut piece = Piece { start, bytes: self.free.remove(&start)? };
        self.keep(piece.split_off(bytes));
        self.last_end = piece.end();
        Some(piece)
    }

    /// Where the first free memory starts that is roomy, or else the first of such a length, from behind the last piece on
    /// and then from the front.
    fn find(&self, bytes: usize) -> Option<usize> {
        let roomy = self.free.iter().find(|(_, free)| free.len() >= bytes.max(ROOMY_BYTES));
        let behind = self.free.range(self.last_end..).chain(self.free.range(..self.last_end));
        let found = roomy.or_else(|| behind.into_iter().find(|(_, free)| free.len() >= bytes));
        found.map(|(start, _)| *start)
    }

    fn add_region(&mut self, bytes: usize, bytes_left: usize) -> Option<usize> {
        let mut regions = self.ranges.iter().zip(&mut self.is_there);
        let fits = |range: &Range<usize>| (bytes..=bytes_left).contains(&range.len());
        let (range, is_there) = regions.find(|(range, is_there)| !**is_there && fits(range))?;
        *is_there = true;
        // Pages that were never touched take no memory.
        let mut memory = BytesMut::zeroed(range.len() + BLOCK_BYTES);
        let address = memory.as_ptr().addr();
        let mut region = memory.split_off(address.next_multiple_of(BLOCK_BYTES) - address);
        region.truncate(range.len());
        self.free.insert(range.start, region);
        Some(range.start)
    }

    /// Makes a piece longer by so many bytes, where it is, if those behind it are free.
    pub(super) fn extend(&mut self, piece: &mut Piece, bytes: usize) -> bool {
        let behind = piece.end();
        if self.free.get(&behind).is_none_or(|free| free.len() < bytes) {
            return false;
        }
        let Some(free) = self.free.remove(&behind) else { return false };
        let mut next = Piece { start: behind, bytes: free };
        self.keep(next.split_off(bytes));
        piece.join(next);
        self.last_end = piece.end();
        true
    }

    /// Takes back what a piece does not need of what it was given.
    pub(super) fn shorten(&mut self, piece: &mut Piece, length: usize) {
        if length < piece.length() {
            let rest = piece.split_off(length);
            self.give_back(rest);
            self.last_end = piece.end();
        }
    }

    /// Takes a piece back.
    pub(super) fn give_back(&mut self, mut piece: Piece) {
        if let Some(next) = self.free.remove(&piece.end()) {
            let start = piece.end();
            piece.join(Piece { start, bytes: next });
        }
        let before = self.free.range_mut(..piece.start).next_back();
        match before {
            Some((start, before)) if start + before.len() == piece.start => before.unsplit(piece.bytes),
            _ => self.keep(piece),
        }
    }

    /// Gives up the regions of which nothing is used.
    pub(super) fn remove_unused(&mut self) -> Vec<BytesMut> {
        let mut unused = Vec::new();
        for (range, is_there) in self.ranges.iter().zip(&mut self.is_there) {
            if self.free.get(&range.start).is_some_and(|free| free.len() == range.len()) {
                unused.extend(self.free.remove(&range.start));
                *is_there = false;
            }
        }
        // What comes next begins in the short one.
        self.last_end = 0;
        unused
    }

    fn keep(&mut self, piece: Piece) {
        if piece.length() > 0 {
            self.free.insert(piece.start, piece.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, Piece, ROOMY_BYTES, Regions};
    use crate::random::Random;

    const BYTES: usize = 320 * BLOCK_BYTES;

    /// A piece, every byte of which is `number`.
    fn filled(regions: &mut Regions, blocks: usize, number: u8) -> Option<(Piece, u8)> {
        let mut piece = regions.take(blocks * BLOCK_BYTES, BYTES - regions.bytes())?;
        assert_eq!(piece.length(), blocks * BLOCK_BYTES);
        assert!(piece.bytes().as_ptr().addr().is_multiple_of(BLOCK_BYTES));
        piece.bytes_mut().fill(number);
        Some((piece, number))
    }

    fn is_whole((piece, number): &(Piece, u8)) -> bool {
        piece.bytes().iter().all(|byte| byte == number)
    }

    #[test]
    fn no_two_pieces_share_memory_and_all_of_it_grows_together_again() {
        let mut random = Random::from_seed(31);
        for _ in 0..20 {
            let mut regions = Regions::new(BYTES);
            let mut held: Vec<(Piece, u8)> = Vec::new();
            let mut next = || 1 + usize::try_from(random.below(40)).unwrap();
            for number in 0..2_000_usize {
                let chosen = next() * 7 % held.len().max(1);
                match next() {
                    1..=18 => held.extend(filled(&mut regions, next(), u8::try_from(number % 251).unwrap())),
                    19..=24 if !held.is_empty() => {
                        let (piece, number) = &mut held[chosen];
                        if regions.extend(piece, 3 * BLOCK_BYTES) {
                            piece.bytes_mut().fill(*number);
                        }
                    }
                    25..=30 if !held.is_empty() => {
                        let piece = &mut held[chosen].0;
                        regions.shorten(piece, (piece.length() / BLOCK_BYTES).div_ceil(2) * BLOCK_BYTES);
                    }
                    _ if !held.is_empty() => {
                        let piece = held.swap_remove(chosen);
                        assert!(is_whole(&piece));
                        regions.give_back(piece.0);
                    }
                    _ => {}
                }
                let used: usize = held.iter().map(|(piece, _)| piece.length()).sum();
                assert_eq!(regions.free_bytes() + used, regions.bytes());
            }
            assert!(held.iter().all(is_whole));
            held.into_iter().for_each(|(piece, _)| regions.give_back(piece));
            assert_eq!((regions.bytes(), regions.free.len()), (BYTES, 2), "whole again");
            assert_eq!(regions.remove_unused().len(), 2);
            assert_eq!((regions.bytes(), regions.free_bytes()), (0, 0));
            assert!(filled(&mut regions, 1, 5).is_some(), "and made again");
        }
    }

    #[test]
    fn frames_that_go_in_the_order_they_came_always_find_room() {
        let mut regions = Regions::new(BYTES);
        let mut random = Random::from_seed(32);
        let (mut held, mut used) = (std::collections::VecDeque::new(), 0);
        for number in 0..5_000_usize {
            let blocks = 1 + usize::try_from(random.below(20)).unwrap();
            let piece = filled(&mut regions, blocks, u8::try_from(number % 251).unwrap());
            held.push_back(piece.expect("room"));
            used += blocks;
            while used > 240 {
                let (piece, _) = held.pop_front().unwrap();
                used -= piece.length() / BLOCK_BYTES;
                regions.give_back(piece);
            }
        }
    }

    #[test]
    fn no_more_memory_is_touched_than_is_held_at_once_and_a_frame_needs_to_grow() {
        let mut regions = Regions::new(16 * ROOMY_BYTES);
        let (held_max, piece) = (ROOMY_BYTES, ROOMY_BYTES / 8);
        let (mut held, mut end) = (std::collections::VecDeque::new(), 0);
        for number in 0..400 {
            let left = 16 * ROOMY_BYTES - regions.bytes();
            let taken = regions.take(piece + number % 7 * BLOCK_BYTES, left).expect("room");
            end = end.max(taken.end());
            held.push_back(taken);
            while held.iter().map(Piece::length).sum::<usize>() > held_max {
                regions.give_back(held.pop_front().unwrap());
            }
        }
        assert!(end <= 4 * ROOMY_BYTES, "{end}");
    }

    #[test]
    fn a_piece_that_is_held_for_long_keeps_no_more_than_itself_from_others() {
        let mut regions = Regions::new(BYTES);
        let mut held = Vec::new();
        // A reader holds one frame in ten, and lets none go.
        for number in 0..160_u8 {
            let (piece, _) = filled(&mut regions, 10, number).expect("room");
            if number % 10 == 0 {
                held.push((piece, number));
            } else {
                regions.give_back(piece);
            }
        }
        assert!(held.iter().all(is_whole));
    }

    #[test]
    fn little_work_has_the_short_region_alone_and_no_region_is_more_than_is_left() {
        let mut regions = Regions::new(BYTES);
        let small = regions.take(BLOCK_BYTES, BYTES).unwrap();
        assert_eq!(regions.bytes(), BYTES / 16);
        assert!(regions.take(100 * BLOCK_BYTES, 99 * BLOCK_BYTES).is_none());
        assert!(regions.take(BYTES, BYTES).is_none(), "longer than any");
        let large = regions.take(100 * BLOCK_BYTES, BYTES - regions.bytes()).unwrap();
        assert_eq!(regions.bytes(), BYTES);
        regions.give_back(large);
        assert_eq!(regions.remove_unused().len(), 1, "the other is used");
        regions.give_back(small);
        assert_eq!(regions.free_bytes(), BYTES / 16);
    }
}
