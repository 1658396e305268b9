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

mod names;
mod order;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;

use strandline_protocol::{Text, Uuid};
use tokio::time::Instant;

pub(crate) use self::names::Name;
use self::order::Orders;

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

/// A record that was sent.
#[derive(Clone, Copy, Debug)]
struct Sent {
    place: Place,
    sender: Sender,
    bytes: usize,
    offset: Option<i64>,
    is_acknowledged: bool,
    is_refused: bool,
    /// Whether it may have come to another topic of the same name.
    is_by_name: bool,
}

/// What is known of a partition.
#[derive(Debug, Default)]
struct Log {
    records: BTreeMap<i64, u64>,
    orders: Orders,
    high_watermark: i64,
    log_start: i64,
    /// So far at most somebody asked for the beginning to go.
    start_asked: i64,
}

/// What is known of a topic.
#[derive(Debug)]
struct Topic {
    name: Text,
    logs: Vec<Log>,
    /// Whether anybody has asked for it to go.
    is_ending: bool,
    is_gone: bool,
}

/// What was known of a partition at some time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Known {
    high_watermark: i64,
    log_start: i64,
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

    /// There is a topic.
    pub(crate) fn add_topic(&mut self, id: Uuid, name: Text, partitions: usize) -> Verdict {
        let logs = (0..partitions).map(|_| Log::default()).collect();
        let topic = Topic { name, logs, is_ending: false, is_gone: false };
        let known = self.topics.entry(id).or_insert(topic);
        if known.is_gone { Err(format!("topic {id} has gone, and is there again")) } else { Ok(()) }
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

    /// Whether a partition may be among the logs of a broker.
    pub(crate) fn may_have_log(&self, place: Place) -> bool {
        self.topics.get(&place.topic).is_none_or(|topic| {
            !topic.is_gone && usize::try_from(place.partition).is_ok_and(|index| index < topic.logs.len())
        })
    }

    fn log(&mut self, place: Place) -> Result<&mut Log, String> {
        let log = self
            .topics
            .get_mut(&place.topic)
            .and_then(|topic| topic.logs.get_mut(usize::try_from(place.partition).ok()?));
        log.ok_or_else(|| format!("{place} is none that there ever was"))
    }

    /// What is known of a partition by now.
    pub(crate) fn known(&self, place: Place) -> Known {
        let topic = self.topics.get(&place.topic);
        let log = topic.and_then(|topic| topic.logs.get(usize::try_from(place.partition).ok()?));
        log.map_or(Known::default(), |log| Known {
            high_watermark: log.high_watermark,
            log_start: log.log_start,
        })
    }

    /// How far somebody may have asked for the beginning of a log to go.
    pub(crate) fn start_asked(&self, place: Place) -> i64 {
        let topic = self.topics.get(&place.topic);
        let log = topic.and_then(|topic| topic.logs.get(usize::try_from(place.partition).ok()?));
        log.map_or(0, |log| log.start_asked)
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
    pub(crate) fn send(&mut self, place: Place, sender: Sender, sizes: &[usize]) -> Range<u64> {
        let first = self.values.len() as u64;
        self.values.extend(sizes.iter().map(|bytes| Sent {
            place,
            sender,
            bytes: *bytes,
            offset: None,
            is_acknowledged: false,
            is_refused: false,
            is_by_name: false,
        }));
        first..self.values.len() as u64
    }

    /// Records are about to be sent to whatever topic has that name.
    pub(crate) fn send_by_name(&mut self, numbers: Range<u64>) {
        for number in numbers {
            self.sent(number).into_iter().for_each(|sent| sent.is_by_name = true);
        }
    }

    /// The value of a record that was sent.
    pub(crate) fn value(&self, number: u64) -> Option<Vec<u8>> {
        let sent = self.values.get(usize::try_from(number).ok()?)?;
        let mut value = number.to_be_bytes().to_vec();
        value.resize(8 + sent.bytes, number.to_le_bytes()[0]);
        Some(value)
    }

    /// Records were acknowledged; an offset of -1 says nothing of where they are.
    pub(crate) fn acknowledge(&mut self, numbers: Range<u64>, base_offset: i64) -> Verdict {
        for (number, offset) in numbers.zip(base_offset..) {
            let sent = self.sent(number)?;
            sent.is_acknowledged = true;
            let place = sent.place;
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

    /// A record was read.
    pub(crate) fn read(&mut self, place: Place, offset: i64, value: &[u8]) -> Verdict {
        let number = value.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        let number = number.ok_or_else(|| format!("{place} has a value of nobody at {offset}"))?;
        let sent = *self.sent(number)?;
        if sent.place != place && self.may_have_come(sent, place) {
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
        if self.value(number).as_deref() != Some(value) {
            return Err(format!("record {number} is read with other bytes in {place} at {offset}"));
        }
        self.put(place, offset, number)
    }

    /// Whether a record may be in another topic of the name that it was sent to.
    fn may_have_come(&self, sent: Sent, place: Place) -> bool {
        sent.is_by_name
            && !sent.is_acknowledged
            && sent.offset.is_none()
            && sent.place.partition == place.partition
            && self.name(sent.place.topic) == self.name(place.topic)
    }

    /// A record is at an offset.
    fn put(&mut self, place: Place, offset: i64, number: u64) -> Verdict {
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

    /// What an answer says of a partition, when so much was known as it was asked.
    pub(crate) fn told(
        &mut self,
        place: Place,
        known: Known,
        high_watermark: Option<i64>,
        log_start: Option<i64>,
    ) -> Verdict {
        let log = self.log(place)?;
        if let Some(told) = high_watermark {
            if told < known.high_watermark {
                return Err(format!("{place}: high watermark {told} after {}", known.high_watermark));
            }
            log.high_watermark = log.high_watermark.max(told);
        }
        if let Some(told) = log_start {
            if told < known.log_start {
                return Err(format!("{place}: log start {told} after {}", known.log_start));
            }
            if told > log.start_asked {
                return Err(format!("{place}: log start {told}, and only {} was asked", log.start_asked));
            }
            log.log_start = log.log_start.max(told);
        }
        Ok(())
    }

    /// All of a partition was read, from its start to its high watermark: what has to be there is.
    pub(crate) fn complete(&self, place: Place, start: i64, found: &BTreeMap<i64, u64>) -> Verdict {
        let log = self
            .topics
            .get(&place.topic)
            .and_then(|topic| topic.logs.get(usize::try_from(place.partition).ok()?));
        let log = log.ok_or_else(|| format!("{place} is none that there ever was"))?;
        for (offset, number) in log.records.range(start..) {
            if found.get(offset) != Some(number) {
                let sent = &self.values[usize::try_from(*number).unwrap()];
                let how = if sent.is_acknowledged { "was acknowledged" } else { "was read" };
                return Err(format!("record {number} {how} in {place} at {offset}, and is not there"));
            }
        }
        let missing = self
            .values
            .iter()
            .enumerate()
            .find(|(_, sent)| sent.place == place && sent.is_acknowledged && sent.offset.is_none());
        match missing {
            Some((number, _)) => Err(format!("record {number} of {place} was acknowledged, and is nowhere")),
            None => Ok(()),
        }
    }

    /// How many records were sent, and how many acknowledged.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.values.len(), self.values.iter().filter(|sent| sent.is_acknowledged).count())
    }
}
