//! What is assigned, how far it has been read, and what to ask of whom next. Pure: it is told what time it is, what
//! the cluster looks like and what brokers answered.
//!
//! Memory is bounded by what may be fetched ahead: a request is only sent for what there is room for, and what it
//! may bring is reserved until it has come.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use strandline_protocol::Text;
use tokio::time::Instant;

use super::SeekTo;
use super::chunk::Chunk;
use super::config::Settings;
use super::partition::{Partition, Phase};
use super::session::Ask;
use crate::admin::OffsetAt;
use crate::cluster::ClusterMetadata;
use crate::error::Error;

/// A topic and one of its partitions.
pub(super) type Key = (Text, i32);

pub(super) struct State {
    pub(super) settings: Settings,
    pub(super) partitions: BTreeMap<Key, Partition>,
    // Whose chunks are handed out next; a partition stands here once for each chunk.
    order: VecDeque<Key>,
    // What the user is to be told, each thing once.
    pub(super) errors: VecDeque<Error>,
    // What each broker that is being asked may bring.
    reserved: HashMap<i32, usize>,
    buffered: usize,
    generation: u64,
}

/// One fetch to be sent.
pub(super) struct Plan {
    pub(super) broker: i32,
    pub(super) bytes_max: usize,
    pub(super) asks: BTreeMap<Key, Ask>,
    pub(super) generations: BTreeMap<Key, u64>,
}

/// What is to be done now.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) plans: Vec<Plan>,
    /// Offsets to be looked for: by leader, the partitions, with what is wanted and their generation.
    pub(super) searches: BTreeMap<i32, Vec<(Key, OffsetAt, u64)>>,
    /// Positions to be validated: by leader, the partitions, the epoch of the last record read and the leader's.
    pub(super) validations: BTreeMap<i32, Vec<(Key, i32, i32, u64)>>,
    /// Somebody is missing in what is known of the cluster.
    pub(super) is_outdated: bool,
    pub(super) wake_at: Option<Instant>,
}

impl State {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            partitions: BTreeMap::new(),
            order: VecDeque::new(),
            errors: VecDeque::new(),
            reserved: HashMap::new(),
            buffered: 0,
            generation: 0,
        }
    }

    pub(super) const fn next_generation(&mut self) -> u64 {
        self.generation += 1;
        self.generation
    }

    /// Reads these partitions and no others. What was read of one that stays goes on where it was.
    pub(super) fn assign(&mut self, keys: &[Key]) {
        self.partitions.retain(|key, _| keys.contains(key));
        let partitions = &self.partitions;
        self.order.retain(|key| partitions.contains_key(key));
        for key in keys {
            if !self.partitions.contains_key(key) {
                self.add(key, None);
            }
        }
        self.count();
    }

    /// Reads one more, from where its group has come to, if that is known.
    pub(super) fn add(&mut self, key: &Key, committed: Option<i64>) {
        let generation = self.next_generation();
        let mut partition = Partition::new(Phase::Broken, generation);
        match (committed, self.settings.reset.offset()) {
            (Some(offset), _) => partition.begin_at(offset),
            (None, Some(at)) => partition.phase = Phase::Lost(at),
            (None, None) => self.errors.push_back(Error::NoOffset(format!("{}-{}", key.0, key.1))),
        }
        self.partitions.insert(key.clone(), partition);
    }

    /// Reads these no longer.
    pub(super) fn remove(&mut self, keys: &[Key]) {
        for key in keys {
            self.partitions.remove(key);
        }
        self.order.retain(|key| !keys.contains(key));
        self.count();
    }

    /// Goes on from elsewhere. Says whether the partition is assigned.
    pub(super) fn seek(&mut self, key: &Key, to: SeekTo) -> bool {
        let generation = self.next_generation();
        let Some(partition) = self.partitions.get_mut(key) else { return false };
        partition.drop_chunks(generation);
        let subject = format!("{}-{}", key.0, key.1);
        // Now something does.
        self.errors.retain(|error| !matches!(error, Error::NoOffset(other) if *other == subject));
        match to {
            SeekTo::Offset(offset) => partition.begin_at(offset),
            SeekTo::Earliest => partition.phase = Phase::Lost(OffsetAt::Earliest),
            SeekTo::Latest => partition.phase = Phase::Lost(OffsetAt::Latest),
            SeekTo::Timestamp(time) => partition.phase = Phase::Lost(OffsetAt::Timestamp(time.max(0))),
        }
        self.forget_order(key);
        true
    }

    /// What was fetched of this partition has been dropped.
    pub(super) fn forget_order(&mut self, key: &Key) {
        self.order.retain(|other| other != key);
        self.count();
    }

    /// Says whether the partition is assigned.
    pub(super) fn set_paused(&mut self, key: &Key, is_paused: bool) -> bool {
        let Some(partition) = self.partitions.get_mut(key) else { return false };
        partition.is_paused = is_paused;
        true
    }

    /// Hands out the chunk that has waited longest, of those that are not paused.
    pub(super) fn take_chunk(&mut self) -> Option<(Chunk, u64)> {
        let partitions = &self.partitions;
        let is_free = |key: &Key| partitions.get(key).is_some_and(|partition| !partition.is_paused);
        let place = self.order.iter().position(is_free)?;
        let key = self.order.remove(place)?;
        let partition = self.partitions.get_mut(&key)?;
        let chunk = partition.chunks.pop_front()?;
        Some((chunk, partition.generation))
    }

    /// Takes back a chunk that has not been read to its end.
    pub(super) fn put_back(&mut self, chunk: Chunk, generation: u64) {
        let key = (chunk.topic.clone(), chunk.partition);
        let current = self.partitions.get_mut(&key).filter(|partition| partition.generation == generation);
        if let Some(partition) = current {
            partition.chunks.push_front(chunk);
            self.order.push_front(key);
        }
    }

    /// Takes in how far a chunk that was handed out has been read; whether it still counts. One that has been read
    /// to its end makes room.
    pub(super) fn read_up_to(&mut self, chunk: &Chunk, generation: u64, is_done: bool) -> bool {
        let key = (chunk.topic.clone(), chunk.partition);
        let current = self.partitions.get_mut(&key).filter(|partition| partition.generation == generation);
        let Some(partition) = current else { return false };
        partition.position = Some(chunk.position());
        partition.leader_epoch = chunk.leader_epoch().or(partition.leader_epoch);
        if is_done {
            partition.chunk_bytes = partition.chunk_bytes.saturating_sub(chunk.bytes());
            self.buffered = self.buffered.saturating_sub(chunk.bytes());
        }
        true
    }

    /// How many bytes have been fetched and not been read, and may come.
    pub(super) fn held_bytes(&self) -> usize {
        self.buffered + self.reserved.values().sum::<usize>()
    }

    fn count(&mut self) {
        self.buffered = self.partitions.values().map(|partition| partition.chunk_bytes).sum();
    }

    /// What to ask of whom now.
    pub(super) fn plan(&mut self, metadata: &ClusterMetadata, now: Instant) -> Orders {
        let mut orders = Orders::default();
        let mut asks: BTreeMap<i32, BTreeMap<Key, Ask>> = BTreeMap::new();
        let mut busy = BTreeSet::new();
        for (key, partition) in &mut self.partitions {
            if let Some(until) = partition.rests_until.filter(|until| *until > now) {
                orders.wake_at = orders.wake_at.into_iter().chain([until]).min();
                continue;
            }
            let info = metadata.topics.get(key.0.as_str()).and_then(|topic| topic.partition(key.1));
            let leader = metadata.leader(&key.0, key.1).map(|broker| broker.id);
            let (Some(leader), Some(info)) = (leader, info) else {
                orders.is_outdated |= partition.phase != Phase::Broken;
                continue;
            };
            partition.notice_leader(info.leader_epoch);
            match partition.phase {
                Phase::Lost(at) => {
                    partition.phase = Phase::BeingFound(at);
                    let found = (key.clone(), at, partition.generation);
                    orders.searches.entry(leader).or_default().push(found);
                }
                // What is on its way may change what is to be asked.
                Phase::Doubted if !partition.is_in_flight => {
                    partition.phase = Phase::BeingValidated;
                    let epoch = partition.fetched_epoch.unwrap_or(-1);
                    let doubt = (key.clone(), epoch, info.leader_epoch, partition.generation);
                    orders.validations.entry(leader).or_default().push(doubt);
                }
                Phase::Ready if partition.wants_more(&self.settings) => {
                    let named = partition.preferred.filter(|(_, until)| *until > now);
                    let near = named.filter(|(id, _)| metadata.broker(*id).is_some());
                    if near.is_none() {
                        // The leader names it again once it may be known.
                        partition.preferred = None;
                        orders.is_outdated |= named.is_some();
                    }
                    let bytes_max = i32::try_from(self.settings.partition_bytes).unwrap_or(i32::MAX);
                    let ask = Ask { offset: partition.next, leader_epoch: info.leader_epoch, bytes_max };
                    let broker = near.map_or(leader, |(id, _)| id);
                    asks.entry(broker).or_default().insert(key.clone(), ask);
                }
                Phase::Ready if partition.will_want_more(&self.settings) => {
                    let named = partition.preferred.filter(|(_, until)| *until > now);
                    busy.insert(named.map_or(leader, |(id, _)| id));
                }
                _ => {}
            }
        }
        asks.retain(|broker, asks| !busy.contains(broker) || !self.are_at_end(asks.keys()));
        self.plan_fetches(asks, &mut orders);
        orders
    }

    /// Whether a broker would only wait if it were asked for these. While it does it can be asked for nothing else: not
    /// for what another of its partitions wants more of in a moment.
    fn are_at_end<'a>(&self, mut keys: impl Iterator<Item = &'a Key>) -> bool {
        keys.all(|key| {
            self.partitions.get(key).is_some_and(|partition| partition.is_at_end(self.settings.isolation))
        })
    }

    fn plan_fetches(&mut self, asks: BTreeMap<i32, BTreeMap<Key, Ask>>, orders: &mut Orders) {
        for (broker, asks) in asks {
            let room = self.settings.memory_bytes.saturating_sub(self.held_bytes());
            // A fetch that may bring next to nothing is not worth its way.
            if self.reserved.contains_key(&broker) || room < self.settings.partition_bytes.min(64 << 10) {
                continue;
            }
            let bytes_max = room.min(self.settings.fetch_bytes);
            self.reserved.insert(broker, bytes_max);
            let mut generations = BTreeMap::new();
            for key in asks.keys() {
                if let Some(partition) = self.partitions.get_mut(key) {
                    partition.is_in_flight = true;
                    generations.insert(key.clone(), partition.generation);
                }
            }
            orders.plans.push(Plan { broker, bytes_max, asks, generations });
        }
    }

    /// The answer to a plan has come, or none will. What is left of it goes through [`State::fetched`].
    pub(super) fn plan_ended(&mut self, plan: &Plan) {
        self.reserved.remove(&plan.broker);
        for key in plan.asks.keys() {
            if let Some(partition) = self.current(key, plan) {
                partition.is_in_flight = false;
            }
        }
    }

    /// The partition, if nothing has happened to it since the plan was made.
    pub(super) fn current(&mut self, key: &Key, plan: &Plan) -> Option<&mut Partition> {
        let generation = plan.generations.get(key)?;
        self.partitions.get_mut(key).filter(|partition| partition.generation == *generation)
    }

    /// Takes in what was fetched.
    pub(super) fn fetched(&mut self, key: &Key, chunk: Chunk) {
        let Some(partition) = self.partitions.get_mut(key) else { return };
        partition.next = chunk.end();
        partition.fetched_epoch = chunk.last_epoch().or(partition.fetched_epoch);
        partition.chunk_bytes += chunk.bytes();
        self.buffered += chunk.bytes();
        partition.chunks.push_back(chunk);
        self.order.push_back(key.clone());
    }
}

#[cfg(test)]
mod tests;
