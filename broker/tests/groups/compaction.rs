//! The topic of the groups while it is compacted: what is thrown away is never what counts.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use strandline_log::engine::UpTo;
use strandline_protocol::apis::consumer_group_describe::ConsumerGroupDescribeRequest;
use strandline_protocol::apis::delete_groups::DeleteGroupsRequest;
use strandline_protocol::apis::describe_groups::DescribeGroupsRequest;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::apis::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use strandline_protocol::batch::batches;
use strandline_protocol::{ErrorCode, Text};

use crate::requests::{commit, create_topic, find, heartbeat, join_alone, join_modern, joining, sync};
use crate::support::{Folder, Running};

const PARTITIONS: i32 = 20;

/// With notes as large as these a segment is full after some dozen commits.
const NOTE_BYTES: usize = 4_000;

const EAGER: &[(&str, &str)] = &[
    ("group.initial.rebalance.delay.ms", "0"),
    ("offsets.topic.num.partitions", "1"),
    ("offsets.topic.segment.bytes", "1048576"),
    ("log.retention.check.interval.ms", "20"),
    ("strandline.checkpoint.interval.ms", "20"),
    ("log.cleaner.min.cleanable.ratio", "0.01"),
    ("log.cleaner.delete.retention.ms", "0"),
];

/// A commit for every partition, with a note that takes room.
async fn commit_all(running: &Running, group: &str, offset: i64) {
    let partitions = (0..PARTITIONS).map(|index| OffsetCommitRequestPartition {
        partition_index: index,
        committed_offset: offset + i64::from(index),
        committed_metadata: Some("n".repeat(NOTE_BYTES).into()),
        ..Default::default()
    });
    let topic = OffsetCommitRequestTopic {
        name: "orders".into(),
        partitions: partitions.collect(),
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: group.into(),
        generation_id_or_member_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let answered = running.ask_in(9, &request).await.topics.remove(0).partitions;
    assert!(answered.iter().all(|partition| partition.error_code == ErrorCode::NONE));
}

/// What the log has: how many records about each group, by the bytes of their keys that name it, and how many in all.
fn records(running: &Running, groups: &[&str]) -> (usize, BTreeMap<String, usize>) {
    let log = running.node.broker().groups.log(0).unwrap();
    let (mut all, mut about, mut offset) = (0, BTreeMap::new(), log.offsets().start);
    while offset < log.offsets().end {
        let read = log.read(offset, 4 << 20, UpTo::End).unwrap();
        let before = offset;
        for slice in &read.slices {
            for batch in batches(&slice.read().unwrap()).map_while(Result::ok) {
                offset = offset.max(batch.header().last_offset() + 1);
                for record in &batch.records(16 << 20).unwrap() {
                    let key = record.unwrap().key.unwrap();
                    all += 1;
                    for group in groups {
                        let is_named = key.windows(group.len()).any(|part| part == group.as_bytes());
                        *about.entry((*group).to_owned()).or_default() += usize::from(is_named);
                    }
                }
            }
        }
        if offset == before {
            break;
        }
    }
    (all, about)
}

/// What is known of groups: offsets, states and members.
async fn known(running: &Running, groups: &[&str]) -> Vec<String> {
    let mut known = Vec::new();
    for group in groups {
        let asked = OffsetFetchRequestGroup { group_id: (*group).into(), topics: None, ..Default::default() };
        let request = OffsetFetchRequest { groups: vec![asked], ..Default::default() };
        let found = loop {
            let found = running.ask_in(9, &request).await.groups.remove(0);
            if found.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
                break found;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(found.error_code, ErrorCode::NONE, "{group}");
        let mut offsets: Vec<_> = found.topics.iter().flat_map(|topic| &topic.partitions).collect();
        offsets.sort_by_key(|partition| partition.partition_index);
        let offsets = offsets.iter().map(|partition| {
            let note = partition.metadata.as_ref().map_or(0, |note| note.len());
            (partition.partition_index, partition.committed_offset, note)
        });
        let offsets: Vec<_> = offsets.collect();
        let request = DescribeGroupsRequest { groups: vec![(*group).into()], ..Default::default() };
        let classic = running.ask(&request).await.groups.remove(0);
        let request = ConsumerGroupDescribeRequest { group_ids: vec![(*group).into()], ..Default::default() };
        let modern = running.ask(&request).await.groups.remove(0);
        known.push(format!("{offsets:?} {classic:?} {modern:?}"));
    }
    known
}

/// A classic group in its second generation, one of the new protocol, one that is deleted, and an offset that is.
async fn live(running: &Running) -> Text {
    create_topic(running, "orders", PARTITIONS).await;
    find(running, "simple").await;
    let first = join_alone(running, "classic").await;
    sync(running, "classic", &first, &[(&first.member_id, b"one")]).await;
    let second = running.ask(&joining("classic", &first.member_id, b"again")).await;
    assert_eq!((second.error_code, second.generation_id), (ErrorCode::NONE, 2));
    sync(running, "classic", &second, &[(&second.member_id, b"all")]).await;
    let place = ("orders", 3);
    for offset in 0..5 {
        let code = commit(running, "classic", (&first.member_id, 2), place, offset).await;
        assert_eq!(code, ErrorCode::NONE);
    }
    join_modern(running).await;
    commit_all(running, "deleted", 7).await;
    let names = vec![Text::from("deleted")];
    let response = running.ask(&DeleteGroupsRequest { groups_names: names, ..Default::default() }).await;
    assert_eq!(response.results[0].error_code, ErrorCode::NONE);
    commit_all(running, "partly", 70).await;
    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 4 }];
    let topics = vec![OffsetDeleteRequestTopic { name: "orders".into(), partitions }];
    let request = OffsetDeleteRequest { group_id: "partly".into(), topics };
    assert_eq!(running.ask(&request).await.error_code, ErrorCode::NONE);
    first.member_id
}

#[tokio::test]
async fn what_compaction_leaves_is_all_that_there_was() {
    const GROUPS: &[&str] = &["simple", "classic", "modern", "deleted", "partly"];
    let folder = Folder::new();
    let running = folder.start(EAGER).await;
    let member_id = live(&running).await;
    let begun = Instant::now();
    let mut rounds: usize = 0;
    // Until most of what was written is gone, and the tombstones of what was deleted too.
    let left = loop {
        commit_all(&running, "simple", i64::try_from(rounds).unwrap() * 100).await;
        rounds += 1;
        let log = running.node.broker().groups.log(0).unwrap();
        let appended = usize::try_from(log.offsets().end).unwrap();
        if rounds.is_multiple_of(10) {
            let (left, about) = records(&running, GROUPS);
            if rounds > 60 && left < appended / 2 && about["deleted"] == 0 {
                assert!(log.bytes() < u64::try_from(rounds * NOTE_BYTES * 20).unwrap() * 3 / 4);
                break (left, appended);
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "{left} of {appended} are left, {about:?}");
        }
    };
    let before = known(&running, GROUPS).await;
    let last = i64::try_from(rounds - 1).unwrap() * 100;
    assert!(before[0].contains(&format!("(19, {}, {NOTE_BYTES})", last + 19)), "{}", before[0]);
    assert!(before[1].contains("[(3, 4, 4)]"), "{}", before[1]);
    assert!(before[3].starts_with("[] ") && !before[4].contains("(4, 74"), "{left:?}");
    running.stop().await;

    let running = folder.start(EAGER).await;
    assert_eq!(known(&running, GROUPS).await, before);
    assert_eq!(heartbeat(&running, "classic", &member_id, 1).await, ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(heartbeat(&running, "classic", &member_id, 2).await, ErrorCode::NONE);
    running.stop().await;
}
