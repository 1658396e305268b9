//! Requests as transactional producers, and those who read after them, send them.

use strandline_protocol::apis::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnTopic};
use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::end_txn::{EndTxnRequest, EndTxnResponse};
use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use strandline_protocol::apis::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use strandline_protocol::batch::{BatchBuilder, NewRecord, batches};
use strandline_protocol::records::Records;
use strandline_protocol::{Bytes, ErrorCode, Text};

use crate::support::Running;

/// The topic that everybody writes to.
pub(crate) const TOPIC: &str = "orders";

pub(crate) const TRANSACTIONAL_ID: &str = "tx";

/// A producer, as it knows itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Own {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// A topic with two partitions, and the coordinator.
pub(crate) async fn prepare(running: &Running) {
    let topic =
        CreatableTopic { name: TOPIC.into(), num_partitions: 2, replication_factor: 1, ..Default::default() };
    let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    assert_eq!(running.ask(&request).await.topics[0].error_code, ErrorCode::NONE);
    find(running, 1, TRANSACTIONAL_ID).await;
}

pub(crate) async fn find(running: &Running, key_type: i8, key: &str) {
    let request =
        FindCoordinatorRequest { coordinator_keys: vec![key.into()], key_type, ..Default::default() };
    let found = running.ask(&request).await.coordinators.remove(0);
    assert_eq!((found.error_code, found.node_id), (ErrorCode::NONE, 1));
}

/// Asks for an id and an epoch, as long as the transaction before is still being ended.
pub(crate) async fn initialise(running: &Running, had: Option<Own>) -> Result<Own, ErrorCode> {
    let (producer_id, producer_epoch) = had.map_or((-1, -1), |had| (had.id, had.epoch));
    let request = InitProducerIdRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        transaction_timeout_ms: 60_000,
        producer_id,
        producer_epoch,
        ..Default::default()
    };
    loop {
        let InitProducerIdResponse { error_code, producer_id: id, producer_epoch: epoch, .. } =
            running.ask_in(5, &request).await;
        match error_code {
            ErrorCode::NONE => return Ok(Own { id, epoch }),
            ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
            code => return Err(code),
        }
    }
}

pub(crate) async fn add(running: &Running, own: Own, indexes: &[i32]) -> Vec<ErrorCode> {
    let topic =
        AddPartitionsToTxnTopic { name: TOPIC.into(), partitions: indexes.to_vec(), ..Default::default() };
    let request = AddPartitionsToTxnRequest {
        v3_and_below_transactional_id: TRANSACTIONAL_ID.into(),
        v3_and_below_producer_id: own.id,
        v3_and_below_producer_epoch: own.epoch,
        v3_and_below_topics: vec![topic],
        ..Default::default()
    };
    loop {
        let response = running.ask_in(3, &request).await;
        let results = &response.results_by_topic_v3_and_below[0].results_by_partition;
        let codes: Vec<_> = results.iter().map(|result| result.partition_error_code).collect();
        if !codes.contains(&ErrorCode::CONCURRENT_TRANSACTIONS) {
            return codes;
        }
    }
}

/// A batch of one record of a transaction.
pub(crate) fn batch(own: Own, sequence: i32, value: &str) -> Bytes {
    let mut builder = BatchBuilder::new().producer(own.id, own.epoch, sequence).transactional(true);
    builder.append(&NewRecord { value: Some(value.as_bytes()), ..NewRecord::at(1_700_000_000_000) }).unwrap();
    builder.build().unwrap()
}

pub(crate) async fn produce(
    running: &Running,
    version: i16,
    index: i32,
    records: Bytes,
) -> PartitionProduceResponse {
    let records = Some(Records::from(records));
    let topic = TopicProduceData {
        name: TOPIC.into(),
        partition_data: vec![PartitionProduceData { index, records, ..Default::default() }],
        ..Default::default()
    };
    let request = ProduceRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        acks: -1,
        timeout_ms: 1_000,
        topic_data: vec![topic],
        ..Default::default()
    };
    running.ask_in(version, &request).await.responses.remove(0).partition_responses.remove(0)
}

/// Asks for the end until it is decided.
pub(crate) async fn end(
    running: &Running,
    version: i16,
    own: Own,
    committed: bool,
) -> Result<Own, ErrorCode> {
    let request = EndTxnRequest {
        transactional_id: TRANSACTIONAL_ID.into(),
        producer_id: own.id,
        producer_epoch: own.epoch,
        committed,
        ..Default::default()
    };
    loop {
        let EndTxnResponse { error_code, producer_id: id, producer_epoch: epoch, .. } =
            running.ask_in(version, &request).await;
        match error_code {
            ErrorCode::NONE if version < 5 => return Ok(own),
            ErrorCode::NONE => return Ok(Own { id, epoch }),
            ErrorCode::CONCURRENT_TRANSACTIONS => tokio::task::yield_now().await,
            code => return Err(code),
        }
    }
}

/// What a consumer of committed records sees.
pub(crate) async fn committed(running: &Running, index: i32) -> Vec<String> {
    let (mut offset, mut values) = (0, Vec::new());
    let mut aborting = Vec::new();
    while offset < ends(running, index).await.1 {
        let partition = FetchPartition {
            partition: index,
            fetch_offset: offset,
            partition_max_bytes: 1 << 20,
            ..Default::default()
        };
        let topic = FetchTopic { topic: TOPIC.into(), partitions: vec![partition], ..Default::default() };
        let request = FetchRequest {
            max_wait_ms: 0,
            max_bytes: 1 << 20,
            isolation_level: 1,
            topics: vec![topic],
            ..Default::default()
        };
        let mut response = running.ask_in(12, &request).await;
        let data = response.responses.remove(0).partitions.remove(0);
        assert_eq!(data.error_code, ErrorCode::NONE);
        offset = follow(data, &mut aborting, &mut values).max(offset);
    }
    values
}

/// Follows the list of what was aborted, as Kafka's clients do; gives the offset that comes next.
fn follow(data: PartitionData, aborting: &mut Vec<i64>, values: &mut Vec<String>) -> i64 {
    let mut aborted = data.aborted_transactions.unwrap();
    aborted.sort_by_key(|one| one.first_offset);
    let mut next_offset = 0;
    let records = data.records.as_ref().and_then(Records::as_slice).cloned().unwrap_or_default();
    for batch in batches(&records) {
        // The last one may be cut where it comes from a file.
        let Ok(batch) = batch else { break };
        let header = *batch.header();
        next_offset = header.last_offset() + 1;
        let begun = aborted.extract_if(.., |one| one.first_offset <= header.last_offset());
        aborting.extend(begun.map(|one| one.producer_id));
        if header.attributes.is_control() {
            aborting.retain(|id| *id != header.producer_id);
            continue;
        }
        if header.attributes.is_transactional() && aborting.contains(&header.producer_id) {
            continue;
        }
        for record in &batch.records(1 << 20).unwrap() {
            values.push(String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap());
        }
    }
    next_offset
}

/// The end of a partition, and the end of what is decided.
pub(crate) async fn ends(running: &Running, index: i32) -> (i64, i64) {
    let mut found = Vec::new();
    for isolation_level in [0, 1] {
        let partition = ListOffsetsPartition { partition_index: index, timestamp: -1, ..Default::default() };
        let name = Text::from(TOPIC);
        let topic = ListOffsetsTopic { name, partitions: vec![partition], ..Default::default() };
        let request =
            ListOffsetsRequest { replica_id: -1, isolation_level, topics: vec![topic], ..Default::default() };
        found.push(running.ask(&request).await.topics[0].partitions[0].offset);
    }
    (found[0], found[1])
}

/// Waits until nothing is open in a partition.
pub(crate) async fn settled(running: &Running, index: i32) {
    loop {
        let (end, stable) = ends(running, index).await;
        if end == stable {
            return;
        }
        tokio::task::yield_now().await;
    }
}
