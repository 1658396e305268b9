//! A consumer: what it believes, and what it tells.

use std::collections::BTreeSet;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatResponse, RequestTopicPartitions,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::super::world::Beat;
use super::Random;

type Owned = BTreeSet<(Uuid, i32)>;

/// A consumer.
pub(super) struct Client {
    number: usize,
    processes: usize,
    pub(super) id: String,
    pub(super) instance_id: Option<String>,
    names: Option<Vec<&'static str>>,
    regex: Option<&'static str>,
    pub(super) epoch: i32,
    /// What it reads from.
    pub(super) owned: Owned,
    /// What it was told last that it shall own, if it has not come to that yet.
    told: Option<Owned>,
    /// Whether it tells everything with its next heartbeat.
    pub(super) is_whole_next: bool,
    /// What it told last that it owns.
    acknowledged: Option<Owned>,
    pub(super) is_stalled: bool,
    pub(super) is_slow: bool,
    beats: usize,
}

impl Client {
    pub(super) fn new(number: usize, random: &mut Random) -> Self {
        let mut client = Self {
            number,
            processes: 0,
            id: String::new(),
            instance_id: random.is_one_in(3).then(|| format!("instance-{number}")),
            names: None,
            regex: None,
            epoch: 0,
            owned: Owned::new(),
            told: None,
            is_whole_next: true,
            acknowledged: None,
            is_stalled: false,
            is_slow: false,
            beats: 0,
        };
        client.restart(random);
        client
    }

    /// Another process takes its place, which knows nothing.
    pub(super) fn restart(&mut self, random: &mut Random) {
        self.processes += 1;
        self.id = format!("member-{}-{}", self.number, self.processes);
        self.resubscribe(random);
        (self.is_stalled, self.is_slow) = (false, false);
        self.begin_anew();
    }

    pub(super) fn resubscribe(&mut self, random: &mut Random) {
        (self.names, self.regex) = match random.below(6) {
            0 => (None, Some("orders-.*")),
            1 => (Some(vec!["payments"]), Some("orders-[ab]")),
            2 => (Some(vec!["orders-a", "clicks"]), Some("")),
            3 => (Some(vec!["payments", "payments"]), Some("")),
            _ => (Some(vec!["orders-a", "orders-b", "payments"]), Some("")),
        };
        if self.names.is_none() {
            self.names = Some(Vec::new());
        }
    }

    fn begin_anew(&mut self) {
        (self.epoch, self.owned, self.told) = (0, Owned::new(), None);
        (self.is_whole_next, self.acknowledged) = (true, None);
    }

    /// The next heartbeat. What has not changed is not told.
    pub(super) fn beat(&self) -> Beat {
        let mut beat = Beat::stay(&self.id, self.epoch);
        if let Some(instance_id) = &self.instance_id {
            beat = beat.named(instance_id);
        }
        if self.epoch == 0 || self.is_whole_next {
            beat.0.rebalance_timeout_ms = 20_000;
            let texts = |names: &Vec<&'static str>| names.iter().copied().map(Text::from).collect();
            beat.0.subscribed_topic_names = self.names.as_ref().map(texts);
            beat.0.subscribed_topic_regex = self.regex.map(Text::from);
        }
        if self.epoch == 0 || self.is_whole_next || self.acknowledged.as_ref() != Some(&self.owned) {
            beat.0.topic_partitions = Some(self.topic_partitions());
        }
        beat
    }

    fn topic_partitions(&self) -> Vec<RequestTopicPartitions> {
        if self.epoch == 0 {
            return Vec::new();
        }
        let one = |(topic_id, partition): &(Uuid, i32)| RequestTopicPartitions {
            topic_id: *topic_id,
            partitions: vec![*partition],
            ..Default::default()
        };
        self.owned.iter().map(one).collect()
    }

    pub(super) fn take_in(&mut self, response: &ConsumerGroupHeartbeatResponse) {
        let was_joining = self.epoch == 0;
        self.acknowledged = Some(if was_joining { Owned::new() } else { self.owned.clone() });
        self.is_whole_next = false;
        self.epoch = response.member_epoch;
        if let Some(assignment) = &response.assignment {
            let topics = assignment.topic_partitions.iter();
            let pairs = topics.flat_map(|topic| topic.partitions.iter().map(|one| (topic.topic_id, *one)));
            self.told = Some(pairs.collect());
        }
        self.beats += 1;
        // A slow one finishes what it works on before it lets go of anything.
        if !self.is_slow || self.beats.is_multiple_of(3) {
            self.come_to_it();
        }
    }

    fn come_to_it(&mut self) {
        if let Some(told) = self.told.take() {
            self.owned = told;
        }
    }

    pub(super) fn refused(&mut self, code: ErrorCode) {
        match code {
            ErrorCode::UNRELEASED_INSTANCE_ID => self.is_whole_next = true,
            _ => self.begin_anew(),
        }
    }

    /// Whether it has come to what it was told, and everything it has to tell is told.
    pub(super) fn is_at_rest(&self) -> bool {
        self.told.is_none() && self.epoch > 0
    }
}
