//! What can be set for each log. The defaults are Kafka's, durability apart.

use crate::codec::{take, take_i64, take_u8, take_u32};

/// What it takes for an append to be acknowledged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Durability {
    /// It is on the disk: it survives the death of the machine.
    #[default]
    Fsync,
    /// It is in the operating system's memory: it survives the death of the process, and what has not been
    /// written back yet goes with the machine. Replication is the safety.
    Async,
}

/// What becomes of old records. Both may be set, and neither.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cleanup {
    /// Segments go when they are old, or when there are too many bytes.
    pub deletes: bool,
    /// Of the records with one key the last stays.
    pub compacts: bool,
}

/// The settings of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogConfig {
    /// When an append counts.
    pub durability: Durability,
    /// What becomes of old records.
    pub cleanup: Cleanup,
    /// A segment takes no more than this.
    pub segment_bytes: u32,
    /// A segment takes no more once its first record is so old.
    pub segment_ms: i64,
    /// So many bytes lie between two entries of an offset index.
    pub index_interval_bytes: u32,
    /// An index takes no more than this, and the segment rolls when it is full.
    pub index_bytes_max: u32,
    /// Records older than this go; never if it is negative.
    pub retention_ms: i64,
    /// The oldest segments go while there are more bytes than this; never if it is negative.
    pub retention_bytes: i64,
    /// How long compaction leaves tombstones and transaction markers after it first saw them.
    pub delete_retention_ms: i64,
    /// Records younger than this are not compacted; see [`crate::compaction`] for whose clock that goes by.
    pub compaction_lag_min_ms: i64,
    /// A log with uncompacted records older than this is compacted however little there is to gain. For that, its
    /// segments take no more once their first record is so old.
    pub compaction_lag_max_ms: i64,
    /// The part of a log that must not be compacted yet before it is worth it.
    pub dirty_ratio_min: f64,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            durability: Durability::Fsync,
            cleanup: Cleanup { deletes: true, compacts: false },
            segment_bytes: 1 << 30,
            segment_ms: 7 * 24 * 60 * 60 * 1_000,
            index_interval_bytes: 4_096,
            index_bytes_max: 10 << 20,
            retention_ms: 7 * 24 * 60 * 60 * 1_000,
            retention_bytes: -1,
            delete_retention_ms: 24 * 60 * 60 * 1_000,
            compaction_lag_min_ms: 0,
            compaction_lag_max_ms: i64::MAX,
            dirty_ratio_min: 0.5,
        }
    }
}

/// The version of a config as bytes that this program writes, and the newest that it reads.
const VERSION: u8 = 1;

const DURABILITY_FSYNC: u8 = 0;
const DURABILITY_ASYNC: u8 = 1;

const CLEANUP_DELETES: u8 = 1;
const CLEANUP_COMPACTS: u8 = 2;

/// Why bytes are no config.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// A later version of this program wrote them.
    #[error("the config has version {found}, and this program reads none above {VERSION}")]
    Newer {
        /// The version they have.
        found: u8,
    },
    /// They end before the config does.
    #[error("the config is cut off")]
    Short,
    /// A field has a value that means nothing.
    #[error("the config's {0} means nothing")]
    Bad(&'static str),
}

impl LogConfig {
    /// A segment takes no more once its first record is so old: what is to be compacted in time has to be in one that
    /// takes no more by then.
    pub(crate) fn segment_time_max_ms(&self) -> i64 {
        match self.cleanup.compacts && self.compaction_lag_max_ms > 0 {
            true => self.segment_ms.min(self.compaction_lag_max_ms),
            false => self.segment_ms,
        }
    }

    /// Appends the config as bytes: a version, and the fields one behind the other, little-endian.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let durability = match self.durability {
            Durability::Fsync => DURABILITY_FSYNC,
            Durability::Async => DURABILITY_ASYNC,
        };
        let deletes = if self.cleanup.deletes { CLEANUP_DELETES } else { 0 };
        let compacts = if self.cleanup.compacts { CLEANUP_COMPACTS } else { 0 };
        bytes.extend([VERSION, durability, deletes | compacts]);
        for number in [self.segment_bytes, self.index_interval_bytes, self.index_bytes_max] {
            bytes.extend(number.to_le_bytes());
        }
        let numbers = [
            self.segment_ms,
            self.retention_ms,
            self.retention_bytes,
            self.delete_retention_ms,
            self.compaction_lag_min_ms,
            self.compaction_lag_max_ms,
        ];
        for number in numbers {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.dirty_ratio_min.to_le_bytes());
    }

    /// Takes a config off the front of `bytes`.
    pub fn decode(bytes: &mut &[u8]) -> Result<Self, ConfigError> {
        let version = take_u8(bytes).ok_or(ConfigError::Short)?;
        match version {
            VERSION => {}
            0 => return Err(ConfigError::Bad("version")),
            found => return Err(ConfigError::Newer { found }),
        }
        let config = Self::decode_fields(bytes)?;
        if (0.0..=1.0).contains(&config.dirty_ratio_min) {
            Ok(config)
        } else {
            Err(ConfigError::Bad("part that must not be compacted"))
        }
    }

    fn decode_fields(bytes: &mut &[u8]) -> Result<Self, ConfigError> {
        let [durability, cleanup] = take(bytes).ok_or(ConfigError::Short)?;
        let durability = match durability {
            DURABILITY_FSYNC => Durability::Fsync,
            DURABILITY_ASYNC => Durability::Async,
            _ => return Err(ConfigError::Bad("durability")),
        };
        if cleanup & !(CLEANUP_DELETES | CLEANUP_COMPACTS) != 0 {
            return Err(ConfigError::Bad("cleanup"));
        }
        let cleanup =
            Cleanup { deletes: cleanup & CLEANUP_DELETES != 0, compacts: cleanup & CLEANUP_COMPACTS != 0 };
        let mut size = || take_u32(bytes).ok_or(ConfigError::Short);
        let [segment_bytes, index_interval_bytes, index_bytes_max] = [size()?, size()?, size()?];
        let mut number = || take_i64(bytes).ok_or(ConfigError::Short);
        Ok(Self {
            durability,
            cleanup,
            segment_bytes,
            index_interval_bytes,
            index_bytes_max,
            segment_ms: number()?,
            retention_ms: number()?,
            retention_bytes: number()?,
            delete_retention_ms: number()?,
            compaction_lag_min_ms: number()?,
            compaction_lag_max_ms: number()?,
            dirty_ratio_min: take(bytes).map(f64::from_le_bytes).ok_or(ConfigError::Short)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Cleanup, ConfigError, Durability, LogConfig, VERSION};

    fn odd() -> LogConfig {
        LogConfig {
            durability: Durability::Async,
            cleanup: Cleanup { deletes: false, compacts: true },
            segment_bytes: 1,
            segment_ms: 2,
            index_interval_bytes: 3,
            index_bytes_max: 4,
            retention_ms: -1,
            retention_bytes: 6,
            delete_retention_ms: 7,
            compaction_lag_min_ms: 8,
            compaction_lag_max_ms: 9,
            dirty_ratio_min: 0.25,
        }
    }

    fn encoded(config: &LogConfig) -> Vec<u8> {
        let mut bytes = Vec::new();
        config.encode(&mut bytes);
        bytes
    }

    #[test]
    fn a_config_is_read_as_written_and_what_follows_it_is_left() {
        for config in [LogConfig::default(), odd()] {
            let bytes = [encoded(&config), b"rest".to_vec()].concat();
            let mut rest = bytes.as_slice();
            assert_eq!(LogConfig::decode(&mut rest), Ok(config));
            assert_eq!(rest, b"rest");
        }
    }

    #[test]
    fn the_bytes_are_these_for_ever() {
        let mut expected = vec![1, 1, 2];
        expected.extend([1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0]);
        for number in [2, -1, 6, 7, 8, 9] {
            expected.extend(i64::to_le_bytes(number));
        }
        expected.extend([0, 0, 0, 0, 0, 0, 0xd0, 0x3f]);
        assert_eq!(encoded(&odd()), expected);
    }

    #[test]
    fn what_is_no_config_is_refused() {
        let bytes = encoded(&odd());
        for cut in 0..bytes.len() {
            assert_eq!(LogConfig::decode(&mut &bytes[..cut]), Err(ConfigError::Short), "cut at {cut}");
        }
        let with = |place: usize, value: u8| {
            let mut bytes = bytes.clone();
            bytes[place] = value;
            LogConfig::decode(&mut bytes.as_slice())
        };
        assert_eq!(with(0, VERSION + 1), Err(ConfigError::Newer { found: VERSION + 1 }));
        assert_eq!(with(0, 0), Err(ConfigError::Bad("version")));
        assert_eq!(with(1, 2), Err(ConfigError::Bad("durability")));
        assert_eq!(with(2, 4), Err(ConfigError::Bad("cleanup")));
        assert_eq!(with(bytes.len() - 1, 0x40), Err(ConfigError::Bad("part that must not be compacted")));
    }
}
