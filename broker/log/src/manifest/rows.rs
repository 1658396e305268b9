//! What the manifest says about a partition and about a segment, as bytes and back.

use crate::codec::{take, take_bytes, take_i64, take_u8, take_u32, take_u64};
use crate::config::{ConfigError, LogConfig};
use crate::segment::SegmentFacts;

/// The version of most rows that this program writes, and the newest of a segment's that it reads.
const VERSION: u8 = 1;

/// That of a partition's row which says where the local log begins, and the newest that this program reads.
const VERSION_WITH_LOCAL_START: u8 = 2;

/// A leader epoch as bytes, with the offset that it starts at.
const EPOCH_BYTES: u32 = 12;

/// What a partition's row takes beside its description and its epochs, and no less.
const FIXED_BYTES_MAX: usize = 160;

/// What a segment's row takes, and no less.
pub(super) const SEGMENT_BYTES_MAX: usize = 64;

/// Of a partition.
const SWAPPING: u8 = 1;

/// Of a segment.
const SEALED: u8 = 1;

/// What recovery needs to know about a partition before it replays the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionRow {
    /// What the layer above knows about it.
    pub description: Vec<u8>,
    /// Its settings.
    pub config: LogConfig,
    /// The last frame of the journal that everything here includes: replay applies only what is newer.
    pub includes_sequence: u64,
    /// The first offset that is still there.
    pub log_start: i64,
    /// The first offset that is on this directory, where those from the log's start on are kept elsewhere; none where the
    /// log begins here.
    pub local_start: Option<i64>,
    /// The offset up to which segments are durable: the next one belongs behind them.
    pub flushed_to: i64,
    /// Up to where it has been compacted; none if it never was.
    pub cleaned_to: Option<i64>,
    /// Whether compacted segments of it may not have their names yet.
    pub is_swapping: bool,
    /// The leader epochs, each with the offset that it starts at.
    pub epochs: Vec<(i32, i64)>,
}

/// Why bytes are no row.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum RowError {
    #[error("the row has version {found}, and this program reads none above {known}")]
    Newer { found: u8, known: u8 },
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("the row is cut off")]
    Short,
    #[error("the row's {0} means nothing")]
    Bad(&'static str),
}

fn take_version(bytes: &mut &[u8], known: u8) -> Result<u8, RowError> {
    match take_u8(bytes).ok_or(RowError::Short)? {
        0 => Err(RowError::Bad("version")),
        found if found > known => Err(RowError::Newer { found, known }),
        found => Ok(found),
    }
}

fn nothing_left(bytes: &[u8]) -> Result<(), RowError> {
    if bytes.is_empty() { Ok(()) } else { Err(RowError::Bad("end")) }
}

/// A list's length as bytes. The journal refuses a row that is longer than this can say.
fn length(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes()
}

/// In the place of an offset.
const NEVER_CLEANED: i64 = -1;

impl PartitionRow {
    /// It takes no more than this.
    pub(super) fn bytes_max(&self) -> usize {
        let epoch_bytes = usize::try_from(EPOCH_BYTES).unwrap_or(usize::MAX);
        FIXED_BYTES_MAX + self.description.len() + self.epochs.len().saturating_mul(epoch_bytes)
    }

    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(if self.local_start.is_some() { VERSION_WITH_LOCAL_START } else { VERSION });
        self.config.encode(bytes);
        bytes.extend(self.includes_sequence.to_le_bytes());
        bytes.extend(self.log_start.to_le_bytes());
        bytes.extend(self.local_start.iter().flat_map(|offset| offset.to_le_bytes()));
        bytes.extend(self.flushed_to.to_le_bytes());
        bytes.extend(self.cleaned_to.unwrap_or(NEVER_CLEANED).to_le_bytes());
        bytes.push(if self.is_swapping { SWAPPING } else { 0 });
        bytes.extend(length(self.epochs.len()));
        for (epoch, start_offset) in &self.epochs {
            bytes.extend(epoch.to_le_bytes());
            bytes.extend(start_offset.to_le_bytes());
        }
        bytes.extend(length(self.description.len()));
        bytes.extend(&self.description);
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, RowError> {
        let bytes = &mut bytes;
        let version = take_version(bytes, VERSION_WITH_LOCAL_START)?;
        let config = LogConfig::decode(bytes)?;
        let (row, flags) = Self::decode_fields(version, config, bytes).ok_or(RowError::Short)?;
        if flags & !SWAPPING != 0 {
            return Err(RowError::Bad("flags"));
        }
        nothing_left(bytes)?;
        Ok(row)
    }

    fn decode_fields(version: u8, config: LogConfig, bytes: &mut &[u8]) -> Option<(Self, u8)> {
        let (includes_sequence, log_start) = (take_u64(bytes)?, take_i64(bytes)?);
        let local_start = if version < VERSION_WITH_LOCAL_START { None } else { Some(take_i64(bytes)?) };
        let [flushed_to, cleaned_to] = [take_i64(bytes)?, take_i64(bytes)?];
        let flags = take_u8(bytes)?;
        let epochs = take_epochs(bytes)?;
        let length = take_u32(bytes)?;
        let row = Self {
            description: take_bytes(bytes, length)?.to_vec(),
            config,
            includes_sequence,
            log_start,
            local_start,
            flushed_to,
            cleaned_to: Some(cleaned_to).filter(|offset| *offset != NEVER_CLEANED),
            is_swapping: flags & SWAPPING != 0,
            epochs,
        };
        Some((row, flags))
    }
}

fn take_epochs(bytes: &mut &[u8]) -> Option<Vec<(i32, i64)>> {
    let count = take_u32(bytes)?;
    // The bytes are there before memory is taken for them.
    let mut rest = take_bytes(bytes, count.checked_mul(EPOCH_BYTES)?)?;
    let mut epochs = Vec::with_capacity(usize::try_from(count).ok()?);
    while !rest.is_empty() {
        epochs.push((i32::from_le_bytes(take(&mut rest)?), take_i64(&mut rest)?));
    }
    Some(epochs)
}

impl SegmentFacts {
    pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.push(VERSION);
        bytes.extend(self.generation.to_le_bytes());
        bytes.extend(self.length.to_le_bytes());
        for number in [self.end_offset, self.max_timestamp, self.first_timestamp, self.created_ms] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(if self.is_sealed { SEALED } else { 0 });
    }

    pub(super) fn decode(mut bytes: &[u8]) -> Result<Self, RowError> {
        let bytes = &mut bytes;
        take_version(bytes, VERSION)?;
        let (row, flags) = Self::decode_fields(bytes).ok_or(RowError::Short)?;
        if flags & !SEALED != 0 {
            return Err(RowError::Bad("flags"));
        }
        nothing_left(bytes)?;
        Ok(row)
    }

    fn decode_fields(bytes: &mut &[u8]) -> Option<(Self, u8)> {
        let generation = take_u32(bytes)?;
        let length = take_u64(bytes)?;
        let [end_offset, max_timestamp, first_timestamp, created_ms] =
            [take_i64(bytes)?, take_i64(bytes)?, take_i64(bytes)?, take_i64(bytes)?];
        let flags = take_u8(bytes)?;
        let is_sealed = flags & SEALED != 0;
        let row =
            Self { generation, length, end_offset, max_timestamp, first_timestamp, created_ms, is_sealed };
        Some((row, flags))
    }
}

#[cfg(test)]
mod tests {
    use super::{PartitionRow, RowError, SEGMENT_BYTES_MAX, SegmentFacts, VERSION, VERSION_WITH_LOCAL_START};
    use crate::config::LogConfig;

    fn partition() -> PartitionRow {
        PartitionRow {
            description: b"orders-7".to_vec(),
            config: LogConfig::default(),
            includes_sequence: u64::MAX,
            log_start: 5,
            local_start: None,
            flushed_to: i64::MAX,
            cleaned_to: Some(77),
            is_swapping: true,
            epochs: vec![(0, 0), (i32::MAX, 77)],
        }
    }

    fn segment() -> SegmentFacts {
        SegmentFacts {
            generation: 1,
            length: 2,
            end_offset: 3,
            max_timestamp: 4,
            first_timestamp: -5,
            created_ms: 6,
            is_sealed: true,
        }
    }

    fn encoded(encode: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        encode(&mut bytes);
        bytes
    }

    #[test]
    fn rows_are_read_as_written() {
        for epochs in [vec![], partition().epochs] {
            for description in [vec![], partition().description] {
                for local_start in [None, Some(9)] {
                    let (epochs, description) = (epochs.clone(), description.clone());
                    let row = PartitionRow { epochs, description, local_start, ..partition() };
                    let bytes = encoded(|bytes| row.encode(bytes));
                    assert!((bytes.len()..bytes.len() + 64).contains(&row.bytes_max()));
                    assert_eq!(PartitionRow::decode(&bytes), Ok(row));
                }
            }
        }
        for is_sealed in [true, false] {
            let row = SegmentFacts { is_sealed, ..segment() };
            let bytes = encoded(|bytes| row.encode(bytes));
            assert!(bytes.len() <= SEGMENT_BYTES_MAX);
            assert_eq!(SegmentFacts::decode(&bytes), Ok(row));
        }
    }

    #[test]
    fn the_bytes_are_these_for_ever() {
        let mut expected = vec![1, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        for number in [3, 4, -5, 6] {
            expected.extend(i64::to_le_bytes(number));
        }
        expected.push(1);
        assert_eq!(encoded(|bytes| segment().encode(bytes)), expected);
        let mut expected = vec![1];
        partition().config.encode(&mut expected);
        expected.extend([0xff; 8]);
        expected.extend(5i64.to_le_bytes());
        expected.extend(i64::MAX.to_le_bytes());
        expected.extend([77, 0, 0, 0, 0, 0, 0, 0, 1]);
        expected.extend([2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend([0xff, 0xff, 0xff, 0x7f, 77, 0, 0, 0, 0, 0, 0, 0]);
        expected.extend(*b"\x08\0\0\0orders-7");
        assert_eq!(encoded(|bytes| partition().encode(bytes)), expected);
        // A row of the second version says one thing more, behind where the log begins.
        let behind_start = 1 + encoded(|bytes| partition().config.encode(bytes)).len() + 8 + 8;
        expected.splice(behind_start..behind_start, 9i64.to_le_bytes());
        expected[0] = 2;
        let row = PartitionRow { local_start: Some(9), ..partition() };
        assert_eq!(encoded(|bytes| row.encode(bytes)), expected);
    }

    #[test]
    fn what_is_no_row_is_refused() {
        let bytes = encoded(|bytes| partition().encode(bytes));
        for cut in 0..bytes.len() {
            assert!(PartitionRow::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        assert_eq!(PartitionRow::decode(&[&bytes[..], b"x"].concat()), Err(RowError::Bad("end")));
        let mut with_flags = bytes.clone();
        let flags = bytes.len() - partition().description.len() - 4 - 2 * 12 - 4 - 1;
        with_flags[flags] = 2;
        assert_eq!(PartitionRow::decode(&with_flags), Err(RowError::Bad("flags")));
        let mut newer = bytes.clone();
        newer[0] = VERSION_WITH_LOCAL_START + 1;
        let (found, known) = (VERSION_WITH_LOCAL_START + 1, VERSION_WITH_LOCAL_START);
        assert_eq!(PartitionRow::decode(&newer), Err(RowError::Newer { found, known }));
        let mut many_epochs = encoded(|bytes| PartitionRow { epochs: vec![], ..partition() }.encode(bytes));
        let count = many_epochs.len() - 8 - 4 - 4;
        many_epochs[count..count + 4].fill(0xff);
        assert_eq!(PartitionRow::decode(&many_epochs), Err(RowError::Short));

        let bytes = encoded(|bytes| segment().encode(bytes));
        for cut in 0..bytes.len() {
            assert_eq!(SegmentFacts::decode(&bytes[..cut]), Err(RowError::Short), "cut at {cut}");
        }
        assert_eq!(SegmentFacts::decode(&[&bytes[..], b"x"].concat()), Err(RowError::Bad("end")));
        let with = |place: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            SegmentFacts::decode(&bytes)
        };
        assert_eq!(with(0, VERSION + 1), Err(RowError::Newer { found: VERSION + 1, known: VERSION }));
        assert_eq!(with(0, 0), Err(RowError::Bad("version")));
        assert_eq!(with(bytes.len() - 1, 2), Err(RowError::Bad("flags")));
    }
}
