//! One reader: where it begins, what it asks for, and what it makes of the answers.

use std::collections::BTreeMap;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchRequest, FetchableTopicResponse, PartitionData};

use super::reading::read;
use super::session::{Session, topics};
use crate::kinds::Kind;
use crate::ledger::{Known, Place};
use crate::link::{Broken, Link};
use crate::world::World;

/// The last version that names topics by name.
const NAMES_VERSION_MAX: i16 = 12;

/// Where a reader goes on in a partition.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Position {
    pub(crate) offset: i64,
    /// The leader epoch of what it has read last; -1 if it minds none.
    pub(crate) epoch: i32,
}

impl Position {
    /// A place of which nothing more is known.
    pub(crate) fn at(offset: i64) -> Self {
        Self { offset, epoch: -1 }
    }
}

/// Where a reader goes on, partition by partition.
pub(crate) type Positions = BTreeMap<Place, Position>;

/// Where a reader begins.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Start {
    Earliest,
    Latest,
    /// Anywhere in what is there.
    Somewhere,
    /// Where the records of a time begin.
    ByTime,
}

/// One reader.
pub(crate) struct Reader<'a> {
    pub(super) world: &'a World,
    pub(super) link: &'a mut Link,
    session: Option<Session>,
    by_name: bool,
    /// Whether it says which epoch it read last, so that it is told where logs part.
    pub(super) minds_epochs: bool,
    /// Everything that was read, by partition.
    pub(crate) found: BTreeMap<Place, BTreeMap<i64, u64>>,
    /// The last high watermark of each.
    pub(crate) high_watermarks: BTreeMap<Place, i64>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(world: &'a World, link: &'a mut Link, has_session: bool, by_name: bool) -> Self {
        let session = (has_session && !by_name).then(Session::default);
        let (found, high_watermarks) = (BTreeMap::new(), BTreeMap::new());
        Self { world, link, session, by_name, minds_epochs: false, found, high_watermarks }
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
        let (ticket, response) = self.link.call(version, &request).await?;
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
                self.take((place, ticket.process), known, partition, positions);
                let has_more = before.is_some_and(|before| before.offset < partition.high_watermark);
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

    /// What a process says of a partition.
    fn take(
        &mut self,
        (place, process): (Place, u64),
        known: Known,
        answer: &PartitionData,
        positions: &mut Positions,
    ) {
        let world = self.world;
        let position = positions.get(&place).copied().unwrap_or(Position::at(0));
        let is_live = world.ledger().is_live(place.topic);
        match answer.error_code {
            ErrorCode::NONE => {
                let (high_watermark, log_start) = (answer.high_watermark, answer.log_start_offset);
                let told = (Some(high_watermark), Some(log_start));
                world.judge(world.ledger().told(place, process, known, told.0, told.1));
                self.high_watermarks.insert(place, high_watermark);
                if answer.diverging_epoch.end_offset >= 0 {
                    return self.go_back(place, position, answer, positions);
                }
                match self.read(place, process, position, answer) {
                    Ok(next) => drop(positions.insert(place, next)),
                    Err(violation) => world.blame(violation),
                }
            }
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                world.reach("out of range");
                let may_be =
                    world.ledger().start_asked(place) > position.offset || world.ledger().was_cut(place);
                if is_live && !may_be {
                    world.blame(format_args!("{place}: {position:?} is out of range"));
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
                world.blame(format_args!("fetch of {place} at {position:?}: {code:?}"));
                positions.remove(&place);
            }
        }
    }

    /// The records that a process gives from a position on; gives where to go on.
    fn read(
        &mut self,
        place: Place,
        process: u64,
        position: Position,
        answer: &PartitionData,
    ) -> Result<Position, String> {
        let (world, empty) = (self.world, Default::default());
        let bytes = answer.records.as_ref().and_then(|records| records.as_slice()).unwrap_or(&empty);
        let found = self.found.entry(place).or_default();
        let last = found.last_key_value().map(|(offset, number)| (*offset, *number));
        let next = read(world, (place, process), position, bytes, found)?;
        if next.offset > answer.high_watermark {
            return Err(format!("{place} is read to {next:?}, beyond {}", answer.high_watermark));
        }
        if next == position {
            return Ok(position);
        }
        world.reach("records read");
        world.note(format_args!("{place} read from {} to {}", position.offset, next.offset));
        if !self.minds_epochs {
            return Ok(Position::at(next.offset));
        }
        // It would have been told if what it read before were gone, unless somebody has deleted whatever is there instead:
        // epochs before a log's beginning are forgotten with its records, as Kafka forgets them.
        let may_tell =
            |offset| offset >= answer.log_start_offset && world.ledger().kind(place.topic) != Kind::Keyed;
        let kept = last.filter(|(offset, _)| position.epoch >= 0 && may_tell(*offset));
        if let Some((offset, number)) = kept {
            world.ledger().stands(place, process, offset, number)?;
        }
        Ok(next)
    }

    /// A reader is told that its log and the broker's part.
    fn go_back(
        &mut self,
        place: Place,
        position: Position,
        answer: &PartitionData,
        positions: &mut Positions,
    ) {
        let (world, end) = (self.world, &answer.diverging_epoch);
        world.note(format_args!("{place} parts at {end:?} from {position:?}"));
        world.reach("told of a truncation");
        if !world.ledger().was_cut(place) || end.end_offset > position.offset {
            world.blame(format_args!("{place} parts at {end:?} from {position:?}"));
        }
        self.found.entry(place).or_default().retain(|offset, _| *offset < end.end_offset);
        // What it has read of a later epoch than that is gone too.
        positions.insert(place, Position { offset: end.end_offset, epoch: end.epoch });
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
