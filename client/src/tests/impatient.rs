//! Members whose users drop each call long before the group's progress has been told, against a coordinator that takes its
//! time for that. Over pipes, in a time that passes only while nothing else is to be done.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};
use strandline_protocol::apis::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
use strandline_protocol::apis::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchResponse, OffsetFetchResponseGroup, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopics,
};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_protocol::embedded::consumer::{AssignedPartitions, ConsumerProtocolAssignment};
use tokio::io::DuplexStream;

use super::fake::{Asked, Peer, frame, metadata};
use crate::{
    BrokerAddress, Client, ClientConfig, Connecting, Consumer, ConsumerRecord, RebalanceListener, Transport,
    TransportStream,
};

/// How long a call may take, and how long the coordinator thinks about where the group has got to.
const PATIENCE: Duration = Duration::from_millis(100);
const SLOWNESS: Duration = Duration::from_secs(10);
/// Far more than it takes where every call is of some use.
const CALLS_MAX: usize = 2_000;
const MEMBER: &str = "the only one";
/// So many records each partition has.
const END: i64 = 10;

struct Story {
    /// What whoever joins is given.
    given: Vec<i32>,
    /// What the next heartbeat is answered, and none behind it.
    refusal: ErrorCode,
    committed: BTreeMap<i32, i64>,
    /// Which partitions were asked after, question by question.
    questions: Vec<Vec<i32>>,
    generation: i32,
}

/// The broker, to which every address leads. Clones are handles to it.
#[derive(Clone)]
struct Slow(Arc<Mutex<Story>>);

impl fmt::Debug for Slow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Slow")
    }
}

impl Transport for Slow {
    fn connect<'a>(&'a self, _: &'a BrokerAddress) -> Connecting<'a> {
        let (ours, theirs) = tokio::io::duplex(1 << 16);
        tokio::spawn(self.clone().serve(Peer::new(theirs)));
        Box::pin(std::future::ready(Ok(Box::new(ours) as Box<dyn TransportStream>)))
    }
}

impl Slow {
    /// The group has got to 3 in the first partition, and to 5 in the second.
    fn new(given: &[i32]) -> Self {
        Self(Arc::new(Mutex::new(Story {
            given: given.to_vec(),
            refusal: ErrorCode::NONE,
            committed: BTreeMap::from([(0, 3), (1, 5)]),
            questions: Vec::new(),
            generation: 0,
        })))
    }

    fn story(&self) -> MutexGuard<'_, Story> {
        self.0.lock().unwrap()
    }

    async fn serve(self, mut peer: Peer<DuplexStream>) {
        peer.greet().await;
        while let Some(asked) = peer.next().await {
            // As things are when it is asked.
            let answer = self.story().answer(&asked);
            if asked.is::<OffsetFetchRequest>() {
                tokio::time::sleep(SLOWNESS).await;
            } else if asked.is::<FetchRequest>() {
                tokio::time::sleep(PATIENCE / 10).await;
            }
            peer.send(&answer).await;
        }
    }

    async fn member(&self, listener: Option<Box<dyn RebalanceListener>>) -> Consumer {
        let config = ClientConfig::new("slow:9092").unwrap().transport(self.clone());
        let client = Client::connect(config).await.unwrap();
        let mut consumer = client.consumer().group("readers").auto_commit(None).start().unwrap();
        consumer.subscribe_with(&["orders"], listener).unwrap();
        consumer
    }
}

impl Story {
    fn answer(&mut self, asked: &Asked) -> Bytes {
        if asked.is::<MetadataRequest>() {
            frame(asked, &cluster())
        } else if asked.is::<FindCoordinatorRequest>() {
            frame(asked, &found(&asked.decode()))
        } else if asked.is::<JoinGroupRequest>() {
            frame(asked, &self.join(&asked.decode()))
        } else if asked.is::<SyncGroupRequest>() {
            frame(asked, &self.sync())
        } else if asked.is::<HeartbeatRequest>() {
            let error_code = std::mem::take(&mut self.refusal);
            frame(asked, &HeartbeatResponse { error_code, ..Default::default() })
        } else if asked.is::<OffsetFetchRequest>() {
            frame(asked, &self.progress(&asked.decode()))
        } else if asked.is::<OffsetCommitRequest>() {
            frame(asked, &self.commit(&asked.decode()))
        } else if asked.is::<LeaveGroupRequest>() {
            frame(asked, &LeaveGroupResponse::default())
        } else {
            frame(asked, &fetched(&asked.decode()))
        }
    }

    fn join(&mut self, request: &JoinGroupRequest) -> JoinGroupResponse {
        self.generation += 1;
        let protocol = request.protocols.first().unwrap();
        let member = JoinGroupResponseMember {
            member_id: MEMBER.into(),
            metadata: protocol.metadata.clone(),
            ..Default::default()
        };
        JoinGroupResponse {
            generation_id: self.generation,
            protocol_name: Some(protocol.name.clone()),
            leader: MEMBER.into(),
            member_id: MEMBER.into(),
            members: vec![member],
            ..Default::default()
        }
    }

    /// Whatever the leader says.
    fn sync(&self) -> SyncGroupResponse {
        let assigned = AssignedPartitions { topic: "orders".into(), partitions: self.given.clone() };
        let assignment =
            ConsumerProtocolAssignment { assigned_partitions: vec![assigned], ..Default::default() };
        let assignment = assignment.to_member_bytes(1).unwrap();
        SyncGroupResponse { assignment, ..Default::default() }
    }

    fn progress(&mut self, request: &OffsetFetchRequest) -> OffsetFetchResponse {
        let group = request.groups.first().unwrap();
        let topic = group.topics.as_ref().unwrap().first().unwrap();
        self.questions.push(topic.partition_indexes.clone());
        let partition = |partition: &i32| OffsetFetchResponsePartitions {
            partition_index: *partition,
            committed_offset: self.committed[partition],
            ..Default::default()
        };
        let topic = OffsetFetchResponseTopics {
            name: topic.name.clone(),
            partitions: topic.partition_indexes.iter().map(partition).collect(),
            ..Default::default()
        };
        let group_id = group.group_id.clone();
        let group = OffsetFetchResponseGroup { group_id, topics: vec![topic], ..Default::default() };
        OffsetFetchResponse { groups: vec![group], ..Default::default() }
    }

    fn commit(&mut self, request: &OffsetCommitRequest) -> OffsetCommitResponse {
        let topic = request.topics.first().unwrap();
        let mut partitions = Vec::new();
        for partition in &topic.partitions {
            self.committed.insert(partition.partition_index, partition.committed_offset);
            let partition_index = partition.partition_index;
            partitions.push(OffsetCommitResponsePartition { partition_index, ..Default::default() });
        }
        let name = topic.name.clone();
        let topic = OffsetCommitResponseTopic { name, partitions, ..Default::default() };
        OffsetCommitResponse { topics: vec![topic], ..Default::default() }
    }
}

fn address() -> SocketAddr {
    ([127, 0, 0, 1], 9_092).into()
}

/// One broker, and a topic of two partitions.
fn cluster() -> MetadataResponse {
    let mut response = metadata(address());
    let partition = |number: i32, of: &MetadataResponseTopic| MetadataResponsePartition {
        partition_index: number,
        ..of.partitions.first().unwrap().clone()
    };
    for topic in &mut response.topics {
        topic.partitions = vec![partition(0, topic), partition(1, topic)];
    }
    response
}

fn found(request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
    let coordinator = Coordinator {
        key: request.coordinator_keys.first().unwrap().clone(),
        node_id: 1,
        host: address().ip().to_string().as_str().into(),
        port: i32::from(address().port()),
        ..Default::default()
    };
    FindCoordinatorResponse { coordinators: vec![coordinator], ..Default::default() }
}

/// One record of each partition that has not been read to its end.
fn fetched(request: &FetchRequest) -> FetchResponse {
    let records = |offset: i64| {
        if offset >= END {
            return Bytes::new();
        }
        let mut builder = BatchBuilder::new().base_offset(offset).partition_leader_epoch(3);
        builder.append(&NewRecord { value: Some(b"a record"), ..NewRecord::at(1) }).unwrap();
        builder.build().unwrap()
    };
    let mut responses = Vec::new();
    for topic in &request.topics {
        let partitions = topic.partitions.iter().map(|wanted| PartitionData {
            partition_index: wanted.partition,
            high_watermark: END,
            records: Some(records(wanted.fetch_offset).into()),
            ..Default::default()
        });
        responses.push(FetchableTopicResponse {
            topic: topic.topic.clone(),
            partitions: partitions.collect(),
            ..Default::default()
        });
    }
    FetchResponse { responses, ..Default::default() }
}

/// A call that is given up before the coordinator has made up its mind.
async fn hurried(consumer: &mut Consumer) -> Option<ConsumerRecord> {
    tokio::time::timeout(PATIENCE, consumer.next()).await.ok().map(Result::unwrap)
}

/// Calls until there is a record; how many came to nothing.
async fn call_until_there_is_one(consumer: &mut Consumer) -> (usize, ConsumerRecord) {
    for calls in 0..CALLS_MAX {
        if let Some(record) = hurried(consumer).await {
            return (calls, record);
        }
    }
    panic!("it never began");
}

/// Calls, and has nothing of it, until something has happened elsewhere.
async fn call_until(consumer: &mut Consumer, is_so: impl Fn() -> bool) {
    for _ in 0..CALLS_MAX {
        assert!(hurried(consumer).await.is_none());
        if is_so() {
            return;
        }
    }
    panic!("it never came to be");
}

fn place(record: &ConsumerRecord) -> (i32, i64) {
    (record.partition, record.offset)
}

#[tokio::test(start_paused = true)]
async fn an_assignment_begins_however_early_each_call_is_dropped() {
    let slow = Slow::new(&[0, 1]);
    let mut consumer = slow.member(None).await;
    let (calls, record) = call_until_there_is_one(&mut consumer).await;
    assert!(calls > 50, "the answer takes as long as a hundred calls: {calls}");
    assert!([(0, 3), (1, 5)].contains(&place(&record)), "{record:?}");
    assert_eq!(slow.story().questions, [[0, 1]], "one question is enough");
}

#[tokio::test(start_paused = true)]
async fn an_assignment_begins_with_a_poll_that_is_dropped_as_well() {
    let slow = Slow::new(&[0]);
    let mut consumer = slow.member(None).await;
    for _ in 0..CALLS_MAX {
        if let Ok(records) = tokio::time::timeout(PATIENCE, consumer.poll(1)).await {
            assert_eq!(records.unwrap().iter().map(place).collect::<Vec<_>>(), [(0, 3)]);
            assert_eq!(slow.story().questions, [[0]], "one question is enough");
            return;
        }
    }
    panic!("it never began");
}

#[tokio::test(start_paused = true)]
async fn the_answer_for_what_was_lost_meanwhile_is_not_taken_for_another() {
    let slow = Slow::new(&[0]);
    let mut consumer = slow.member(None).await;
    call_until(&mut consumer, || !slow.story().questions.is_empty()).await;
    // The next heartbeat comes long before the answer.
    {
        let mut story = slow.story();
        (story.refusal, story.given) = (ErrorCode::UNKNOWN_MEMBER_ID, vec![1]);
    }
    let (_, record) = call_until_there_is_one(&mut consumer).await;
    assert_eq!(place(&record), (1, 5));
    assert_eq!(consumer.assignment(), [("orders".to_owned(), 1)]);
    assert_eq!(slow.story().questions, [[0], [1]]);
}

/// Takes longer than any call the first time that it is told of partitions.
struct Ponderous(Arc<AtomicUsize>);

impl RebalanceListener for Ponderous {
    fn assigned<'a>(&'a mut self, _: &'a [(String, i32)]) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        let is_first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
        Box::pin(tokio::time::sleep(if is_first { SLOWNESS } else { Duration::ZERO }))
    }
}

/// A member of which a call was dropped while its listener was told of what it had begun with.
async fn interrupted(slow: &Slow) -> Consumer {
    let told = Arc::new(AtomicUsize::new(0));
    let mut consumer = slow.member(Some(Box::new(Ponderous(told.clone())))).await;
    call_until(&mut consumer, || told.load(Ordering::Relaxed) > 0).await;
    consumer
}

#[tokio::test(start_paused = true)]
async fn what_was_read_between_two_calls_that_begin_is_not_read_again() {
    let slow = Slow::new(&[0]);
    let mut consumer = interrupted(&slow).await;
    let mut read = Vec::new();
    for _ in 0..CALLS_MAX {
        if let Some(record) = consumer.try_next().unwrap() {
            read.push(record.offset);
            break;
        }
        tokio::time::sleep(PATIENCE).await;
    }
    read.extend(hurried(&mut consumer).await.map(|record| record.offset));
    consumer.commit().await.unwrap();
    while read.len() < 4 {
        read.push(call_until_there_is_one(&mut consumer).await.1.offset);
    }
    assert_eq!(read, [3, 4, 5, 6]);
    assert_eq!(slow.story().questions, [[0]], "what was begun with is not asked after again");
}

#[tokio::test(start_paused = true)]
async fn where_its_user_went_between_two_calls_that_begin_it_stays() {
    let slow = Slow::new(&[0]);
    let mut consumer = interrupted(&slow).await;
    consumer.seek("orders", 0, 8).unwrap();
    assert_eq!(place(&call_until_there_is_one(&mut consumer).await.1), (0, 8));
}
