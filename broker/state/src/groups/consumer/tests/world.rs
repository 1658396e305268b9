//! A coordinator as whoever drives it sees it: a log, timers, a clock, and the cluster's topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::apis::consumer_group_describe::DescribedGroup;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, RequestTopicPartitions,
};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::{Bytes, ErrorCode, Text, Uuid};

use super::heeding;
use crate::coordinator::{Decision, Machine, Origin, Record, Ticket};
use crate::groups::consumer::ConsumerGroup;
use crate::groups::{
    Ask, Caller, Command, Event, GroupRecord, GroupSettings, Groups, Missed, Passing, Reply, Request, Sight,
    Timer,
};
use crate::metadata::record::{
    ConfigEntry, ConfigKey, ConfigValue, PartitionKey, PartitionValue, TopicKey, TopicValue,
};
use crate::metadata::{MetadataImage, MetadataRecord, evolve};

pub(super) const GROUP: &str = "readers";

/// The id that a topic of this name has, unless it was made anew.
pub(super) fn topic_id(name: &str) -> Uuid {
    let bytes = name.bytes().fold(1_u128, |number, byte| (number << 8) | u128::from(byte));
    Uuid::from(bytes)
}

/// A batch of records: as bytes, as they lie in the log.
type Batch = Vec<(Bytes, Option<Bytes>)>;

/// A coordinator, and all that it lives on.
pub(super) struct World {
    pub(super) groups: Groups,
    pub(super) image: Arc<MetadataImage>,
    pub(super) log: Vec<Batch>,
    /// When timers go off, by a clock that only goes forward.
    pub(super) timers: BTreeMap<Timer, i64>,
    pub(super) monotonic_ms: i64,
    /// What the wall clock is ahead by.
    pub(super) skew_ms: i64,
    tickets: u64,
    /// Answers to those who had to wait.
    pub(super) later: BTreeMap<Ticket, Reply>,
    pub(super) ids: u64,
    /// The members that were told to be out, and why.
    pub(super) out: Vec<(Text, Missed)>,
    /// So many heartbeats were heeded without a decision.
    pub(super) heeded: usize,
    /// What those who ask may see.
    pub(super) sight: Sight,
}

/// A member's heartbeat, as tests write it.
#[derive(Clone, Debug)]
pub(super) struct Beat(pub(super) ConsumerGroupHeartbeatRequest);

impl Beat {
    /// A member that joins, and reads these topics.
    pub(super) fn join(member_id: &str, names: &[&str]) -> Self {
        Self(ConsumerGroupHeartbeatRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            member_epoch: 0,
            rebalance_timeout_ms: 60_000,
            subscribed_topic_names: Some(names.iter().copied().map(Text::from).collect()),
            topic_partitions: Some(Vec::new()),
            ..Default::default()
        })
    }

    /// A member that is there.
    pub(super) fn stay(member_id: &str, member_epoch: i32) -> Self {
        Self(ConsumerGroupHeartbeatRequest {
            group_id: GROUP.into(),
            member_id: member_id.into(),
            member_epoch,
            ..Default::default()
        })
    }

    /// It says what it owns.
    pub(super) fn owning(mut self, owned: &[(&str, &[i32])]) -> Self {
        let topics = owned.iter().map(|(name, partitions)| RequestTopicPartitions {
            topic_id: topic_id(name),
            partitions: partitions.to_vec(),
            ..Default::default()
        });
        self.0.topic_partitions = Some(topics.collect());
        self
    }

    /// It has a configured name.
    pub(super) fn named(mut self, instance_id: &str) -> Self {
        self.0.instance_id = Some(instance_id.into());
        self
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut ConsumerGroupHeartbeatRequest)) -> Self {
        change(&mut self.0);
        self
    }
}

impl World {
    pub(super) fn new(topics: &[(&str, i32)]) -> Self {
        Self::with_settings(topics, |_| {})
    }

    pub(super) fn with_settings(topics: &[(&str, i32)], change: impl FnOnce(&mut GroupSettings)) -> Self {
        let mut settings = GroupSettings::default();
        // Most tests are about what comes out, and not about when.
        settings.consumer.assignment_interval.default_ms = 0;
        change(&mut settings);
        let image = Arc::new(MetadataImage::default());
        let mut world = Self {
            groups: Groups::new(Arc::new(settings), Arc::clone(&image)),
            image,
            log: Vec::new(),
            timers: BTreeMap::new(),
            monotonic_ms: 0,
            skew_ms: 1_700_000_000_000,
            tickets: 0,
            later: BTreeMap::new(),
            ids: 0,
            out: Vec::new(),
            heeded: 0,
            sight: Sight::default(),
        };
        for (name, count) in topics {
            world.put_topic(name, *count);
        }
        world
    }

    pub(super) fn now_ms(&self) -> i64 {
        self.monotonic_ms + self.skew_ms
    }

    /// Makes a topic, or gives it more partitions.
    pub(super) fn put_topic(&mut self, name: &str, count: i32) {
        let topic_id = topic_id(name);
        let value = TopicValue { name: name.into(), ..Default::default() };
        let mut records = vec![MetadataRecord::Topic(TopicKey { topic_id }, Some(value))];
        records.extend((0..count).map(|index| {
            let value = PartitionValue { replicas: vec![1], isr: vec![1], leader: 1, ..Default::default() };
            MetadataRecord::Partition(PartitionKey { topic_id, index }, Some(value))
        }));
        self.change_metadata(&records, Vec::new());
    }

    pub(super) fn delete_topic(&mut self, name: &str) {
        let Some(topic) = self.image.topic(name).cloned() else { return };
        let topic_id = topic.id();
        let mut records = vec![MetadataRecord::Topic(TopicKey { topic_id }, None)];
        records.extend(
            topic
                .partitions()
                .map(|(index, _)| MetadataRecord::Partition(PartitionKey { topic_id, index }, None)),
        );
        self.change_metadata(&records, vec![(topic_id, name.into())]);
    }

    pub(super) fn configure_group(&mut self, pairs: &[(&str, &str)]) {
        let key = ConfigKey { resource_type: 32, resource_name: GROUP.into() };
        let entry = |(name, value): &(&str, &str)| ConfigEntry {
            name: (*name).into(),
            value: (*value).into(),
            ..Default::default()
        };
        let value = ConfigValue { entries: pairs.iter().map(entry).collect(), ..Default::default() };
        self.change_metadata(&[MetadataRecord::Config(key, Some(value))], Vec::new());
    }

    fn change_metadata(&mut self, records: &[MetadataRecord], deleted: Vec<(Uuid, Text)>) {
        let mut image = (*self.image).clone();
        for record in records {
            let offset = image.offset() + 1;
            evolve(&mut image, offset, record).unwrap();
        }
        self.image = Arc::new(image);
        let command =
            Command::MetadataChanged { image: Arc::clone(&self.image), changed: Vec::new(), deleted };
        self.carry_out(command);
    }

    /// Asks, and gives back the answer, which does not have to wait.
    pub(super) fn ask(&mut self, request: Request) -> Reply {
        let ticket = self.ask_and_wait(request);
        self.later.remove(&ticket).expect("an answer at once")
    }

    /// Asks, and does not wait for the answer.
    pub(super) fn ask_and_wait(&mut self, request: Request) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let (client_id, client_host) = ("client".into(), "/127.0.0.1".into());
        let caller = Caller { client_id, client_host, sight: self.sight.clone() };
        let now_ms = self.now_ms();
        let heeded = heeding::heed(&mut self.groups, now_ms, &caller, &request);
        let command = Command::Ask(Box::new(Ask { ticket, caller, request }));
        let decision = self.groups.decide(self.now_ms(), command);
        if let Some(heeded) = heeded {
            heeding::check(&self.groups, ticket, heeded, &decision);
            self.heeded += 1;
        }
        let replies = self.apply(decision);
        self.take_replies(replies);
        ticket
    }

    fn take_replies(&mut self, replies: Vec<(Ticket, Reply)>) {
        for (ticket, reply) in replies {
            assert_eq!(self.later.insert(ticket, reply), None, "one answer");
        }
    }

    /// Sends a heartbeat; the code if it was refused.
    pub(super) fn beat(&mut self, beat: Beat) -> Result<ConsumerGroupHeartbeatResponse, ErrorCode> {
        self.beat_in_version(beat, 1)
    }

    pub(super) fn beat_in_version(
        &mut self,
        beat: Beat,
        version: i16,
    ) -> Result<ConsumerGroupHeartbeatResponse, ErrorCode> {
        self.ids += 1;
        let new_member_id = Text::from(format!("made-{}", self.ids));
        match self.ask(Request::ConsumerGroupHeartbeat { request: beat.0, version, new_member_id }) {
            Reply::ConsumerGroupHeartbeat(response) if response.error_code == ErrorCode::NONE => Ok(response),
            Reply::ConsumerGroupHeartbeat(response) => {
                assert!(response.error_message.is_some(), "people are told, too");
                Err(response.error_code)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn commit(&mut self, member_id: &str, epoch: i32, topic: &str, partition: i32) -> ErrorCode {
        let partition = OffsetCommitRequestPartition {
            partition_index: partition,
            committed_offset: 1,
            ..Default::default()
        };
        let topic = OffsetCommitRequestTopic {
            name: topic.into(),
            partitions: vec![partition],
            ..Default::default()
        };
        let request = OffsetCommitRequest {
            group_id: GROUP.into(),
            generation_id_or_member_epoch: epoch,
            member_id: member_id.into(),
            topics: vec![topic],
            ..Default::default()
        };
        match self.ask(Request::OffsetCommit { request, version: 9 }) {
            Reply::OffsetCommit(response) => response.topics[0].partitions[0].error_code,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn describe(&mut self) -> DescribedGroup {
        match self.ask(Request::ConsumerGroupDescribe(GROUP.into())) {
            Reply::ConsumerGroupDescribe(described) => described,
            other => panic!("{other:?}"),
        }
    }

    /// Lets time pass, and timers go off in their order.
    pub(super) fn advance(&mut self, ms: i64) {
        let until = self.monotonic_ms + ms;
        while let Some((timer, at_ms)) = self.next_timer().filter(|(_, at_ms)| *at_ms <= until) {
            self.monotonic_ms = self.monotonic_ms.max(at_ms);
            self.timers.remove(&timer);
            let replies = self.carry_out(Groups::due(timer));
            self.take_replies(replies);
        }
        self.monotonic_ms = until;
    }

    fn next_timer(&self) -> Option<(Timer, i64)> {
        self.timers.iter().min_by_key(|(_, at_ms)| **at_ms).map(|(timer, at_ms)| (timer.clone(), *at_ms))
    }

    fn carry_out(&mut self, command: Command) -> Vec<(Ticket, Reply)> {
        let decision = self.groups.decide(self.now_ms(), command);
        self.apply(decision)
    }

    pub(super) fn apply(&mut self, decision: Decision<Groups>) -> Vec<(Ticket, Reply)> {
        let Decision { records, passing, replies, timers, events, .. } = decision;
        if !records.is_empty() {
            let batch: Batch = records.iter().map(|record| record.to_bytes().unwrap()).collect();
            let offset = i64::try_from(self.log.len()).unwrap();
            for (record, (key, value)) in records.into_iter().zip(&batch) {
                let read = GroupRecord::from_bytes(key.clone(), value.clone()).unwrap().unwrap();
                assert_eq!(read, record, "what is read is what was written");
                self.groups.evolve(offset, Origin::Plain, record);
            }
            self.log.push(batch);
        }
        passing.into_iter().for_each(|passing: Passing| self.groups.pass(passing));
        self.out.extend(events.into_iter().filter_map(|event| match event {
            Event::MemberExpired { member, why, .. } => Some((member, why)),
            _ => None,
        }));
        for (timer, at_ms) in timers {
            match at_ms {
                Some(at_ms) => self.timers.insert(timer, at_ms - self.skew_ms),
                None => self.timers.remove(&timer),
            };
        }
        replies
    }

    /// What replay makes of the first batches of the log.
    pub(super) fn replayed(&self, batches: usize) -> Groups {
        let records = self.log[..batches].iter().flatten().cloned();
        self.replay(records)
    }

    pub(super) fn replay(&self, records: impl Iterator<Item = (Bytes, Option<Bytes>)>) -> Groups {
        let mut groups = Groups::new(Arc::clone(self.groups.settings()), Arc::clone(&self.image));
        for (offset, (key, value)) in (0..).zip(records) {
            let record = GroupRecord::from_bytes(key, value).unwrap().unwrap();
            groups.evolve(offset, Origin::Plain, record);
        }
        groups
    }

    /// The log, compacted up to a batch: of each key the last record is there, and no tombstone.
    pub(super) fn compacted(&self, batches: usize) -> Groups {
        let cleaned: Vec<_> = self.log[..batches].iter().flatten().cloned().collect();
        let last: BTreeMap<Bytes, usize> =
            cleaned.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
        let kept = cleaned
            .iter()
            .enumerate()
            .filter(|(place, (key, value))| last[key] == *place && value.is_some())
            .map(|(_, record)| record.clone());
        let rest = self.log[batches..].iter().flatten().cloned();
        self.replay(kept.chain(rest).collect::<Vec<_>>().into_iter())
    }

    /// The process ends, and another one takes over from the log.
    pub(super) fn fail_over(&mut self) {
        self.groups = self.replayed(self.log.len());
        self.timers.clear();
        let decision = self.groups.loaded(self.now_ms());
        self.apply(decision);
    }

    pub(super) fn group(&self) -> &ConsumerGroup {
        self.groups.consumer_group(GROUP).expect("the group is there")
    }

    /// The records of the last batch, as the types of their keys, and whether they take something back.
    pub(super) fn last_batch(&self) -> Vec<(String, bool)> {
        let batch = self.log.last().map(Vec::as_slice).unwrap_or_default();
        let named = |(key, value): &(Bytes, Option<Bytes>)| {
            let record = GroupRecord::from_bytes(key.clone(), value.clone()).unwrap().unwrap();
            let name = format!("{:?}", record.key);
            (name.split('(').next().unwrap().trim_start_matches("ConsumerGroup").to_owned(), value.is_some())
        };
        batch.iter().map(named).collect()
    }
}

/// What a heartbeat was answered, by topic names; none if it says nothing of partitions.
pub(super) fn assigned(response: &ConsumerGroupHeartbeatResponse) -> Option<BTreeMap<Uuid, Vec<i32>>> {
    let assignment = response.assignment.as_ref()?;
    let topics = assignment.topic_partitions.iter();
    Some(topics.map(|topic| (topic.topic_id, topic.partitions.clone())).collect())
}

/// The same from names.
pub(super) fn partitions(topics: &[(&str, &[i32])]) -> Option<BTreeMap<Uuid, Vec<i32>>> {
    Some(topics.iter().map(|(name, partitions)| (topic_id(name), partitions.to_vec())).collect())
}
