//! The short way over a record, for validation: where one record ends and the next begins is found with a few
//! loads of eight bytes, each of which covers whole varints.
//!
//! It takes only records whose every field is in good order and written in at most three bytes per number, as
//! all but the largest are. For anything else it says nothing at all, and the general reader finds out what it
//! is: so this code needs no errors, and accepts nothing that the general reader does not.

/// What validation has to know of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Outline {
    pub(super) timestamp_delta: i32,
    pub(super) offset_delta: i32,
    pub(super) has_key: bool,
}

impl Outline {
    /// The outline of the record at the start of `bytes`, if it is an ordinary one, and what follows the record.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        // Four numbers of at most three bytes and the attributes. Where each begins is known to be in here
        // without looking, so that their loads need no check.
        let head: &[u8; 16] = bytes.first_chunk()?;
        let length = Short::read(within(head, 0)?)?;
        let end = length.bytes + length.length()?;
        let rest = bytes.get(end..)?;
        if *head.get(length.bytes)? != 0 {
            return None;
        }
        let timestamp = Short::read(within(head, length.bytes + 1)?)?;
        let at_offset = length.bytes + 1 + timestamp.bytes;
        let offset = Short::read(within(head, at_offset)?)?;
        let at_key = at_offset + offset.bytes;
        let key = Short::read(within(head, at_key)?)?;
        let mut position = at_key + key.bytes + key.nullable_length()?;

        let value = Short::read(load(bytes, position)?)?;
        position += value.bytes + value.nullable_length()?;

        if position + 1 != end || *bytes.get(position)? != 0 {
            position = past_headers(bytes, position)?;
            if position != end {
                return None;
            }
        }
        // Whatever overran the record's end ends behind it.
        let outline = Self {
            timestamp_delta: timestamp.signed(),
            offset_delta: offset.signed(),
            has_key: key.raw != NULL,
        };
        Some((outline, rest))
    }
}

/// The position behind the headers whose count is at `position`.
#[inline(never)]
fn past_headers(bytes: &[u8], mut position: usize) -> Option<usize> {
    let count = Short::read(load(bytes, position)?)?;
    position += count.bytes;
    for _ in 0..count.length()? {
        let key = Short::read(load(bytes, position)?)?;
        position += key.bytes + key.length()?;
        let value = Short::read(load(bytes, position)?)?;
        position += value.bytes + value.nullable_length()?;
    }
    Some(position)
}

#[inline(always)]
fn load(bytes: &[u8], position: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(position..)?.first_chunk()?))
}
#[inline(always)]
fn within(bytes: &[u8; 16], position: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(position..)?.first_chunk()?))
}

/// A varint of one to three bytes, with its sign still in the lowest bit.
#[derive(Clone, Copy)]
struct Short {
    raw: u32,
    bytes: usize,
}

/// -1, as it is written.
const NULL: u32 = 1;

impl Short {
    /// The varint in the lowest bytes of `word`.
    // Branches rather than arithmetic: the batches of one producer look alike, so the processor guesses right
    // and goes on to the next load before this one has come in.
    #[inline(always)]
    const fn read(low: u32) -> Option<Self> {
        if low & 0x80 == 0 {
            Some(Self { raw: low & 0x7F, bytes: 1 })
        } else if low & 0x8000 == 0 {
            Some(Self { raw: low & 0x7F | low >> 1 & 0x3F80, bytes: 2 })
        } else if low & 0x80_0000 == 0 {
            Some(Self { raw: low & 0x7F | low >> 1 & 0x3F80 | low >> 2 & 0x1F_C000, bytes: 3 })
        } else {
            None
        }
    }

    #[inline(always)]
    const fn length(self) -> Option<usize> {
        if self.raw & 1 == 0 { Some((self.raw >> 1) as usize) } else { None }
    }

    #[inline(always)]
    const fn nullable_length(self) -> Option<usize> {
        if self.raw == NULL { Some(0) } else { self.length() }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_wrap, reason = "of 21 bits none is lost")]
    const fn signed(self) -> i32 {
        (self.raw >> 1) as i32 ^ -((self.raw & 1) as i32)
    }
}
