//! The internal topics of transactions while they are compacted: where an id stands, and what was committed in transactions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use strandline_log::engine::{Partition, UpTo};
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::batch::batches;

use crate::offsets::{GROUP, commit, fetch_stable};
use crate::operators::describe;
use crate::requests::{TRANSACTIONAL_ID, end, find, initialise, prepare};
use crate::restarts::again;
use crate::support::{Folder, Running};

const EAGER: &[(&str, &str)] = &[
    ("offsets.topic.num.partitions", "1"),
    ("transaction.state.log.num.partitions", "1"),
    ("log.retention.check.interval.ms", "20"),
    ("strandline.checkpoint.interval.ms", "20"),
    ("log.cleaner.min.cleanable.ratio", "0.01"),
    ("log.cleaner.delete.retention.ms", "0"),
];

/// Has the segments of an internal topic closed soon.
async fn roll(running: &Running, topic: &str) {
    let config =
        AlterableConfig { name: "segment.ms".into(), value: Some("50".into()), ..Default::default() };
    let resource = AlterConfigsResource {
        resource_type: 2,
        resource_name: topic.into(),
        configs: vec![config],
        ..Default::default()
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    assert_eq!(running.ask(&request).await.responses[0].error_code, ErrorCode::NONE);
}

/// The logs of both topics.
fn logs(running: &Running) -> [Arc<Partition>; 2] {
    let broker = running.node.broker();
    [broker.groups.log(0).unwrap(), broker.transactions.coordinator().log(0).unwrap()]
}

/// How many records there are, those of markers included.
fn count(log: &Partition) -> i64 {
    let (mut count, mut offset) = (0, log.offsets().start);
    while offset < log.offsets().end {
        let before = offset;
        for slice in &log.read(offset, 4 << 20, UpTo::End).unwrap().slices {
            for batch in batches(&slice.read().unwrap()).map_while(Result::ok) {
                count += i64::from(batch.header().record_count);
                offset = offset.max(batch.header().last_offset() + 1);
            }
        }
        if offset == before {
            break;
        }
    }
    count
}

/// An id that has no transaction, and may have one later.
async fn idle(running: &Running) {
    let request = InitProducerIdRequest {
        transactional_id: Some("idle".into()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    };
    assert_eq!(running.ask_in(5, &request).await.error_code, ErrorCode::NONE);
}

/// Where the ids stand, once they are known.
async fn stand(running: &Running) -> Vec<String> {
    let mut found = Vec::new();
    for id in [TRANSACTIONAL_ID, "idle", "nobody"] {
        found.push(loop {
            let state = describe(running, id).await;
            let is_on_its_way = state.error_code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
                || state.transaction_state.starts_with("Prepare");
            if !is_on_its_way {
                break format!("{state:?}");
            }
            tokio::task::yield_now().await;
        });
    }
    found
}

#[tokio::test]
async fn what_compaction_leaves_is_where_every_transaction_stands_and_what_was_committed_in_them() {
    let folder = Folder::new();
    let running = folder.start(EAGER).await;
    prepare(&running).await;
    find(&running, 0, GROUP).await;
    for topic in ["__consumer_offsets", "__transaction_state"] {
        roll(&running, topic).await;
    }
    idle(&running).await;
    let (mut own, mut rounds, mut last) = (initialise(&running, None).await.unwrap(), 0, -1);
    let begun = Instant::now();
    loop {
        rounds += 1;
        assert_eq!(commit(&running, 5, own, rounds).await, ErrorCode::NONE);
        let is_commit = rounds % 3 != 0;
        own = end(&running, 5, own, is_commit).await.unwrap();
        last = if is_commit { rounds } else { last };
        // The last one is aborted: were its end lost, it would count, or wait for ever.
        let left = logs(&running).map(|log| (count(&log), log.offsets().end));
        if rounds > 60 && !is_commit && left.iter().all(|(left, appended)| *left < appended / 2) {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "of these so many are left: {left:?}");
    }
    let before = own;
    own = again(|| end(&running, 5, own, false)).await;
    assert_eq!(fetch_stable(&running).await, last);
    let stood = stand(&running).await;
    assert!(stood[0].contains("CompleteAbort") && stood[1].contains("Empty"), "{stood:?}");
    running.stop().await;

    let running = folder.start(EAGER).await;
    assert_eq!(stand(&running).await, stood);
    assert_eq!(fetch_stable(&running).await, last);
    assert_eq!(again(|| end(&running, 5, before, false)).await, own, "asked again");
    assert_eq!(commit(&running, 5, own, 1_000_000).await, ErrorCode::NONE);
    end(&running, 5, own, true).await.unwrap();
    assert_eq!(fetch_stable(&running).await, 1_000_000);
    running.stop().await;
}
