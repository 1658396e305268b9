//! What tests ask of a node over the wire, in few words.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use strandline_protocol::apis::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use strandline_protocol::apis::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
};
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic};
use strandline_protocol::apis::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, NewRecord, batches};
use strandline_protocol::{Bytes, Compression, ErrorCode};

use crate::support::Running;

pub(crate) const TOPIC: i8 = 2;
pub(crate) const BROKER: i8 = 4;
pub(crate) const GROUP: i8 = 32;

/// What is done to a setting.
#[derive(Clone, Copy)]
pub(crate) enum Change<'a> {
    Set(&'a str),
    Delete,
    Append(&'a str),
    Subtract(&'a str),
}

/// A record as it was read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Read {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) compression: Compression,
}

pub(crate) async fn create(running: &Running, name: &str, configs: &[(&str, &str)]) {
    let config = |(name, value): &(&str, &str)| CreatableTopicConfig {
        name: (*name).into(),
        value: Some((*value).into()),
        ..Default::default()
    };
    let topic = CreatableTopic {
        name: name.into(),
        num_partitions: 1,
        replication_factor: 1,
        configs: configs.iter().map(config).collect(),
        ..Default::default()
    };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let created = running.ask(&request).await.topics.remove(0);
    assert_eq!(created.error_code, ErrorCode::NONE, "{:?}", created.error_message);
}

pub(crate) fn alteration(
    resource_type: i8,
    name: &str,
    changes: &[(&str, Change<'_>)],
) -> AlterConfigsResource {
    let configs = changes.iter().map(|(name, change)| {
        let (config_operation, value) = match *change {
            Change::Set(value) => (0, Some(value)),
            Change::Delete => (1, None),
            Change::Append(value) => (2, Some(value)),
            Change::Subtract(value) => (3, Some(value)),
        };
        let value = value.map(Into::into);
        AlterableConfig { name: (*name).into(), config_operation, value, ..Default::default() }
    });
    AlterConfigsResource {
        resource_type,
        resource_name: name.into(),
        configs: configs.collect(),
        ..Default::default()
    }
}

/// Changes one resource, and says how that went.
pub(crate) async fn alter(
    running: &Running,
    resource_type: i8,
    name: &str,
    changes: &[(&str, Change<'_>)],
) -> (ErrorCode, String) {
    let resources = vec![alteration(resource_type, name, changes)];
    let request = IncrementalAlterConfigsRequest { resources, ..Default::default() };
    let altered = running.ask(&request).await.responses.remove(0);
    (altered.error_code, altered.error_message.map(String::from).unwrap_or_default())
}

/// Sets this on a topic, which goes well.
pub(crate) async fn set(running: &Running, topic: &str, settings: &[(&str, &str)]) {
    let changes: Vec<_> = settings.iter().map(|(name, value)| (*name, Change::Set(value))).collect();
    assert_eq!(alter(running, TOPIC, topic, &changes).await, (ErrorCode::NONE, String::new()));
}

/// Everything that is said of a resource's settings, by name.
pub(crate) async fn described(
    running: &Running,
    resource_type: i8,
    name: &str,
) -> BTreeMap<String, DescribeConfigsResourceResult> {
    let resource =
        DescribeConfigsResource { resource_type, resource_name: name.into(), ..Default::default() };
    let request = DescribeConfigsRequest {
        resources: vec![resource],
        include_synonyms: true,
        include_documentation: true,
        ..Default::default()
    };
    let result = running.ask(&request).await.results.remove(0);
    assert_eq!(result.error_code, ErrorCode::NONE, "{:?}", result.error_message);
    result.configs.into_iter().map(|config| (config.name.clone().into(), config)).collect()
}

/// Now, as the node sees it.
pub(crate) fn now_ms(running: &Running) -> i64 {
    running.node.broker().clock.wall_ms()
}

/// Appends records as one batch, and says at which offset.
pub(crate) async fn produce(
    running: &Running,
    topic: &str,
    records: &[NewRecord<'_>],
) -> Result<i64, ErrorCode> {
    let mut builder = BatchBuilder::new();
    for record in records {
        builder.append(record).unwrap();
    }
    produce_batch(running, topic, builder.build().unwrap()).await
}

/// Appends a batch as it is.
pub(crate) async fn produce_batch(running: &Running, topic: &str, batch: Bytes) -> Result<i64, ErrorCode> {
    let records = Some(batch.into());
    let partition = PartitionProduceData { index: 0, records, ..Default::default() };
    let topic =
        TopicProduceData { name: topic.into(), partition_data: vec![partition], ..Default::default() };
    let request =
        ProduceRequest { acks: -1, timeout_ms: 10_000, topic_data: vec![topic], ..Default::default() };
    let mut response = running.ask_in(12, &request).await;
    let said = response.responses.remove(0).partition_responses.remove(0);
    if said.error_code == ErrorCode::NONE { Ok(said.base_offset) } else { Err(said.error_code) }
}

/// Appends one value of now.
pub(crate) async fn produce_value(running: &Running, topic: &str, value: &[u8]) -> Result<i64, ErrorCode> {
    produce(running, topic, &[NewRecord { value: Some(value), ..NewRecord::at(now_ms(running)) }]).await
}

/// Everything that a topic holds.
pub(crate) async fn read(running: &Running, topic: &str) -> Vec<Read> {
    let mut found: Vec<Read> = Vec::new();
    let end = offset(running, topic, -1).await;
    let mut next = offset(running, topic, -2).await;
    while next < end {
        let partition = FetchPartition {
            partition: 0,
            fetch_offset: next,
            partition_max_bytes: 1 << 22,
            ..Default::default()
        };
        let topic = FetchTopic { topic: topic.into(), partitions: vec![partition], ..Default::default() };
        let request = FetchRequest { max_bytes: 1 << 22, topics: vec![topic], ..Default::default() };
        let mut response = running.ask_in(12, &request).await;
        let answer = response.responses.remove(0).partitions.remove(0);
        assert_eq!(answer.error_code, ErrorCode::NONE);
        let before = next;
        for batch in batches(answer.records.unwrap().as_slice().unwrap()) {
            // The last one may be cut.
            let Ok(batch) = batch else { break };
            batch.check_crc().unwrap();
            let compression = batch.header().attributes.compression().unwrap();
            for record in &batch.records(1 << 24).unwrap() {
                let record = record.unwrap();
                let (key, value) = (record.key.map(<[u8]>::to_vec), record.value.map(<[u8]>::to_vec));
                let (offset, timestamp) = (record.offset, record.timestamp);
                found.push(Read { offset, timestamp, key, value, compression });
            }
            next = batch.header().last_offset() + 1;
        }
        assert!(next > before, "nothing at {before}");
    }
    found
}

/// An offset by its time, of which -1 and -2 are the end and the start.
pub(crate) async fn offset(running: &Running, topic: &str, timestamp: i64) -> i64 {
    let partition = ListOffsetsPartition { partition_index: 0, timestamp, ..Default::default() };
    let topic = ListOffsetsTopic { name: topic.into(), partitions: vec![partition], ..Default::default() };
    let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
    let found = running.ask(&request).await.topics.remove(0).partitions.remove(0);
    assert_eq!(found.error_code, ErrorCode::NONE);
    found.offset
}

/// Waits for something that is done in the background, far longer than it takes.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
