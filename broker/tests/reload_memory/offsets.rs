//! A broker loads as many offsets as there are, a piece of the log at a time.

use std::time::Duration;

use strandline_protocol::apis::create_topics::{CreatableTopic, CreateTopicsRequest};
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Ask, Caller, Command, Reply, Request};

use crate::counting::{held_bytes, take_peak_bytes};
use crate::support::{Folder, Running};

const TOPIC: &str = "a-topic-of-some-length";
const GROUPS: i32 = 40;
const PARTITIONS: i32 = 2_500;

/// What each offset takes once it is loaded, in a partition's machine and in its log's tail; less, and it is not there.
const OFFSET_BYTES_MIN: usize = 48;
const OFFSET_BYTES_MAX: usize = 320;

/// What loading takes beside that: two shards load at once, each with a piece of its log.
const LOADING_BYTES_MAX: usize = 16 << 20;

fn group(number: i32) -> String {
    format!("a-group-of-some-length-{number}")
}

async fn ask(running: &Running, partition: i32, request: Request) -> Result<Reply, ErrorCode> {
    let ask = |ticket| Command::Ask(Box::new(Ask { ticket, caller: Caller::default(), request }));
    running.node.broker().groups.ask_partition(partition, ask).await.get().await
}

/// Everything that there is to load is loaded; gives how many groups there are.
async fn load(running: &Running) -> usize {
    let mut found = 0;
    for partition in 0..i32::try_from(running.node.broker().groups.partition_count()).unwrap() {
        loop {
            let request = Request::ListGroups { states: Vec::new(), types: Vec::new() };
            match ask(running, partition, request).await {
                Ok(Reply::ListGroups(groups)) => {
                    found += groups.len();
                    break;
                }
                Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    found
}

async fn commit_all(running: &Running) {
    for number in 0..GROUPS {
        let partitions = (0..PARTITIONS).map(|partition_index| OffsetCommitRequestPartition {
            partition_index,
            committed_offset: 1_000_000,
            ..Default::default()
        });
        let topic = OffsetCommitRequestTopic {
            name: Text::from_static(TOPIC),
            partitions: partitions.collect(),
            ..Default::default()
        };
        let group_id = Text::from(group(number));
        let partition = running.node.broker().groups.partition_of(&group_id).unwrap();
        let request = OffsetCommitRequest { group_id, topics: vec![topic], ..Default::default() };
        ask(running, partition, Request::OffsetCommit { request, version: 9 }).await.unwrap();
    }
}

/// Runs a broker, and leaves nothing of it behind: its tasks go with the runtime.
fn with_broker<R>(folder: &Folder, work: impl AsyncFnOnce(&Running) -> R) -> R {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = folder.start(&[]).await;
        let result = work(&running).await;
        running.stop().await;
        result
    })
}

/// What a broker holds when everything is loaded, and at most until then.
fn measure(folder: &Folder, groups: usize) -> (usize, usize) {
    let before = held_bytes();
    take_peak_bytes();
    with_broker(folder, async |running| {
        assert_eq!(load(running).await, groups);
        (held_bytes().saturating_sub(before), take_peak_bytes().saturating_sub(before))
    })
}

#[test]
fn loading_takes_what_the_offsets_take_and_a_bound_beside() {
    let folder = Folder::new();
    with_broker(&folder, async |running| {
        // Offsets of topics that are not there would be taken away.
        let topic = CreatableTopic {
            name: TOPIC.into(),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        assert_eq!(running.ask_in(7, &request).await.topics[0].error_code, ErrorCode::NONE);
        let request = FindCoordinatorRequest { coordinator_keys: vec!["k".into()], ..Default::default() };
        assert_eq!(running.ask(&request).await.coordinators[0].error_code, ErrorCode::NONE);
    });
    let (empty, _) = measure(&folder, 0);
    with_broker(&folder, commit_all);
    let (held, peak) = measure(&folder, usize::try_from(GROUPS).unwrap());
    let offsets = usize::try_from(GROUPS * PARTITIONS).unwrap();
    let each = held.saturating_sub(empty) / offsets;
    assert!((OFFSET_BYTES_MIN..=OFFSET_BYTES_MAX).contains(&each), "{each} bytes for each offset");
    let beside = peak.saturating_sub(held);
    assert!(beside <= LOADING_BYTES_MAX, "{beside} bytes beside what is held in the end");
}
