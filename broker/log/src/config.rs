//! What can be set for each log. The defaults are Kafka's, durability apart.

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
    /// Records younger than this are not compacted.
    pub compaction_lag_min_ms: i64,
    /// A log with uncompacted records older than this is compacted however little there is to gain.
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
