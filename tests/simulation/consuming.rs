//! Consumers: they read from the beginning, from somewhere, or from the end on, with and without sessions, and wait
//! for what comes.

mod fetching;
mod keeping;
mod reading;
mod session;
mod times;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strandline_protocol::apis::fetch::FetchRequest;

use crate::ledger::Place;
use crate::link::{Broken, Link};
use crate::world::World;

pub(crate) use self::fetching::{Position, Positions, Reader, Start};
pub(crate) use self::keeping::keeper;

/// How many partitions are read together.
const PLACES_MAX: u64 = 3;

pub(crate) async fn consumer(world: Arc<World>, mut link: Link, rounds: u64) {
    for _ in 0..rounds {
        world.pause_ms(0, 200).await;
        if world.is_broken() {
            return;
        }
        let places = world.ledger().live_places();
        if places.is_empty() {
            continue;
        }
        let chosen: BTreeSet<_> = (0..1 + world.below(PLACES_MAX)).map(|_| world.any(&places)).collect();
        let _ = read_some(&world, &mut link, chosen).await;
        if world.one_in(6) {
            link.leave();
        }
    }
}

/// A request for all that there is in these partitions from these offsets on.
pub(crate) fn fetch_of(
    world: &World,
    positions: impl IntoIterator<Item = (Place, Position)>,
) -> FetchRequest {
    let topics = session::topics(positions, |id| world.ledger().name(id), 1 << 20);
    FetchRequest { max_bytes: 10 << 20, topics, ..Default::default() }
}

async fn read_some(world: &World, link: &mut Link, places: BTreeSet<Place>) -> Result<(), Broken> {
    let start = world.any(&[Start::Earliest, Start::Latest, Start::Somewhere, Start::ByTime]);
    let mut reader = Reader::new(world, link, world.one_in(2), world.one_in(3));
    let mut positions = BTreeMap::new();
    for place in places {
        if let Some(position) = reader.start(place, start).await? {
            positions.insert(place, Position::at(position));
        }
    }
    for _ in 0..1 + world.below(10) {
        if positions.is_empty() || world.is_broken() {
            break;
        }
        reader.fetch(&mut positions).await?;
        world.pause_ms(0, 30).await;
    }
    reader.leave(&positions).await
}
