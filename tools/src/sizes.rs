//! Where partitions begin and end, and how many bytes they take.

use std::collections::BTreeMap;

use strandline_client::{Client, Error, ListOffsets, OffsetAt, TopicInfo};
use strandline_protocol::Text;
use strandline_protocol::apis::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResult,
};

type Key = (String, i32);

/// What can be known of a partition from outside.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Extent {
    /// The first offset that is there.
    pub(crate) begin: Option<i64>,
    /// The offset behind the last.
    pub(crate) end: Option<i64>,
    /// Its bytes on the disk of its largest replica.
    pub(crate) bytes: Option<i64>,
}

impl Extent {
    /// How many offsets it spans: compaction may have taken records from in between.
    pub(crate) fn records(&self) -> Option<i64> {
        Some(self.end?.saturating_sub(self.begin?))
    }
}

/// The extents of all partitions of some topics. What nobody says stays unknown.
#[derive(Debug, Default)]
pub(crate) struct Extents(BTreeMap<Key, Extent>);

impl Extents {
    pub(crate) async fn of(client: &Client, topics: &[&TopicInfo]) -> Self {
        let mut extents = Self::default();
        extents.ask_offsets(client, topics, OffsetAt::Earliest).await;
        extents.ask_offsets(client, topics, OffsetAt::Latest).await;
        let named = topics.iter().map(|topic| DescribableLogDirTopic {
            topic: Text::from(topic.name.as_str()),
            partitions: topic.partitions.iter().map(|info| info.partition).collect(),
            ..Default::default()
        });
        let named: Vec<_> = named.collect();
        for broker in brokers_of(topics) {
            for (key, bytes) in bytes_on(client, broker, named.clone()).await.unwrap_or_default() {
                let known = &mut extents.0.entry(key).or_default().bytes;
                *known = (*known).max(Some(bytes));
            }
        }
        extents
    }

    async fn ask_offsets(&mut self, client: &Client, topics: &[&TopicInfo], at: OffsetAt) {
        let mut question = ListOffsets::new();
        for topic in topics {
            for info in &topic.partitions {
                question = question.of(topic.name.as_str(), info.partition, at);
            }
        }
        for (key, found) in client.admin().list_offsets(&question).await {
            let extent = self.0.entry(key).or_default();
            let offset = found.ok().and_then(|found| found.offset);
            match at {
                OffsetAt::Earliest => extent.begin = offset,
                _ => extent.end = offset,
            }
        }
    }

    pub(crate) fn get(&self, topic: &str, partition: i32) -> Extent {
        self.0.get(&(topic.to_owned(), partition)).copied().unwrap_or_default()
    }

    /// Records and bytes of a whole topic, as far as they are known.
    pub(crate) fn total(&self, topic: &TopicInfo) -> (Option<i64>, Option<i64>) {
        let extents = || topic.partitions.iter().map(|info| self.get(&topic.name, info.partition));
        let sum = |parts: Vec<i64>| Some(parts.iter().sum()).filter(|_| !parts.is_empty());
        let records = sum(extents().filter_map(|extent| extent.records()).collect());
        (records, sum(extents().filter_map(|extent| extent.bytes).collect()))
    }

    #[cfg(test)]
    pub(crate) fn with(mut self, topic: &str, partition: i32, extent: Extent) -> Self {
        self.0.insert((topic.to_owned(), partition), extent);
        self
    }
}

fn brokers_of(topics: &[&TopicInfo]) -> Vec<i32> {
    let partitions = topics.iter().flat_map(|topic| &topic.partitions);
    let mut brokers: Vec<i32> = partitions.flat_map(|info| info.replicas.iter().copied()).collect();
    brokers.sort_unstable();
    brokers.dedup();
    brokers
}

async fn bytes_on(
    client: &Client,
    broker: i32,
    topics: Vec<DescribableLogDirTopic>,
) -> Result<BTreeMap<Key, i64>, Error> {
    let mut bytes = BTreeMap::new();
    for directory in log_dirs(client, broker, Some(topics)).await? {
        for topic in directory.topics {
            for partition in topic.partitions.iter().filter(|partition| !partition.is_future_key) {
                bytes.insert((topic.name.to_string(), partition.partition_index), partition.partition_size);
            }
        }
    }
    Ok(bytes)
}

/// The folders that a broker keeps its data in, with these topics or all.
pub(crate) async fn log_dirs(
    client: &Client,
    broker: i32,
    topics: Option<Vec<DescribableLogDirTopic>>,
) -> Result<Vec<DescribeLogDirsResult>, Error> {
    let request = DescribeLogDirsRequest { topics, ..Default::default() };
    let response = client.broker(broker).await?.request(&request).await?;
    if response.error_code == strandline_protocol::ErrorCode::NONE {
        Ok(response.results)
    } else {
        Err(Error::broker(response.error_code, format!("the folders of broker {broker}"), None))
    }
}

#[cfg(test)]
mod tests {
    use strandline_client::PartitionInfo;

    use super::*;

    #[test]
    fn a_topic_is_as_large_as_what_is_known_of_it() {
        let partition = |partition| PartitionInfo { partition, replicas: vec![2, 1], ..Default::default() };
        let topic = TopicInfo {
            name: "a".to_owned(),
            partitions: vec![partition(0), partition(1)],
            ..Default::default()
        };
        let known = Extent { begin: Some(5), end: Some(9), bytes: Some(100) };
        let extents = Extents::default().with("a", 1, known);
        assert_eq!(extents.total(&topic), (Some(4), Some(100)));
        assert_eq!(Extents::default().total(&topic), (None, None));
        assert_eq!(brokers_of(&[&topic]), [1, 2]);
    }
}
