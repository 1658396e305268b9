//! A consumer that keeps its place: whatever happens to its connections and to the broker, it goes on where it was, and
//! says what it has read last, so that it is told if that has gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::fetching::{Position, Positions, Reader, Start};
use crate::ledger::Place;
use crate::link::{Broken, Link};
use crate::world::World;

/// How many partitions it reads.
const PLACES_MAX: usize = 4;

/// A consumer that keeps its place.
struct Keeper {
    world: Arc<World>,
    link: Link,
    positions: Positions,
    found: BTreeMap<Place, BTreeMap<i64, u64>>,
    /// The process that it read from last.
    process: u64,
}

pub(crate) async fn keeper(world: Arc<World>, link: Link, rounds: u64) {
    let (positions, found) = (Positions::new(), BTreeMap::new());
    let mut keeper = Keeper { world, link, positions, found, process: 0 };
    for _ in 0..rounds {
        keeper.world.pause_ms(0, 500).await;
        if keeper.world.is_broken() {
            return;
        }
        let _ = keeper.round().await;
        match keeper.world.below(8) {
            0 => keeper.link.cut(),
            1 => keeper.link.leave(),
            _ => {}
        }
    }
}

impl Keeper {
    async fn round(&mut self) -> Result<(), Broken> {
        let world = Arc::clone(&self.world);
        self.found.retain(|place, _| self.positions.contains_key(place));
        let mut reader = Reader::new(&world, &mut self.link, world.one_in(2), false);
        reader.minds_epochs = true;
        reader.found = std::mem::take(&mut self.found);
        let kept = !self.positions.is_empty();
        let done = read(&world, &mut reader, &mut self.positions).await;
        self.found = reader.found;
        let process = world.ledger().process();
        if done.is_ok() && kept && std::mem::replace(&mut self.process, process) != process {
            world.reach("went on in another process");
        }
        done
    }
}

async fn read(world: &World, reader: &mut Reader<'_>, positions: &mut Positions) -> Result<(), Broken> {
    let places = world.ledger().live_places();
    if positions.len() < PLACES_MAX && !places.is_empty() {
        let place = world.any(&places);
        if !positions.contains_key(&place)
            && let Some(offset) = reader.start(place, Start::Earliest).await?
        {
            reader.found.remove(&place);
            positions.insert(place, Position::at(offset));
        }
    }
    for _ in 0..1 + world.below(6) {
        if positions.is_empty() || world.is_broken() {
            break;
        }
        reader.fetch(positions).await?;
        world.pause_ms(0, 30).await;
    }
    Ok(())
}
