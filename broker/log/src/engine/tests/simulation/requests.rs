//! What is asked: mostly what a broker would, and now and then something that is wrong.

use std::sync::Arc;

use bytes::Bytes;
use strandline_protocol::Compression;

use super::super::super::{Command, NewBatch, Rejected, Replies, Request};
use super::super::Answers;
use super::batch::{Batch, Content, Record, marker};
use super::model::{Ask, Partition, Sent};
use super::setup::config;
use super::{Simulation, Violation};
use crate::clock::Clock;
use crate::local_id::LocalId;
use crate::producers::Sender;

const PARTITIONS_MAX: usize = 5;

impl std::fmt::Display for Ask {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Append(batch) => write!(
                formatter,
                "{:?} appends {} to {}, {} bytes, epoch {}, producer {:?}, marker {:?}",
                batch.sender,
                batch.base_offset,
                batch.last_offset,
                batch.bytes.len(),
                batch.leader_epoch,
                (batch.header.producer_id, batch.header.producer_epoch, batch.header.base_sequence),
                batch.marker
            ),
            other => write!(formatter, "{other:?}"),
        }
    }
}

impl Simulation {
    pub(super) fn send(&mut self) -> Result<(), Violation> {
        let known = self.model.known();
        let alive = self.model.partitions.values().filter(|one| !one.latest.is_deleted).count();
        let creates = alive < 2 || (alive < PARTITIONS_MAX && self.random.one_in(20));
        if creates || known.is_empty() {
            if alive < PARTITIONS_MAX {
                self.last_number += 1;
                let config = config(&mut self.random);
                self.model.partitions.insert(self.last_number, Partition::new(&config));
                self.leave(self.last_number, Ask::Create(config));
            }
            return Ok(());
        }
        let number = known[self.random.index(known.len())];
        let kind = self.random.below(100);
        let ask = match kind {
            0..=74 => match self.batch(number) {
                Some(batch) => Ask::Append(batch),
                None => return Ok(()),
            },
            75..=79 => Ask::Truncate(self.offset_to_cut(number)),
            80..=83 => Ask::SetStart(self.offset_near(number)),
            84..=92 => Ask::SetHighWatermark(self.offset_near(number)),
            93..=96 => Ask::Configure(config(&mut self.random)),
            97 if self.random.one_in(2) => Ask::Delete,
            _ => return Ok(()),
        };
        self.leave(number, ask);
        Ok(())
    }

    fn leave(&mut self, number: u64, ask: Ask) {
        self.last_ticket += 1;
        let ticket = self.last_ticket;
        let partition = self.model.partitions.get(&number).and_then(|one| one.id).unwrap_or(LocalId(0));
        let command = match &ask {
            Ask::Create(config) => {
                let description = Bytes::copy_from_slice(&number.to_le_bytes());
                Command::Create { description, config: Arc::clone(config) }
            }
            Ask::Configure(config) => Command::Configure { partition, config: Arc::clone(config) },
            Ask::Append(batch) => Command::Append {
                partition,
                leader_epoch: batch.leader_epoch,
                sender: batch.sender,
                batch: NewBatch::validated(batch.bytes.clone()).unwrap(),
            },
            Ask::Truncate(end_offset) => Command::Truncate { partition, end_offset: *end_offset },
            Ask::SetStart(start_offset) => Command::SetLogStart { partition, start_offset: *start_offset },
            Ask::SetHighWatermark(offset) => Command::SetHighWatermark { partition, offset: *offset },
            Ask::Delete => Command::Delete { partition },
        };
        let replies: Arc<dyn Replies> = Arc::<Answers>::clone(&self.answers);
        match self.writer().mailbox().try_send(Request { command, ticket, replies }) {
            Ok(()) => self.sent.push_back(Sent { ticket, number, ask }),
            Err(_) if matches!(ask, Ask::Create(_)) => drop(self.model.partitions.remove(&number)),
            Err(Rejected::Full(request)) => {
                self.reach("full mailbox");
                self.send_later(*request, Sent { ticket, number, ask });
            }
            Err(Rejected::Closed(_)) => {}
        }
    }

    /// Somewhere in the log, mostly near its end, and now and then beyond.
    pub(super) fn offset_near(&mut self, number: u64) -> i64 {
        let log = &self.model.partitions[&number].latest;
        let (start, end) = (log.start, log.end);
        let length = u64::try_from(end - start).unwrap_or(0);
        let back = match self.random.below(4) {
            0 => self.random.below(length + 1),
            _ => self.random.below(length.min(20) + 1),
        };
        let beyond = if self.random.one_in(12) { 3 } else { 0 };
        end - i64::try_from(back).unwrap() + beyond
    }

    /// What compaction may have counted on is seldom cut off: a broker cuts nothing off that is replicated, unless
    /// somebody tells it to.
    fn offset_to_cut(&mut self, number: u64) -> i64 {
        let offset = self.offset_near(number);
        let partition = &self.model.partitions[&number];
        let stable = partition.latest.bound.max(partition.last_stable().1);
        if partition.latest.compacted && !self.random.one_in(3) { offset.max(stable) } else { offset }
    }

    fn batch(&mut self, number: u64) -> Option<Batch> {
        let latest = &self.model.partitions[&number].latest;
        let (end, is_fuzzy, epoch) = (latest.end, latest.is_fuzzy, latest.latest_epoch());
        let leader_epoch = match self.random.below(40) {
            0 => -1,
            1 => epoch - 1,
            2 | 3 => epoch + 1,
            _ => epoch.max(0),
        };
        let again = self.recent.iter().filter(|(of, _)| *of == number).count();
        let now_ms = self.clock.wall_ms();
        let kind = self.random.below(100);
        let (bytes, sender) = match kind {
            0..=11 if again > 0 && !is_fuzzy => {
                let place = self.random.index(again);
                let (_, bytes) = self.recent.iter().filter(|(of, _)| *of == number).nth(place)?;
                (bytes.clone(), Sender::Client)
            }
            0..=49 => (self.plain(number).build(), Sender::Client),
            50..=86 => {
                let content = self.of_producer(number, is_fuzzy)?;
                let sent = content.build();
                (sent, Sender::Client)
            }
            87..=90 => {
                let place = (end + i64::from(self.random.one_in(3)) * 2, epoch.max(0));
                let content = Content { place: Some(place), ..self.plain(number) };
                self.reach("batch of a leader");
                (content.build(), Sender::Leader)
            }
            _ => (self.marker_of(number)?, Sender::Coordinator),
        };
        if (50..=86).contains(&kind) {
            self.recent.push_back((number, bytes.clone()));
            if self.recent.len() > 24 {
                self.recent.pop_front();
            }
        }
        Some(Batch::sent(bytes, sender, leader_epoch, now_ms))
    }

    fn plain(&mut self, number: u64) -> Content {
        let compacts = self.model.partitions[&number].latest.compacted;
        let now_ms = self.clock.wall_ms();
        let count = 1 + self.random.below(4);
        let length = match self.random.below(30) {
            0 => 5_500,
            1..=4 => 900,
            _ => 250,
        };
        let mut records = Vec::new();
        for _ in 0..count {
            self.last_value += 1;
            let has_key = compacts || self.random.one_in(2);
            let key =
                (has_key && !self.random.one_in(20)).then(|| self.random.below(6).to_le_bytes().to_vec());
            let is_tombstone = key.is_some() && self.random.one_in(6);
            let mut value = self.last_value.to_le_bytes().to_vec();
            value.resize(8 + self.random.index(length / usize::try_from(count).unwrap()), value[0]);
            let timestamp = match self.random.below(40) {
                0 => 0,
                1 => now_ms + 7_200_000,
                _ => now_ms - i64::try_from(self.random.below(2_000)).unwrap(),
            };
            let value = (!is_tombstone).then_some(value);
            records.push(Record { offset: 0, timestamp, key, value });
        }
        let compression = self.compression();
        Content { records, compression, ..Content::default() }
    }

    fn compression(&mut self) -> Compression {
        if !self.random.one_in(8) {
            return Compression::None;
        }
        self.reach("compressed batch");
        [Compression::Gzip, Compression::Snappy, Compression::Lz4, Compression::Zstd][self.random.index(4)]
    }

    /// The next batch of a producer, or one that is wrong.
    fn of_producer(&mut self, number: u64, is_fuzzy: bool) -> Option<Content> {
        let id = i64::try_from(self.random.below(4)).unwrap();
        let producers = &self.model.partitions[&number].latest.producers;
        let (known, is_open) = (producers.next(id), producers.is_open(id));
        // What was sent before, and is not staged yet, comes first.
        let has_sent = self.sent.iter().any(|sent| sent.number == number);
        let shadow = self.sequences.get(&(number, id)).copied().filter(|_| has_sent);
        let (mut epoch, mut sequence) = shadow.or(known).unwrap_or((0, 0));
        let content = self.plain(number);
        if !is_fuzzy {
            match self.random.below(30) {
                0 => sequence = sequence.wrapping_add(3) & i32::MAX,
                1 => epoch = (epoch - 1).max(0),
                2 => (epoch, sequence) = (epoch + 1, 0),
                3 if known.is_none() && shadow.is_none() => sequence = i32::MAX - 1,
                _ => {}
            }
        }
        let next =
            (i64::from(sequence) & i64::from(i32::MAX)) + i64::try_from(content.records.len()).unwrap();
        let next = i32::try_from(next & i64::from(i32::MAX)).unwrap();
        self.sequences.insert((number, id), (epoch, next));
        // A producer that has an id which is odd is one with transactions.
        let is_transactional = if is_open { !self.random.one_in(20) } else { id % 2 == 1 };
        Some(Content { producer: Some((id, epoch, sequence)), is_transactional, ..content })
    }

    fn marker_of(&mut self, number: u64) -> Option<Bytes> {
        let id = [1, 3][self.random.index(2)];
        let producers = &self.model.partitions[&number].latest.producers;
        let (epoch, _) = producers.next(id).filter(|_| producers.is_open(id) || self.random.one_in(8))?;
        let epoch = epoch + i16::from(self.random.one_in(4));
        let coordinator_epoch = i32::from(!self.random.one_in(12));
        let is_abort = self.random.one_in(2);
        self.reach(if is_abort { "abort" } else { "commit" });
        Some(marker(self.clock.wall_ms(), (id, epoch), coordinator_epoch, is_abort, None))
    }
}
