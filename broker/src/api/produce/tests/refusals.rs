//! What is refused, and with which code: each is one that clients act upon.

use strandline_log::disk::simulated::Operation;
use strandline_protocol::apis::produce::{PartitionProduceData, PartitionProduceResponse};
use strandline_protocol::batch::{BatchBuilder, BatchHeader, NewRecord};
use strandline_protocol::{Bytes, Compression, ErrorCode};

use super::produce;
use crate::api::tests::{NOW_MS, Rig, batch, built, fetch_request, only_partition, produce_request, records};
use crate::api::topics::TopicRules;

fn rig(rules: TopicRules) -> Rig {
    let rig = Rig::new();
    rig.create("t", 1, rules);
    rig
}

/// A batch with another header, and the checksum that it had before.
fn patched(batch: &Bytes, patch: impl FnOnce(&mut BatchHeader)) -> Bytes {
    let mut bytes = batch.to_vec();
    let mut header = BatchHeader::parse(&bytes).unwrap();
    patch(&mut header);
    header.write_over(&mut bytes).unwrap();
    bytes.into()
}

fn at(timestamps: &[i64]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for timestamp in timestamps {
        builder.append(&NewRecord { key: Some(b"k"), ..NewRecord::at(*timestamp) }).unwrap();
    }
    builder.build().unwrap()
}

#[tokio::test]
async fn malformed_batches_are_told_apart() {
    let rig = rig(TopicRules::default());
    let good = batch(&[b"a"]);
    let mut flipped = good.to_vec();
    *flipped.last_mut().unwrap() ^= 1;
    let mut old = good.to_vec();
    old[16] = 1;
    let mut newer = good.to_vec();
    newer[16] = 3;
    for (what, batch, code) in [
        ("a bit flipped", flipped.into(), ErrorCode::CORRUPT_MESSAGE),
        ("an old format", old.into(), ErrorCode::INVALID_RECORD),
        ("a format to come", newer.into(), ErrorCode::CORRUPT_MESSAGE),
        ("two batches", [&good[..], &good[..]].concat().into(), ErrorCode::INVALID_RECORD),
        ("no batch", Bytes::new(), ErrorCode::INVALID_RECORD),
        ("a base offset", patched(&good, |header| header.base_offset = 1), ErrorCode::INVALID_RECORD),
    ] {
        assert_eq!(produce(&rig, 9, batch).await, code, "{what}");
    }
    let mut request = produce_request("t", -1, []);
    let null = PartitionProduceData { index: 0, records: None, ..Default::default() };
    request.topic_data[0].partition_data.push(null);
    assert_eq!(only_partition(rig.call(9, &request).await).error_code, ErrorCode::INVALID_RECORD);
    assert_eq!(rig.log("t", 0).offsets().end, 0);
}

#[tokio::test]
async fn a_batch_above_the_limit_is_too_large() {
    let good = batch(&[&[7; 1_000]]);
    let rules = TopicRules { message_bytes_max: good.len(), ..TopicRules::default() };
    let rig = rig(rules);
    assert_eq!(produce(&rig, 9, good).await, ErrorCode::NONE);
    assert_eq!(produce(&rig, 9, batch(&[&[7; 1_001]])).await, ErrorCode::MESSAGE_TOO_LARGE);
}

#[tokio::test]
async fn zstd_is_for_those_who_know_it() {
    let rig = rig(TopicRules::default());
    let zstd = built(BatchBuilder::new().compression(Compression::Zstd, None), &[b"a"]);
    assert_eq!(produce(&rig, 6, zstd.clone()).await, ErrorCode::UNSUPPORTED_COMPRESSION_TYPE);
    assert_eq!(produce(&rig, 7, zstd).await, ErrorCode::NONE);
}

#[tokio::test]
async fn a_compacted_topic_wants_keys_and_says_where_they_are_missing() {
    let rig = rig(TopicRules { compacts: true, ..TopicRules::default() });
    let mut builder = BatchBuilder::new();
    for key in [Some(&b"k"[..]), None, Some(b"k"), None] {
        builder.append(&NewRecord { key, ..NewRecord::at(NOW_MS) }).unwrap();
    }
    let batch = builder.build().unwrap();
    let refused = rig.produce("t", batch.clone()).await;
    assert_eq!((refused.error_code, refused.base_offset), (ErrorCode::INVALID_RECORD, -1));
    assert_eq!(refused.log_start_offset, 0);
    assert_eq!(indexes(&refused), [1, 3]);
    assert!(refused.error_message.is_some() && refused.record_errors[0].batch_index_error_message.is_some());
    // Before KIP-467 there is no place for it.
    assert_eq!(produce(&rig, 7, batch).await, ErrorCode::INVALID_RECORD);
}

fn indexes(response: &PartitionProduceResponse) -> Vec<i32> {
    response.record_errors.iter().map(|error| error.batch_index).collect()
}

#[tokio::test]
async fn times_out_of_bounds_are_refused() {
    let rules =
        TopicRules { timestamp_before_max_ms: 100, timestamp_after_max_ms: 10, ..TopicRules::default() };
    let rig = rig(rules);
    let good = at(&[NOW_MS - 100, -1, NOW_MS + 10]);
    assert_eq!(rig.produce("t", good).await.error_code, ErrorCode::NONE);
    let refused = rig.produce("t", at(&[NOW_MS - 101, NOW_MS, NOW_MS + 11])).await;
    assert_eq!(refused.error_code, ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(indexes(&refused), [0, 2]);
}

#[tokio::test]
async fn acks_that_mean_nothing_are_refused_everywhere() {
    let rig = rig(TopicRules::default());
    for acks in [-2, 2, i16::MAX] {
        let response = rig.call(9, &produce_request("t", acks, [(0, batch(&[b"a"]))])).await;
        assert_eq!(only_partition(response).error_code, ErrorCode::INVALID_REQUIRED_ACKS);
    }
    assert_eq!(rig.log("t", 0).offsets().end, 0);
}

#[tokio::test]
async fn too_few_replicas_matter_to_those_who_wait_for_all() {
    let rig = rig(TopicRules { in_sync_replicas_min: 2, ..TopicRules::default() });
    for (acks, code) in [(-1, ErrorCode::NOT_ENOUGH_REPLICAS), (1, ErrorCode::NONE)] {
        let response = rig.call(9, &produce_request("t", acks, [(0, batch(&[b"a"]))])).await;
        assert_eq!(only_partition(response).error_code, code);
    }
}

#[tokio::test]
async fn nobody_writes_to_internal_topics() {
    let rig = Rig::new();
    rig.create("__t", 1, TopicRules::default());
    let response = rig.call(9, &produce_request("__t", -1, [(0, batch(&[b"a"]))])).await;
    assert_eq!(only_partition(response).error_code, ErrorCode::INVALID_TOPIC_EXCEPTION);
}

#[tokio::test]
async fn transactional_batches_want_a_transaction() {
    let rig = rig(TopicRules::default());
    let batch = built(BatchBuilder::new().producer(7, 0, 0).transactional(true), &[b"a"]);
    let mut request = produce_request("t", -1, [(0, batch)]);
    let response = rig.call(9, &request).await;
    assert_eq!(only_partition(response).error_code, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    request.transactional_id = Some("tx".into());
    let response = rig.call(9, &request).await;
    assert_eq!(only_partition(response).error_code, ErrorCode::INVALID_TXN_STATE);
    // Half of one is none.
    let half = built(BatchBuilder::new().producer(7, 0, 0).transactional(true), &[&[7; 100]]).slice(..100);
    let response = rig.call(9, &produce_request("t", -1, [(0, half)])).await;
    assert_eq!(only_partition(response).error_code, ErrorCode::INVALID_RECORD);
}

/// Appends a record, and says at which offset.
async fn try_produce(rig: &Rig, value: &[u8]) -> Result<i64, ErrorCode> {
    let response = rig.produce("t", batch(&[value])).await;
    if response.error_code == ErrorCode::NONE { Ok(response.base_offset) } else { Err(response.error_code) }
}

#[tokio::test]
async fn a_disk_that_fails_takes_nothing_and_still_gives() {
    let rig = rig(TopicRules::default());
    assert_eq!(produce(&rig, 9, batch(&[b"a"])).await, ErrorCode::NONE);
    let mut expected = vec![(0, 0, b"a".to_vec())];
    rig.disk.fail(Operation::Write, 1);
    // The write that fails may be one in the background, beside which a batch or two are still taken.
    while let Ok(offset) = try_produce(&rig, b"b").await {
        expected.push((0, offset, b"b".to_vec()));
        assert!(expected.len() < 1_000, "the disk failed, and everything is taken");
    }
    for _ in 0..2 {
        let refused = rig.produce("t", batch(&[b"b"])).await;
        assert_eq!((refused.error_code, refused.base_offset), (ErrorCode::KAFKA_STORAGE_ERROR, -1));
        assert!(refused.error_message.is_some_and(|message| message.contains("offline")));
    }
    let response = rig.call(12, &fetch_request("t", &[(0, 0)])).await;
    assert_eq!(records(&response), expected);
}

#[tokio::test]
async fn what_grows_large_is_looked_at_all_the_same_and_what_grows_without_end_is_refused() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules { message_bytes_max: 1 << 20, ..TopicRules::default() });
    let large = built(BatchBuilder::new().compression(Compression::Zstd, None), &[&vec![0; 3 << 20]]);
    assert_eq!(rig.produce("t", large).await.error_code, ErrorCode::NONE);
    let endless = built(BatchBuilder::new().compression(Compression::Zstd, None), &[&vec![0; 65 << 20]]);
    assert_eq!(rig.produce("t", endless).await.error_code, ErrorCode::MESSAGE_TOO_LARGE);
    rig.create("compacted", 1, TopicRules { compacts: true, ..TopicRules::default() });
    let mut without_key = BatchBuilder::new().compression(Compression::Zstd, None);
    without_key.append(&NewRecord { value: Some(&vec![0; 3 << 20]), ..NewRecord::at(NOW_MS) }).unwrap();
    let response = rig.produce("compacted", without_key.build().unwrap()).await;
    assert_eq!((response.error_code, response.record_errors.len()), (ErrorCode::INVALID_RECORD, 1));
    assert_eq!(response.log_start_offset, 0);
}
