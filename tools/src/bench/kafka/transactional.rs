//! A transactional producer: begins, writes, ends, and begins again. Owns what it asks and how it goes on after each
//! answer; the connections are lent to it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;
use strandline_protocol::apis::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnTopic};
use strandline_protocol::apis::end_txn::EndTxnRequest;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchBuilder, BatchHeader, BatchView, HEADER_BYTES, NewRecord};
use strandline_protocol::{ErrorCode, Piece, Records, Retry, Text, Uuid};

use super::links::{Links, answer};
use super::produce::PRODUCE_BY_NAME;
use super::target::{Leader, Prepared};
use crate::cluster::Failure;

/// The last versions of what clients of the first kind of transactions send.
const PRODUCE_OF_FIRST: i16 = 11;
const END_OF_FIRST: i16 = 4;

/// The last version in which a client says for itself what it writes to.
const ADD_OF_CLIENTS: i16 = 3;

const TIMEOUT_MS: i32 = 60_000;

/// What every transaction writes to each of its partitions.
pub(super) struct Content {
    topic: Text,
    topic_id: Uuid,
    header: BatchHeader,
    body: Bytes,
    records: i32,
    commits: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Versions {
    init: i16,
    /// Only where partitions are announced.
    add: Option<i16>,
    end: i16,
}

/// A partition that the producer writes to.
pub(super) struct Part {
    partition: i32,
    place: usize,
    version: i16,
    sequence: i32,
    written: bool,
    under_way: bool,
}

pub(super) struct Producer {
    name: Text,
    place: usize,
    versions: Versions,
    id: i64,
    epoch: i16,
    parts: Vec<Part>,
    state: State,
    since: Instant,
    rests_until: Option<Instant>,
    /// The connection, what was asked and the correlation id, in the order in which it was asked.
    asked: VecDeque<(usize, Asked, i32)>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum State {
    Nameless,
    Idle,
    Announcing,
    Writing,
    Ending,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Asked {
    Init,
    Add,
    /// In this version.
    Produce(i16),
    End,
}

/// What an answer came to.
pub(super) enum Step {
    /// It has to be asked once more.
    Again,
    On,
    /// The transaction that began then is over.
    Over {
        since: Instant,
    },
}

impl Content {
    /// Batches of so many records of so many bytes.
    pub(super) fn new(prepared: &Prepared, sizes: (u32, usize), commits: bool) -> Result<Self, Failure> {
        Self::of(prepared.topic.name.as_str().into(), prepared.topic.id, sizes, commits)
    }

    fn of(
        topic: Text,
        topic_id: Uuid,
        (records, record_bytes): (u32, usize),
        commits: bool,
    ) -> Result<Self, Failure> {
        let usage = |error: String| Failure::Usage(format!("the batch cannot be built: {error}"));
        let mut builder = BatchBuilder::new().producer(0, 0, 0).transactional(true);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let timestamp = i64::try_from(now.as_millis()).unwrap_or(0);
        for number in 0..records {
            let letter = b'A' + u8::try_from(number % 26).unwrap_or(0);
            let value = vec![letter; record_bytes];
            let record = NewRecord { value: Some(&value), ..NewRecord::at(timestamp) };
            builder.append(&record).map_err(|error| usage(error.to_string()))?;
        }
        let bytes = builder.build().map_err(|error| usage(error.to_string()))?;
        let header = *BatchView::parse(&bytes).map_err(|error| usage(error.to_string()))?.header();
        Ok(Self {
            topic,
            topic_id,
            header,
            body: bytes.slice(HEADER_BYTES..),
            records: i32::try_from(records).unwrap_or(i32::MAX),
            commits,
        })
    }

    fn batch(&self, id: i64, epoch: i16, sequence: i32) -> Records {
        let mut header = self.header;
        header.set_producer(id, epoch, sequence);
        let header = Bytes::copy_from_slice(&header.encode());
        Records::from(vec![Piece::Slice(header), Piece::Slice(self.body.clone())])
    }
}

impl Versions {
    pub(super) fn of(coordinator: &Leader, transaction_version: i16) -> Result<Self, Failure> {
        let is_first = transaction_version < 2;
        let add = || coordinator.version::<AddPartitionsToTxnRequest>(ADD_OF_CLIENTS);
        Ok(Self {
            init: coordinator.version::<InitProducerIdRequest>(i16::MAX)?,
            add: if is_first { Some(add()?) } else { None },
            end: coordinator.version::<EndTxnRequest>(if is_first { END_OF_FIRST } else { i16::MAX })?,
        })
    }

    pub(super) fn produce(leader: &Leader, transaction_version: i16, by_name: bool) -> Result<i16, Failure> {
        let last = if by_name { PRODUCE_BY_NAME } else { i16::MAX };
        leader.version::<ProduceRequest>(if transaction_version < 2 { PRODUCE_OF_FIRST } else { last })
    }
}

impl Part {
    pub(super) const fn new(partition: i32, place: usize, version: i16) -> Self {
        Self { partition, place, version, sequence: 0, written: false, under_way: false }
    }
}

impl Producer {
    pub(super) fn new(name: &str, place: usize, versions: Versions, parts: Vec<Part>) -> Self {
        Self {
            name: name.into(),
            place,
            versions,
            id: -1,
            epoch: -1,
            parts,
            state: State::Nameless,
            since: Instant::now(),
            rests_until: None,
            asked: VecDeque::new(),
        }
    }

    /// Whether it is in a transaction.
    pub(super) const fn is_busy(&self) -> bool {
        matches!(self.state, State::Announcing | State::Writing | State::Ending)
    }

    /// Whether it has its id, without which it begins nothing.
    pub(super) fn is_named(&self) -> bool {
        self.state != State::Nameless
    }

    pub(super) const fn rests_until(&self) -> Option<Instant> {
        self.rests_until
    }

    /// Asks what is next, unless it waits for something.
    pub(super) fn go_on(
        &mut self,
        now: Instant,
        content: &Content,
        links: &mut Links,
    ) -> Result<(), Failure> {
        if self.rests_until.is_some_and(|until| until > now) {
            return Ok(());
        }
        self.rests_until = None;
        if self.state == State::Idle {
            self.since = now;
            self.state = if self.versions.add.is_some() { State::Announcing } else { State::Writing };
        }
        if self.state == State::Writing {
            return self.write(content, links);
        }
        if !self.asked.is_empty() {
            return Ok(());
        }
        match self.state {
            State::Nameless => self.init(links),
            State::Announcing => self.announce(content, links),
            State::Ending => self.end(content, links),
            State::Idle | State::Writing => Ok(()),
        }
    }

    fn init(&mut self, links: &mut Links) -> Result<(), Failure> {
        let request = InitProducerIdRequest {
            transactional_id: Some(self.name.clone()),
            transaction_timeout_ms: TIMEOUT_MS,
            ..Default::default()
        };
        let correlation_id = links.submit(self.place, &request, self.versions.init)?;
        self.asked.push_back((self.place, Asked::Init, correlation_id));
        Ok(())
    }

    fn announce(&mut self, content: &Content, links: &mut Links) -> Result<(), Failure> {
        let topic = AddPartitionsToTxnTopic {
            name: content.topic.clone(),
            partitions: self.parts.iter().map(|part| part.partition).collect(),
            ..Default::default()
        };
        let request = AddPartitionsToTxnRequest {
            v3_and_below_transactional_id: self.name.clone(),
            v3_and_below_producer_id: self.id,
            v3_and_below_producer_epoch: self.epoch,
            v3_and_below_topics: vec![topic],
            ..Default::default()
        };
        let version = self.versions.add.unwrap_or(ADD_OF_CLIENTS);
        let correlation_id = links.submit(self.place, &request, version)?;
        self.asked.push_back((self.place, Asked::Add, correlation_id));
        Ok(())
    }

    /// Writes to each partition that has not been written to, one request to each leader.
    fn write(&mut self, content: &Content, links: &mut Links) -> Result<(), Failure> {
        while let Some((place, version)) = self
            .parts
            .iter()
            .find(|part| !part.written && !part.under_way)
            .map(|part| (part.place, part.version))
        {
            let mut partition_data = Vec::new();
            for part in &mut self.parts {
                if part.place == place && !part.written && !part.under_way {
                    part.under_way = true;
                    let records = Some(content.batch(self.id, self.epoch, part.sequence));
                    partition_data.push(PartitionProduceData {
                        index: part.partition,
                        records,
                        ..Default::default()
                    });
                }
            }
            let topic = TopicProduceData {
                name: content.topic.clone(),
                topic_id: content.topic_id,
                partition_data,
                ..Default::default()
            };
            let request = ProduceRequest {
                transactional_id: Some(self.name.clone()),
                acks: -1,
                timeout_ms: 30_000,
                topic_data: vec![topic],
                ..Default::default()
            };
            let correlation_id = links.submit(place, &request, version)?;
            self.asked.push_back((place, Asked::Produce(version), correlation_id));
        }
        Ok(())
    }

    fn end(&mut self, content: &Content, links: &mut Links) -> Result<(), Failure> {
        let request = EndTxnRequest {
            transactional_id: self.name.clone(),
            producer_id: self.id,
            producer_epoch: self.epoch,
            committed: content.commits,
            ..Default::default()
        };
        // What was written counts from here on.
        for part in &mut self.parts {
            if part.written {
                part.written = false;
                part.sequence = part.sequence.wrapping_add(content.records) & i32::MAX;
            }
        }
        let correlation_id = links.submit(self.place, &request, self.versions.end)?;
        self.asked.push_back((self.place, Asked::End, correlation_id));
        Ok(())
    }

    /// Takes an answer that came on the connection at this place.
    pub(super) fn take(&mut self, place: usize, bytes: Bytes, backoff: Duration) -> Result<Step, Failure> {
        let at = self.asked.iter().position(|(asked, _, _)| *asked == place);
        let Some((_, asked, expected)) = at.and_then(|at| self.asked.remove(at)) else {
            return Err(Failure::Refused("an answer that was not asked".to_owned()));
        };
        let code = match asked {
            Asked::Init => self.initialised(bytes, expected)?,
            Asked::Add => self.announced(bytes, expected)?,
            Asked::Produce(version) => self.written(bytes, version, expected)?,
            Asked::End => {
                let code = self.ended(bytes, expected)?;
                if code.is_none() {
                    return Ok(Step::Over { since: self.since });
                }
                code
            }
        };
        match code.retry() {
            Retry::NotNeeded => Ok(Step::On),
            Retry::Later | Retry::AfterMetadata => {
                self.rests_until = Some(Instant::now() + backoff);
                Ok(Step::Again)
            }
            Retry::Never => Err(Failure::Refused(format!("{}: {code}", self.name))),
        }
    }

    fn initialised(&mut self, bytes: Bytes, expected: i32) -> Result<ErrorCode, Failure> {
        let response = answer::<InitProducerIdRequest>(bytes, self.versions.init, expected)?;
        if response.error_code.is_none() {
            (self.id, self.epoch) = (response.producer_id, response.producer_epoch);
            self.state = State::Idle;
        }
        Ok(response.error_code)
    }

    fn announced(&mut self, bytes: Bytes, expected: i32) -> Result<ErrorCode, Failure> {
        let version = self.versions.add.unwrap_or(ADD_OF_CLIENTS);
        let response = answer::<AddPartitionsToTxnRequest>(bytes, version, expected)?;
        let results = response.results_by_topic_v3_and_below.iter();
        let mut codes =
            results.flat_map(|topic| &topic.results_by_partition).map(|each| each.partition_error_code);
        let code = codes.find(|code| !code.is_none()).unwrap_or(ErrorCode::NONE);
        if code.is_none() {
            self.state = State::Writing;
        }
        Ok(code)
    }

    fn written(&mut self, bytes: Bytes, version: i16, expected: i32) -> Result<ErrorCode, Failure> {
        let response = answer::<ProduceRequest>(bytes, version, expected)?;
        let mut refused = ErrorCode::NONE;
        for result in response.responses.iter().flat_map(|topic| &topic.partition_responses) {
            if let Some(part) = self.parts.iter_mut().find(|part| part.partition == result.index) {
                part.under_way = false;
                part.written = result.error_code.is_none();
            }
            if !result.error_code.is_none() {
                refused = result.error_code;
            }
        }
        if self.parts.iter().all(|part| part.written) {
            self.state = State::Ending;
        }
        Ok(refused)
    }

    fn ended(&mut self, bytes: Bytes, expected: i32) -> Result<ErrorCode, Failure> {
        let response = answer::<EndTxnRequest>(bytes, self.versions.end, expected)?;
        if response.error_code.is_none() {
            self.state = State::Idle;
            let is_told = response.producer_id >= 0 && response.producer_epoch >= 0;
            if is_told && (response.producer_id, response.producer_epoch) != (self.id, self.epoch) {
                (self.id, self.epoch) = (response.producer_id, response.producer_epoch);
                for part in &mut self.parts {
                    part.sequence = 0;
                }
            }
        }
        Ok(response.error_code)
    }
}

#[cfg(test)]
mod tests;
