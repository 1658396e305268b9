//! Fetching from one leader, one request at a time, in a session where the broker keeps one: as consumers do.

use bytes::Bytes;
use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{
    FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData,
};
use strandline_protocol::batch::{BatchView, batches};
use strandline_protocol::frame::{LENGTH_BYTES, content_length, read_response};
use strandline_protocol::{Text, Uuid};

use super::link::Link;
use super::target::{Leader, Prepared};
use crate::cluster::Failure;

/// The last version in which topics go by name.
pub(super) const FETCH_BY_NAME: i16 = 12;

/// How much is fetched at a time, and how long the broker may wait for it.
#[derive(Clone, Copy)]
pub(super) struct FetchLimits {
    pub(super) bytes_max: i32,
    pub(super) partition_bytes_max: i32,
    pub(super) bytes_min: i32,
    pub(super) wait_ms_max: i32,
    pub(super) read_committed: bool,
}

pub(super) struct Fetcher {
    pub(super) link: Link,
    version: i16,
    name: Text,
    id: Uuid,
    limits: FetchLimits,
    positions: Vec<Position>,
    session_id: i32,
    session_epoch: i32,
    outstanding: Option<i32>,
}

/// How far a partition has been read.
struct Position {
    partition: i32,
    offset: i64,
    // Whether the broker's session does not know of it yet.
    moved: bool,
}

/// An answer, with the buffer that it lies in.
pub(super) struct Fetched {
    pub(super) response: FetchResponse,
    whole: Bytes,
}

impl Fetcher {
    /// Reads the partitions of one leader from the offsets that `start` says.
    pub(super) fn new(
        prepared: &Prepared,
        leader: &Leader,
        limits: FetchLimits,
        start: impl Fn(i32) -> i64,
    ) -> Result<Self, Failure> {
        let topic = &prepared.topic;
        let last = if topic.id.is_zero() { FETCH_BY_NAME } else { i16::MAX };
        let position = |partition: i32| Position { partition, offset: start(partition), moved: true };
        Ok(Self {
            link: Link::connect(&leader.address)?,
            version: leader.version::<FetchRequest>(last)?,
            name: topic.name.as_str().into(),
            id: topic.id,
            limits,
            positions: leader.partitions.iter().map(|info| position(info.partition)).collect(),
            session_id: 0,
            session_epoch: 0,
            outstanding: None,
        })
    }

    /// Sends the next request, unless one is on its way.
    pub(super) fn ask(&mut self) -> Result<(), Failure> {
        if self.outstanding.is_some() {
            return Ok(());
        }
        let in_session = self.session_epoch > 0;
        let partitions: Vec<_> = self
            .positions
            .iter()
            .filter(|position| position.moved || !in_session)
            .map(|position| FetchPartition {
                partition: position.partition,
                fetch_offset: position.offset,
                partition_max_bytes: self.limits.partition_bytes_max,
                ..Default::default()
            })
            .collect();
        let topic =
            FetchTopic { topic: self.name.clone(), topic_id: self.id, partitions, ..Default::default() };
        let request = FetchRequest {
            max_wait_ms: self.limits.wait_ms_max,
            min_bytes: self.limits.bytes_min,
            max_bytes: self.limits.bytes_max,
            isolation_level: i8::from(self.limits.read_committed),
            session_id: self.session_id,
            session_epoch: self.session_epoch,
            topics: if topic.partitions.is_empty() { Vec::new() } else { vec![topic] },
            ..Default::default()
        };
        self.outstanding = Some(self.link.submit(&request, self.version)?);
        for position in &mut self.positions {
            position.moved = false;
        }
        self.link.flush()
    }

    /// Takes an answer that has come, and moves on behind what is in it.
    pub(super) fn take(&mut self) -> Result<Option<Fetched>, Failure> {
        let Some(whole) = self.link.next_shared_frame()? else { return Ok(None) };
        let prefix = whole.first_chunk().copied().unwrap_or_default();
        let length =
            content_length(prefix, whole.len()).map_err(|error| Failure::Refused(error.to_string()))?;
        let content = whole.slice(LENGTH_BYTES..(LENGTH_BYTES + length).min(whole.len()));
        let (correlation_id, response) = read_response::<FetchRequest>(content, self.version)
            .map_err(|error| Failure::Refused(format!("the answer makes no sense: {error}")))?;
        if self.outstanding.take() != Some(correlation_id) {
            return Err(Failure::Refused(format!("an answer to {correlation_id}, which was not asked")));
        }
        self.follow_session(&response)?;
        for partition in response.responses.iter().flat_map(|topic| &topic.partitions) {
            self.advance(partition)?;
        }
        Ok(Some(Fetched { response, whole }))
    }

    /// Gives an answer's buffer back, to read a later one into.
    pub(super) fn recycle(&mut self, fetched: Fetched) {
        let Fetched { response, whole } = fetched;
        drop(response);
        self.link.recycle(whole);
    }

    fn follow_session(&mut self, response: &FetchResponse) -> Result<(), Failure> {
        match response.error_code {
            ErrorCode::NONE if response.session_id != 0 => {
                self.session_id = response.session_id;
                self.session_epoch = self.session_epoch.checked_add(1).unwrap_or(1);
                Ok(())
            }
            // The broker keeps no session, or has dropped it: all partitions are named again.
            ErrorCode::NONE
            | ErrorCode::FETCH_SESSION_ID_NOT_FOUND
            | ErrorCode::INVALID_FETCH_SESSION_EPOCH
            | ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR => {
                (self.session_id, self.session_epoch) = (0, 0);
                Ok(())
            }
            code => Err(Failure::Refused(format!("the fetch: {code}"))),
        }
    }

    fn advance(&mut self, data: &PartitionData) -> Result<(), Failure> {
        let place = self.positions.binary_search_by_key(&data.partition_index, |position| position.partition);
        let position = place.ok().and_then(|place| self.positions.get_mut(place)).ok_or_else(|| {
            Failure::Refused(format!(
                "an answer about partition {}, which was not asked",
                data.partition_index
            ))
        })?;
        if data.error_code != ErrorCode::NONE {
            let (name, partition) = (&self.name, data.partition_index);
            return Err(Failure::Refused(format!("{name}-{partition}: {}", data.error_code)));
        }
        let before = position.offset;
        for batch in batches_of(data) {
            position.offset = position.offset.max(batch.header().last_offset().saturating_add(1));
        }
        position.moved |= position.offset > before;
        Ok(())
    }

    /// Whether each partition has been read up to the offset that `end` says.
    pub(super) fn has_reached(&self, end: impl Fn(i32) -> i64) -> bool {
        self.positions.iter().all(|position| position.offset >= end(position.partition))
    }
}

/// The whole batches of a partition: the last one may have been cut.
pub(super) fn batches_of(data: &PartitionData) -> impl Iterator<Item = BatchView<'_>> {
    let field = data.records.as_ref().and_then(|records| records.as_slice());
    batches(field.map_or(&[], |field| field)).map_while(Result::ok)
}
