//! A producer without an identity: it sends each record once, several requests at a time, and does not wait for the
//! answers of those that want none.

use std::collections::BTreeSet;
use std::sync::Arc;

use strandline_protocol::apis::produce::ProduceRequest;

use super::batch::{Batch, Fate, answer, judge, request};
use crate::ledger::Sender;
use crate::link::{Link, Ticket};
use crate::world::World;

/// A request that waits for its answer.
struct Waiting {
    ticket: Ticket,
    version: i16,
    batches: Vec<Batch>,
}

pub(crate) async fn once(world: Arc<World>, mut link: Link, rounds: u64) {
    for _ in 0..rounds {
        world.pause_ms(0, 200).await;
        if world.is_broken() {
            return;
        }
        let _ = burst(&world, &mut link).await;
        if world.one_in(12) {
            link.leave();
        }
    }
}

/// Sends some requests, and then reads their answers.
async fn burst(world: &World, link: &mut Link) -> Result<(), crate::link::Broken> {
    let connection = link.connect().await?;
    let mut waiting = Vec::new();
    for _ in 0..1 + world.below(4) {
        let places = world.ledger().live_places();
        if places.is_empty() {
            break;
        }
        let chosen: BTreeSet<_> = (0..1 + world.below(2)).map(|_| world.any(&places)).collect();
        let sender = Sender::Once(connection);
        let batches: Vec<_> =
            chosen.into_iter().map(|place| Batch::new(world, place, sender, None)).collect();
        let acks = world.any(&[0, 1, 1, -1, -1]);
        let (version, content) = request(world, acks, &batches, world.one_in(3));
        let ticket = link.send(version, &content, acks != 0).await?;
        if acks != 0 {
            waiting.push(Waiting { ticket, version, batches });
        }
    }
    for Waiting { ticket, version, batches } in waiting {
        let response = link.receive::<ProduceRequest>(ticket).await?;
        for batch in &batches {
            let Some(answer) = answer(world, version, batch, &response) else { continue };
            if judge(world, ticket, batch, answer) == Fate::Refused {
                world.judge(world.ledger().refuse(batch.numbers.clone()));
            }
        }
    }
    Ok(())
}
