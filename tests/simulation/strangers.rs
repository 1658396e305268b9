//! Clients that nobody would want: one sends what is no request, one asks for much and does not listen.
//!
//! Nothing is promised to them, but that the others do not suffer, and that the broker does not fall over.

use std::sync::Arc;

use strandline_protocol::apis::fetch::FetchRequest;
use strandline_protocol::apis::metadata::MetadataRequest;
use strandline_protocol::apis::produce::ProduceRequest;
use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::{Piece, Request};

use crate::consuming::{Position, fetch_of};
use crate::link::{Broken, Link};
use crate::world::World;

/// Sends what is no request.
pub(crate) async fn hostile(world: Arc<World>, mut link: Link, rounds: u64) {
    for _ in 0..rounds {
        world.pause_ms(50, 800).await;
        if world.is_broken() {
            return;
        }
        let bytes = nonsense(&world);
        if link.send_raw(&bytes).await.is_ok() {
            world.reach("nonsense sent");
            world.pause_ms(0, 100).await;
        }
        if world.one_in(2) {
            link.cut();
        } else {
            link.leave();
        }
    }
}

/// A request of some kind, with some of its bytes changed; or bytes alone.
fn nonsense(world: &World) -> Vec<u8> {
    let below = |bound: usize| usize::try_from(world.below(bound as u64)).unwrap();
    let mut bytes = match world.below(5) {
        0 => (0..1 + below(200)).map(|_| world.below(256).to_le_bytes()[0]).collect(),
        1 => world.any(&[-1_i32, i32::MIN, i32::MAX, 0, 1, 90 << 20]).to_be_bytes().to_vec(),
        2 => frame(world, &MetadataRequest::default()),
        3 => frame(world, &FetchRequest::default()),
        _ => frame(world, &ProduceRequest { acks: world.any(&[-1, 0, 1, 7]), ..Default::default() }),
    };
    for _ in 0..below(4) {
        let place = below(bytes.len());
        bytes[place] = world.below(256).to_le_bytes()[0];
    }
    if world.one_in(3) {
        bytes.truncate(below(bytes.len()));
    }
    bytes
}

fn frame<R: Request>(world: &World, request: &R) -> Vec<u8> {
    let version = world.any(&[9, 12, 13]);
    let frame = OutboundFrame::request(version, 1, Some("a stranger".into()), request);
    let pieces = frame.map(OutboundFrame::into_pieces).unwrap_or_default();
    let slices = pieces.iter().filter_map(|piece| match piece {
        Piece::Slice(slice) => Some(slice),
        Piece::External(_) => None,
    });
    let mut bytes: Vec<u8> = slices.flatten().copied().collect();
    bytes.push(0);
    bytes
}

/// Asks for everything there is, over and over, and listens late.
pub(crate) async fn deaf(world: Arc<World>, mut link: Link, rounds: u64) {
    for _ in 0..rounds {
        world.pause_ms(100, 800).await;
        if world.is_broken() {
            return;
        }
        let _ = listen_late(&world, &mut link).await;
        link.leave();
    }
}

async fn listen_late(world: &World, link: &mut Link) -> Result<(), Broken> {
    let places = world.ledger().live_places();
    let mut tickets = Vec::new();
    for _ in 0..5 + world.below(60) {
        let request = fetch_of(world, places.iter().map(|place| (*place, Position::at(0))));
        tickets.push(link.send(13, &request, true).await?);
    }
    world.pause_ms(0, 7_000).await;
    for ticket in tickets {
        link.receive::<FetchRequest>(ticket).await?;
    }
    world.reach("listened late");
    Ok(())
}
