//! A consumer that reads from the replica near it (KIP-392), over sockets: a leader that names the replica to readers of
//! its rack, and a replica that does what a test says. Whom the consumer asked for what is written down.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse, ListOffsetsTopicResponse,
};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataResponse, MetadataResponseBroker};
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use tokio::net::TcpStream;

use super::fake::{Asked, Peer, deserted, frame, listen, metadata};
use super::until;
use crate::{Client, ClientConfig, Consumer, ConsumerRecord, OffsetReset};

const LEADER: i32 = 1;
const REPLICA: i32 = 2;
const RACK: &str = "east";

/// What becomes of those who ask the replica for records.
#[derive(Clone, Copy, Debug)]
enum Mood {
    Serves,
    Refuses(ErrorCode),
    HangsUp,
}

struct Story {
    leader: SocketAddr,
    replica: SocketAddr,
    /// Whether the metadata lists the replica.
    is_replica_known: bool,
    /// Whom the leader names to readers of the rack.
    named: Option<i32>,
    mood: Mood,
    /// Records are the offsets below.
    end: i64,
    /// Who was asked for which offset, in order.
    asked: Vec<(i32, i64)>,
    /// Who gave the record at which offset.
    gave: Vec<(i32, i64)>,
    /// How often it was asked where the log begins.
    lookups: usize,
    /// How often the metadata was asked for.
    looks: usize,
}

/// The two brokers. Clones are handles to them.
#[derive(Clone)]
struct Pair(Arc<Mutex<Story>>);

impl Pair {
    async fn start() -> Self {
        let nowhere = deserted().await;
        let pair = Self(Arc::new(Mutex::new(Story {
            leader: nowhere,
            replica: nowhere,
            is_replica_known: true,
            named: Some(REPLICA),
            mood: Mood::Serves,
            end: 1,
            asked: Vec::new(),
            gave: Vec::new(),
            lookups: 0,
            looks: 0,
        })));
        let served = pair.clone();
        let leader = listen(move |_, peer, _| served.clone().serve(LEADER, peer)).await;
        let served = pair.clone();
        let replica = listen(move |_, peer, _| served.clone().serve(REPLICA, peer)).await;
        let mut story = pair.story();
        (story.leader, story.replica) = (leader, replica);
        drop(story);
        pair
    }

    fn story(&self) -> MutexGuard<'_, Story> {
        self.0.lock().unwrap()
    }

    async fn serve(self, broker: i32, mut peer: Peer<TcpStream>) {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            if asked.is::<MetadataRequest>() {
                let response = self.story().metadata();
                peer.answer(&asked, &response).await;
            } else if asked.is::<ListOffsetsRequest>() {
                let response = self.story().list_offsets(broker);
                peer.answer(&asked, &response).await;
            } else {
                let Some(response) = self.fetch(broker, &asked).await else { return };
                peer.send(&frame(&asked, &response)).await;
            }
        }
    }

    /// None where the broker hangs up. Waits for news as brokers do, though not for as long as it is asked to.
    async fn fetch(&self, broker: i32, asked: &Asked) -> Option<FetchResponse> {
        let request: FetchRequest = asked.decode();
        let wanted = request.topics[0].partitions[0].fetch_offset;
        self.story().asked.push((broker, wanted));
        let is_near = request.rack_id.as_str() == RACK;
        for _ in 0..10 {
            let answer = self.story().fetch(broker, is_near, wanted);
            match answer {
                Answer::Nothing => tokio::time::sleep(Duration::from_millis(2)).await,
                Answer::HangUp => return None,
                Answer::Data(data) => return Some(answer_of(data)),
            }
        }
        let end = self.story().end;
        Some(answer_of(PartitionData { high_watermark: end, ..Default::default() }))
    }

    async fn consumer(&self, rack: &str) -> Consumer {
        let address = self.story().leader;
        let config = ClientConfig::new(&address.to_string()).unwrap();
        let config = config.backoff(Duration::from_millis(1), Duration::from_millis(5));
        let client = Client::connect(config).await.unwrap();
        let mut consumer = client.consumer().rack(rack).offset_reset(OffsetReset::Earliest).start().unwrap();
        consumer.assign(&[("orders", 0)]).await.unwrap();
        consumer
    }
}

enum Answer {
    Nothing,
    HangUp,
    Data(PartitionData),
}

fn answer_of(data: PartitionData) -> FetchResponse {
    let topic =
        FetchableTopicResponse { topic: "orders".into(), partitions: vec![data], ..Default::default() };
    FetchResponse { responses: vec![topic], ..Default::default() }
}

impl Story {
    fn metadata(&mut self) -> MetadataResponse {
        self.looks += 1;
        let mut response = metadata(self.leader);
        if self.is_replica_known {
            response.brokers.push(MetadataResponseBroker {
                node_id: REPLICA,
                host: self.replica.ip().to_string().as_str().into(),
                port: i32::from(self.replica.port()),
                rack: Some(RACK.into()),
                ..Default::default()
            });
        }
        response
    }

    /// Only a leader is asked where a log begins.
    fn list_offsets(&mut self, broker: i32) -> ListOffsetsResponse {
        assert_eq!(broker, LEADER);
        self.lookups += 1;
        let partition = ListOffsetsPartitionResponse { offset: 0, ..Default::default() };
        let topic = ListOffsetsTopicResponse {
            name: "orders".into(),
            partitions: vec![partition],
            ..Default::default()
        };
        ListOffsetsResponse { topics: vec![topic], ..Default::default() }
    }

    fn fetch(&mut self, broker: i32, is_near: bool, wanted: i64) -> Answer {
        if broker == REPLICA {
            match self.mood {
                Mood::Serves => {}
                Mood::HangsUp => return Answer::HangUp,
                Mood::Refuses(error_code) => {
                    return Answer::Data(PartitionData { error_code, ..Default::default() });
                }
            }
        } else if let Some(preferred_read_replica) = self.named.filter(|_| is_near) {
            let high_watermark = self.end;
            return Answer::Data(PartitionData {
                preferred_read_replica,
                high_watermark,
                ..Default::default()
            });
        }
        if wanted >= self.end {
            return Answer::Nothing;
        }
        self.gave.push((broker, wanted));
        Answer::Data(PartitionData {
            high_watermark: self.end,
            records: Some(record(wanted).into()),
            ..Default::default()
        })
    }

    /// One more record, and from then on the replica is in this mood, and named or not.
    fn turn(&mut self, mood: Mood, named: Option<i32>) {
        (self.mood, self.named) = (mood, named);
        self.end += 1;
    }
}

fn record(offset: i64) -> Bytes {
    let mut builder = BatchBuilder::new().base_offset(offset).partition_leader_epoch(3);
    let value = offset.to_be_bytes();
    builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(1) }).unwrap();
    builder.build().unwrap()
}

async fn next(consumer: &mut Consumer) -> ConsumerRecord {
    // Nothing takes that long, but for a consumer that has lost its way.
    let read = tokio::time::timeout(Duration::from_secs(60), consumer.next()).await;
    read.expect("nothing comes any more").unwrap()
}

#[tokio::test]
async fn who_says_no_rack_reads_from_the_leader() {
    let pair = Pair::start().await;
    let mut consumer = pair.consumer("").await;
    assert_eq!(next(&mut consumer).await.offset, 0);
    assert_eq!(pair.story().gave, [(LEADER, 0)]);
    assert!(pair.story().asked.iter().all(|(broker, _)| *broker == LEADER));
}

#[tokio::test]
async fn the_replica_that_the_leader_names_is_read_from_and_the_leader_no_more() {
    let pair = Pair::start().await;
    let mut consumer = pair.consumer(RACK).await;
    for offset in 0..5 {
        assert_eq!(next(&mut consumer).await.offset, offset);
        pair.story().turn(Mood::Serves, Some(REPLICA));
    }
    let story = pair.story();
    assert!(story.gave.iter().all(|(broker, _)| *broker == REPLICA), "{:?}", story.gave);
    let of_leader: Vec<_> = story.asked.iter().filter(|(broker, _)| *broker == LEADER).collect();
    assert_eq!(of_leader, [&(LEADER, 0)], "it said once where to go");
}

/// Reads from the replica, from the leader while the replica is in this mood, and from the replica again, every record once.
async fn there_and_back(mood: Mood, is_known: bool) {
    let pair = Pair::start().await;
    let mut consumer = pair.consumer(RACK).await;
    assert_eq!(next(&mut consumer).await.offset, 0);
    pair.story().is_replica_known = is_known;
    pair.story().turn(mood, None);
    assert_eq!(next(&mut consumer).await.offset, 1);
    assert_eq!(pair.story().gave, [(REPLICA, 0), (LEADER, 1)], "{mood:?}");
    pair.story().is_replica_known = true;
    pair.story().turn(Mood::Serves, Some(REPLICA));
    assert_eq!(next(&mut consumer).await.offset, 2);
    let story = pair.story();
    assert_eq!(story.gave, [(REPLICA, 0), (LEADER, 1), (REPLICA, 2)], "{mood:?}");
    assert_eq!(
        story.lookups, 1,
        "{mood:?}: where the log begins was asked at the start, and is not asked again"
    );
}

#[tokio::test]
async fn the_leader_is_asked_where_the_replica_is_behind_and_nothing_is_read_again() {
    there_and_back(Mood::Refuses(ErrorCode::OFFSET_OUT_OF_RANGE), true).await;
}

#[tokio::test]
async fn the_leader_is_asked_where_the_replica_is_none_any_more() {
    for code in [
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::REPLICA_NOT_AVAILABLE,
        ErrorCode::FENCED_LEADER_EPOCH,
        ErrorCode::KAFKA_STORAGE_ERROR,
    ] {
        there_and_back(Mood::Refuses(code), true).await;
    }
}

#[tokio::test]
async fn the_leader_is_asked_where_the_replica_hangs_up() {
    there_and_back(Mood::HangsUp, true).await;
}

#[tokio::test]
async fn the_leader_is_asked_where_the_replica_has_left_the_cluster() {
    there_and_back(Mood::HangsUp, false).await;
}

/// What the leader names is not to be had, and the leader goes on naming it, until it is `mended`.
async fn circles(begun: impl FnOnce(&mut Story), mended: impl FnOnce(&mut Story), gives: i32) {
    let pair = Pair::start().await;
    begun(&mut pair.story());
    let mut consumer = pair.consumer(RACK).await;
    let reading = tokio::spawn(async move { next(&mut consumer).await.offset });
    until("the leader was asked again and again, and the cluster was looked at", || {
        let story = pair.story();
        story.asked.iter().filter(|asked| **asked == (LEADER, 0)).count() >= 4 && story.looks >= 4
    })
    .await;
    assert!(pair.story().gave.is_empty() && !reading.is_finished());
    mended(&mut pair.story());
    assert_eq!(reading.await.unwrap(), 0);
    assert_eq!(pair.story().gave, [(gives, 0)]);
}

#[tokio::test]
async fn a_replica_that_nobody_knows_is_looked_for() {
    circles(|story| story.is_replica_known = false, |story| story.is_replica_known = true, REPLICA).await;
    circles(|story| story.named = Some(9), |story| story.named = None, LEADER).await;
}

#[tokio::test]
async fn the_leader_is_asked_again_where_the_replica_cannot_be_reached() {
    let nowhere = deserted().await;
    circles(|story| story.replica = nowhere, |story| story.named = None, LEADER).await;
}
