//! How much a fetch takes, and from where.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strandline_log::config::LogConfig;
use strandline_log::engine::{Command, Options, Partition, ReadLimits, UpTo};
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
    let pieces = frame.clone().into_pieces();
    let ranges = pieces.iter().filter(|piece| matches!(piece, Piece::External(_)));
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

/// The offsets that one is answered at once who would wait for ten minutes.
async fn offsets_at_once(rig: &Rig, from: i64, min_bytes: i32, partition_max_bytes: i32) -> Vec<i64> {
    let mut request = FetchRequest { min_bytes, max_wait_ms: 600_000, ..fetch_request("t", &[(0, from)]) };
    request.topics[0].partitions[0].partition_max_bytes = partition_max_bytes;
    let found = tokio::time::timeout(Duration::from_secs(20), offsets(rig, &request)).await;
    found.expect("it waits, though there is enough").into_iter().map(|(_, offset)| offset).collect()
}

/// A partition with batches of a little more than 5,000 bytes each, of which each one has its place in an index.
async fn rig_of_large_batches(flush_bytes: u64, count: usize) -> Rig {
    let rig = Rig::with_options(Options { flush_bytes, ..Options::default() });
    rig.create("t", 1, TopicRules::default());
    for _ in 0..count {
        rig.produce("t", batch(&[&[1; 5_000]])).await;
    }
    rig
}

#[tokio::test]
async fn nobody_waits_for_more_than_may_be_read_of_a_partition() {
    // Two batches fit, and a third one does not: it is enough that as much is there as may be read.
    let in_tail = rig_of_large_batches(1 << 20, 3).await;
    assert_eq!(offsets_at_once(&in_tail, 0, 12_000, 12_000).await, [0, 1]);
    let in_segment = rig_of_large_batches(15_000, 3).await;
    wait_until_flushed(&in_segment.log("t", 0)).await;
    assert_eq!(offsets_at_once(&in_segment, 0, 12_000, 12_000).await, [0, 1]);
}

#[tokio::test]
async fn what_is_in_the_tail_counts_for_one_who_reads_a_segment() {
    let rig = rig_of_large_batches(20_000, 4).await;
    let log = rig.log("t", 0);
    wait_until_flushed(&log).await;
    rig.produce("t", batch(&[&[2; 5_000]])).await;
    let limits = ReadLimits { bytes_max: 1, takes_one: true, up_to: UpTo::End };
    assert!(log.read_memory(4, limits).unwrap().is_some(), "four are in the segment, and one in the tail");
    // The segment alone is not as much as is asked for; with the tail it is.
    let bytes = i32::try_from(log.bytes()).unwrap();
    assert_eq!(offsets_at_once(&rig, 0, bytes, 1 << 20).await, [0, 1, 2, 3]);
    // One byte more is waited for.
    let more = FetchRequest { min_bytes: bytes + 1, max_wait_ms: 600_000, ..fetch_request("t", &[(0, 0)]) };
    let waiting = tokio::time::timeout(Duration::from_millis(100), offsets(&rig, &more));
    assert!(waiting.await.is_err(), "it does not wait for what is not there");
}

#[tokio::test]
async fn who_reads_an_older_segment_does_not_wait() {
    let rig = rig_of_large_batches(20_000, 0).await;
    let log = rig.log("t", 0);
    let config = Arc::new(LogConfig { segment_bytes: 12_000, ..LogConfig::default() });
    rig.engine.call(Command::Configure { partition: log.id(), config }).unwrap();
    for _ in 0..4 {
        rig.produce("t", batch(&[&[1; 5_000]])).await;
    }
    wait_until_flushed(&log).await;
    assert_eq!(offsets_at_once(&rig, 0, 1 << 20, 1 << 20).await, [0, 1]);
}
