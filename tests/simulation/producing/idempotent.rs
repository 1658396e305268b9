//! A producer with an identity: what it sends has sequences, and is sent again until it is answered, whatever happens
//! to its connections and to the broker.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::produce::ProduceRequest;

use super::batch::{Batch, Fate, Identity, answer, judge, request};
use crate::ledger::{Place, Sender};
use crate::link::{Broken, Link};
use crate::world::World;

/// After so many attempts that came to nothing, nothing will.
const ATTEMPTS_MAX: u32 = 600;

/// The same where nothing goes wrong.
const CALM_ATTEMPTS_MAX: u32 = 5;

/// A producer with an identity.
struct Producer {
    world: Arc<World>,
    link: Link,
    sender: Sender,
    identity: Option<Identity>,
    sequences: BTreeMap<Place, i32>,
}

pub(crate) async fn idempotent(world: Arc<World>, link: Link, client: usize, rounds: u64) {
    let sender = Sender::Idempotent(client);
    let mut producer = Producer { world, link, sender, identity: None, sequences: BTreeMap::new() };
    for _ in 0..rounds {
        producer.world.pause_ms(0, 250).await;
        if producer.world.is_broken() {
            return;
        }
        producer.round().await;
    }
}

impl Producer {
    async fn round(&mut self) {
        if self.world.one_in(15) {
            self.identity = None;
        }
        let Some(identity) = self.identity().await else { return };
        // Each a request of its own; all of them are under way together.
        let mut requests = Vec::new();
        for _ in 0..1 + self.world.below(4) {
            let places = self.world.ledger().live_places();
            if places.is_empty() {
                break;
            }
            let chosen: BTreeSet<_> = (0..1 + self.world.below(2)).map(|_| self.world.any(&places)).collect();
            requests.push(chosen.into_iter().map(|place| self.batch(place, identity)).collect());
        }
        let (mut attempts, mut calm_attempts, mut connection) = (0, 0, None);
        while !requests.is_empty() && !self.world.is_broken() {
            attempts += 1;
            calm_attempts += u32::from(self.world.has_been_calm());
            if attempts > ATTEMPTS_MAX || calm_attempts > CALM_ATTEMPTS_MAX {
                self.world.blame(format_args!("{:?} cannot send any more", self.sender));
            }
            if attempts > 1 {
                self.world.reach("sent again");
                self.world.pause_ms(10, 120).await;
            }
            if let Ok(number) = self.link.connect().await
                && connection.replace(number).is_some_and(|before| before != number)
            {
                self.world.reach("sent again by another connection");
            }
            let _ = self.attempt(&mut requests).await;
            requests.retain(|batches| !batches.is_empty());
        }
    }

    /// Who it is; none if it gives up.
    async fn identity(&mut self) -> Option<Identity> {
        let request = InitProducerIdRequest { transactional_id: None, ..Default::default() };
        for _ in 0..ATTEMPTS_MAX {
            if self.identity.is_some() || self.world.is_broken() {
                return self.identity;
            }
            match self.link.call(4, &request).await {
                Ok((_, response)) if response.error_code == ErrorCode::NONE => {
                    self.world.note(format_args!("{:?} is {}", self.sender, response.producer_id));
                    self.world.judge(self.world.ledger().producer_id(response.producer_id));
                    self.sequences.clear();
                    let (id, epoch) = (response.producer_id, response.producer_epoch);
                    self.identity = Some(Identity { id, epoch });
                }
                Ok((_, response)) if response.error_code != ErrorCode::KAFKA_STORAGE_ERROR => {
                    self.world.blame(format_args!("no producer id: {:?}", response.error_code));
                }
                Ok(_) | Err(Broken) => self.world.pause_ms(20, 200).await,
            }
        }
        self.world.blame("there are no producer ids any more");
        None
    }

    fn batch(&mut self, place: Place, identity: Identity) -> Batch {
        let sequence = self.sequences.entry(place).or_default();
        let batch = Batch::new(&self.world, place, self.sender, Some((identity, *sequence)));
        *sequence += batch.count();
        batch
    }

    /// Sends everything that is not settled, in order, and takes out what is settled then.
    async fn attempt(&mut self, requests: &mut [Vec<Batch>]) -> Result<(), Broken> {
        let mut tickets = Vec::new();
        for batches in &*requests {
            // Never by name: another topic of that name would learn of an identity without its sequences.
            let (version, content) = request(&self.world, -1, batches, false);
            tickets.push((version, self.link.send(version, &content, true).await?));
        }
        // Of these nothing is known: what comes behind is out of order.
        let mut in_doubt = BTreeSet::new();
        let mut lost_identity = false;
        for (batches, (version, ticket)) in requests.iter_mut().zip(tickets) {
            let response = self.link.receive::<ProduceRequest>(ticket).await?;
            let world = &self.world;
            batches.retain(|batch| {
                let Some(answer) = answer(world, version, batch, &response) else { return false };
                match (judge(world, ticket, batch, answer), answer.error_code) {
                    (Fate::Acknowledged, _) => false,
                    (Fate::Unknown, _) => {
                        in_doubt.insert(batch.place);
                        true
                    }
                    (Fate::Refused, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
                        if in_doubt.contains(&batch.place) =>
                    {
                        world.reach("out of order behind a failure");
                        true
                    }
                    // Its last batches are gone, and the sequences with them: only another identity helps.
                    (Fate::Refused, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER)
                        if world.ledger().was_cut(batch.place) =>
                    {
                        world.reach("sequence lost in a power cut");
                        lost_identity = true;
                        false
                    }
                    (Fate::Refused, code) => {
                        if world.ledger().is_live(batch.place.topic) {
                            world.blame(format_args!("{code:?} for {:?} in {}", batch.numbers, batch.place));
                        }
                        false
                    }
                }
            });
        }
        if lost_identity {
            self.identity = None;
        }
        Ok(())
    }
}
