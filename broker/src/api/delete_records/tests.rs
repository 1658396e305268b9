//! Moving the beginnings of logs.

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};

use crate::api::tests::{Rig, batch, fetch_request};
use crate::api::topics::TopicRules;

async fn delete(rig: &Rig, name: &str, offset: i64) -> (ErrorCode, i64) {
    let partition = DeleteRecordsPartition { partition_index: 0, offset, ..Default::default() };
    let topic = DeleteRecordsTopic { name: name.into(), partitions: vec![partition], ..Default::default() };
    let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
    let result = rig.call(2, &request).await.topics.remove(0).partitions.remove(0);
    (result.error_code, result.low_watermark)
}

#[tokio::test]
async fn what_is_deleted_is_out_of_range() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    rig.produce("t", batch(&[b"a"])).await;
    rig.produce("t", batch(&[b"b"])).await;
    rig.produce("t", batch(&[b"c"])).await;
    assert_eq!(delete(&rig, "t", 2).await, (ErrorCode::NONE, 2));
    assert_eq!(delete(&rig, "t", 1).await, (ErrorCode::NONE, 2), "it does not go back");
    let response = rig.call(12, &fetch_request("t", &[(0, 1)])).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(partition.error_code, ErrorCode::OFFSET_OUT_OF_RANGE);
    assert_eq!((partition.log_start_offset, partition.high_watermark), (2, 3));
    assert_eq!(delete(&rig, "t", -1).await, (ErrorCode::NONE, 3), "up to the high watermark");
}

#[tokio::test]
async fn what_cannot_be_deleted_is_refused() {
    let rig = Rig::new();
    rig.create("t", 1, TopicRules::default());
    assert_eq!(delete(&rig, "t", 1).await, (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    assert_eq!(delete(&rig, "t", -2).await, (ErrorCode::OFFSET_OUT_OF_RANGE, -1));
    rig.create("c", 1, TopicRules { compacts: true, deletes: false, ..TopicRules::default() });
    assert_eq!(delete(&rig, "c", 0).await, (ErrorCode::POLICY_VIOLATION, -1));
    rig.create("__internal", 1, TopicRules::default());
    assert_eq!(delete(&rig, "__internal", 0).await, (ErrorCode::INVALID_TOPIC_EXCEPTION, -1));
    assert_eq!(delete(&rig, "other", 0).await, (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, -1));
}
