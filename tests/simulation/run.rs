//! One run: a broker, its clients, what goes wrong, and the looking for what was promised.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::administration::Administrator;
use crate::chaos::Chaos;
use crate::consuming::{Position, Positions, Reader, Start, consumer, keeper};
use crate::kinds;
use crate::ledger::Place;
use crate::link::{Broken, Link};
use crate::machine::Machine;
use crate::network::Network;
use crate::panics;
use crate::producing::{idempotent, once};
use crate::strangers::{deaf, hostile};
use crate::subject::Subject;
use crate::world::{Report, World};

/// How many clients there are, the one that looks at the end apart.
const CLIENTS: usize = 11;

/// After so long without an end there is none.
const RUN_MAX: Duration = Duration::from_hours(1);

/// Runs one seed.
pub(crate) fn run(seed: u64, subject: Subject) -> Result<Report, String> {
    let panics_before = panics::count();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let world = Arc::new(World::new(seed));
        if timeout(RUN_MAX, simulate(&world, subject)).await.is_err() {
            world.blame("the run does not end");
        }
        // One in a task of the broker's ends nothing but that task.
        if panics::count() > panics_before {
            world.blame("something panicked");
        }
        world.report()
    })
}

async fn simulate(world: &Arc<World>, subject: Subject) {
    let network = Network::new(Arc::clone(world));
    let mut machine = Machine::new(Arc::clone(world), subject, Arc::clone(&network));
    if let Err(error) = machine.start().await {
        world.blame(format_args!("the broker does not come up at first: {error}"));
        return;
    }
    let clients = start_clients(world, &network);
    let chaos = Chaos::new(Arc::clone(world), Arc::clone(&network), machine, CLIENTS);
    let chaos = chaos.run(4 + world.below(8));
    let (mut chaos, ()) = tokio::join!(chaos, wait_for(world, clients));
    if world.is_broken() {
        return;
    }
    chaos.last_restart().await;
    look_for_everything(world, &network).await;
    if let Some(broker) = chaos.machine.broker() {
        for place in broker.storage.places() {
            let place = Place { topic: place.topic_id, partition: place.index };
            if !world.ledger().may_have_log(place) {
                world.blame(format_args!("there is a log of {place}, which is gone"));
            }
        }
    }
    chaos.machine.shut_down().await;
    let (sent, acknowledged) = world.ledger().counts();
    world.note(format_args!(
        "{sent} records sent, {acknowledged} acknowledged, disk {}",
        chaos.machine.disk.trace()
    ));
}

fn start_clients(world: &Arc<World>, network: &Arc<Network>) -> JoinSet<()> {
    let mut clients = JoinSet::new();
    let link = |client| Link::new(world, network, client);
    clients.spawn(Administrator::new(Arc::clone(world), link(0), &kinds::names(world)).run(16));
    for client in 1..3 {
        clients.spawn(idempotent(Arc::clone(world), link(client), client, 20));
    }
    for client in 3..5 {
        clients.spawn(once(Arc::clone(world), link(client), 20));
    }
    for client in 5..7 {
        clients.spawn(consumer(Arc::clone(world), link(client), 12));
    }
    clients.spawn(hostile(Arc::clone(world), link(7), 10));
    clients.spawn(deaf(Arc::clone(world), link(8), 3));
    for client in 9..CLIENTS {
        clients.spawn(keeper(Arc::clone(world), link(client), 14));
    }
    clients
}

async fn wait_for(world: &World, mut clients: JoinSet<()>) {
    while let Some(ended) = clients.join_next().await {
        if let Err(error) = ended {
            world.blame(format_args!("a client: {error}"));
        }
    }
    world.note("all clients have ended");
}

/// Reads every log from its beginning to its end, and holds that against everything that was promised.
async fn look_for_everything(world: &Arc<World>, network: &Arc<Network>) {
    let mut administrator = Administrator::new(Arc::clone(world), Link::new(world, network, CLIENTS), &[]);
    let names: Vec<_> = world.ledger().names.keys().cloned().collect();
    for name in &names {
        if administrator.look(name).await.is_err() {
            world.blame("the broker does not say which topics there are");
        }
    }
    let mut link = Link::new(world, network, CLIENTS);
    let places = world.ledger().live_places();
    for place in places {
        if world.is_broken() {
            return;
        }
        if look_through(world, &mut link, place).await.is_err() {
            world.blame(format_args!("{place} cannot be read to its end"));
        }
    }
}

async fn look_through(world: &World, link: &mut Link, place: Place) -> Result<(), Broken> {
    let mut reader = Reader::new(world, link, false, world.one_in(2));
    let start = reader.start(place, Start::Earliest).await?.ok_or(Broken)?;
    let mut positions = Positions::from([(place, Position::at(start))]);
    loop {
        reader.fetch(&mut positions).await?;
        let position = positions.get(&place).copied().ok_or(Broken)?.offset;
        if reader.high_watermarks.get(&place).is_some_and(|end| position >= *end) || world.is_broken() {
            break;
        }
    }
    let found = reader.found.remove(&place).unwrap_or_default();
    world.judge(world.ledger().complete(place, start, &found));
    Ok(())
}
