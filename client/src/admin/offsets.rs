//! Offsets: where partitions begin and end, and where they shall begin.

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsResponse, DeleteRecordsTopic,
};
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopic,
};
use strandline_protocol::schema::VersionRange;

use super::leaders::{ByTopic, Wanted};
use super::{Admin, EachPartition};
use crate::error::Error;

/// The first version of ListOffsets that can look for the record of the highest timestamp.
const MAX_TIMESTAMP_VERSION: i16 = 7;

/// Which offset is wanted.
///
/// ```
/// use strandline_client::OffsetAt;
/// assert_ne!(OffsetAt::Earliest, OffsetAt::Timestamp(0));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OffsetAt {
    /// The first record that is there.
    Earliest,
    /// The end: the offset that the next record gets, or that readers of committed records may read up to.
    Latest,
    /// The first record whose timestamp, in milliseconds since 1970, is this or later.
    Timestamp(i64),
    /// The record of the highest timestamp (Kafka 3.0 and newer).
    MaxTimestamp,
}

impl OffsetAt {
    const fn code(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Earliest => -2,
            Self::MaxTimestamp => -3,
            Self::Timestamp(timestamp) => timestamp,
        }
    }
}

/// Whether records of open and of aborted transactions count.
///
/// ```
/// assert_eq!(strandline_client::Isolation::default(), strandline_client::Isolation::ReadUncommitted);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Isolation {
    /// All records count.
    #[default]
    ReadUncommitted,
    /// Only what is before the first open transaction.
    ReadCommitted,
}

/// An offset that was found.
///
/// ```
/// assert_eq!(strandline_client::PartitionOffset::default().offset, None);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PartitionOffset {
    /// The offset; none where no record is that late.
    pub offset: Option<i64>,
    /// The record's timestamp, where it was looked for by one.
    pub timestamp: Option<i64>,
    /// The leader epoch of the record, if the broker tells.
    pub leader_epoch: Option<i32>,
}

/// Partitions, and the offset that is wanted of each.
///
/// ```
/// use strandline_client::{ListOffsets, OffsetAt};
/// let question = ListOffsets::new().of("orders", 0, OffsetAt::Latest).of("orders", 1, OffsetAt::Earliest);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ListOffsets {
    wanted: Vec<Wanted<OffsetAt>>,
    isolation: Isolation,
}

impl ListOffsets {
    /// Nothing is wanted yet.
    ///
    /// ```
    /// let question = strandline_client::ListOffsets::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// This offset of this partition, too.
    ///
    /// ```
    /// use strandline_client::{ListOffsets, OffsetAt};
    /// let question = ListOffsets::new().of("orders", 0, OffsetAt::Latest);
    /// ```
    #[must_use]
    pub fn of(mut self, topic: impl Into<String>, partition: i32, what: OffsetAt) -> Self {
        self.wanted.push(Wanted { topic: topic.into(), partition, what });
        self
    }

    /// Which records count.
    ///
    /// ```
    /// use strandline_client::{Isolation, ListOffsets};
    /// let question = ListOffsets::new().isolation(Isolation::ReadCommitted);
    /// ```
    #[must_use]
    pub const fn isolation(mut self, isolation: Isolation) -> Self {
        self.isolation = isolation;
        self
    }
}

/// Partitions, and the offset before which each shall lose its records.
///
/// ```
/// let question = strandline_client::DeleteRecords::new().before("orders", 0, 1_000);
/// ```
#[derive(Clone, Debug, Default)]
pub struct DeleteRecords {
    wanted: Vec<Wanted<i64>>,
}

impl DeleteRecords {
    /// Nothing is to be deleted yet.
    ///
    /// ```
    /// let question = strandline_client::DeleteRecords::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The records of this partition before this offset, too; -1 stands for its end.
    ///
    /// ```
    /// let everything = strandline_client::DeleteRecords::new().before("orders", 0, -1);
    /// ```
    #[must_use]
    pub fn before(mut self, topic: impl Into<String>, partition: i32, offset: i64) -> Self {
        self.wanted.push(Wanted { topic: topic.into(), partition, what: offset });
        self
    }
}

impl Admin {
    /// Looks up offsets, by the leader of each partition.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::{ListOffsets, OffsetAt};
    /// for ((topic, partition), found) in admin.list_offsets(&ListOffsets::new().of("orders", 0, OffsetAt::Latest)).await {
    ///     println!("{topic}-{partition} ends at {:?}", found?.offset);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_offsets(&self, question: &ListOffsets) -> EachPartition<PartitionOffset> {
        let isolation_level = match question.isolation {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        };
        let timeout_ms = self.timeout_ms();
        let ask = |group: &ByTopic<'_, OffsetAt>| {
            let topics = group.iter().map(|(topic, wanted)| offsets_topic(topic, wanted)).collect();
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level,
                topics,
                timeout_ms,
                ..Default::default()
            };
            let by_max = group.values().flatten().any(|wanted| wanted.what == OffsetAt::MaxTimestamp);
            // Before version 2 there is no place for the isolation level.
            let first = if by_max { MAX_TIMESTAMP_VERSION } else { 2 };
            (request, VersionRange::new(first, ApiKey::ListOffsets.api().stable_versions().last))
        };
        self.ask_leaders(&question.wanted, ask, offsets).await
    }

    /// Deletes the oldest records of partitions: each result is where the partition begins now.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::DeleteRecords;
    /// for ((topic, partition), start) in admin.delete_records(&DeleteRecords::new().before("orders", 0, 3)).await {
    ///     println!("{topic}-{partition} begins at {}", start?);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| { stage.orders().await?; example(&stage.client.admin()).await });
    /// ```
    pub async fn delete_records(&self, question: &DeleteRecords) -> EachPartition<i64> {
        let timeout_ms = self.timeout_ms();
        let ask = |group: &ByTopic<'_, i64>| {
            let topics = group.iter().map(|(topic, wanted)| deletion_topic(topic, wanted)).collect();
            let request = DeleteRecordsRequest { topics, timeout_ms, ..Default::default() };
            (request, ApiKey::DeleteRecords.api().stable_versions())
        };
        self.ask_leaders(&question.wanted, ask, starts).await
    }
}

fn offsets_topic(topic: &str, wanted: &[&Wanted<OffsetAt>]) -> ListOffsetsTopic {
    let partition = |wanted: &&Wanted<OffsetAt>| ListOffsetsPartition {
        partition_index: wanted.partition,
        timestamp: wanted.what.code(),
        ..Default::default()
    };
    ListOffsetsTopic {
        name: topic.into(),
        partitions: wanted.iter().map(partition).collect(),
        ..Default::default()
    }
}

fn deletion_topic(topic: &str, wanted: &[&Wanted<i64>]) -> DeleteRecordsTopic {
    let partition = |wanted: &&Wanted<i64>| DeleteRecordsPartition {
        partition_index: wanted.partition,
        offset: wanted.what,
        ..Default::default()
    };
    DeleteRecordsTopic {
        name: topic.into(),
        partitions: wanted.iter().map(partition).collect(),
        ..Default::default()
    }
}

fn offsets(response: ListOffsetsResponse) -> EachPartition<PartitionOffset> {
    let mut results = Vec::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let key = (topic.name.clone().into(), partition.partition_index);
            let subject = || format!("{}-{}", topic.name, partition.partition_index);
            let found = Error::check(partition.error_code, subject, None).map(|()| PartitionOffset {
                offset: Some(partition.offset).filter(|offset| *offset >= 0),
                timestamp: Some(partition.timestamp).filter(|timestamp| *timestamp >= 0),
                leader_epoch: Some(partition.leader_epoch).filter(|epoch| *epoch >= 0),
            });
            results.push((key, found));
        }
    }
    results
}

fn starts(response: DeleteRecordsResponse) -> EachPartition<i64> {
    let mut results = Vec::new();
    for topic in response.topics {
        for partition in topic.partitions {
            let key = (topic.name.clone().into(), partition.partition_index);
            let subject = || format!("{}-{}", topic.name, partition.partition_index);
            let checked = Error::check(partition.error_code, subject, None);
            results.push((key, checked.map(|()| partition.low_watermark)));
        }
    }
    results
}
