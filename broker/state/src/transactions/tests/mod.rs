//! What the machine promises, rule by rule; the simulation is in `simulation`.

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};

use super::*;
use crate::coordinator::Record;

mod bad_input;
mod ending;
mod initialising;
mod planted;
mod simulation;
mod working;

const HOUR_MS: i64 = 3_600_000;

fn settings() -> Arc<TransactionSettings> {
    Arc::new(TransactionSettings::of(&BrokerSettings::default()))
}

/// A machine with the one who drives it: its log, its clock and its timers.
struct Rig {
    machine: Transactions,
    /// What was appended, as the bytes that the log has.
    log: Vec<TransactionRecord>,
    /// When they go off, by a clock that nobody sets.
    timers: BTreeMap<Timer, i64>,
    monotonic_ms: i64,
    /// The clock on the wall.
    now_ms: i64,
    next_ticket: u64,
    next_id: i64,
    answers: BTreeMap<Ticket, Reply>,
    events: Vec<Event>,
}

impl Rig {
    fn new() -> Self {
        let mut rig = Self {
            machine: Transactions::new(settings()),
            log: Vec::new(),
            timers: BTreeMap::new(),
            monotonic_ms: 0,
            now_ms: 1_000_000,
            next_ticket: 0,
            next_id: 100,
            answers: BTreeMap::new(),
            events: Vec::new(),
        };
        rig.restart();
        rig
    }

    /// The machine is lost, and another one replays the log.
    fn restart(&mut self) {
        self.machine = replayed(&self.log);
        self.timers.clear();
        let loaded = self.machine.loaded(self.now_ms);
        self.carry_out(loaded);
    }

    fn carry_out(&mut self, decision: Decision) {
        let Decision { records, passing, replies, timers, events, .. } = decision;
        self.events.extend(events);
        for record in records {
            self.log.push(record.clone());
            self.machine.evolve(0, Origin::Plain, record);
        }
        passing.into_iter().for_each(|passing| self.machine.pass(passing));
        for (timer, moment) in timers {
            match moment {
                Some(moment) => self.timers.insert(timer, moment - self.now_ms + self.monotonic_ms),
                None => self.timers.remove(&timer),
            };
        }
        for (ticket, reply) in replies {
            assert!(self.answers.insert(ticket, reply).is_none(), "{ticket:?} is answered twice");
        }
    }

    /// Asks, and gives the ticket.
    fn send(&mut self, request: Request) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        let decision = self.machine.decide(self.now_ms, Command::Ask(ticket, request));
        self.carry_out(decision);
        ticket
    }

    /// Asks, and gives the answer.
    fn ask(&mut self, request: Request) -> Reply {
        let ticket = self.send(request);
        self.answers.remove(&ticket).expect("an answer")
    }

    fn fresh_id(&mut self) -> i64 {
        self.next_id += 1;
        self.next_id
    }

    /// Asks for an id and an epoch, as often as it takes.
    fn initialise(&mut self, id: &'static str, expected: Option<(i64, i16)>) -> Reply {
        let mut request = Initialise {
            transactional_id: Text::from_static(id),
            timeout_ms: 60_000,
            expected,
            fresh_producer_id: None,
        };
        match self.ask(Request::Initialise(request.clone())) {
            Reply::NeedsProducerId => {
                request.fresh_producer_id = Some(self.fresh_id());
                self.ask(Request::Initialise(request))
            }
            reply => reply,
        }
    }

    /// A producer that has an id and an epoch.
    fn producer(&mut self, id: &'static str) -> Producer {
        match self.initialise(id, None) {
            Reply::Producer { producer_id, producer_epoch } => {
                Producer { transactional_id: Text::from_static(id), producer_id, producer_epoch }
            }
            reply => panic!("{reply:?}"),
        }
    }

    fn add(&mut self, producer: &Producer, indexes: &[i32], version: i16) -> Reply {
        let (producer, partitions) = (producer.clone(), partitions(indexes));
        self.ask(Request::Add { producer, partitions, version, waits: false })
    }

    fn end(&mut self, producer: &Producer, is_commit: bool, version: i16) -> Reply {
        let end = |fresh_producer_id| Request::End {
            producer: producer.clone(),
            is_commit,
            version,
            fresh_producer_id,
        };
        match self.ask(end(None)) {
            Reply::NeedsProducerId => {
                let fresh = self.fresh_id();
                self.ask(end(Some(fresh)))
            }
            reply => reply,
        }
    }

    /// Writes all markers that there are to write.
    fn work(&mut self) -> Vec<Markers> {
        let mut all = Vec::new();
        let mut written = Vec::new();
        loop {
            let ticket = self.send(Request::Work(std::mem::take(&mut written)));
            let Some(Reply::Work(work)) = self.answers.remove(&ticket) else { return all };
            for work in work {
                match work {
                    Work::Markers(markers) => {
                        written.push(done(&markers));
                        all.push(markers);
                    }
                    Work::ProducerId(overdue) => {
                        let fresh_producer_id = self.fresh_id();
                        self.ask(Request::Abort { overdue, fresh_producer_id });
                    }
                }
            }
        }
    }

    /// Lets time pass, and the timers go off that are due.
    fn wait(&mut self, ms: i64) {
        let end_ms = self.monotonic_ms + ms;
        while let Some((timer, moment)) = self
            .timers
            .iter()
            .min_by_key(|(_, moment)| **moment)
            .map(|(timer, moment)| (timer.clone(), *moment))
            && moment <= end_ms
        {
            self.timers.remove(&timer);
            self.pass_until(moment);
            let decision = self.machine.decide(self.now_ms, Transactions::due(timer));
            self.carry_out(decision);
        }
        self.pass_until(end_ms);
    }

    fn pass_until(&mut self, moment: i64) {
        let passed_ms = (moment - self.monotonic_ms).max(0);
        self.monotonic_ms += passed_ms;
        self.now_ms += passed_ms;
    }

    fn status(&self, id: &str) -> Status {
        self.machine.state(id).expect("it is known").status
    }

    /// Puts an id where it would be after very many transactions.
    fn set_epoch(&mut self, id: &'static str, epoch: i16) {
        let mut state = self.machine.state(id).expect("it is known").clone();
        state.producer_epoch = epoch;
        let record = TransactionRecord { transactional_id: Text::from_static(id), state: Some(state) };
        self.carry_out(Decision { records: vec![record], ..Decision::default() });
    }
}

/// A machine made of a log's bytes.
fn replayed(log: &[TransactionRecord]) -> Transactions {
    let mut machine = Transactions::new(settings());
    for (offset, record) in (0..).zip(log) {
        let (key, value) = record.to_bytes().unwrap();
        let read = TransactionRecord::from_bytes(key, value).unwrap().expect("it is ours");
        assert_eq!(read, *record);
        machine.evolve(offset, Origin::Plain, read);
    }
    machine
}

fn partitions(indexes: &[i32]) -> Partitions {
    indexes.iter().map(|index| (Text::from_static("topic"), *index)).collect()
}

fn done(markers: &Markers) -> Written {
    let Markers { transactional_id, producer_id, producer_epoch, partitions, .. } = markers.clone();
    Written { transactional_id, producer_id, producer_epoch, partitions, is_fenced: false }
}

fn got(producer_id: i64, producer_epoch: i16) -> Reply {
    Reply::Producer { producer_id, producer_epoch }
}

fn refused(code: ErrorCode) -> Reply {
    Reply::Refused(code)
}

/// The same producer under another epoch.
fn under(producer: &Producer, producer_epoch: i16) -> Producer {
    Producer { producer_epoch, ..producer.clone() }
}

#[test]
fn partitions_are_added_by_the_producer_of_the_id_alone() {
    let mut rig = Rig::new();
    let stranger = Producer { transactional_id: "tx".into(), producer_id: 7, producer_epoch: 0 };
    assert_eq!(rig.add(&stranger, &[0], 0), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    let producer = rig.producer("tx");
    assert_eq!(rig.add(&stranger, &[0], 0), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    assert_eq!(rig.add(&under(&producer, 1), &[0], 0), refused(ErrorCode::PRODUCER_FENCED));
    let nobody = Producer { transactional_id: Text::new(), ..producer.clone() };
    assert_eq!(rig.add(&nobody, &[0], 0), refused(ErrorCode::INVALID_REQUEST));
    assert_eq!(rig.status("tx"), Status::Empty);

    assert_eq!(rig.add(&producer, &[0], 0), Reply::Done);
    assert_eq!(rig.machine.state("tx").unwrap().started_ms, rig.now_ms);
    let length = rig.log.len();
    assert_eq!(rig.add(&producer, &[0], 0), Reply::Done);
    assert_eq!(rig.log.len(), length, "what is there already needs no record");
    rig.now_ms += 10;
    assert_eq!(rig.add(&producer, &[1, 0], 0), Reply::Done);
    let state = rig.machine.state("tx").unwrap();
    assert_eq!((&state.partitions, state.started_ms), (&partitions(&[0, 1]), rig.now_ms - 10));

    rig.end(&producer, true, 0);
    assert_eq!(rig.add(&producer, &[2], 0), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
}

#[test]
fn partitions_are_verified_against_the_open_transaction() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    let verify = |producer: &Producer, indexes| Request::Verify {
        producer: producer.clone(),
        partitions: partitions(indexes),
    };
    assert_eq!(rig.ask(verify(&producer, &[0])), Reply::Missing(partitions(&[0])));
    rig.add(&producer, &[0], 0);
    assert_eq!(rig.ask(verify(&producer, &[0])), Reply::Missing(Partitions::new()));
    assert_eq!(rig.ask(verify(&producer, &[0, 3])), Reply::Missing(partitions(&[3])));
    assert_eq!(rig.ask(verify(&under(&producer, -1), &[0])), refused(ErrorCode::PRODUCER_FENCED));
    let other = Producer { producer_id: 9, ..producer.clone() };
    assert_eq!(rig.ask(verify(&other, &[0])), refused(ErrorCode::INVALID_PRODUCER_ID_MAPPING));
    rig.end(&producer, true, 0);
    assert_eq!(rig.ask(verify(&producer, &[0])), refused(ErrorCode::CONCURRENT_TRANSACTIONS));
    rig.work();
    assert_eq!(rig.ask(verify(&producer, &[0])), Reply::Missing(partitions(&[0])));
}

#[test]
fn a_transaction_has_no_more_partitions_than_a_record_holds() {
    let mut rig = Rig::new();
    let producer = rig.producer("tx");
    rig.add(&producer, &[0], 2);
    let name = Text::from("x".repeat(249));
    let many: Partitions = (0..150_000).map(|index| (name.clone(), index)).collect();
    let add = Request::Add { producer: producer.clone(), partitions: many, version: 2, waits: false };
    assert_eq!(rig.ask(add), refused(ErrorCode::RECORD_LIST_TOO_LARGE));
    assert_eq!(rig.machine.state("tx").unwrap().partitions, partitions(&[0]));
}

#[test]
fn operators_see_where_ids_stand() {
    let mut rig = Rig::new();
    let first = rig.producer("first");
    rig.producer("second");
    rig.add(&first, &[0, 1], 0);
    rig.now_ms += 5_000;
    let list = |filter| Request::List(filter);
    let named = |reply| match reply {
        Reply::Listed(listed) => listed.into_iter().map(|(id, ..)| id.to_string()).collect::<Vec<_>>(),
        reply => panic!("{reply:?}"),
    };
    assert_eq!(named(rig.ask(list(Filter::default()))), ["first", "second"]);
    let statuses = Some([Status::Ongoing].into());
    assert_eq!(named(rig.ask(list(Filter { statuses, ..Filter::default() }))), ["first"]);
    let of_none = Filter { statuses: Some([].into()), ..Filter::default() };
    assert_eq!(named(rig.ask(list(of_none))), [""; 0]);
    let producer_ids = [first.producer_id].into();
    assert_eq!(named(rig.ask(list(Filter { producer_ids, ..Filter::default() }))), ["first"]);
    let longer = |longer_than_ms| Filter {
        longer_than_ms,
        statuses: Some([Status::Ongoing].into()),
        ..Filter::default()
    };
    assert_eq!(named(rig.ask(list(longer(Some(4_999))))), ["first"]);
    assert_eq!(named(rig.ask(list(longer(Some(5_000))))), [""; 0]);

    assert_eq!(rig.ask(Request::Describe("third".into())), refused(ErrorCode::TRANSACTIONAL_ID_NOT_FOUND));
    assert_eq!(rig.ask(Request::Describe(Text::new())), refused(ErrorCode::INVALID_REQUEST));
    let described = |reply| match reply {
        Reply::Described(state) => (state.status, state.partitions),
        reply => panic!("{reply:?}"),
    };
    assert_eq!(described(rig.ask(Request::Describe("first".into()))), (Status::Ongoing, partitions(&[0, 1])));
}

#[test]
fn names_and_numbers_are_kafkas() {
    for status in Status::ALL {
        assert_eq!(Status::from_name(status.name()), Some(status));
        assert_eq!(Status::from_code(status.code()), Some(status));
    }
    assert_eq!(Status::from_name("PrepareEpochFence"), None);
    assert_eq!(Status::from_code(7), None);
}
