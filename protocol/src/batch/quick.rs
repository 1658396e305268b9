//! The short way over a record, for validation: it finds out where a record ends and what its numbers are, and
//! touches nothing else.
//!
//! It takes only records whose every field is in good order and whose numbers are written in at most three
//! bytes, as all but the largest are. Of anything else it says nothing at all, and the general reader finds
//! out what it is: so there are no errors here, and nothing is accepted that the general reader does not.
//!
//! What makes it quick is that the processor can work on several records at once: every branch goes the same
//! way for all records of a common batch, and where the next record begins is known from one load.

/// What validation has to know of a record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Outline {
    pub(super) timestamp_delta: i32,
    pub(super) offset_delta: i32,
    pub(super) has_key: bool,
}

/// The fields in front of the key: four numbers, and one byte of attributes. A load of four bytes at any of
/// them stays in here, which the compiler sees as well, so that none of them is checked.
type Head = [u8; 16];

impl Outline {
    /// The outline of the record at the start of `bytes` and what follows the record, if it is an ordinary one.
    #[inline(always)]
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let head: &Head = bytes.first_chunk()?;
        let length = Short::read(head, 0)?;
        let end = length.bytes + length.length()?;
        // Taken before the fields are read: what comes after the check at the bottom, the compiler would count
        // from the last field instead, and the next record would have to wait for all of this one's fields.
        let rest = bytes.get(end..)?;
        let mut position = length.bytes;
        if *head.get(position)? != 0 {
            return None;
        }
        position += 1;
        let timestamp = Short::read(head, position)?;
        position += timestamp.bytes;
        let offset = Short::read(head, position)?;
        position += offset.bytes;
        let key = Short::read(head, position)?;
        position += key.bytes + key.nullable_length()?;
        let value = Short::read(bytes, position)?;
        position += value.bytes + value.nullable_length()?;
        // The record's last byte, where it has no headers, is their count.
        if position + 1 != end || *bytes.get(position)? != 0 {
            // A field that overran the record's end shows here, if not in the line above.
            (past_headers(bytes, position)? == end).then_some(())?;
        }
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
    let count = Short::read(bytes, position)?;
    position += count.bytes;
    for _ in 0..count.length()? {
        let key = Short::read(bytes, position)?;
        position += key.bytes + key.length()?;
        let value = Short::read(bytes, position)?;
        position += value.bytes + value.nullable_length()?;
    }
    Some(position)
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
    /// The varint at `position`, where at least four bytes are left.
    // Branches rather than arithmetic: a guessed branch lets the processor go on to the next field before this
    // one has come in.
    #[inline(always)]
    fn read(bytes: &[u8], position: usize) -> Option<Self> {
        let word = u32::from_le_bytes(*bytes.get(position..)?.first_chunk()?);
        if word & 0x80 == 0 {
            Some(Self { raw: word & 0x7F, bytes: 1 })
        } else if word & 0x8000 == 0 {
            Some(Self { raw: (word & 0x7F) | (word >> 1 & 0x3F80), bytes: 2 })
        } else if word & 0x80_0000 == 0 {
            Some(Self { raw: (word & 0x7F) | (word >> 1 & 0x3F80) | (word >> 2 & 0x1F_C000), bytes: 3 })
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

#[cfg(test)]
mod tests {
    use super::super::cursor::Cursor;
    use super::super::record::RawRecord;
    use super::*;
    use proptest::prelude::*;

    /// What the general reader makes of the same bytes.
    fn general(bytes: &[u8]) -> Option<(i64, i32, bool, usize)> {
        let mut cursor = Cursor::new(bytes);
        let raw = RawRecord::read(&mut cursor).ok()?;
        raw.headers.check().ok()?;
        (raw.attributes == 0).then_some((
            raw.timestamp_delta,
            raw.offset_delta,
            raw.key.is_some(),
            cursor.remaining(),
        ))
    }

    fn quick(bytes: &[u8]) -> Option<(i64, i32, bool, usize)> {
        let (outline, rest) = Outline::read(bytes)?;
        Some((outline.timestamp_delta.into(), outline.offset_delta, outline.has_key, rest.len()))
    }

    proptest! {
        // Small numbers, so that many of these bytes are records, and many nearly.
        #[test]
        fn what_is_accepted_the_general_reader_accepts_alike(
            mut bytes in proptest::collection::vec(prop_oneof![0..16u8, Just(0x80), any::<u8>()], 16..64),
            length in 6..20u8,
        ) {
            bytes[0] = 2 * length;
            bytes[1] = 0;
            if let Some(found) = quick(&bytes) {
                prop_assert_eq!(Some(found), general(&bytes));
            }
        }
    }

    #[test]
    fn ordinary_records_are_accepted() {
        // Length 9, attributes, timestamp -1, offset 3, key "k", no value, one header of "h" and null.
        let record = [18, 0, 1, 6, 2, b'k', 1, 2, 2, b'h', 1];
        let mut bytes = record.to_vec();
        bytes[0] = 20;
        bytes.extend([0xFF; 16]);
        assert_eq!(quick(&bytes), Some((-1, 3, true, 16)));
        assert_eq!(general(&bytes), Some((-1, 3, true, 16)));
        // Anything that is not in order is left to others.
        for (position, byte) in [(0, 22), (1, 1), (4, 3), (7, 4), (8, 1), (10, 5)] {
            let mut bytes = bytes.clone();
            bytes[position] = byte;
            assert_eq!(quick(&bytes), None, "byte {position}");
        }
    }
}
