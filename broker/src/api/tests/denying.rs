//! Nobody who may do nothing learns from any answer whether a name exists.

use std::ops::RangeInclusive;
use std::sync::Arc;

use strandline_protocol::Request;
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};
use strandline_protocol::apis::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use super::{Rig, batch, fetch_request, produce_request, whole};
use crate::api::Reply;
use crate::api::topics::TopicRules;
use crate::authorize::{Authorizer, Operation, Resource};
use crate::context::Call;

/// Lets nobody do anything.
#[derive(Debug)]
struct DenyAll;

impl Authorizer for DenyAll {
    fn authorize(&self, _: &Call, _: Operation, _: Resource<'_>) -> bool {
        false
    }
}

const THERE: &str = "a-topic-there";
const NOT_THERE: &str = "no-such-topic";

/// The bytes of the answer about a name, with the name itself left out.
async fn answer<R: Request>(rig: &Rig, version: i16, name: &str, request: R) -> Vec<u8> {
    let Reply::Send { frame, .. } = rig.reply(version, &request).await else { panic!("no answer") };
    let bytes = whole(frame.into_pieces());
    let place = bytes.windows(name.len()).position(|window| window == name.as_bytes());
    let place = place.expect("the answer names the topic");
    [&bytes[..place], &bytes[place + name.len()..]].concat()
}

async fn assert_silent<R: Request>(rig: &Rig, versions: RangeInclusive<i16>, ask: impl Fn(&str) -> R) {
    for version in versions {
        let there = answer(rig, version, THERE, ask(THERE)).await;
        let not_there = answer(rig, version, NOT_THERE, ask(NOT_THERE)).await;
        assert_eq!(there, not_there, "{:?} v{version}", R::KEY);
    }
}

#[tokio::test]
async fn no_answer_tells_whether_a_name_exists() {
    let mut rig = Rig::new();
    rig.create(THERE, 1, TopicRules::default());
    rig.broker().authorizer = Arc::new(DenyAll);
    // Each API that is asked by name has its line here.
    assert_silent(&rig, 3..=12, |name| produce_request(name, 1, [(0, batch(&[b"a"])), (7, batch(&[b"b"]))]))
        .await;
    assert_silent(&rig, 4..=12, |name| fetch_request(name, &[(0, 0), (7, 0)])).await;
    assert_silent(&rig, 1..=11, list_offsets).await;
    assert_silent(&rig, 0..=2, delete_records).await;
    assert_silent(&rig, 2..=4, offset_for_leader_epoch).await;
}

fn list_offsets(name: &str) -> ListOffsetsRequest {
    let partitions = [(0, -1), (0, -1), (7, -3)].map(|(partition_index, timestamp)| ListOffsetsPartition {
        partition_index,
        timestamp,
        ..Default::default()
    });
    let topic = ListOffsetsTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() }
}

fn delete_records(name: &str) -> DeleteRecordsRequest {
    let partitions = [0, 7].map(|partition_index| DeleteRecordsPartition {
        partition_index,
        offset: -1,
        ..Default::default()
    });
    let topic = DeleteRecordsTopic { name: name.into(), partitions: partitions.into(), ..Default::default() };
    DeleteRecordsRequest { topics: vec![topic], ..Default::default() }
}

fn offset_for_leader_epoch(name: &str) -> OffsetForLeaderEpochRequest {
    let partitions = [0, 7].map(|partition| OffsetForLeaderPartition { partition, ..Default::default() });
    let topic =
        OffsetForLeaderTopic { topic: name.into(), partitions: partitions.into(), ..Default::default() };
    OffsetForLeaderEpochRequest { topics: vec![topic], ..Default::default() }
}
