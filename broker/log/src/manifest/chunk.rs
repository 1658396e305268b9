//! What the frames of the manifest's journal say, as bytes and back.
//!
//! Changes that happen together are a *transaction*: one or more chunks, each the one entry of a frame. The
//! first chunk says that it begins one and the last that it ends one; a transaction without an end never
//! happened. A *base* is a transaction that holds every row, and what was before it counts no more.
//!
//! A chunk is a version (one byte), flags (one byte), and records. Numbers are little-endian. A row that is put
//! is followed by a checksum of its key and its value: rows are read one by one later, without their frame.

use crate::codec::{take, take_bytes, take_i64, take_u8, take_u32, take_u64};
use crate::local_id::LocalId;

/// The version of chunks that this program writes, and the newest that it reads.
pub(super) const VERSION: u8 = 1;

const BEGIN: u8 = 1;
const END: u8 = 2;
const BASE: u8 = 4;

const PUT: u8 = 1;
const DROP: u8 = 2;
const DROP_PARTITION: u8 = 3;
const META: u8 = 4;

const CHECKSUM_BYTES: usize = 4;

/// What a row takes beside its value.
pub(super) const ROW_OVERHEAD_BYTES: u64 = 1 + KEY_BYTES as u64 + 4 + CHECKSUM_BYTES as u64;

const KEY_BYTES: usize = 17;

/// What a row is about. In this order the rows of a partition lie.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Table {
    Partition,
    Segment,
    Snapshot,
}

impl Table {
    pub(super) const ALL: [Self; 3] = [Self::Partition, Self::Segment, Self::Snapshot];

    fn number(self) -> u8 {
        match self {
            Self::Partition => 0,
            Self::Segment => 1,
            Self::Snapshot => 2,
        }
    }
}

/// What a row is found by.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Key {
    pub(super) partition: LocalId,
    pub(super) table: Table,
    /// A segment's base offset, the offset of a snapshot, and zero for the row of the partition itself.
    pub(super) offset: i64,
}

impl Key {
    pub(super) fn of_partition(partition: LocalId) -> Self {
        Self { partition, table: Table::Partition, offset: 0 }
    }

    pub(super) fn of_segment(partition: LocalId, base_offset: i64) -> Self {
        Self { partition, table: Table::Segment, offset: base_offset }
    }

    pub(super) fn of_snapshot(partition: LocalId, offset: i64) -> Self {
        Self { partition, table: Table::Snapshot, offset }
    }

    fn encode(&self) -> [u8; KEY_BYTES] {
        let mut bytes = [self.table.number(); KEY_BYTES];
        let numbers = [self.partition.0.to_le_bytes(), self.offset.to_le_bytes()];
        bytes.iter_mut().skip(1).zip(numbers.as_flattened()).for_each(|(to, from)| *to = *from);
        bytes
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        let number = take_u8(bytes)?;
        let table = Table::ALL.into_iter().find(|table| table.number() == number)?;
        Some(Self { table, partition: LocalId(take_u64(bytes)?), offset: take_i64(bytes)? })
    }

    fn checksum(&self, value: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.encode()), value)
    }

    /// The value of a row, if this key and the checksum behind it are its own.
    pub(super) fn value_in<'a>(&self, row: &'a [u8]) -> Option<&'a [u8]> {
        let (value, checksum) = row.split_last_chunk::<CHECKSUM_BYTES>()?;
        (u32::from_le_bytes(*checksum) == self.checksum(value)).then_some(value)
    }
}

/// What the manifest says about the whole directory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Meta {
    /// The last frame of the journal that need not be replayed for any partition.
    pub checkpoint: u64,
    /// The number that no partition has had yet, and none above it.
    pub next_local_id: u64,
}

/// One thing that a chunk says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Record {
    /// A row is this now: so many bytes at this place of the chunk, its checksum among them.
    Put { key: Key, offset: usize, length: u32 },
    /// A row is gone.
    Drop(Key),
    /// A partition is gone with all its rows.
    DropPartition(LocalId),
    /// The whole directory.
    Meta(Meta),
}

/// Which place a chunk has in its transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Place {
    pub(super) begins: bool,
    pub(super) ends: bool,
    pub(super) is_base: bool,
}

/// Why bytes are no chunk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ChunkError {
    Newer(u8),
    Bad(&'static str),
}

/// A chunk that is being put together.
#[derive(Debug)]
pub(super) struct Chunk {
    bytes: Vec<u8>,
}

impl Chunk {
    /// A chunk that says nothing yet.
    pub(super) fn new() -> Self {
        Self { bytes: vec![VERSION, 0] }
    }

    pub(super) fn length(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn clear(&mut self) {
        self.bytes.truncate(2);
    }

    /// The chunk as bytes.
    pub(super) fn finish(&mut self, place: Place) -> &[u8] {
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        if let Some(flags) = self.bytes.get_mut(1) {
            *flags = flag(BEGIN, place.begins) | flag(END, place.ends) | flag(BASE, place.is_base);
        }
        &self.bytes
    }

    /// Puts a row of which the value is what `encode` appends.
    pub(super) fn put(&mut self, key: Key, encode: impl FnOnce(&mut Vec<u8>)) {
        self.put_row(key, |bytes| {
            let start = bytes.len();
            encode(bytes);
            let checksum = key.checksum(bytes.get(start..).unwrap_or_default());
            bytes.extend(checksum.to_le_bytes());
        });
    }

    /// Puts a row of which the value and its checksum are what `append` appends.
    fn put_row(&mut self, key: Key, append: impl FnOnce(&mut Vec<u8>)) {
        self.head(PUT, key);
        let length_at = self.bytes.len();
        self.bytes.extend([0; 4]);
        let start = self.bytes.len();
        append(&mut self.bytes);
        // The journal refuses an entry that is longer than this can say.
        let length = u32::try_from(self.bytes.len() - start).unwrap_or(u32::MAX);
        if let Some(place) = self.bytes.get_mut(length_at..).and_then(<[u8]>::first_chunk_mut) {
            *place = length.to_le_bytes();
        }
    }

    /// Puts a row as it lies elsewhere, with its checksum.
    pub(super) fn copy(&mut self, key: Key, row: &[u8]) {
        self.put_row(key, |bytes| bytes.extend_from_slice(row));
    }

    pub(super) fn drop_row(&mut self, key: Key) {
        self.head(DROP, key);
    }

    pub(super) fn drop_partition(&mut self, partition: LocalId) {
        self.bytes.push(DROP_PARTITION);
        self.bytes.extend(partition.0.to_le_bytes());
    }

    pub(super) fn meta(&mut self, meta: Meta) {
        self.bytes.push(META);
        self.bytes.extend(meta.checkpoint.to_le_bytes());
        self.bytes.extend(meta.next_local_id.to_le_bytes());
    }

    fn head(&mut self, kind: u8, key: Key) {
        self.bytes.push(kind);
        self.bytes.extend(key.encode());
    }
}

/// Reads a chunk, and calls `visit` with each record.
pub(super) fn decode(bytes: &[u8], mut visit: impl FnMut(Record)) -> Result<Place, ChunkError> {
    let mut rest = bytes;
    let [version, flags] = take(&mut rest).ok_or(ChunkError::Bad("a chunk is cut off"))?;
    match version {
        VERSION => {}
        0 => return Err(ChunkError::Bad("a chunk's version means nothing")),
        found => return Err(ChunkError::Newer(found)),
    }
    if flags & !(BEGIN | END | BASE) != 0 {
        return Err(ChunkError::Bad("a chunk's flags mean nothing"));
    }
    while !rest.is_empty() {
        let record = take_record(&mut rest, bytes.len()).ok_or(ChunkError::Bad("a record means nothing"))?;
        visit(record);
    }
    Ok(Place { begins: flags & BEGIN != 0, ends: flags & END != 0, is_base: flags & BASE != 0 })
}

fn take_record(rest: &mut &[u8], chunk_bytes: usize) -> Option<Record> {
    Some(match take_u8(rest)? {
        PUT => {
            let key = Key::decode(rest)?;
            let length = take_u32(rest)?;
            let offset = chunk_bytes - rest.len();
            take_bytes(rest, length)?;
            Record::Put { key, offset, length }
        }
        DROP => Record::Drop(Key::decode(rest)?),
        DROP_PARTITION => Record::DropPartition(LocalId(take_u64(rest)?)),
        META => Record::Meta(Meta { checkpoint: take_u64(rest)?, next_local_id: take_u64(rest)? }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::{Chunk, ChunkError, Key, Meta, Place, Record, VERSION, decode};
    use crate::local_id::LocalId;

    const PLACE: Place = Place { begins: true, ends: false, is_base: true };

    fn chunk() -> Vec<u8> {
        let mut chunk = Chunk::new();
        chunk.meta(Meta { checkpoint: 1, next_local_id: 2 });
        chunk.put(Key::of_snapshot(LocalId(3), -4), |bytes| bytes.extend(b"value"));
        chunk.drop_row(Key::of_segment(LocalId(5), 6));
        chunk.drop_partition(LocalId(7));
        chunk.finish(PLACE).to_vec()
    }

    #[test]
    fn chunks_are_read_as_written() {
        let (bytes, mut records) = (chunk(), Vec::new());
        assert_eq!(decode(&bytes, |record| records.push(record)), Ok(PLACE));
        let key = Key::of_snapshot(LocalId(3), -4);
        let [Record::Meta(meta), Record::Put { key: found, offset, length }, Record::Drop(dropped), last] =
            records[..]
        else {
            panic!("{records:?}")
        };
        assert_eq!(meta, Meta { checkpoint: 1, next_local_id: 2 });
        assert_eq!((found, dropped), (key, Key::of_segment(LocalId(5), 6)));
        assert_eq!(last, Record::DropPartition(LocalId(7)));
        let row = &bytes[offset..][..usize::try_from(length).unwrap()];
        assert_eq!(key.value_in(row), Some(&b"value"[..]));
        assert_eq!(Key { offset: -3, ..key }.value_in(row), None, "the row of another key");
        for bit in 0..row.len() * 8 {
            let mut rotten = row.to_vec();
            rotten[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.value_in(&rotten), None, "bit {bit}");
        }
    }

    #[test]
    fn the_bytes_are_these_for_ever() {
        let mut expected = b"\x01\x05\x04\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
        expected.extend(b"\x01\x02\x03\0\0\0\0\0\0\0\xfc\xff\xff\xff\xff\xff\xff\xff\x09\0\0\0value");
        expected.extend(b"\xc4\xdd\x1f\x6f");
        expected.extend(b"\x02\x01\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x03\x07\0\0\0\0\0\0\0");
        assert_eq!(chunk(), expected);
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        let bytes = chunk();
        let borders = [2, 19, 50, 68, 77];
        for cut in (0..bytes.len()).filter(|cut| !borders.contains(cut)) {
            assert!(matches!(decode(&bytes[..cut], |_| {}), Err(ChunkError::Bad(_))), "cut at {cut}");
        }
        let with = |place: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            decode(&bytes, |_| {})
        };
        assert_eq!(with(0, VERSION + 1), Err(ChunkError::Newer(VERSION + 1)));
        for (place, value) in [(0, 0), (1, 8), (2, 9), (20, 3), (37, 200)] {
            assert!(matches!(with(place, value), Err(ChunkError::Bad(_))), "{value} at {place}");
        }
    }
}
