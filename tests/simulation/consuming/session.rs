//! A fetch session, as a client keeps it: the broker is told what has changed, and tells what has.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::apis::fetch::{FetchPartition, FetchRequest, FetchTopic, ForgottenTopic};
use strandline_protocol::{Text, Uuid};

use super::fetching::{Position, Positions};
use crate::ledger::Place;

/// What the broker knows of a client, as far as the client knows.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    told: Positions,
}

fn partition(place: Place, position: Position, bytes_max: i32) -> FetchPartition {
    FetchPartition {
        partition: place.partition,
        fetch_offset: position.offset,
        last_fetched_epoch: position.epoch,
        partition_max_bytes: bytes_max,
        ..Default::default()
    }
}

/// The topics of these partitions.
pub(super) fn topics(
    positions: impl IntoIterator<Item = (Place, Position)>,
    name: impl Fn(Uuid) -> Text,
    bytes_max: i32,
) -> Vec<FetchTopic> {
    let mut topics: BTreeMap<Uuid, FetchTopic> = BTreeMap::new();
    for (place, position) in positions {
        let id = place.topic;
        let topic = FetchTopic { topic: name(id), topic_id: id, ..Default::default() };
        topics.entry(id).or_insert(topic).partitions.push(partition(place, position, bytes_max));
    }
    topics.into_values().collect()
}

impl Session {
    /// Lets a request be one of this session.
    pub(super) fn name(
        &mut self,
        request: &mut FetchRequest,
        positions: &Positions,
        name: impl Fn(Uuid) -> Text,
        bytes_max: i32,
    ) {
        (request.session_id, request.session_epoch) = (self.id, self.epoch);
        let changed = positions.iter().filter(|(place, position)| self.told.get(place) != Some(position));
        request.topics = topics(changed.map(|(place, position)| (*place, *position)), name, bytes_max);
        let forgotten: BTreeSet<_> =
            self.told.keys().filter(|place| !positions.contains_key(place)).copied().collect();
        request.forgotten_topics_data = forgotten
            .into_iter()
            .map(|place| ForgottenTopic {
                topic_id: place.topic,
                partitions: vec![place.partition],
                ..Default::default()
            })
            .collect();
        self.told.clone_from(positions);
    }

    /// The broker has answered.
    pub(super) fn answered(&mut self, session_id: i32) {
        if session_id == 0 {
            *self = Self::default();
            return;
        }
        self.id = session_id;
        self.epoch += 1;
    }

    /// The broker knows nothing of it.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Ends it with the next request.
    pub(super) fn end(&mut self) -> bool {
        let is_open = self.id != 0;
        self.epoch = -1;
        is_open
    }
}
