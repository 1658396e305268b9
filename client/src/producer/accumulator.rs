//! Everything that is on its way, by topic and partition, and the choice of what to send next to whom. Pure: it is
//! told what time it is, what the cluster looks like and what brokers answered, and says what to do.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::Text;
use tokio::time::Instant;

use super::batch::{Batch, Charge};
use super::buffers::Buffers;
use super::config::Settings;
use super::delivery::{Delivery, Promise, Written};
use super::partitioner::{Sticky, partition_of_key};
use super::queue::{Identity, Numbering, Queue, Wishes};
use super::record::ProducerRecord;
use crate::cluster::{ClusterMetadata, TopicInfo};
use crate::error::{Error, Result};

pub(super) struct Accumulator {
    settings: Settings,
    numbering: Numbering,
    buffers: Arc<Buffers>,
    places: HashMap<String, usize>,
    topics: Vec<Topic>,
    // The place that was last asked for.
    last_place: usize,
    // The partitions that have anything: their topic's place and their number. The next one to be served is in front.
    active: VecDeque<(usize, usize)>,
    // How many requests are under way to each broker.
    under_way: HashMap<i32, usize>,
    failed: Option<Error>,
    // What the transaction that is open can no longer be committed for.
    spoiled: Option<Error>,
}

struct Topic {
    name: Text,
    partitions: Vec<Partition>,
    // Those that have a leader, rising.
    available: Vec<i32>,
    sticky: Sticky,
}

#[derive(Default)]
struct Partition {
    queue: Queue,
    is_active: bool,
}

/// A batch and the place of its topic.
pub(super) type Placed = (usize, Batch);

/// Batches that go to one broker together: none of them for the same partition.
pub(super) struct Shipment {
    pub(super) broker: i32,
    pub(super) batches: Vec<Placed>,
}

/// What is to be done now.
#[derive(Default)]
pub(super) struct Orders {
    pub(super) shipments: Vec<Shipment>,
    /// When to ask again, should nothing else happen before.
    pub(super) wake_at: Option<Instant>,
    /// Whether something waits for a leader.
    pub(super) is_leaderless: bool,
}

impl Accumulator {
    pub(super) fn new(settings: Settings) -> Self {
        let numbering = if settings.is_idempotent { Numbering::Awaited } else { Numbering::Off };
        let buffers = Arc::new(Buffers::new(settings.memory_bytes_max / 4));
        Self {
            settings,
            numbering,
            buffers,
            places: HashMap::new(),
            topics: Vec::new(),
            last_place: 0,
            active: VecDeque::new(),
            under_way: HashMap::new(),
            failed: None,
            spoiled: None,
        }
    }

    pub(super) const fn set_numbering(&mut self, numbering: Numbering) {
        self.numbering = numbering;
    }

    /// How many partitions a topic has, if it is known.
    pub(super) fn partitions(&mut self, topic: &str) -> Option<i32> {
        let place = self.place_of(topic)?;
        let topic = self.topics.get(place)?;
        i32::try_from(topic.partitions.len()).ok()
    }

    pub(super) fn topic_name(&self, place: usize) -> Text {
        self.topics.get(place).map(|topic| topic.name.clone()).unwrap_or_default()
    }

    pub(super) fn topic_names(&self) -> Vec<String> {
        self.places.keys().cloned().collect()
    }

    /// Takes in what is known of the cluster now.
    pub(super) fn update(&mut self, metadata: &ClusterMetadata) {
        for topic in &mut self.topics {
            topic.update(metadata.topics.get(topic.name.as_str()), metadata);
        }
    }

    /// Takes in a topic.
    pub(super) fn learn(&mut self, info: &TopicInfo, metadata: &ClusterMetadata) {
        let next = self.topics.len();
        let place = *self.places.entry(info.name.clone()).or_insert(next);
        if place == next {
            let name = Text::from(info.name.as_str());
            let sticky = Sticky::new();
            self.topics.push(Topic { name, partitions: Vec::new(), available: Vec::new(), sticky });
        }
        if let Some(topic) = self.topics.get_mut(place) {
            topic.update(Some(info), metadata);
        }
    }

    /// Appends a record of a topic that is known, to `partition` or to the one that the rules say. Says, too, whether
    /// there is something to do now that there was not.
    pub(super) fn append(
        &mut self,
        record: &ProducerRecord<'_>,
        partition: Option<i32>,
        charge: Charge,
        now: Instant,
    ) -> Result<(Delivery, bool)> {
        if let Some(error) = self.failed.as_ref().or(self.spoiled.as_ref()) {
            return Err(error.clone());
        }
        let no_partition =
            |partition: i32| Error::NoPartition { topic: record.topic().to_owned(), partition };
        let place = self.place_of(record.topic());
        let topic = place.and_then(|place| self.topics.get_mut(place)).ok_or_else(|| no_partition(0))?;
        let partition = topic.choose(record, partition);
        let index = usize::try_from(partition).ok();
        let found = index.and_then(|index| topic.partitions.get_mut(index));
        let (Some(found), Some(place), Some(index)) = (found, place, index) else {
            return Err(no_partition(partition));
        };
        let batch_bytes = self.settings.batch_bytes;
        let to_append = record.to_append();
        let (delivery, has_sealed) =
            found.queue.append(partition, &to_append, charge, batch_bytes, &self.buffers, now)?;
        if record.key_bytes().is_none() {
            topic.sticky.count(record.bytes_max(), batch_bytes);
        }
        let is_new = !std::mem::replace(&mut found.is_active, true);
        if is_new {
            self.active.push_back((place, index));
        }
        Ok((delivery, has_sealed || is_new))
    }

    /// Lets no open batch wait any longer, and returns what everything that is here waits for.
    pub(super) fn hurry(&mut self) -> Vec<Arc<Promise>> {
        let mut promises = Vec::new();
        self.for_active(|_, queue| {
            queue.seal();
            promises.extend(queue.promises().cloned());
        });
        promises
    }

    /// Gives up what is not in flight, and takes nothing more.
    pub(super) fn fail(&mut self, error: &Error) {
        self.failed.get_or_insert_with(|| error.clone());
        self.for_active(|_, queue| queue.fail_all(error));
    }

    /// Takes nothing more, and goes on with what is here.
    pub(super) fn end(&mut self) {
        self.failed.get_or_insert(Error::Ended);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// A transaction begins: nothing is left of the one before.
    pub(super) fn begin(&mut self, identity: Identity) {
        self.spoiled = None;
        self.numbering = Numbering::Within(identity);
    }

    /// Nothing more of this transaction is taken or sent.
    pub(super) fn spoil(&mut self, error: &Error) {
        self.spoiled.get_or_insert_with(|| error.clone());
        self.for_active(|_, queue| queue.fail_all(error));
    }

    /// Why this transaction cannot be committed, if it cannot.
    pub(super) const fn spoiled(&self) -> Option<&Error> {
        self.spoiled.as_ref()
    }

    fn note_failure(&mut self, failure: Option<Error>) {
        if let Some(error) = failure
            && self.settings.transactional_id.is_some()
        {
            self.spoil(&error);
        }
    }

    /// Where a topic is, which mostly is where the last one was.
    fn place_of(&mut self, topic: &str) -> Option<usize> {
        if self.topics.get(self.last_place).is_none_or(|last| last.name.as_str() != topic) {
            self.last_place = *self.places.get(topic)?;
        }
        Some(self.last_place)
    }

    fn for_active(&mut self, mut each: impl FnMut(&Text, &mut Queue)) {
        for (place, index) in &self.active {
            if let Some(topic) = self.topics.get_mut(*place)
                && let Some(partition) = topic.partitions.get_mut(*index)
            {
                each(&topic.name, &mut partition.queue);
            }
        }
    }

    /// What to send now.
    pub(super) fn drain(&mut self, now: Instant) -> Orders {
        let mut orders = Orders::default();
        let (linger, timeout) = (self.settings.linger, self.settings.delivery_timeout);
        let mut failure = None;
        self.for_active(|_, queue| {
            queue.expire(timeout, now);
            failure = queue.take_failure().or(failure.take());
            if queue.lingers_until(linger).is_some_and(|until| until <= now) {
                queue.seal();
            }
        });
        self.note_failure(failure);
        while self.load(&mut orders, now) {}
        self.rest();
        let mut wake_at: Option<Instant> = None;
        self.for_active(|_, queue| {
            let times = [queue.lingers_until(linger), queue.rests_until(now), queue.expires_at(timeout)];
            wake_at = wake_at.into_iter().chain(times.into_iter().flatten()).min();
        });
        orders.wake_at = wake_at;
        orders
    }

    /// One request more for each broker that has anything to get, and room for it.
    fn load(&mut self, orders: &mut Orders, now: Instant) -> bool {
        let Settings { in_flight_max, request_bytes_max, .. } = self.settings;
        let Self { numbering, active, topics, under_way, .. } = self;
        let mut loading: BTreeMap<i32, (usize, Vec<Placed>)> = BTreeMap::new();
        for (place, index) in active.iter().copied() {
            let Some(queue) = queue_in(topics, place, index) else { continue };
            if !queue.is_sendable(*numbering, in_flight_max, now) {
                continue;
            }
            let Some(leader) = queue.leader else {
                orders.is_leaderless = true;
                continue;
            };
            if under_way.get(&leader).is_some_and(|count| *count >= in_flight_max) {
                continue;
            }
            let (bytes, batches) = loading.entry(leader).or_default();
            let next = queue.next_bytes();
            let has_room = batches.is_empty() || bytes.saturating_add(next) <= request_bytes_max;
            if has_room && let Some(batch) = queue.take(*numbering) {
                *bytes += next;
                batches.push((place, batch));
            }
        }
        // Whoever came first this time comes last the next time.
        if let Some(first) = self.active.pop_front() {
            self.active.push_back(first);
        }
        let has_loaded = !loading.is_empty();
        for (broker, (_, batches)) in loading {
            *self.under_way.entry(broker).or_default() += 1;
            orders.shipments.push(Shipment { broker, batches });
        }
        has_loaded
    }

    /// Lets go of partitions that have nothing.
    fn rest(&mut self) {
        let topics = &mut self.topics;
        self.active.retain(|(place, index)| {
            let partition = topics.get_mut(*place).and_then(|topic| topic.partitions.get_mut(*index));
            partition.is_some_and(|partition| {
                partition.is_active = !partition.queue.is_empty();
                partition.is_active
            })
        });
    }

    /// Takes what a broker said of one shipment.
    pub(super) fn answered(
        &mut self,
        broker: i32,
        results: Vec<(Placed, Result<Written>)>,
        now: Instant,
    ) -> Wishes {
        if let Some(count) = self.under_way.get_mut(&broker) {
            *count = count.saturating_sub(1);
        }
        let (least, greatest) = (self.settings.backoff_least, self.settings.backoff_greatest);
        let failed = self.failed.clone().filter(|error| !matches!(error, Error::Ended));
        let failed = failed.or_else(|| self.spoiled.clone());
        let mut failure = None;
        let mut wishes = Wishes::default();
        for ((place, batch), result) in results {
            let index = usize::try_from(batch.partition).unwrap_or(usize::MAX);
            let Some(queue) = queue_in(&mut self.topics, place, index) else { continue };
            let wished = queue.answered(batch, result, |attempts| wait(least, greatest, attempts), now);
            wishes.metadata |= wished.metadata;
            wishes.identity |= wished.identity;
            failure = queue.take_failure().or(failure);
            if let Some(error) = &failed {
                queue.fail_all(error);
            }
        }
        self.note_failure(failure);
        wishes
    }
}

fn queue_in(topics: &mut [Topic], place: usize, index: usize) -> Option<&mut Queue> {
    Some(&mut topics.get_mut(place)?.partitions.get_mut(index)?.queue)
}

/// Doubles with each attempt.
fn wait(least: Duration, greatest: Duration, attempts: u32) -> Duration {
    let factor = 1u32.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(u32::MAX);
    least.saturating_mul(factor).min(greatest)
}

impl Topic {
    /// A topic that is missing has no leaders for now; partitions never go.
    fn update(&mut self, info: Option<&TopicInfo>, metadata: &ClusterMetadata) {
        let mut leaders: BTreeMap<i32, i32> = BTreeMap::new();
        for partition in info.iter().flat_map(|info| &info.partitions) {
            let leader = partition.leader.filter(|leader| metadata.broker(*leader).is_some());
            leaders.extend(leader.map(|leader| (partition.partition, leader)));
        }
        // They are numbered without gaps; a number beyond their count is nonsense, and has no place here.
        let count = info.map_or(0, |info| info.partitions.len()).max(self.partitions.len());
        self.partitions.resize_with(count, Partition::default);
        for (number, partition) in (0..).zip(&mut self.partitions) {
            partition.queue.leader = leaders.get(&number).copied();
        }
        let known = i32::try_from(count).unwrap_or(i32::MAX);
        self.available = leaders.into_keys().filter(|number| (0..known).contains(number)).collect();
    }

    fn choose(&mut self, record: &ProducerRecord<'_>, partition: Option<i32>) -> i32 {
        let count = i32::try_from(self.partitions.len()).unwrap_or(i32::MAX);
        match (partition.or(record.partition), record.key_bytes()) {
            (Some(partition), _) => partition,
            (None, Some(key)) => partition_of_key(key, count),
            (None, None) => self.sticky.choose(&self.available, count),
        }
    }
}

#[cfg(test)]
mod tests;
