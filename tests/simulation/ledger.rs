//! The checker: what clients sent, were told and have read, and whether that can be so. It stands outside of the
//! broker and knows nothing of it but its answers.
//!
//! Every record has a value that no other has: its number. What is held against each other:
//!
//! - One offset has one record, whoever reads it and whenever; one record has one offset.
//! - What was acknowledged, and what anybody has read, is there in the end, after any number of deaths.
//! - Nothing is read that nobody sent there, or that was refused.
//! - The records of one sender have rising offsets in the order in which they were sent.
//! - High watermark and log start never go back; the log start goes no further than somebody asked.
//! - What was told to go offline acknowledges nothing any more.
//! - Of a log whose durability is left to the page cache, a power cut takes the end and nothing else.
//! - Of a log that is compacted, the last record of each key is there, and what a deletion deleted never comes back.

mod complete;
mod log;
mod names;
mod order;
mod record;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use strandline_protocol::{Text, Uuid};
use tokio::time::Instant;

use self::log::Log;
pub(crate) use self::names::Name;
use self::record::Sent;
pub(crate) use self::record::{Bytes, Content};
use crate::kinds::Kind;

/// A partition of a topic that once was.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) topic: Uuid,
    pub(crate) partition: i32,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}

/// Who sends records in an order of their own.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Sender {
    /// A producer that sends until it is answered, whatever happens to its connections.
    Idempotent(usize),
    /// A producer that sends once; its order is that of a connection.
    Once(u64),
}

/// What is known of a topic.
#[derive(Debug)]
struct Topic {
    name: Text,
    logs: Vec<Log>,
    /// So many partitions at most somebody asked for.
    partitions_asked: usize,
    /// Whether anybody has asked for it to go.
    is_ending: bool,
    is_gone: bool,
}

/// What was known of a partition at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    high_watermark: i64,
    log_start: i64,
    /// The last process that was up.
    process: u64,
}

/// What clients have been told and have seen.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    topics: BTreeMap<Uuid, Topic>,
    pub(crate) names: BTreeMap<Text, Name>,
    values: Vec<Sent>,
    process: u64,
    /// When a process lost its disk.
    offline: BTreeMap<u64, Instant>,
    producer_ids: BTreeSet<i64>,
}

type Verdict = Result<(), String>;

impl Ledger {
    /// A process is up.
    pub(crate) fn came_up(&mut self, process: u64) {
        self.process = process;
    }

    pub(crate) fn process(&self) -> u64 {
        self.process
    }

    pub(crate) fn went_offline(&mut self, process: u64) {
        self.offline.insert(process, Instant::now());
    }

    pub(crate) fn is_offline(&self, process: u64) -> bool {
        self.offline.contains_key(&process)
    }

    /// Whether a process had lost its disk when this was sent to it.
    pub(crate) fn was_offline(&self, process: u64, sent_at: Instant) -> bool {
        self.offline.get(&process).is_some_and(|offline| *offline < sent_at)
    }

    /// The power was cut: what need not last may be gone.
    pub(crate) fn power_cut(&mut self) {
        let process = self.process;
        for topic in self.topics.values_mut().filter(|topic| Kind::of(&topic.name) == Kind::Async) {
            topic.logs.iter_mut().for_each(|log| log.power_cut(process));
        }
        let (topics, values) = (&self.topics, &mut self.values);
        let is_async =
            |place: Place| topics.get(&place.topic).is_some_and(|topic| Kind::of(&topic.name) == Kind::Async);
        for sent in values.iter_mut().filter(|sent| is_async(sent.place)) {
            (sent.offset, sent.is_acknowledged) = (None, false);
        }
    }

    /// Whether the end of a log may have been lost at any time.
    pub(crate) fn was_cut(&self, place: Place) -> bool {
        self.known_log(place).is_some_and(Log::was_cut)
    }

    /// There is a topic with so many partitions.
    pub(crate) fn add_topic(&mut self, id: Uuid, name: Text, partitions: usize) -> Verdict {
        let topic =
            Topic { name, logs: Vec::new(), partitions_asked: partitions, is_ending: false, is_gone: false };
        let known = self.topics.entry(id).or_insert(topic);
        if known.is_gone {
            return Err(format!("topic {id} has gone, and is there again"));
        }
        if partitions < known.logs.len() || partitions > known.partitions_asked {
            let (were, asked) = (known.logs.len(), known.partitions_asked);
            return Err(format!("topic {id} had {were} partitions, {asked} were asked, it has {partitions}"));
        }
        known.logs.resize_with(partitions, Log::default);
        Ok(())
    }

    /// Somebody is about to ask for a topic to have so many partitions.
    pub(crate) fn ask_partitions(&mut self, id: Uuid, partitions: usize) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.partitions_asked = topic.partitions_asked.max(partitions);
        }
    }

    /// How many partitions a topic is known to have, and may have.
    pub(crate) fn partitions(&self, id: Uuid) -> (usize, usize) {
        self.topics.get(&id).map_or((0, 0), |topic| (topic.logs.len(), topic.partitions_asked))
    }

    /// Somebody is about to ask for a topic to go.
    pub(crate) fn ending(&mut self, id: Uuid) {
        self.topics.get_mut(&id).into_iter().for_each(|topic| topic.is_ending = true);
    }

    /// A topic is gone.
    pub(crate) fn gone(&mut self, id: Uuid) {
        self.topics
            .get_mut(&id)
            .into_iter()
            .for_each(|topic| (topic.is_ending, topic.is_gone) = (true, true));
    }

    /// Whether nobody has asked for a topic to go.
    pub(crate) fn is_live(&self, id: Uuid) -> bool {
        self.topics.get(&id).is_some_and(|topic| !topic.is_ending)
    }

    /// All partitions of topics that nobody has asked to go.
    pub(crate) fn live_places(&self) -> Vec<Place> {
        let live = self.topics.iter().filter(|(_, topic)| !topic.is_ending);
        let places = live.flat_map(|(id, topic)| {
            (0..).zip(&topic.logs).map(|(partition, _)| Place { topic: *id, partition })
        });
        places.collect()
    }

    pub(crate) fn name(&self, id: Uuid) -> Text {
        self.topics.get(&id).map(|topic| topic.name.clone()).unwrap_or_default()
    }

    /// How a topic is kept.
    pub(crate) fn kind(&self, id: Uuid) -> Kind {
        self.topics.get(&id).map_or(Kind::Plain, |topic| Kind::of(&topic.name))
    }

    /// Whether a partition may be among the logs of a broker.
    pub(crate) fn may_have_log(&self, place: Place) -> bool {
        self.topics.get(&place.topic).is_none_or(|topic| {
            !topic.is_gone
                && usize::try_from(place.partition).is_ok_and(|index| index < topic.partitions_asked)
        })
    }

    fn log(&mut self, place: Place) -> Result<&mut Log, String> {
        let log = self
            .topics
            .get_mut(&place.topic)
            .and_then(|topic| topic.logs.get_mut(usize::try_from(place.partition).ok()?));
        log.ok_or_else(|| format!("{place} is none that there ever was"))
    }

    fn known_log(&self, place: Place) -> Option<&Log> {
        self.topics.get(&place.topic)?.logs.get(usize::try_from(place.partition).ok()?)
    }

    /// What is known of a partition by now.
    pub(crate) fn known(&self, place: Place) -> Known {
        self.known_log(place).map_or(Known::default(), |log| log.known(self.process))
    }

    /// How far somebody may have asked for the beginning of a log to go.
    pub(crate) fn start_asked(&self, place: Place) -> i64 {
        self.known_log(place).map_or(0, |log| log.start_asked)
    }

    /// An offset that is known to have been in a partition.
    pub(crate) fn end(&self, place: Place) -> i64 {
        self.known(place).high_watermark
    }

    /// Somebody is about to ask for everything before an offset to go.
    pub(crate) fn ask_start(&mut self, place: Place, offset: i64) -> Verdict {
        let log = self.log(place)?;
        log.start_asked = log.start_asked.max(offset);
        Ok(())
    }

    /// A producer got an id.
    pub(crate) fn producer_id(&mut self, id: i64) -> Verdict {
        if self.producer_ids.insert(id) { Ok(()) } else { Err(format!("producer id {id} is given twice")) }
    }

    /// Records that are about to be sent: their numbers.
    pub(crate) fn send(&mut self, place: Place, sender: Sender, contents: &[Content]) -> Range<u64> {
        let first = self.values.len() as u64;
        self.values.extend(contents.iter().map(|content| Sent::new(place, sender, *content)));
        first..self.values.len() as u64
    }

    /// Records are about to be sent to whatever topic has that name.
    pub(crate) fn send_by_name(&mut self, numbers: Range<u64>) {
        for number in numbers {
            self.sent(number).into_iter().for_each(|sent| sent.is_by_name = true);
        }
    }

    /// The bytes of a record that was sent.
    pub(crate) fn bytes(&self, number: u64) -> Option<Bytes> {
        let sent = self.values.get(usize::try_from(number).ok()?)?;
        Some(sent.content.to_bytes(number))
    }

    /// Records were acknowledged by a process; an offset of -1 says nothing of where they are.
    pub(crate) fn acknowledge(&mut self, process: u64, numbers: Range<u64>, base_offset: i64) -> Verdict {
        for (number, offset) in numbers.zip(base_offset..) {
            let place = self.sent(number)?.place;
            if self.log(place)?.is_stale(process) {
                continue;
            }
            self.sent(number)?.is_acknowledged = true;
            if base_offset >= 0 {
                self.put(place, offset, number)?;
                let log = self.log(place)?;
                log.high_watermark = log.high_watermark.max(offset + 1);
            }
        }
        Ok(())
    }

    /// Records were refused, for good.
    pub(crate) fn refuse(&mut self, numbers: Range<u64>) -> Verdict {
        for number in numbers {
            let sent = self.sent(number)?;
            sent.is_refused = true;
            if sent.offset.is_some() {
                return Err(format!("{number} is refused, and there: {sent:?}"));
            }
        }
        Ok(())
    }

    fn sent(&mut self, number: u64) -> Result<&mut Sent, String> {
        let sent = usize::try_from(number).ok().and_then(|number| self.values.get_mut(number));
        sent.ok_or_else(|| format!("record {number} was never sent"))
    }

    /// A record was read from a process.
    pub(crate) fn read(&mut self, place: Place, process: u64, offset: i64, bytes: &Bytes) -> Verdict {
        let number = bytes.number().ok_or_else(|| format!("{place} has a value of nobody at {offset}"))?;
        let sent = *self.sent(number)?;
        if sent.place != place && sent.may_have_come(place, |place| self.name(place.topic)) {
            self.sent(number)?.place = place;
        } else if sent.place != place {
            return Err(format!(
                "record {number} was sent to {:?} and is read in {place} at {offset}",
                sent.place
            ));
        }
        if sent.is_refused {
            return Err(format!("record {number} was refused and is read in {place} at {offset}"));
        }
        if self.bytes(number).as_ref() != Some(bytes) {
            return Err(format!("record {number} is read with other bytes in {place} at {offset}"));
        }
        if self.log(place)?.is_stale(process) { Ok(()) } else { self.put(place, offset, number) }
    }

    /// Somebody who read a record before goes on behind it, and was not told that it has gone.
    pub(crate) fn stands(&mut self, place: Place, process: u64, offset: i64, number: u64) -> Verdict {
        if self.log(place)?.is_stale(process) { Ok(()) } else { self.put(place, offset, number) }
    }

    /// A record is at an offset, and with it whatever was in doubt before it.
    fn put(&mut self, place: Place, offset: i64, number: u64) -> Verdict {
        for (offset, number) in self.log(place)?.settle(offset, number) {
            self.place(place, offset, number)?;
        }
        self.place(place, offset, number)
    }

    fn place(&mut self, place: Place, offset: i64, number: u64) -> Verdict {
        let sent = self.sent(number)?;
        let before = *sent.offset.get_or_insert(offset);
        if before != offset {
            return Err(format!("record {number} of {place} is at {before} and at {offset}"));
        }
        let sender = sent.sender;
        let log = self.log(place)?;
        let before = *log.records.entry(offset).or_insert(number);
        if before != number {
            return Err(format!("{place} has records {before} and {number} at {offset}"));
        }
        log.orders.put(sender, offset, number).map_err(|what| format!("{place}: {what}"))
    }

    /// What a process says of a partition, when so much was known as it was asked.
    pub(crate) fn told(
        &mut self,
        place: Place,
        process: u64,
        known: Known,
        high_watermark: Option<i64>,
        log_start: Option<i64>,
    ) -> Verdict {
        let log = self.log(place)?;
        if log.is_stale(process) {
            return Ok(());
        }
        log.told(known, high_watermark, log_start).map_err(|what| format!("{place}: {what}"))
    }

    /// How many records were sent, and how many acknowledged.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.values.len(), self.values.iter().filter(|sent| sent.is_acknowledged).count())
    }
}
