//! One reader: where it begins, what it asks for, and what it makes of the answers.

use std::collections::BTreeMap;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, FetchableTopicResponse, PartitionData};
use strandline_protocol::apis::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use super::reading::read;
use super::session::{Session, topics};
use crate::ledger::{Known, Place};
use crate::link::{Broken, Link};
use crate::world::World;

const EARLIEST: i64 = -2;
const LATEST: i64 = -1;

/// The last version that names topics by name.
const NAMES_VERSION_MAX: i16 = 12;

/// Where a reader goes on, partition by partition.
pub(crate) type Positions = BTreeMap<Place, i64>;

/// Where a reader begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Start {
    Earliest,
    Latest,
    /// Anywhere in what is there.
    Somewhere,
}

/// One reader.
pub(crate) struct Reader<'a> {
    world: &'a World,
    link: &'a mut Link,
    session: Option<Session>,
    by_name: bool,
    /// Everything that was read, by partition.
    pub(crate) found: BTreeMap<Place, BTreeMap<i64, u64>>,
    /// The last high watermark of each.
    pub(crate) high_watermarks: BTreeMap<Place, i64>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(world: &'a World, link: &'a mut Link, has_session: bool, by_name: bool) -> Self {
        let session = (has_session && !by_name).then(Session::default);
        let (found, high_watermarks) = (BTreeMap::new(), BTreeMap::new());
        Self { world, link, session, by_name, found, high_watermarks }
    }

    /// Where to begin; none where there is nothing to be read.
    pub(crate) async fn start(&mut self, place: Place, start: Start) -> Result<Option<i64>, Broken> {
        let earliest = self.list(place, EARLIEST).await?;
        let (Some(earliest), false) = (earliest, start == Start::Earliest) else { return Ok(earliest) };
        let Some(latest) = self.list(place, LATEST).await? else { return Ok(None) };
        let span = u64::try_from(latest - earliest).unwrap_or(0);
        let somewhere = earliest + i64::try_from(self.world.below(span + 1)).unwrap();
        Ok(Some(if start == Start::Latest { latest } else { somewhere }))
    }

    /// The offset that belongs to a time; none if the topic has gone.
    async fn list(&mut self, place: Place, timestamp: i64) -> Result<Option<i64>, Broken> {
        let (world, name) = (self.world, self.world.ledger().name(place.topic));
        let partition =
            ListOffsetsPartition { partition_index: place.partition, timestamp, ..Default::default() };
        let topic = ListOffsetsTopic { name, partitions: vec![partition], ..Default::default() };
        let request = ListOffsetsRequest { replica_id: -1, topics: vec![topic], ..Default::default() };
        let known = world.ledger().known(place);
        let (_, response) = self.link.call(7, &request).await?;
        // It is asked by name: an answer is about this topic only if nobody has asked for it to go.
        if !world.ledger().is_live(place.topic) {
            return Ok(None);
        }
        let answer = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(answer) = answer else {
            world.blame(format_args!("nothing is said of {place}: {response:?}"));
            return Err(Broken);
        };
        match answer.error_code {
            ErrorCode::NONE => {
                let offset = Some(answer.offset);
                let (high_watermark, start) =
                    if timestamp == LATEST { (offset, None) } else { (None, offset) };
                world.judge(world.ledger().told(place, known, high_watermark, start));
                Ok(offset)
            }
            ErrorCode::KAFKA_STORAGE_ERROR => Ok(None),
            code => {
                world.blame(format_args!("offsets of {place}, which is there: {code:?}"));
                Ok(None)
            }
        }
    }

    /// Fetches once.
    pub(crate) async fn fetch(&mut self, positions: &mut Positions) -> Result<(), Broken> {
        let world = self.world;
        let bytes_max = world.any(&[1, 500, 4_000, 1 << 20]);
        let mut request = FetchRequest {
            max_wait_ms: world.any(&[0, 100, 500]),
            min_bytes: world.any(&[0, 1, 1, 2_000]),
            max_bytes: world.any(&[1, 3_000, 10 << 20]),
            isolation_level: world.any(&[0, 1]),
            ..Default::default()
        };
        let name = |id| world.ledger().name(id);
        match &mut self.session {
            Some(session) => session.name(&mut request, positions, name, bytes_max),
            None => request.topics = topics(positions.clone(), name, bytes_max),
        }
        let known: BTreeMap<_, _> =
            positions.keys().map(|place| (*place, world.ledger().known(*place))).collect();
        let version = if self.by_name { NAMES_VERSION_MAX } else { world.any(&[13, 16, 18]) };
        let (_, response) = self.link.call(version, &request).await?;
        match (response.error_code, &mut self.session) {
            (ErrorCode::NONE, Some(session)) => session.answered(response.session_id),
            (ErrorCode::NONE, None) => {}
            (ErrorCode::FETCH_SESSION_ID_NOT_FOUND | ErrorCode::KAFKA_STORAGE_ERROR, Some(session)) => {
                world.reach("fetch session lost");
                session.forget();
            }
            (ErrorCode::KAFKA_STORAGE_ERROR, None) => {}
            (code, _) => world.blame(format_args!("a fetch is answered by {code:?}")),
        }
        let is_alone = positions.len() == 1;
        for topic in &response.responses {
            for partition in &topic.partitions {
                let Some(place) = self.place(topic, partition, positions) else { continue };
                let known = known.get(&place).copied().unwrap_or_default();
                let before = positions.get(&place).copied();
                self.take(place, known, partition, positions);
                let has_more = before.is_some_and(|before| before < partition.high_watermark);
                if is_alone && has_more && before == positions.get(&place).copied() {
                    world.blame(format_args!("nothing is read of {place} from {before:?} on"));
                }
            }
        }
        Ok(())
    }

    /// The partition that something is said of; none if that may be one of another topic of its name.
    fn place(
        &self,
        topic: &FetchableTopicResponse,
        partition: &PartitionData,
        positions: &Positions,
    ) -> Option<Place> {
        let is_meant = |place: &Place| {
            let is_topic = if self.by_name {
                self.world.ledger().name(place.topic) == topic.topic
            } else {
                place.topic == topic.topic_id
            };
            is_topic && place.partition == partition.partition_index
        };
        let mut meant = positions.keys().filter(|place| is_meant(place));
        let (place, other) = (meant.next().copied(), meant.next());
        if place.is_none() {
            self.world
                .blame(format_args!("nobody asked for {:?} {}", topic.topic_id, partition.partition_index));
        }
        let is_clear = !self.by_name || place.is_some_and(|place| self.world.ledger().is_live(place.topic));
        place.filter(|_| is_clear && other.is_none())
    }

    /// What an answer says of a partition.
    fn take(&mut self, place: Place, known: Known, answer: &PartitionData, positions: &mut Positions) {
        let (world, position) = (self.world, positions.get(&place).copied().unwrap_or(0));
        let is_live = world.ledger().is_live(place.topic);
        match answer.error_code {
            ErrorCode::NONE => {
                let (high_watermark, log_start) = (answer.high_watermark, answer.log_start_offset);
                world.judge(world.ledger().told(place, known, Some(high_watermark), Some(log_start)));
                self.high_watermarks.insert(place, high_watermark);
                let empty = Default::default();
                let bytes = answer.records.as_ref().and_then(|records| records.as_slice()).unwrap_or(&empty);
                let found = self.found.entry(place).or_default();
                match read(world, place, position, bytes, found) {
                    Ok(next) if next > high_watermark => {
                        world.blame(format_args!("{place} is read to {next}, beyond {high_watermark}"));
                    }
                    Ok(next) => {
                        if next > position {
                            world.reach("records read");
                            world.note(format_args!("{place} read from {position} to {next}"));
                        }
                        positions.insert(place, next);
                    }
                    Err(violation) => world.blame(violation),
                }
            }
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                world.reach("out of range");
                if is_live && world.ledger().start_asked(place) <= position {
                    world.blame(format_args!("{place}: {position} is out of range"));
                }
                positions.remove(&place);
            }
            ErrorCode::KAFKA_STORAGE_ERROR => {
                world.reach("not readable");
                positions.remove(&place);
            }
            ErrorCode::UNKNOWN_TOPIC_ID
            | ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            | ErrorCode::NOT_LEADER_OR_FOLLOWER
                if !is_live =>
            {
                positions.remove(&place);
            }
            code => {
                world.blame(format_args!("fetch of {place} at {position}: {code:?}"));
                positions.remove(&place);
            }
        }
    }

    /// Says that nothing more will be fetched.
    pub(crate) async fn leave(mut self, positions: &Positions) -> Result<(), Broken> {
        let Some(session) = &mut self.session else { return Ok(()) };
        if !session.end() || self.world.one_in(2) {
            return Ok(());
        }
        let mut request = FetchRequest { max_bytes: 1 << 20, ..Default::default() };
        session.name(&mut request, positions, |_| Default::default(), 1);
        self.link.call(13, &request).await.map(drop)
    }
}
