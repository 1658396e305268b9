//! One session: the partitions that a client reads, in the order in which they are read, and what it was told last.

use std::collections::HashMap;
use std::sync::Arc;

use strandline_protocol::apis::fetch::FetchRequest;

use crate::api::fetch::wanted::{TopicKey, Wanted, WantedPartition};

/// The epoch that opens a session.
pub(super) const INITIAL_EPOCH: i32 = 0;

/// Which partition.
type Key = (Arc<TopicKey>, i32);

/// What a client is told of a partition, as far as it decides whether it is told again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::api::fetch) struct Told {
    pub(in crate::api::fetch) high_watermark: i64,
    pub(in crate::api::fetch) log_start_offset: i64,
    /// Records, an error, or where its log and this one part: it is told in any case.
    pub(in crate::api::fetch) has_records: bool,
    pub(in crate::api::fetch) is_error: bool,
    pub(in crate::api::fetch) is_diverging: bool,
}

/// A partition of a session.
#[derive(Debug)]
struct Cached {
    topic: Arc<TopicKey>,
    /// The places in it mean nothing here.
    wanted: WantedPartition,
    high_watermark: i64,
    log_start_offset: i64,
}

/// The partitions that a client reads.
#[derive(Debug)]
pub(in crate::api::fetch) struct Session {
    /// What the next request has to have.
    pub(super) epoch: i32,
    pub(super) uses_topic_ids: bool,
    topics: HashMap<TopicKey, (Arc<TopicKey>, usize)>,
    /// In the order in which they are read; those that moved or went leave holes.
    order: Vec<Option<Cached>>,
    places: HashMap<Key, usize>,
}

/// The epoch after this one.
pub(super) const fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        i32::MAX => 1,
        epoch => epoch + 1,
    }
}

impl Session {
    pub(super) fn new(uses_topic_ids: bool) -> Self {
        Self {
            epoch: next_epoch(INITIAL_EPOCH),
            uses_topic_ids,
            topics: HashMap::new(),
            order: Vec::new(),
            places: HashMap::new(),
        }
    }

    /// How many partitions there are.
    pub(in crate::api::fetch) fn len(&self) -> usize {
        self.places.len()
    }

    /// Takes in what a request names: new partitions come last, others keep their place.
    pub(super) fn update(&mut self, request: &FetchRequest) {
        for topic in &request.topics {
            let key = TopicKey { name: topic.topic.clone(), id: topic.topic_id };
            for partition in &topic.partitions {
                self.put(&key, WantedPartition::new(0, 0, partition));
            }
        }
        for topic in &request.forgotten_topics_data {
            let key = TopicKey { name: topic.topic.clone(), id: topic.topic_id };
            topic.partitions.iter().for_each(|partition| self.forget(&key, *partition));
        }
        self.close_holes();
    }

    /// Adds a partition, or changes what is wanted of it. Gives its place.
    pub(super) fn put(&mut self, topic: &TopicKey, wanted: WantedPartition) -> usize {
        let known = self.topics.get(topic).map(|(topic, _)| Arc::clone(topic));
        let topic = known.unwrap_or_else(|| Arc::new(topic.detached()));
        let key = (topic, wanted.partition);
        if let Some(place) = self.places.get(&key).copied()
            && let Some(Some(cached)) = self.order.get_mut(place)
        {
            cached.wanted = wanted;
            return place;
        }
        let topic = Arc::clone(&key.0);
        self.topics.entry((*topic).clone()).or_insert_with(|| (Arc::clone(&topic), 0)).1 += 1;
        let place = self.order.len();
        self.places.insert(key, place);
        self.order.push(Some(Cached { topic, wanted, high_watermark: -1, log_start_offset: -1 }));
        place
    }

    fn forget(&mut self, topic: &TopicKey, partition: i32) {
        let Some((topic, count)) = self.topics.get_mut(topic) else { return };
        let Some(place) = self.places.remove(&(Arc::clone(topic), partition)) else { return };
        *count -= 1;
        if *count == 0 {
            let topic = Arc::clone(topic);
            self.topics.remove(&topic);
        }
        self.order.get_mut(place).and_then(Option::take);
    }

    /// All that is wanted, in order. The places hold until the next request of the session.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::default();
        let mut last: Option<&Arc<TopicKey>> = None;
        wanted.partitions.reserve(self.len());
        for (place, cached) in self.order.iter().enumerate() {
            let Some(cached) = cached else { continue };
            if !last.is_some_and(|last| Arc::ptr_eq(last, &cached.topic)) {
                wanted.topics.push((*cached.topic).clone());
                last = Some(&cached.topic);
            }
            let topic = wanted.topics.len() - 1;
            wanted.partitions.push(WantedPartition { topic, place, ..cached.wanted });
        }
        wanted
    }

    /// Notes what a client is about to be told of a partition. Says whether there is any need to: records, errors,
    /// and offsets that are not what it was told last. Partitions with records go to the end, so that each has its
    /// turn.
    pub(super) fn tell(&mut self, place: usize, told: Told) -> bool {
        let Some(Some(cached)) = self.order.get_mut(place) else { return true };
        let is_news = told.has_records
            || told.is_error
            || told.is_diverging
            || cached.high_watermark != told.high_watermark
            || cached.log_start_offset != told.log_start_offset;
        // Once the error is gone, that is news.
        cached.high_watermark = if told.is_error { -1 } else { told.high_watermark };
        cached.log_start_offset = told.log_start_offset;
        if told.has_records {
            self.move_to_end(place);
        }
        is_news
    }

    fn move_to_end(&mut self, place: usize) {
        let Some(cached) = self.order.get_mut(place).and_then(Option::take) else { return };
        self.places.insert((Arc::clone(&cached.topic), cached.wanted.partition), self.order.len());
        self.order.push(Some(cached));
    }

    /// Holes are never more than what is left.
    pub(super) fn close_holes(&mut self) {
        if self.order.len() <= 2 * self.len() {
            return;
        }
        self.order.retain(Option::is_some);
        for (place, cached) in self.order.iter().enumerate() {
            let Some(cached) = cached else { continue };
            self.places.insert((Arc::clone(&cached.topic), cached.wanted.partition), place);
        }
    }
}
