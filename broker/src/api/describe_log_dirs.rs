//! DescribeLogDirs: the data directory, how much of the disk is left, and what each partition takes of it.
//!
//! Null asks for all partitions; what is named and not here is left out, as Kafka does. v3: an error of the whole; v4:
//! the size of the disk; v5: whether nothing new goes there, which is never so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strandline_protocol::apis::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeLogDirsResult,
    DescribeLogDirsTopic,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::image::Topic;

use super::Dispatched;
use super::cluster::may_describe_cluster;
use crate::broker::Broker;
use crate::context::Call;
use crate::storage::TopicPartition;

/// Not known.
const UNKNOWN_BYTES: i64 = -1;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeLogDirsRequest) -> Dispatched {
    let response = match may_describe_cluster(broker, &call) {
        Ok(()) => DescribeLogDirsResponse { results: vec![describe(broker, &request)], ..Default::default() },
        Err(refusal) => DescribeLogDirsResponse { error_code: refusal.code, ..Default::default() },
    };
    call.now(broker, response)
}

fn describe(broker: &Broker, request: &DescribeLogDirsRequest) -> DescribeLogDirsResult {
    let image = broker.metadata.image();
    let directory = broker.storage.directory();
    let bytes =
        |found: Option<u64>| found.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(UNKNOWN_BYTES);
    DescribeLogDirsResult {
        error_code: ErrorCode::NONE,
        log_dir: directory.map(|directory| Text::from(directory.name())).unwrap_or_default(),
        topics: topics(broker, &image, request),
        total_bytes: bytes(directory.and_then(|directory| directory.total_bytes())),
        usable_bytes: bytes(directory.and_then(|directory| directory.usable_bytes())),
        ..Default::default()
    }
}

fn topics(
    broker: &Broker,
    image: &MetadataImage,
    request: &DescribeLogDirsRequest,
) -> Vec<DescribeLogDirsTopic> {
    let Some(asked) = &request.topics else {
        let all = |topic: &Topic| topic.partitions().map(|(index, _)| index).collect();
        return image.topics().filter_map(|topic| of_topic(broker, topic, all(topic))).collect();
    };
    let mut wanted: BTreeMap<&str, BTreeSet<i32>> = BTreeMap::new();
    for topic in asked {
        wanted.entry(&topic.topic).or_default().extend(&topic.partitions);
    }
    let found = wanted.into_iter().filter_map(|(name, indexes)| {
        let topic = image.topic(name)?;
        of_topic(broker, topic, indexes)
    });
    found.collect()
}

fn of_topic(broker: &Broker, topic: &Topic, indexes: BTreeSet<i32>) -> Option<DescribeLogDirsTopic> {
    let partitions: Vec<_> = indexes
        .into_iter()
        .filter_map(|index| {
            let log = broker.storage.partition(TopicPartition { topic_id: topic.id(), index })?;
            let partition_size = i64::try_from(log.bytes()).unwrap_or(i64::MAX);
            Some(DescribeLogDirsPartition { partition_index: index, partition_size, ..Default::default() })
        })
        .collect();
    let name = topic.name().clone();
    (!partitions.is_empty()).then(|| DescribeLogDirsTopic { name, partitions, ..Default::default() })
}
