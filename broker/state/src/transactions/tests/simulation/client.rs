//! A client that writes transactions, and notes what it was told of each.

use strandline_protocol::{ErrorCode, Text};

use super::{IDS, Initialise, PARTITIONS, Partitions, Plant, Producer, Record, Reply, Request, World};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    Committed,
    Aborted,
    Unknown,
}

/// What a client knows of a transaction.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) values: Vec<u64>,
    pub(super) outcome: Outcome,
}

pub(super) struct Client {
    transactional_id: Text,
    version: i16,
    producer: Option<Producer>,
    /// Values of the transaction that it has open, all of them acknowledged.
    values: Vec<u64>,
    /// Whether something went wrong, so that it can only abort.
    must_abort: bool,
}

impl Client {
    pub(super) fn new(number: usize, world: &mut World) -> Self {
        let version = if world.chance(60) { 2 } else { 0 };
        let transactional_id = Text::from_static(IDS[number % IDS.len()]);
        Self { transactional_id, version, producer: None, values: Vec::new(), must_abort: false }
    }

    /// Does the next thing, whatever that is.
    pub(super) fn act(&mut self, world: &mut World) {
        let Some(producer) = self.producer.clone() else { return self.initialise(world, None) };
        match world.below(10) {
            0 if world.chance(30) => {
                // It dies, and another one of the same id comes.
                self.forget(world, Outcome::Unknown);
                self.producer = None;
            }
            1 if self.values.is_empty() => {
                self.initialise(world, Some((producer.producer_id, producer.producer_epoch)));
            }
            0..=6 if !self.must_abort => self.produce(world, &producer),
            _ => self.end(world, &producer),
        }
    }

    pub(super) fn give_up(&mut self, world: &mut World) {
        self.forget(world, Outcome::Unknown);
    }

    fn forget(&mut self, world: &mut World, outcome: Outcome) {
        let values = std::mem::take(&mut self.values);
        world.told.push(Told { values, outcome });
        self.must_abort = false;
    }

    fn initialise(&mut self, world: &mut World, expected: Option<(i64, i16)>) {
        self.forget(world, Outcome::Unknown);
        self.producer = None;
        let transactional_id = self.transactional_id.clone();
        let mut request =
            Initialise { transactional_id, timeout_ms: 60_000, expected, fresh_producer_id: None };
        let mut reply = world.call(Request::Initialise(request.clone()));
        if reply == Some(Reply::NeedsProducerId) {
            request.fresh_producer_id = Some(world.rig.fresh_id());
            reply = world.call(Request::Initialise(request));
        }
        if let Some(Reply::Producer { producer_id, producer_epoch }) = reply {
            let transactional_id = self.transactional_id.clone();
            self.producer = Some(Producer { transactional_id, producer_id, producer_epoch });
        }
    }

    /// One record: the coordinator is asked first, then the partition.
    fn produce(&mut self, world: &mut World, producer: &Producer) {
        let partition = world.below(PARTITIONS);
        let index = i32::try_from(partition).unwrap();
        let identity = (producer.producer_id, producer.producer_epoch);
        let partitions: Partitions = [(Text::from_static("topic"), index)].into_iter().collect();
        let (version, waits) = (self.version, world.chance(30));
        let add = Request::Add { producer: producer.clone(), partitions: partitions.clone(), version, waits };
        if version < 2 && world.call(add.clone()) != Some(Reply::Done) {
            self.must_abort = true;
            return;
        }
        if version < 2 {
            world.meanwhile();
        }
        let guard = world.partitions[partition].guard(identity.0, identity.1);
        let verify = Request::Verify { producer: producer.clone(), partitions };
        let (asked, expected) =
            if version < 2 { (verify, Reply::Missing(Partitions::new())) } else { (add, Reply::Done) };
        let is_verified =
            guard.is_none() || world.has(Plant::Unverified) || world.call(asked) == Some(expected);
        world.meanwhile();
        let value =
            u64::try_from(world.below(1 << 30)).unwrap() << 20 | u64::try_from(world.told.len()).unwrap();
        let record = Record { identity, value, guard };
        if is_verified && world.chance(10) {
            // It takes too long, and the client gives up on it.
            world.late_records.push((partition, record));
            self.must_abort = true;
        } else if is_verified && world.append(partition, record) {
            self.values.push(value);
        } else {
            self.must_abort = true;
        }
    }

    fn end(&mut self, world: &mut World, producer: &Producer) {
        let is_commit = !self.must_abort && world.chance(70);
        if self.values.is_empty() && is_commit {
            return;
        }
        for _ in 0..4 {
            let version = self.version;
            let end = |fresh_producer_id| {
                let producer = producer.clone();
                Request::End { producer, is_commit, version, fresh_producer_id }
            };
            let mut reply = world.call(end(None));
            if reply == Some(Reply::NeedsProducerId) {
                let fresh = world.rig.fresh_id();
                reply = world.call(end(Some(fresh)));
            }
            match reply {
                None | Some(Reply::Refused(ErrorCode::CONCURRENT_TRANSACTIONS)) => {}
                Some(Reply::Done | Reply::Producer { .. }) => {
                    if let Some(Reply::Producer { producer_id, producer_epoch }) = reply {
                        let transactional_id = self.transactional_id.clone();
                        self.producer = Some(Producer { transactional_id, producer_id, producer_epoch });
                    }
                    return self.forget(world, if is_commit { Outcome::Committed } else { Outcome::Aborted });
                }
                Some(_) => break,
            }
            world.meanwhile();
        }
        // Fenced, or nobody answers: a producer that gives up begins anew.
        self.forget(world, Outcome::Unknown);
        self.producer = None;
    }
}
