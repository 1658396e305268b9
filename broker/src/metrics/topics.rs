//! What is counted of topics: a bounded number of them each by itself, the rest together.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strandline_protocol::{Text as Name, Uuid};

use super::IS_MEASURED;
use super::text::{Kind, Text, close_labels, push_label};

/// What those are called that have no name of their own here. No topic can be called so.
const OTHERS: &str = "*";

/// Threads count in so many places: it takes several times as long to change what another thread has just changed.
const PLACES: usize = 4;

thread_local! {
    /// Where this thread counts.
    static PLACE: usize = {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        THREADS.fetch_add(1, Ordering::Relaxed) % PLACES
    };
}

/// What went into a topic and came out of it.
#[derive(Debug, Default)]
pub struct TopicTally {
    places: [Counted; PLACES],
}

/// What some threads have counted, in a line of the processor's cache by itself.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Counted {
    received_bytes: AtomicU64,
    received_records: AtomicU64,
    sent_bytes: AtomicU64,
}

impl TopicTally {
    fn place(&self) -> Option<&Counted> {
        self.places.get(PLACE.with(|place| *place)).filter(|_| IS_MEASURED)
    }

    /// Batches were appended for producers.
    pub fn add_received(&self, bytes: u64, records: u64) {
        if let Some(place) = self.place() {
            place.received_bytes.fetch_add(bytes, Ordering::Relaxed);
            place.received_records.fetch_add(records, Ordering::Relaxed);
        }
    }

    /// Batches were found for consumers.
    pub fn add_sent(&self, bytes: u64) {
        if let Some(place) = self.place() {
            place.sent_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn sum(&self, part: Part) -> u64 {
        self.places.iter().map(|place| part(place).load(Ordering::Relaxed)).sum()
    }
}

#[derive(Debug, Default)]
struct Known {
    by_id: HashMap<Uuid, (Name, Arc<TopicTally>)>,
    others: Arc<TopicTally>,
}

/// What was counted of all topics.
#[derive(Debug, Default)]
pub struct TopicTallies {
    known: Mutex<Known>,
}

impl TopicTallies {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a topic is counted: by itself, unless there are so many already.
    pub fn of(&self, id: Uuid, name: &Name, topics_max: usize) -> Arc<TopicTally> {
        let mut known = self.known();
        if let Some((_, tally)) = known.by_id.get(&id) {
            return Arc::clone(tally);
        }
        if known.by_id.len() >= topics_max {
            return Arc::clone(&known.others);
        }
        let tally = Arc::<TopicTally>::default();
        known.by_id.insert(id, (name.detached(), Arc::clone(&tally)));
        tally
    }

    /// A topic is no more.
    pub fn remove(&self, id: Uuid) {
        self.known().by_id.remove(&id);
    }

    pub(super) fn write(&self, text: &mut Text) {
        let (mut tallies, others) = {
            let known = self.known();
            (known.by_id.values().cloned().collect::<Vec<_>>(), Arc::clone(&known.others))
        };
        tallies.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        tallies.push((Name::from_static(OTHERS), others));
        let labelled: Vec<_> = tallies
            .iter()
            .map(|(name, tally)| {
                let mut labels = String::new();
                push_label(&mut labels, "topic", name);
                close_labels(&mut labels);
                (labels, tally)
            })
            .collect();
        for (name, help, part) in FAMILIES {
            text.family(name, Kind::Counter, help);
            for (labels, tally) in &labelled {
                text.sample(name, labels, tally.sum(part));
            }
        }
    }
}

type Part = fn(&Counted) -> &AtomicU64;

const FAMILIES: [(&str, &str, Part); 3] = [
    (
        "strandline_topic_received_bytes_total",
        "Bytes of batches that producers appended, compressed as they came; topic \"*\" is all topics beyond \
         strandline.metrics.topics.",
        |counted| &counted.received_bytes,
    ),
    (
        "strandline_topic_received_records_total",
        "Records that producers appended; topic \"*\" as above.",
        |counted| &counted.received_records,
    ),
    (
        "strandline_topic_sent_bytes_total",
        "Bytes of batches that were sent to consumers; topic \"*\" as above.",
        |counted| &counted.sent_bytes,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_beyond_the_bound_are_counted_together() {
        let tallies = TopicTallies::default();
        for number in 0..5 {
            let name = Name::from(format!("t{number}"));
            tallies.of(Uuid([number; 16]), &name, 2).add_received(10, 1);
        }
        tallies.of(Uuid([1; 16]), &Name::from("t1"), 0).add_sent(7);
        let mut text = Text::default();
        tallies.write(&mut text);
        let text = text.into_string();
        for line in [
            "strandline_topic_received_bytes_total{topic=\"t1\"} 10",
            "strandline_topic_received_bytes_total{topic=\"*\"} 30",
            "strandline_topic_received_records_total{topic=\"*\"} 3",
            "strandline_topic_sent_bytes_total{topic=\"t1\"} 7",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in:\n{text}");
        }
        assert!(!text.contains("t3"), "{text}");
        tallies.remove(Uuid([0; 16]));
        tallies.of(Uuid([4; 16]), &Name::from("t4"), 2).add_sent(1);
        let mut text = Text::default();
        tallies.write(&mut text);
        let text = text.into_string();
        assert!(text.contains("topic=\"t4\"") && !text.contains("topic=\"t0\""), "{text}");
    }
}
