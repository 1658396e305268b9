//! Transactions in a world where coordinators die between any two records, requests are lost, repeated and late,
//! two producers fight for one id, and partitions refuse markers for a while. One seed is one run.
//!
//! Data partitions follow the rules of the log (`partition`), clients those of Kafka's clients (`client`). In the end
//! everything is let finish, and each transaction must have ended one way, everywhere, as its client was told.

mod client;
mod compacted;
mod partition;

use super::*;

use self::client::{Client, Outcome, Told};
use self::partition::{DataPartition, Record};
use super::planted::Plant;

const PARTITIONS: usize = 3;
const IDS: [&str; 2] = ["tx-a", "tx-b"];

/// What the one who writes markers is about.
#[derive(Debug)]
enum Worker {
    Idle(Vec<Written>),
    Waits(Ticket),
    Has(Vec<Work>),
}

pub(super) struct World {
    random: u64,
    plant: Option<Plant>,
    rig: Rig,
    /// How many records are durable.
    durable: usize,
    /// Answers that wait until so many records are durable.
    held: Vec<(usize, Ticket, Reply)>,
    partitions: Vec<DataPartition>,
    worker: Worker,
    /// Requests, and markers, that arrive once more, later.
    late_requests: Vec<Request>,
    late_markers: Vec<(usize, Markers)>,
    /// Records whose clients have given up on them.
    late_records: Vec<(usize, Record)>,
    told: Vec<Told>,
    /// Since when transactions have been open, by the clock that nobody sets; a crash gives each its time once more.
    open_since: BTreeMap<(Text, i16), i64>,
    overdue: Option<String>,
    pub(super) crashes: usize,
}

impl World {
    fn new(seed: u64, plant: Option<Plant>) -> Self {
        Self {
            random: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            plant,
            rig: Rig::new(),
            durable: 0,
            held: Vec::new(),
            partitions: (0..PARTITIONS).map(|_| DataPartition::default()).collect(),
            worker: Worker::Idle(Vec::new()),
            late_requests: Vec::new(),
            late_markers: Vec::new(),
            late_records: Vec::new(),
            told: Vec::new(),
            open_since: BTreeMap::new(),
            overdue: None,
            crashes: 0,
        }
    }

    fn below(&mut self, end: usize) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        usize::try_from(self.random >> 33).unwrap() % end
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn has(&self, plant: Plant) -> bool {
        self.plant == Some(plant)
    }

    /// The coordinator dies: of what was not durable any part is left, up to any record.
    fn crash(&mut self) {
        self.crashes += 1;
        self.open_since.clear();
        let lost = self.rig.log.len() - self.durable;
        let kept = self.durable + self.below(lost + 1);
        if lost == 0 {
            let live: Vec<_> = self.rig.machine.states().collect();
            let machine = replayed(&self.rig.log);
            assert_eq!(machine.states().collect::<Vec<_>>(), live, "a replay differs from what was live");
        }
        self.rig.log.truncate(kept);
        // Not each time: it takes as long as all the rest.
        if self.crashes.is_multiple_of(4) {
            self.check_compacted();
        }
        if self.has(Plant::DecisionForgotten) {
            for record in &mut self.rig.log {
                if let Some(state) = &mut record.state
                    && state.status == Status::PrepareCommit
                {
                    state.status = Status::PrepareAbort;
                }
            }
        }
        self.durable = kept;
        self.held.clear();
        self.rig.answers.clear();
        self.worker = Worker::Idle(Vec::new());
        self.rig.restart();
    }

    /// What was appended is durable now, and the answers leave.
    fn sync(&mut self) {
        self.durable = self.rig.log.len();
        for (needs, ticket, reply) in std::mem::take(&mut self.held) {
            assert!(needs <= self.durable);
            self.rig.answers.insert(ticket, reply);
        }
        if let Worker::Waits(ticket) = self.worker
            && let Some(Reply::Work(work)) = self.rig.answers.remove(&ticket)
        {
            self.worker = if work.is_empty() { Worker::Idle(Vec::new()) } else { Worker::Has(work) };
        }
    }

    fn hold(&mut self) {
        let needs = self.rig.log.len();
        let answers = std::mem::take(&mut self.rig.answers);
        self.held.extend(answers.into_iter().map(|(ticket, reply)| (needs, ticket, reply)));
        if self.has(Plant::EarlyAnswers) {
            let durable = self.durable;
            self.sync();
            self.durable = durable;
        }
    }

    fn deliver(&mut self, mut request: Request) -> Ticket {
        if self.has(Plant::EpochUncheckedByCoordinator)
            && let Request::Add { producer, .. } | Request::End { producer, .. } = &mut request
            && let Some(state) = self.rig.machine.state(&producer.transactional_id)
        {
            (producer.producer_id, producer.producer_epoch) = (state.producer_id, state.producer_epoch);
        }
        // What has been released before and nobody waits for any more.
        self.rig.answers.clear();
        let records = self.rig.log.len();
        let ticket = self.rig.send(request);
        if self.has(Plant::RecordForgotten) && self.rig.log.len() > records && self.chance(5) {
            self.rig.log.truncate(records);
        }
        self.hold();
        ticket
    }

    /// Notes what is open, and whether anything has been for longer than it may.
    fn watch(&mut self) {
        let open = self.rig.machine.states().filter(|(_, state)| state.status == Status::Ongoing);
        let open: Vec<_> = open.map(|(id, state)| ((id.clone(), state.producer_epoch), state)).collect();
        let now_ms = self.rig.monotonic_ms;
        self.open_since.retain(|known, _| open.iter().any(|(place, _)| place == known));
        for (place, state) in open {
            let since_ms = *self.open_since.entry(place).or_insert(now_ms);
            // An id for what comes after may take its time.
            if now_ms - since_ms > i64::from(state.timeout_ms) && state.producer_epoch < i16::MAX - 1 {
                self.overdue = Some(format!("it is open since {since_ms}, and it is {now_ms}: {state:?}"));
            }
        }
    }

    /// A client asks. None where no answer comes.
    fn call(&mut self, request: Request) -> Option<Reply> {
        // Before version 2 nothing tells a late request of one transaction from one of the next: that is what it is for.
        let is_told_apart = match &request {
            Request::Add { version, .. } | Request::End { version, .. } => *version >= 2,
            _ => true,
        };
        if self.chance(10) && is_told_apart {
            self.late_requests.push(request.clone());
        }
        if self.chance(5) {
            return None;
        }
        let ticket = self.deliver(request);
        if self.chance(4) {
            self.crash();
            return None;
        }
        if !self.has(Plant::EarlyAnswers) || self.chance(50) {
            self.sync();
        }
        let reply = self.rig.answers.remove(&ticket);
        if self.chance(5) { None } else { reply }
    }

    /// Something else happens meanwhile.
    fn meanwhile(&mut self) {
        match self.below(20) {
            0 => self.crash(),
            1..=6 => self.work(),
            7 => {
                let ms = i64::try_from(self.below(40_000)).unwrap();
                self.rig.answers.clear();
                self.pass(ms);
                self.hold();
            }
            8 | 9 if !self.late_requests.is_empty() => {
                let place = self.below(self.late_requests.len());
                let request = self.late_requests.swap_remove(place);
                self.deliver(request);
            }
            10 | 11 if !self.late_markers.is_empty() => {
                let place = self.below(self.late_markers.len());
                let (partition, markers) = self.late_markers.swap_remove(place);
                self.partitions[partition].end(&markers);
            }
            12 | 13 if !self.late_records.is_empty() => {
                let place = self.below(self.late_records.len());
                let (partition, record) = self.late_records.swap_remove(place);
                self.append(partition, record);
            }
            14..=16 => self.sync(),
            17 => {
                // Somebody sets the clock on the wall.
                let ms = i64::try_from(self.below(1_200_000)).unwrap();
                self.rig.now_ms += ms - 600_000;
            }
            _ => {}
        }
        self.watch();
    }

    fn pass(&mut self, ms: i64) {
        let (forgets, gives_up) = (self.has(Plant::TimeoutForgotten), self.has(Plant::MarkerNotTriedAgain));
        self.rig.timers.retain(|timer, _| match timer {
            Timer::Overdue(_) => !forgets,
            Timer::Again(_) => !gives_up,
            Timer::Sweep => true,
        });
        self.rig.wait(ms);
    }

    /// The worker does one thing.
    fn work(&mut self) {
        match std::mem::replace(&mut self.worker, Worker::Idle(Vec::new())) {
            Worker::Idle(written) => {
                let ticket = self.deliver(Request::Work(written));
                self.worker = Worker::Waits(ticket);
                if self.has(Plant::EarlyAnswers) {
                    self.hold();
                    if let Some(Reply::Work(work)) = self.rig.answers.remove(&ticket) {
                        self.worker = Worker::Has(work);
                    }
                }
            }
            Worker::Waits(ticket) => self.worker = Worker::Waits(ticket),
            Worker::Has(work) => {
                let mut written = Vec::new();
                for work in work {
                    match work {
                        Work::Markers(markers) => match self.write(markers) {
                            Some(of_one) => written.push(of_one),
                            None => return self.crash(),
                        },
                        Work::ProducerId(overdue) => {
                            let fresh_producer_id = self.rig.fresh_id();
                            self.deliver(Request::Abort { overdue, fresh_producer_id });
                        }
                    }
                }
                self.worker = Worker::Idle(written);
            }
        }
    }

    /// Whether a partition takes a record.
    fn append(&mut self, partition: usize, record: Record) -> bool {
        let minds_guards = !self.has(Plant::GuardOff);
        self.partitions[partition].append(record, minds_guards)
    }

    /// Writes markers, as far as it goes; none if everything dies meanwhile.
    fn write(&mut self, mut markers: Markers) -> Option<Written> {
        if self.has(Plant::MarkersOfOldEpochs) {
            markers.version = 0;
        }
        let mut partitions = Partitions::new();
        let is_fenced = !self.has(Plant::MarkerNotTriedAgain) && self.chance(2);
        for (topic, index) in markers.partitions.iter() {
            if self.chance(5) {
                return None;
            }
            if self.chance(15) {
                continue;
            }
            let place = usize::try_from(index).unwrap();
            if !self.has(Plant::MarkerLost) || !self.chance(5) {
                self.partitions[place].end(&markers);
            }
            // Those of before version 2 would end the next transaction: their writer must never be late.
            if self.chance(20) && (markers.version >= 2 || self.has(Plant::MarkersOfOldEpochs)) {
                self.late_markers.push((place, markers.clone()));
            }
            partitions.insert(topic.clone(), index);
        }
        Some(Written { partitions, is_fenced, ..done(&markers) })
    }

    /// Nothing goes wrong any more, and everything comes to its end.
    fn settle(&mut self) {
        // One that keeps what failed to itself would be helped by a restart.
        if !self.has(Plant::MarkerNotTriedAgain) {
            self.crash();
        }
        for _ in 0..20 {
            self.rig.answers.clear();
            self.pass(120_000);
            for markers in self.rig.work() {
                for (_, index) in markers.partitions.iter() {
                    self.partitions[usize::try_from(index).unwrap()].end(&markers);
                }
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        if let Some(overdue) = &self.overdue {
            return Err(overdue.clone());
        }
        for (id, state) in self.rig.machine.states() {
            if !state.status.is_at_rest() {
                return Err(format!("{id} is never over: {state:?}"));
            }
        }
        for (index, partition) in self.partitions.iter().enumerate() {
            partition.check().map_err(|error| format!("partition {index}: {error}"))?;
        }
        for told in &self.told {
            let counted =
                |value| self.partitions.iter().map(|partition| partition.count(value)).sum::<usize>();
            let counts: Vec<usize> = told.values.iter().map(|value| counted(*value)).collect();
            let is_right = match told.outcome {
                Outcome::Committed => counts.iter().all(|count| *count == 1),
                Outcome::Aborted => counts.iter().all(|count| *count == 0),
                Outcome::Unknown => {
                    counts.iter().all(|count| *count == 0) || counts.iter().all(|count| *count == 1)
                }
            };
            if !is_right {
                return Err(format!("{told:?} is there so often: {counts:?}"));
            }
        }
        Ok(())
    }
}

/// One run, and what it came by.
pub(super) fn run(seed: u64, plant: Option<Plant>) -> Result<World, String> {
    let mut world = World::new(seed, plant);
    if world.chance(30) {
        // The epochs of these are soon used up.
        for id in IDS {
            world.rig.producer(id);
            world.rig.set_epoch(id, i16::MAX - 6);
        }
        world.sync();
    }
    let mut clients: Vec<Client> = (0..4).map(|number| Client::new(number, &mut world)).collect();
    for _ in 0..250 {
        let number = world.below(clients.len());
        clients[number].act(&mut world);
        world.meanwhile();
    }
    clients.iter_mut().for_each(|client| client.give_up(&mut world));
    world.settle();
    world.check().map(|()| world)
}

#[test]
fn every_transaction_ends_one_way_as_its_producer_was_told() {
    let seeds = std::env::var("TRANSACTION_SEEDS").map_or(150, |seeds| seeds.parse().expect("a number"));
    let (mut crashes, mut committed, mut aborted, mut unknown) = (0, 0, 0, 0);
    for seed in 0..seeds {
        let world = run(seed, None).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        crashes += world.crashes;
        let count = |outcome| {
            world.told.iter().filter(|told| told.outcome == outcome && !told.values.is_empty()).count()
        };
        committed += count(Outcome::Committed);
        aborted += count(Outcome::Aborted);
        unknown += count(Outcome::Unknown);
    }
    println!("{seeds} seeds: {crashes} crashes, {committed} commits, {aborted} aborts, {unknown} unknown");
    let each = usize::try_from(seeds).unwrap();
    assert!(crashes > each && committed > each && aborted > each / 2 && unknown > each / 2);
}
