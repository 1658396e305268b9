//! Batches of records with numbers, and the requests that carry them.

use std::collections::BTreeMap;
use std::ops::Range;

use strandline_log::clock::Clock;
use strandline_protocol::apis::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
    TopicProduceResponse,
};
use strandline_protocol::batch::{BatchBuilder, NewRecord};
use strandline_protocol::{Bytes, Compression, ErrorCode, Uuid};

use crate::kinds::Kind;
use crate::ledger::{Content, Place, Sender};
use crate::link::Ticket;
use crate::world::World;

/// The first version that names topics by id.
const IDS_VERSION_MIN: i16 = 13;

/// Records of a compacted topic have one of so many keys.
const KEYS: u64 = 6;

/// The identity of a producer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// Records for one partition.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) place: Place,
    pub(super) numbers: Range<u64>,
    bytes: Bytes,
}

impl Batch {
    /// A batch of some records. `sequence` is that of its first.
    pub(super) fn new(
        world: &World,
        place: Place,
        sender: Sender,
        identity: Option<(Identity, i32)>,
    ) -> Self {
        let is_keyed = world.ledger().kind(place.topic) == Kind::Keyed;
        let contents: Vec<_> = (0..1 + world.below(4)).map(|_| content(world, is_keyed)).collect();
        let numbers = world.ledger().send(place, sender, &contents);
        let mut builder = BatchBuilder::new();
        if let Some((Identity { id, epoch }, sequence)) = identity {
            builder = builder.producer(id, epoch, sequence);
        }
        if world.one_in(5) {
            builder = builder.compression(world.any(&[Compression::Lz4, Compression::Gzip]), None);
        }
        for number in numbers.clone() {
            let bytes = world.ledger().bytes(number).unwrap();
            let headers = bytes.headers();
            let (key, value) = (bytes.key.as_deref(), bytes.value.as_deref());
            builder.append(&NewRecord { key, value, headers: &headers, timestamp: bytes.timestamp }).unwrap();
        }
        Self { place, numbers, bytes: builder.build().unwrap() }
    }

    /// How many records it has.
    pub(super) fn count(&self) -> i32 {
        i32::try_from(self.numbers.end - self.numbers.start).unwrap()
    }
}

fn content(world: &World, is_keyed: bool) -> Content {
    let bound = world.any(&[1, 50, 50, 300, 300, 700]);
    let bytes = usize::try_from(world.below(bound)).unwrap();
    let timestamp = world.wall_ms() - world.any(&[0, 0, 7, 900]);
    if !is_keyed {
        return Content { bytes: Some(bytes), key: None, timestamp };
    }
    let key = world.below(KEYS).to_le_bytes()[0];
    Content { bytes: if world.one_in(6) { None } else { Some(bytes) }, key: Some(key), timestamp }
}

/// A request with these batches, each for another partition, and the version that it is sent in.
pub(super) fn request(world: &World, acks: i16, batches: &[Batch], by_name: bool) -> (i16, ProduceRequest) {
    let mut topics: BTreeMap<Uuid, TopicProduceData> = BTreeMap::new();
    for batch in batches {
        let id = batch.place.topic;
        if by_name {
            world.ledger().send_by_name(batch.numbers.clone());
        }
        let name = world.ledger().name(id);
        let topic = topics.entry(id).or_insert(TopicProduceData { name, topic_id: id, ..Default::default() });
        topic.partition_data.push(PartitionProduceData {
            index: batch.place.partition,
            records: Some(batch.bytes.clone().into()),
            ..Default::default()
        });
    }
    let version = if by_name { IDS_VERSION_MIN - 1 } else { IDS_VERSION_MIN };
    let topic_data = topics.into_values().collect();
    (version, ProduceRequest { acks, timeout_ms: 1_000, topic_data, ..Default::default() })
}

/// What an answer says of a batch; none if that says nothing, since it may be of another topic of that name.
pub(super) fn answer<'a>(
    world: &World,
    version: i16,
    batch: &Batch,
    response: &'a ProduceResponse,
) -> Option<&'a PartitionProduceResponse> {
    let by_name = version < IDS_VERSION_MIN;
    let (id, name) = (batch.place.topic, world.ledger().name(batch.place.topic));
    let is_topic =
        |topic: &&TopicProduceResponse| if by_name { topic.name == name } else { topic.topic_id == id };
    let topic = response.responses.iter().find(is_topic);
    let partition = topic.and_then(|topic| {
        topic.partition_responses.iter().find(|partition| partition.index == batch.place.partition)
    });
    if partition.is_none() {
        world.blame(format_args!("nothing is said of {:?}: {response:?}", batch.place));
    }
    partition.filter(|_| !by_name || world.ledger().is_live(id))
}

/// What became of a batch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Fate {
    /// It is there.
    Acknowledged,
    /// It is not, and will not be.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// Holds an answer against what is known, and says what became of the batch.
pub(super) fn judge(world: &World, ticket: Ticket, batch: &Batch, answer: &PartitionProduceResponse) -> Fate {
    let place = batch.place;
    let code = answer.error_code;
    world.note(format_args!("{:?} for {place}: {code:?} at {}", batch.numbers, answer.base_offset));
    let (was_offline, is_live) = {
        let ledger = world.ledger();
        (ledger.was_offline(ticket.process, ticket.sent_at), ledger.is_live(place.topic))
    };
    if was_offline && is_live && code != ErrorCode::KAFKA_STORAGE_ERROR {
        world.blame(format_args!("{code:?} for {place} from a broker that has lost its disk"));
    }
    match code {
        ErrorCode::NONE => {
            world.reach("acknowledged");
            let (process, numbers) = (ticket.process, batch.numbers.clone());
            world.judge(world.ledger().acknowledge(process, numbers, answer.base_offset));
            Fate::Acknowledged
        }
        // It was there before; where, nobody says. Clients take this for an acknowledgement.
        ErrorCode::DUPLICATE_SEQUENCE_NUMBER => {
            world.judge(world.ledger().acknowledge(ticket.process, batch.numbers.clone(), -1));
            Fate::Acknowledged
        }
        ErrorCode::KAFKA_STORAGE_ERROR => {
            world.reach("storage error");
            Fate::Unknown
        }
        ErrorCode::UNKNOWN_TOPIC_ID
        | ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_LEADER_OR_FOLLOWER => {
            if is_live {
                world.blame(format_args!("{code:?} for {place}, which is there"));
            }
            world.reach("topic gone");
            Fate::Refused
        }
        _ => Fate::Refused,
    }
}
