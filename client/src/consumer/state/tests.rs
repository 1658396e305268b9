use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::super::OffsetReset;
use super::*;
use crate::address::BrokerAddress;
use crate::admin::Isolation;
use crate::cluster::{BrokerInfo, PartitionInfo, TopicInfo};

fn settings() -> Settings {
    Settings {
        reset: OffsetReset::Earliest,
        isolation: Isolation::ReadUncommitted,
        rack: String::new(),
        wait: Duration::ZERO,
        fetch_bytes_min: 1,
        fetch_bytes: 1_000,
        partition_bytes: 100,
        memory_bytes: 3_000,
        batch_bytes_max: 1_000,
        checks_crc: true,
        backoff_least: Duration::from_millis(10),
        backoff_greatest: Duration::from_millis(10),
        group: None,
    }
}

fn key(partition: i32) -> Key {
    ("a".into(), partition)
}

/// Two partitions, led by brokers 0 and 1; broker 2 holds copies.
fn metadata(leader_epoch: i32) -> ClusterMetadata {
    let partition =
        |partition| PartitionInfo { partition, leader: Some(partition), leader_epoch, ..Default::default() };
    let topic =
        TopicInfo { name: "a".to_owned(), partitions: (0..2).map(partition).collect(), ..Default::default() };
    let broker = |id| BrokerInfo { id, address: BrokerAddress::new("b", 1), rack: None };
    ClusterMetadata {
        brokers: (0..3).map(broker).collect(),
        topics: [("a".to_owned(), topic)].into(),
        ..Default::default()
    }
}

struct Desk {
    state: State,
    now: Instant,
    epoch: i32,
}

impl Desk {
    /// Both partitions are assigned and begin at 0.
    fn new(settings: Settings) -> Self {
        let mut desk = Self { state: State::new(settings), now: Instant::now(), epoch: 5 };
        desk.state.assign(&[key(0), key(1)]);
        for partition in [0, 1] {
            desk.state.seek(&key(partition), SeekTo::Offset(0));
        }
        desk
    }

    fn plan(&mut self) -> Orders {
        self.state.plan(&metadata(self.epoch), self.now)
    }

    fn plan_for(&mut self, broker: i32) -> Option<Plan> {
        let plans = self.plan().plans;
        let mut other = Vec::new();
        let mut found = None;
        for plan in plans {
            if plan.broker == broker { found = Some(plan) } else { other.push(plan) }
        }
        other.iter().for_each(|plan| self.state.plan_ended(plan));
        found
    }

    fn answer(&mut self, plan: &Plan, data: PartitionData) -> bool {
        self.answer_all(plan, vec![data])
    }

    fn answer_all(&mut self, plan: &Plan, partitions: Vec<PartitionData>) -> bool {
        let topic = FetchableTopicResponse { topic: "a".into(), partitions, ..Default::default() };
        let response = FetchResponse { responses: vec![topic], ..Default::default() };
        self.state.plan_ended(plan);
        self.state.answered(plan, response, self.now)
    }

    fn phase(&self, partition: i32) -> Phase {
        self.state.partitions[&key(partition)].phase
    }
}

fn refused(partition: i32, error_code: ErrorCode) -> PartitionData {
    PartitionData { partition_index: partition, error_code, ..Default::default() }
}

fn records(partition: i32, base: i64, bytes: usize) -> PartitionData {
    let mut builder = BatchBuilder::new().base_offset(base).partition_leader_epoch(5);
    let value = vec![7; bytes];
    builder.append(&NewRecord { value: Some(&value), ..NewRecord::at(1) }).unwrap();
    let records = Some(builder.build().unwrap().into());
    PartitionData { partition_index: partition, high_watermark: base + 1, records, ..Default::default() }
}

#[test]
fn each_leader_is_asked_once_and_for_its_own() {
    let mut desk = Desk::new(settings());
    let plans = desk.plan().plans;
    let asked: Vec<_> =
        plans.iter().map(|plan| (plan.broker, plan.asks.keys().cloned().collect::<Vec<_>>())).collect();
    assert_eq!(asked, [(0, vec![key(0)]), (1, vec![key(1)])]);
    assert!(desk.plan().plans.is_empty(), "both are on their way");
    desk.answer(&plans[0], records(0, 0, 10));
    let next = desk.plan().plans;
    assert_eq!((next.len(), next[0].asks[&key(0)].offset), (1, 1));
}

#[test]
fn memory_is_reserved_before_it_is_used() {
    let mut desk = Desk::new(Settings { memory_bytes: 1_500, partition_bytes: 400, ..settings() });
    let plans = desk.plan().plans;
    assert_eq!(plans.iter().map(|plan| plan.bytes_max).collect::<Vec<_>>(), [1_000, 500]);
    assert_eq!(desk.state.held_bytes(), 1_500);
    desk.answer(&plans[0], records(0, 0, 900));
    assert!(desk.state.held_bytes() <= 1_500);
    assert!(desk.plan().plans.is_empty(), "it has as much as it may unread");
    let (chunk, generation) = desk.state.take_chunk().unwrap();
    assert!(desk.state.read_up_to(&chunk, generation, true));
    assert_eq!(desk.plan().plans.len(), 1);
}

#[test]
fn nobody_waits_for_what_is_new_while_more_of_the_old_will_be_wanted() {
    let mut metadata = metadata(5);
    metadata.topics.get_mut("a").unwrap().partitions[1].leader = Some(0);
    let asked = |desk: &mut Desk| -> Vec<Key> {
        let plans = desk.state.plan(&metadata, desk.now).plans;
        plans.iter().flat_map(|plan| plan.asks.keys().cloned()).collect()
    };
    for isolation in [Isolation::ReadUncommitted, Isolation::ReadCommitted] {
        let begin = || {
            let mut desk = Desk::new(Settings { isolation, ..settings() });
            let plan = desk.state.plan(&metadata, desk.now).plans.pop().unwrap();
            let idle = PartitionData { last_stable_offset: 1, high_watermark: 1, ..records(0, 0, 10) };
            let busy = PartitionData { last_stable_offset: 9, high_watermark: 9, ..records(1, 0, 150) };
            desk.answer_all(&plan, vec![idle, busy]);
            desk
        };
        let mut desk = begin();
        // Asked for the idle one alone, the broker would wait, and tell nothing of the other one meanwhile.
        assert_eq!(asked(&mut desk), []);
        while let Some((chunk, generation)) = desk.state.take_chunk() {
            assert!(desk.state.read_up_to(&chunk, generation, true));
        }
        assert_eq!(asked(&mut desk), [key(0), key(1)]);
        let mut desk = begin();
        desk.state.set_paused(&key(1), true);
        assert_eq!(asked(&mut desk), [key(0)], "one that is paused will want nothing");
    }
}

#[test]
fn what_comes_after_a_seek_does_not_count() {
    let mut desk = Desk::new(settings());
    let plan = desk.plan_for(0).unwrap();
    desk.state.seek(&key(0), SeekTo::Offset(50));
    desk.answer(&plan, records(0, 0, 10));
    assert!(desk.state.take_chunk().is_none());
    let plan = desk.plan_for(0).unwrap();
    assert_eq!(plan.asks[&key(0)].offset, 50);
    // Nor does a chunk that was being read.
    desk.answer(&plan, records(0, 50, 10));
    let (chunk, generation) = desk.state.take_chunk().unwrap();
    desk.state.seek(&key(0), SeekTo::Offset(60));
    assert!(!desk.state.read_up_to(&chunk, generation, false));
    desk.state.put_back(chunk, generation);
    assert!(desk.state.take_chunk().is_none());
    assert_eq!(desk.state.held_bytes(), 0);
}

#[test]
fn what_is_paused_is_neither_fetched_nor_handed_out_and_not_lost() {
    let mut desk = Desk::new(settings());
    let plan = desk.plan_for(0).unwrap();
    desk.answer(&plan, records(0, 0, 10));
    assert!(desk.state.set_paused(&key(0), true));
    assert!(desk.state.take_chunk().is_none() && desk.plan_for(0).is_none());
    desk.state.set_paused(&key(0), false);
    assert!(desk.state.take_chunk().is_some());
    assert!(!desk.state.set_paused(&key(9), true));
}

#[test]
fn an_offset_that_is_gone_is_looked_for_as_the_settings_say() {
    let mut desk = Desk::new(settings());
    let plan = desk.plan_for(0).unwrap();
    assert!(!desk.answer(&plan, refused(0, ErrorCode::OFFSET_OUT_OF_RANGE)));
    assert_eq!(desk.phase(0), Phase::Lost(OffsetAt::Earliest));
    let search = desk.plan().searches.remove(&0).unwrap();
    let (found, at, generation) = search[0].clone();
    assert_eq!((found, at), (key(0), OffsetAt::Earliest));
    desk.state.found(&key(0), generation, Ok(33), desk.now);
    assert_eq!(desk.state.partitions[&key(0)].position, Some(33));

    let mut desk = Desk::new(Settings { reset: OffsetReset::Fail, ..settings() });
    let plan = desk.plan_for(0).unwrap();
    desk.answer(&plan, refused(0, ErrorCode::OFFSET_OUT_OF_RANGE));
    assert_eq!(desk.state.errors.pop_front().unwrap().code(), Some(ErrorCode::OFFSET_OUT_OF_RANGE));
    assert!(desk.state.errors.is_empty() && desk.phase(0) == Phase::Broken);
    desk.state.seek(&key(0), SeekTo::Latest);
    assert_eq!(desk.phase(0), Phase::Lost(OffsetAt::Latest));
}

#[test]
fn errors_that_pass_make_it_rest_and_look_at_the_cluster() {
    let mut desk = Desk::new(settings());
    for code in
        [ErrorCode::NOT_LEADER_OR_FOLLOWER, ErrorCode::FENCED_LEADER_EPOCH, ErrorCode::UNKNOWN_LEADER_EPOCH]
    {
        let plan = desk.plan_for(0).unwrap();
        assert!(desk.answer(&plan, refused(0, code)));
        assert!(desk.plan_for(0).is_none(), "it rests");
        desk.now += Duration::from_secs(1);
    }
    let plan = desk.plan_for(0).unwrap();
    desk.answer(&plan, refused(0, ErrorCode::TOPIC_AUTHORIZATION_FAILED));
    assert_eq!(desk.phase(0), Phase::Broken);
    assert_eq!(desk.state.errors.len(), 1);
}

#[test]
fn a_nearer_replica_is_read_from_until_it_has_not_got_it() {
    let mut desk = Desk::new(settings());
    let plan = desk.plan_for(0).unwrap();
    let near = PartitionData { preferred_read_replica: 2, ..refused(0, ErrorCode::NONE) };
    desk.answer(&plan, near.clone());
    let plan = desk.plan_for(2).unwrap();
    desk.answer(&plan, refused(0, ErrorCode::OFFSET_OUT_OF_RANGE));
    let plan = desk.plan_for(0).expect("the leader is asked");
    assert_eq!(desk.phase(0), Phase::Ready, "it may only have been behind");
    desk.now += Duration::from_secs(1);
    desk.answer(&plan, near);
    let plan = desk.plan_for(2).unwrap();
    desk.state.plan_ended(&plan);
    desk.now += Duration::from_secs(400);
    assert!(desk.plan_for(2).is_none(), "not for ever");
}

#[test]
fn whoever_is_sent_round_in_circles_goes_slowly() {
    let mut desk = Desk::new(settings());
    let nowhere = PartitionData { preferred_read_replica: 9, ..refused(0, ErrorCode::NONE) };
    let plan = desk.plan_for(0).unwrap();
    assert!(!desk.answer(&plan, nowhere.clone()));
    let plan = desk.plan_for(0).expect("nobody knows that replica, so the leader is asked");
    assert!(desk.answer(&plan, nowhere.clone()), "the cluster is looked at anew");
    assert!(desk.plan_for(0).is_none());
    desk.now += Duration::from_millis(10);
    assert!(desk.plan_for(0).is_some());
}

#[test]
fn a_new_leader_is_asked_whether_it_has_what_was_read() {
    let mut desk = Desk::new(settings());
    let plan = desk.plan_for(0).unwrap();
    desk.answer(&plan, records(0, 7, 10));
    desk.epoch = 6;
    let mut orders = desk.plan();
    let (asked, epoch, leader_epoch, generation) = orders.validations.remove(&0).unwrap()[0].clone();
    assert_eq!((asked, epoch, leader_epoch), (key(0), 5, 6));
    assert!(orders.plans.iter().all(|plan| plan.broker != 0), "nothing is fetched before it is known");
    orders.plans.iter().for_each(|plan| desk.state.plan_ended(plan));
    desk.state.validated(&key(0), generation, Ok(8), desk.now);
    assert_eq!(desk.phase(0), Phase::Ready);

    desk.epoch = 7;
    desk.plan().plans.iter().for_each(|plan| desk.state.plan_ended(plan));
    desk.state.validated(&key(0), generation, Ok(5), desk.now);
    assert_eq!(desk.state.partitions[&key(0)].position, Some(5), "from where they part");
    assert!(desk.state.take_chunk().is_none(), "what was fetched of the old leader is gone");
}

#[test]
fn who_wants_to_know_is_told_that_records_are_gone() {
    let mut desk = Desk::new(Settings { reset: OffsetReset::Fail, ..settings() });
    let plan = desk.plan_for(0).unwrap();
    desk.answer(&plan, records(0, 7, 10));
    desk.epoch = 6;
    let generation = desk.plan().validations[&0][0].3;
    desk.state.validated(&key(0), generation, Ok(5), desk.now);
    let error = desk.state.errors.pop_front().unwrap();
    assert!(matches!(error, Error::Truncated { position: 8, end_offset: 5, .. }), "{error}");
}
