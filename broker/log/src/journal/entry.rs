//! What a journal's frame says: its entries, as bytes and back.
//!
//! An entry is its kind (one byte), the length of what follows (four bytes), and what follows. Numbers are
//! little-endian. The journal does not look into batches, descriptions, metadata and raft's bytes.
//!
//! Before an entry there may be padding, of the same form: zeros, so that the entry lies where somebody wants it.

use crate::disk::BLOCK_BYTES;

/// What a seal says of how the process before it ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seal {
    /// It was closed, and nothing is lost.
    Closed,
    /// It died, or gave up what it could not save, and whoever has to know has not answered for that yet.
    Died,
}

/// One thing that happened.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry<'a> {
    /// A batch was appended to a partition.
    Append {
        /// The local id of the partition: one per incarnation on this directory.
        partition: u64,
        /// The offset of the batch's first record.
        base_offset: i64,
        /// The batch as it is stored.
        batch: &'a [u8],
    },
    /// The end of a partition was cut off.
    Truncate {
        /// The local id of the partition.
        partition: u64,
        /// The first offset that is not there any more.
        end_offset: i64,
    },
    /// The beginning of a partition was given up.
    SetLogStart {
        /// The local id of the partition.
        partition: u64,
        /// The first offset that is still there.
        start_offset: i64,
    },
    /// A partition came to be.
    CreatePartition {
        /// The local id of the partition.
        partition: u64,
        /// What the layer above knows about it.
        description: &'a [u8],
    },
    /// A partition went.
    DeletePartition {
        /// The local id of the partition.
        partition: u64,
    },
    /// A record of the cluster's metadata.
    Metadata(&'a [u8]),
    /// An entry of a raft log.
    RaftEntry(&'a [u8]),
    /// A vote of raft.
    RaftVote(&'a [u8]),
    /// What is set for a partition became something else.
    Configure {
        /// The local id of the partition.
        partition: u64,
        /// All that is set now, as the layer above writes it.
        config: &'a [u8],
    },
    /// Nothing happened; what is before this is whole. Written at a clean end and by recovery.
    Seal(Seal),
}

const APPEND: u8 = 1;
const TRUNCATE: u8 = 2;
const SET_LOG_START: u8 = 3;
const CREATE_PARTITION: u8 = 4;
const DELETE_PARTITION: u8 = 5;
const METADATA: u8 = 6;
const RAFT_ENTRY: u8 = 7;
const RAFT_VOTE: u8 = 8;
const SEAL: u8 = 9;
const CONFIGURE: u8 = 10;
const SEAL_OF_THE_DEAD: u8 = 11;
const PADDING: u8 = 12;

/// Kind and length.
const HEAD_BYTES: usize = 5;

/// The most that padding takes.
pub(super) const PADDING_BYTES_MAX: usize = BLOCK_BYTES + HEAD_BYTES - 1;

/// What padding consists of.
const ZEROS: [u8; BLOCK_BYTES] = [0; BLOCK_BYTES];

/// The most that stands before an entry's own bytes: its head, a partition and an offset.
const PREFIX_BYTES_MAX: usize = HEAD_BYTES + 16;

/// The fixed part of an entry.
pub(super) struct Prefix {
    bytes: [u8; PREFIX_BYTES_MAX],
    length: usize,
}

impl Prefix {
    fn new(kind: u8, numbers: &[[u8; 8]], body: &[u8]) -> Option<Self> {
        let length = u32::try_from(numbers.as_flattened().len() + body.len()).ok()?;
        let head =
            [kind].into_iter().chain(length.to_le_bytes()).chain(numbers.as_flattened().iter().copied());
        let mut bytes = [0; PREFIX_BYTES_MAX];
        bytes.iter_mut().zip(head).for_each(|(to, from)| *to = from);
        Some(Self { bytes, length: HEAD_BYTES + numbers.as_flattened().len() })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What stands before an entry so that it lies where somebody wants it.
pub(super) struct Padding {
    head: Prefix,
    zeros: &'static [u8],
}

impl Padding {
    /// Padding of so many bytes in all, give or take a block; none for none.
    pub(super) fn of(bytes: usize) -> Option<Self> {
        let is_too_short = (1..HEAD_BYTES).contains(&bytes);
        let bytes = if is_too_short { bytes + BLOCK_BYTES } else { bytes };
        let zeros = ZEROS.get(..bytes.checked_sub(HEAD_BYTES)?)?;
        Some(Self { head: Prefix::new(PADDING, &[], zeros)?, zeros })
    }

    pub(super) fn parts(&self) -> [&[u8]; 2] {
        [self.head.bytes(), self.zeros]
    }

    pub(super) fn length(&self) -> usize {
        self.parts().iter().map(|part| part.len()).sum()
    }
}

impl<'a> Entry<'a> {
    /// The entry as two parts that stand one behind the other, so that the second need not be copied; none if
    /// it is longer than a length can say.
    pub(super) fn encode(&self) -> Option<(Prefix, &'a [u8])> {
        let none: &[u8] = &[];
        let (kind, numbers, body): (u8, &[[u8; 8]], &[u8]) = match self {
            Self::Append { partition, base_offset, batch } => {
                (APPEND, &[partition.to_le_bytes(), base_offset.to_le_bytes()], batch)
            }
            Self::Truncate { partition, end_offset } => {
                (TRUNCATE, &[partition.to_le_bytes(), end_offset.to_le_bytes()], none)
            }
            Self::SetLogStart { partition, start_offset } => {
                (SET_LOG_START, &[partition.to_le_bytes(), start_offset.to_le_bytes()], none)
            }
            Self::CreatePartition { partition, description } => {
                (CREATE_PARTITION, &[partition.to_le_bytes()], description)
            }
            Self::DeletePartition { partition } => (DELETE_PARTITION, &[partition.to_le_bytes()], none),
            Self::Metadata(record) => (METADATA, &[], record),
            Self::RaftEntry(entry) => (RAFT_ENTRY, &[], entry),
            Self::RaftVote(vote) => (RAFT_VOTE, &[], vote),
            Self::Configure { partition, config } => (CONFIGURE, &[partition.to_le_bytes()], config),
            Self::Seal(Seal::Closed) => (SEAL, &[], none),
            Self::Seal(Seal::Died) => (SEAL_OF_THE_DEAD, &[], none),
        };
        Some((Prefix::new(kind, numbers, body)?, body))
    }

    /// Takes the first entry off `bytes`, and what padding is before it; none where there is no entry that this version
    /// knows.
    pub(super) fn decode(bytes: &mut &'a [u8]) -> Option<Self> {
        let (kind, mut body) = loop {
            let (kind, body) = take_first(bytes)?;
            if kind != PADDING {
                break (kind, body);
            }
        };
        let body = &mut body;
        let entry = match kind {
            APPEND => Self::Append { partition: number(body)?, base_offset: offset(body)?, batch: all(body) },
            TRUNCATE => Self::Truncate { partition: number(body)?, end_offset: offset(body)? },
            SET_LOG_START => Self::SetLogStart { partition: number(body)?, start_offset: offset(body)? },
            CREATE_PARTITION => Self::CreatePartition { partition: number(body)?, description: all(body) },
            DELETE_PARTITION => Self::DeletePartition { partition: number(body)? },
            METADATA => Self::Metadata(all(body)),
            RAFT_ENTRY => Self::RaftEntry(all(body)),
            RAFT_VOTE => Self::RaftVote(all(body)),
            CONFIGURE => Self::Configure { partition: number(body)?, config: all(body) },
            SEAL => Self::Seal(Seal::Closed),
            SEAL_OF_THE_DEAD => Self::Seal(Seal::Died),
            _ => return None,
        };
        body.is_empty().then_some(entry)
    }

    /// The bytes that it carries.
    pub fn body(&self) -> &'a [u8] {
        match self {
            Self::Append { batch: body, .. }
            | Self::CreatePartition { description: body, .. }
            | Self::Configure { config: body, .. }
            | Self::Metadata(body)
            | Self::RaftEntry(body)
            | Self::RaftVote(body) => body,
            Self::Truncate { .. }
            | Self::SetLogStart { .. }
            | Self::DeletePartition { .. }
            | Self::Seal(_) => &[],
        }
    }
}

/// Kind and body of what is first.
fn take_first<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (kind, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first_chunk()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    *bytes = rest;
    Some((*kind, body))
}

fn number(body: &mut &[u8]) -> Option<u64> {
    let (number, rest) = body.split_first_chunk()?;
    *body = rest;
    Some(u64::from_le_bytes(*number))
}

fn offset(body: &mut &[u8]) -> Option<i64> {
    number(body).map(u64::cast_signed)
}

fn all<'a>(body: &mut &'a [u8]) -> &'a [u8] {
    std::mem::take(body)
}

#[cfg(test)]
mod tests {
    use super::{BLOCK_BYTES, Entry, HEAD_BYTES, PADDING_BYTES_MAX, Padding, Seal};

    const ENTRIES: [Entry<'static>; 11] = [
        Entry::Append { partition: u64::MAX, base_offset: -2, batch: b"batch" },
        Entry::Truncate { partition: 1, end_offset: i64::MAX },
        Entry::SetLogStart { partition: 2, start_offset: 0 },
        Entry::CreatePartition { partition: 3, description: b"" },
        Entry::DeletePartition { partition: 4 },
        Entry::Metadata(b"metadata"),
        Entry::RaftEntry(b"entry"),
        Entry::RaftVote(b"v"),
        Entry::Configure { partition: 5, config: b"config" },
        Entry::Seal(Seal::Closed),
        Entry::Seal(Seal::Died),
    ];

    fn bytes(entry: &Entry<'_>) -> Vec<u8> {
        let (prefix, body) = entry.encode().unwrap();
        [prefix.bytes(), body].concat()
    }

    #[test]
    fn entries_are_read_as_written() {
        let all = ENTRIES.map(|entry| bytes(&entry)).concat();
        let mut rest = all.as_slice();
        for entry in ENTRIES {
            assert_eq!(Entry::decode(&mut rest), Some(entry));
        }
        assert_eq!(Entry::decode(&mut rest), None);
    }

    #[test]
    fn the_bytes_are_these_for_ever() {
        let entry = Entry::Append { partition: 0x0102, base_offset: 3, batch: b"xyz" };
        assert_eq!(bytes(&entry), *b"\x01\x13\0\0\0\x02\x01\0\0\0\0\0\0\x03\0\0\0\0\0\0\0xyz");
        assert_eq!(bytes(&Entry::Seal(Seal::Closed)), *b"\x09\0\0\0\0");
        assert_eq!(bytes(&Entry::Seal(Seal::Died)), *b"\x0b\0\0\0\0");
        assert_eq!(Padding::of(7).unwrap().parts().concat(), b"\x0c\x02\0\0\0\0\0");
        let entry = Entry::Configure { partition: 1, config: b"c" };
        assert_eq!(bytes(&entry), *b"\x0a\x09\0\0\0\x01\0\0\0\0\0\0\0c");
    }

    #[test]
    fn padding_is_as_long_as_it_is_wanted_give_or_take_a_block_and_stepped_over() {
        assert!(Padding::of(0).is_none());
        for wanted in 1..BLOCK_BYTES {
            let padding = Padding::of(wanted).unwrap();
            assert!(padding.length() <= PADDING_BYTES_MAX);
            let padding = padding.parts().concat();
            assert!(padding[HEAD_BYTES..].iter().all(|byte| *byte == 0));
            let length = padding.len();
            assert!(length == wanted || (wanted < HEAD_BYTES && length == wanted + BLOCK_BYTES), "{wanted}");
            let all = [&*padding, &padding, &bytes(&ENTRIES[0]), &padding].concat();
            let mut rest = all.as_slice();
            assert_eq!(Entry::decode(&mut rest), Some(ENTRIES[0]));
            assert_eq!(rest, padding);
            assert_eq!(Entry::decode(&mut rest), None, "nothing behind it");
        }
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for entry in ENTRIES {
            let bytes = bytes(&entry);
            for cut in 0..bytes.len() {
                assert_eq!(Entry::decode(&mut &bytes[..cut]), None, "{entry:?} cut at {cut}");
            }
        }
        assert_eq!(Entry::decode(&mut &b"\x63\0\0\0\0"[..]), None, "a kind that is not known");
        assert_eq!(Entry::decode(&mut &b"\x09\x01\0\0\0x"[..]), None, "more than belongs to it");
    }
}
