//! How much a fetch takes, and from where.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_log::engine::{Options, Partition, ReadLimits, UpTo};
use strandline_protocol::Piece;
use strandline_protocol::apis::fetch::FetchRequest;

use crate::api::Reply;
use crate::api::tests::{Rig, answer, batch, fetch_request, produce_request, records};
use crate::api::topics::TopicRules;
use crate::context::Call;
use crate::quota::{Charge, Quotas};

/// Two partitions with batches of a little more than 1,000 bytes each.
async fn rig(options: Options) -> Rig {
    let rig = Rig::with_options(options);
    rig.create("t", 2, TopicRules::default());
    for _ in 0..3 {
        let batches = [(0, batch(&[&[1; 1_000]])), (1, batch(&[&[2; 1_000]]))];
        rig.call(9, &produce_request("t", -1, batches)).await;
    }
    rig
}

async fn offsets(rig: &Rig, request: &FetchRequest) -> Vec<(i32, i64)> {
    let response = rig.call(12, request).await;
    records(&response).into_iter().map(|(partition, offset, _)| (partition, offset)).collect()
}

#[tokio::test]
async fn only_the_first_batch_of_all_may_be_larger_than_the_limits() {
    let rig = rig(Options::default()).await;
    let both = fetch_request("t", &[(1, 0), (0, 0)]);
    let tight = FetchRequest { max_bytes: 10, ..both.clone() };
    assert_eq!(offsets(&rig, &tight).await, [(1, 0)]);
    let mut narrow = both.clone();
    narrow.topics[0].partitions.iter_mut().for_each(|partition| partition.partition_max_bytes = 1_500);
    assert_eq!(offsets(&rig, &narrow).await, [(1, 0), (0, 0)]);
    narrow.topics[0].partitions[1].partition_max_bytes = 10;
    assert_eq!(offsets(&rig, &narrow).await, [(1, 0)]);
    // What is found first counts, not what is named first.
    narrow.topics[0].partitions[0].fetch_offset = 3;
    assert_eq!(offsets(&rig, &narrow).await, [(0, 0)]);
    let shared = FetchRequest { max_bytes: 4_500, ..both };
    assert_eq!(offsets(&rig, &shared).await, [(1, 0), (1, 1), (1, 2), (0, 0)]);
}

/// Waits until all of a log is in segments.
pub(super) async fn wait_until_flushed(log: &Partition) {
    let limits = ReadLimits { bytes_max: 1, takes_one: true, up_to: UpTo::End };
    let last = log.offsets().end - 1;
    while log.read_memory(last, limits).unwrap().is_some() {
        std::thread::yield_now();
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_lies_in_segments_is_sent_from_there() {
    let rig = rig(Options { flush_bytes: 1, ..Options::default() }).await;
    for partition in 0..2 {
        wait_until_flushed(&rig.log("t", partition)).await;
    }
    let reply = rig.reply(12, &fetch_request("t", &[(0, 1), (1, 0)])).await;
    let Reply::Send { frame, .. } = &reply else { panic!("{reply:?}") };
    let ranges = frame.pieces().iter().filter(|piece| matches!(piece, Piece::External(_)));
    assert_eq!(ranges.count(), 2);
    let found = records(&answer::<FetchRequest>(12, reply));
    let found: Vec<_> = found.into_iter().map(|(partition, offset, _)| (partition, offset)).collect();
    assert_eq!(found, [(0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]);
}

/// Everybody is charged, and has to be silent for a while.
#[derive(Debug)]
struct Tight(Arc<Mutex<Vec<Charge>>>);

impl Quotas for Tight {
    fn charge(&self, _: &Call, charge: Charge) -> Duration {
        self.0.lock().unwrap().push(charge);
        Duration::from_millis(250)
    }

    fn fetch_bytes_max(&self, _: &Call, _: u64) -> u64 {
        2_500
    }
}

#[tokio::test]
async fn a_fetch_takes_what_the_quota_leaves() {
    let charged = Arc::<Mutex<Vec<Charge>>>::default();
    let mut rig = rig(Options::default()).await;
    rig.broker().quotas = Arc::new(Tight(Arc::clone(&charged)));
    let reply = rig.reply(12, &fetch_request("t", &[(0, 0)])).await;
    let Reply::Send { throttle, .. } = &reply else { panic!("{reply:?}") };
    assert_eq!(throttle.as_millis(), 250);
    let response = answer::<FetchRequest>(12, reply);
    assert_eq!((records(&response).len(), response.throttle_time_ms), (2, 250));
    // Who wants no answer is charged as well.
    for (partition, is_good) in [(0, true), (7, false)] {
        let reply = rig.reply(9, &produce_request("t", 0, [(partition, batch(&[b"a"]))])).await;
        match reply {
            Reply::Silence { throttle } => assert!(is_good && throttle.as_millis() == 250),
            reply => assert!(!is_good && matches!(reply, Reply::Close(_)), "{reply:?}"),
        }
    }
    assert_eq!(charged.lock().unwrap().len(), 3);
    assert!(charged.lock().unwrap().iter().skip(1).all(|charge| charge.request_bytes > 0));
}
