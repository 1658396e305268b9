//! Where partitions begin and end, and how many bytes they take.

use std::collections::BTreeMap;

use strandline_client::{Client, ListOffsets, OffsetAt, TopicInfo};

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
        // One topic is asked for by its name; all of a broker's partitions are cheaper than a question per topic.
        let only = match topics {
            [topic] => Some(topic.name.as_str()),
            _ => None,
        };
        for broker in brokers_of(topics) {
            let folders = client.admin().describe_log_dirs(broker, only).await.unwrap_or_default();
            for replica in folders.into_iter().flat_map(|folder| folder.replicas) {
                if !replica.is_moving_here {
                    let known = &mut extents.0.entry((replica.topic, replica.partition)).or_default().bytes;
                    *known = (*known).max(i64::try_from(replica.bytes).ok());
                }
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
