//! The settings of a topic: every one that Kafka 4.3.1 has, and ours.

use super::error::SettingError;
use super::setting::{Bounds, settings};
use super::suggest::nearest;
use super::units::unit_of;
use super::value::{CleanupPolicy, CompressionType, Durability, ThrottledReplicas, TimestampType};

const HOUR_MS: i64 = 60 * 60 * 1_000;

settings! {
    /// What is in force for a topic.
    TopicSettings,
    /// Every setting of a topic.
    TOPIC_SETTINGS,;

    /// What becomes of old records: `delete` removes them by age and size, `compact` keeps the last of each
    /// key, both may be given; empty keeps everything.
    cleanup_policy: CleanupPolicy = "cleanup.policy", CleanupPolicy::DELETE,
        Bounds::OneOf(&["compact", "delete"]), None, acted, ["log.cleanup.policy" * 1];
    /// The level for gzip, if records are compressed with it; -1 = its own default.
    compression_gzip_level: i32 = "compression.gzip.level", -1, Bounds::BetweenOr(1, 9, -1), None, acted,
        ["compression.gzip.level" * 1];
    /// The level for LZ4, if records are compressed with it. There is one speed here, whatever it says.
    compression_lz4_level: i32 = "compression.lz4.level", 9, Bounds::Between(1, 17), None, ignored,
        ["compression.lz4.level" * 1];
    /// How records are compressed; `producer` keeps them as they came.
    compression_type: CompressionType = "compression.type", CompressionType::Producer,
        Bounds::OneOf(CompressionType::WORDS), None, acted, ["compression.type" * 1];
    /// The level for Zstandard, if records are compressed with it.
    compression_zstd_level: i32 = "compression.zstd.level", 3, Bounds::Between(-131_072, 22), None, acted,
        ["compression.zstd.level" * 1];
    /// How long compaction leaves tombstones where they are, so that a consumer that reads from the start
    /// meets them.
    delete_retention_ms: i64 = "delete.retention.ms", 24 * HOUR_MS, Bounds::AtLeast(0), Milliseconds, acted,
        ["log.cleaner.delete.retention.ms" * 1];
    /// How long a removed file stays on the disk. Here who still reads it holds it for as long as that takes, and it
    /// goes after that, as fast as `strandline.file.removal.bytes.per.second` lets it.
    file_delete_delay_ms: i64 = "file.delete.delay.ms", 60_000, Bounds::AtLeast(0), Milliseconds, ignored,
        ["log.segment.delete.delay.ms" * 1];
    /// A sync after so many messages. Every acknowledged message of a topic with `fsync` is synced anyway; what one with
    /// `async` has is synced with each checkpoint, or earlier where there is much of it.
    flush_messages: i64 = "flush.messages", i64::MAX, Bounds::AtLeast(1), Messages, ignored,
        ["log.flush.interval.messages" * 1];
    /// A sync after so much time. Every acknowledged message of a topic with `fsync` is synced anyway; what one with
    /// `async` has is synced with each checkpoint, after `strandline.checkpoint.interval.ms`.
    flush_ms: i64 = "flush.ms", i64::MAX, Bounds::AtLeast(0), Milliseconds, ignored,
        ["log.flush.interval.ms" * 1, "log.flush.scheduler.interval.ms" * 1];
    /// The followers to which a quota for replication applies: `*`, or pairs of partition and broker. One node has no
    /// followers.
    follower_replication_throttled_replicas: ThrottledReplicas = "follower.replication.throttled.replicas",
        ThrottledReplicas::None, Bounds::Any, None, ignored;
    /// So many bytes lie between two entries of an offset index.
    index_interval_bytes: i32 = "index.interval.bytes", 4_096, Bounds::AtLeast(0), Bytes, acted,
        ["log.index.interval.bytes" * 1];
    /// The size of a segment where `segment.bytes` has bounds that are too narrow; for tests.
    internal_segment_bytes: Option<i32> = "internal.segment.bytes", None, Bounds::Any, Bytes, internal;
    /// The leaders to which a quota for replication applies: `*`, or pairs of partition and broker. Nobody replicates
    /// from one node.
    leader_replication_throttled_replicas: ThrottledReplicas = "leader.replication.throttled.replicas",
        ThrottledReplicas::None, Bounds::Any, None, ignored;
    /// So many bytes of a tiered topic stay on the local disk; -2 = as `retention.bytes` says. There is no
    /// tiered storage here.
    local_retention_bytes: i64 = "local.retention.bytes", -2, Bounds::AtLeast(-2), Bytes, ignored,
        ["log.local.retention.bytes" * 1];
    /// So long the records of a tiered topic stay on the local disk; -2 = as `retention.ms` says. There is no
    /// tiered storage here.
    local_retention_ms: i64 = "local.retention.ms", -2, Bounds::AtLeast(-2), Milliseconds, ignored,
        ["log.local.retention.ms" * 1];
    /// After so much time a record is compacted however little there is to gain.
    max_compaction_lag_ms: i64 = "max.compaction.lag.ms", i64::MAX, Bounds::AtLeast(1), Milliseconds, acted,
        ["log.cleaner.max.compaction.lag.ms" * 1];
    /// The largest batch of records that is taken, as it is compressed.
    max_message_bytes: i32 = "max.message.bytes", 1_048_588, Bounds::AtLeast(0), Bytes, acted,
        ["message.max.bytes" * 1];
    /// How far a record's timestamp may be ahead of the broker's clock.
    message_timestamp_after_max_ms: i64 = "message.timestamp.after.max.ms", HOUR_MS, Bounds::AtLeast(0),
        Milliseconds, acted, ["log.message.timestamp.after.max.ms" * 1];
    /// How far a record's timestamp may be behind the broker's clock.
    message_timestamp_before_max_ms: i64 = "message.timestamp.before.max.ms", i64::MAX, Bounds::AtLeast(0),
        Milliseconds, acted, ["log.message.timestamp.before.max.ms" * 1];
    /// Whether timestamps are the producer's or the broker's.
    message_timestamp_type: TimestampType = "message.timestamp.type", TimestampType::CreateTime,
        Bounds::OneOf(TimestampType::WORDS), None, acted, ["log.message.timestamp.type" * 1];
    /// The part of a log that must not be compacted yet before it is worth it.
    min_cleanable_dirty_ratio: f64 = "min.cleanable.dirty.ratio", 0.5, Bounds::Between(0, 1), None, acted,
        ["log.cleaner.min.cleanable.ratio" * 1];
    /// Records younger than this are not compacted.
    min_compaction_lag_ms: i64 = "min.compaction.lag.ms", 0, Bounds::AtLeast(0), Milliseconds, acted,
        ["log.cleaner.min.compaction.lag.ms" * 1];
    /// So many replicas have to be in sync, the leader among them, for a producer that waits for all of them; all of
    /// them, if there are fewer.
    min_insync_replicas: i32 = "min.insync.replicas", 1, Bounds::AtLeast(1), None, acted,
        ["min.insync.replicas" * 1];
    /// Whether the files of segments are allocated in full when they are made. What is acknowledged lies in the journal
    /// first, whose files are; segments are written later, in large pieces, for which it would gain nothing.
    preallocate: bool = "preallocate", false, Bounds::Any, None, ignored, ["log.preallocate" * 1];
    /// Whether a tiered topic stops copying to the remote storage. There is no tiered storage here.
    remote_log_copy_disable: bool = "remote.log.copy.disable", false, Bounds::Any, None, ignored;
    /// Whether what lies in the remote storage goes when tiering is switched off. There is no tiered storage here.
    remote_log_delete_on_disable: bool = "remote.log.delete.on.disable", false, Bounds::Any, None, ignored;
    /// Whether the topic is tiered. This build has no remote storage and refuses it.
    remote_storage_enable: bool = "remote.storage.enable", false, Bounds::Any, None, acted;
    /// The oldest segments of a partition go while it has more bytes than this; -1 = no bound.
    retention_bytes: i64 = "retention.bytes", -1, Bounds::Any, Bytes, acted, ["log.retention.bytes" * 1];
    /// Records older than this go; -1 = none.
    retention_ms: i64 = "retention.ms", 168 * HOUR_MS, Bounds::AtLeast(-1), Milliseconds, acted,
        ["log.retention.ms" * 1, "log.retention.minutes" * 60_000, "log.retention.hours" * 3_600_000];
    /// A segment takes no more than this.
    segment_bytes: i32 = "segment.bytes", 1 << 30, Bounds::AtLeast(1 << 20), Bytes, acted,
        ["log.segment.bytes" * 1];
    /// An index takes no more than this, and its segment is closed when it is full.
    segment_index_bytes: i32 = "segment.index.bytes", 10 << 20, Bounds::AtLeast(4), Bytes, acted,
        ["log.index.size.max.bytes" * 1];
    /// The closing of segments by age is spread over so much time. Here it costs no sync of its own: a segment is closed
    /// with the next batch, and what many of them have is written and synced by one job after the other.
    segment_jitter_ms: i64 = "segment.jitter.ms", 0, Bounds::AtLeast(0), Milliseconds, ignored,
        ["log.roll.jitter.ms" * 1, "log.roll.jitter.hours" * 3_600_000];
    /// A segment takes no more once its first record is so old.
    segment_ms: i64 = "segment.ms", 168 * HOUR_MS, Bounds::AtLeast(1), Milliseconds, acted,
        ["log.roll.ms" * 1, "log.roll.hours" * 3_600_000];
    /// When an append is acknowledged: `fsync` = once it is on the disk; `async` = once it is in the operating
    /// system's memory, as Kafka does.
    durability: Durability = "strandline.durability", Durability::Fsync, Bounds::OneOf(Durability::WORDS),
        None, acted, ["strandline.durability" * 1];
    /// Whether a replica that is not in sync may lead when no other is left, which loses records. On one node each
    /// partition has one replica.
    unclean_leader_election_enable: bool = "unclean.leader.election.enable", false, Bounds::Any, None,
        ignored, ["unclean.leader.election.enable" * 1];
}

impl TopicSettings {
    /// What is in force for a topic that overrides some of the broker's defaults.
    pub fn resolve<'a>(
        defaults: &Self,
        overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, SettingError> {
        let mut settings = defaults.clone();
        for (name, text) in overrides {
            settings.apply(name, text)?;
        }
        settings.check_together()?;
        Ok(settings)
    }

    /// The same of what was checked when it was written: what does not fit any more, by itself or together, is left
    /// as the broker has it, and `complain` hears of it.
    pub fn overlay<'a>(
        defaults: &Self,
        overrides: impl IntoIterator<Item = (&'a str, &'a str)>,
        mut complain: impl FnMut(SettingError),
    ) -> Self {
        let mut settings = defaults.clone();
        for (name, text) in overrides {
            settings.apply(name, text).unwrap_or_else(&mut complain);
        }
        settings
    }

    /// The bytes that a segment takes at most, whichever setting says so.
    pub fn segment_bytes_max(&self) -> i32 {
        self.internal_segment_bytes.unwrap_or(self.segment_bytes)
    }

    pub(super) fn apply(&mut self, name: &str, text: &str) -> Result<(), SettingError> {
        match self.set(name, text) {
            Some(result) => result.map_err(|invalid| invalid.of(name, text, unit_of(TOPIC_SETTINGS, name))),
            None => Err(SettingError::UnknownTopicSetting {
                name: name.to_owned(),
                nearest: nearest(name, TOPIC_SETTINGS.iter().map(|setting| setting.name)),
            }),
        }
    }

    /// What no setting on its own can tell.
    pub(super) fn check_together(&self) -> Result<(), SettingError> {
        let (min, max) = (self.min_compaction_lag_ms, self.max_compaction_lag_ms);
        if min > max {
            return Err(SettingError::Conflict(format!(
                "conflict topic config setting min.compaction.lag.ms ({min}) > max.compaction.lag.ms ({max})"
            )));
        }
        if self.remote_storage_enable {
            return Err(SettingError::Conflict(
                "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with \
                 remote log storage."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}
