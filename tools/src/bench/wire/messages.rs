//! The messages that a busy broker meets most: decoded and encoded whole, beside other codecs where the
//! feature `peers` brings them.

use std::hint::black_box;
use std::io::{self, Write};

use bytes::Bytes;
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsResponse};
use strandline_protocol::apis::fetch::{FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::{Message, Records, Text, Uuid};

use super::content::json_lines;
#[cfg(feature = "peers")]
use super::peers;
use crate::bench::Plan;
use crate::bench::measure::{Amount, Comparison};

/// The versions that librdkafka, the Java client and franz-go speak today.
const PRODUCE_VERSION: i16 = 12;
const FETCH_VERSION: i16 = 16;
const METADATA_VERSION: i16 = 12;
const API_VERSIONS_VERSION: i16 = 3;

/// What each partition of a Produce or a Fetch carries.
const RECORDS_BYTES: usize = 2 << 10;

pub(super) fn run(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    produce(plan, out)?;
    metadata(plan, out)?;
    fetch(plan, out)?;
    api_versions(plan, out)
}

/// Our part of a comparison: the message is read from its bytes.
fn decoding<'a, M: Message + 'a>(name: &str, bytes: &'a Bytes, version: i16) -> Comparison<'a> {
    Comparison::new(name, Amount::One).contender("strandline", move || {
        let _ = black_box(M::from_bytes(black_box(bytes).clone(), version));
    })
}

/// Our part of a comparison: the message's bytes, records left where they lie.
fn encoding<'a, M: Message>(name: &str, message: &'a M, version: i16) -> Comparison<'a> {
    Comparison::new(name, Amount::One).contender("strandline", move || {
        let _ = black_box(black_box(message).to_pieces(version));
    })
}

fn to_bytes<M: Message>(message: &M, version: i16) -> io::Result<Bytes> {
    message.to_bytes(version).map_err(io::Error::other)
}

fn produce(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let records = Bytes::from(json_lines(RECORDS_BYTES));
    let partition = |index| PartitionProduceData {
        index,
        records: Some(Records::from(records.clone())),
        ..Default::default()
    };
    let topic = |number: i32| TopicProduceData {
        name: Text::from(format!("orders-{number}")),
        partition_data: (0..100).map(partition).collect(),
        ..Default::default()
    };
    let request = ProduceRequest { acks: -1, topic_data: (0..10).map(topic).collect(), ..Default::default() };
    let bytes = to_bytes(&request, PRODUCE_VERSION)?;
    let comparison = decoding::<ProduceRequest>("decode Produce, 1,000 partitions", &bytes, PRODUCE_VERSION);
    #[cfg(feature = "peers")]
    let comparison = peers::decode_produce(comparison, &bytes, PRODUCE_VERSION);
    comparison.run(plan, out)
}

fn metadata(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let partition = |partition_index| MetadataResponsePartition {
        partition_index,
        leader_id: partition_index % 3,
        leader_epoch: 7,
        replica_nodes: vec![0, 1, 2],
        isr_nodes: vec![0, 1, 2],
        ..Default::default()
    };
    let topic = |number: i32| MetadataResponseTopic {
        name: Some(Text::from(format!("orders-{number}"))),
        topic_id: Uuid([3; 16]),
        partitions: (0..100).map(partition).collect(),
        ..Default::default()
    };
    let broker = |node_id| MetadataResponseBroker {
        node_id,
        host: Text::from(format!("broker-{node_id}.example.com")),
        port: 9_092,
        ..Default::default()
    };
    let response = MetadataResponse {
        brokers: (0..3).map(broker).collect(),
        topics: (0..100).map(topic).collect(),
        ..Default::default()
    };
    let bytes = to_bytes(&response, METADATA_VERSION)?;
    let comparison = encoding("encode Metadata, 10,000 partitions", &response, METADATA_VERSION);
    #[cfg(feature = "peers")]
    let comparison = peers::encode_metadata(comparison, &bytes, METADATA_VERSION)?;
    comparison.run(plan, out)?;
    let name = "decode Metadata, 10,000 partitions";
    let comparison = decoding::<MetadataResponse>(name, &bytes, METADATA_VERSION);
    #[cfg(feature = "peers")]
    let comparison = peers::decode_metadata(comparison, &bytes, METADATA_VERSION);
    comparison.run(plan, out)
}

fn fetch(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let records = Bytes::from(json_lines(RECORDS_BYTES));
    let partition = |partition_index| PartitionData {
        partition_index,
        high_watermark: 1_000,
        last_stable_offset: 1_000,
        log_start_offset: 0,
        records: Some(Records::from(records.clone())),
        ..Default::default()
    };
    let topic = |number: u8| FetchableTopicResponse {
        topic_id: Uuid([number; 16]),
        partitions: (0..100).map(partition).collect(),
        ..Default::default()
    };
    let response = FetchResponse { responses: (0..10).map(topic).collect(), ..Default::default() };
    let comparison = encoding("encode Fetch, 1,000 partitions", &response, FETCH_VERSION);
    #[cfg(feature = "peers")]
    let bytes = to_bytes(&response, FETCH_VERSION)?;
    #[cfg(feature = "peers")]
    let comparison = peers::encode_fetch(comparison, &bytes, FETCH_VERSION)?;
    comparison.run(plan, out)
}

fn api_versions(plan: &Plan, out: &mut impl Write) -> io::Result<()> {
    let row = |api: &strandline_protocol::apis::Api| ApiVersion {
        api_key: api.key.into(),
        min_version: api.stable_versions().first,
        max_version: api.stable_versions().last,
        ..Default::default()
    };
    let api_keys = API_KEYS.iter().map(|key| row(key.api())).collect();
    let response = ApiVersionsResponse { api_keys, ..Default::default() };
    let comparison = encoding("encode ApiVersions", &response, API_VERSIONS_VERSION);
    #[cfg(feature = "peers")]
    let bytes = to_bytes(&response, API_VERSIONS_VERSION)?;
    #[cfg(feature = "peers")]
    let comparison = peers::encode_api_versions(comparison, &bytes, API_VERSIONS_VERSION)?;
    comparison.run(plan, out)
}
