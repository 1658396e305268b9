//! The accumulator against a cluster in memory that checks sequence numbers as Kafka does, behind a network that
//! loses connections while requests are on their way, some of which arrive late.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use strandline_protocol::batch::SharedBatch;
use strandline_protocol::{Bytes, Compression, Compressor, ErrorCode};
use tokio::sync::Semaphore;

use super::super::config::{Acks, Settings};
use super::super::queue::Identity;
use super::*;
use crate::address::BrokerAddress;
use crate::cluster::{BrokerInfo, PartitionInfo};
use crate::error::CloseReason;
use crate::tests::numbers::Numbers;

const PARTITIONS: usize = 3;
const BROKERS: i32 = 2;

pub(super) fn settings() -> Settings {
    Settings {
        acks: Acks::All,
        is_idempotent: true,
        linger: Duration::from_millis(5),
        batch_bytes: 400,
        request_bytes_max: 1_000,
        memory_bytes_max: 1 << 20,
        in_flight_max: 5,
        delivery_timeout: Duration::from_secs(100_000),
        topic_timeout: Duration::ZERO,
        compression: Compression::None,
        compression_level: None,
        partitioner: None,
        transactional_id: None,
        transaction_timeout: Duration::from_secs(60),
        backoff_least: Duration::from_millis(10),
        backoff_greatest: Duration::from_millis(100),
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn is(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }
}

#[derive(Default)]
struct Log {
    leader: i32,
    records: Vec<u64>,
    numbers: Numbers,
}

impl Log {
    /// As Kafka's leader decides it.
    fn append(&mut self, bytes: &Bytes, records_max: usize) -> Result<i64, ErrorCode> {
        let batch = SharedBatch::parse(bytes.clone()).unwrap();
        batch.view().check_crc().unwrap();
        let values = values(&batch);
        if values.len() > records_max {
            return Err(ErrorCode::MESSAGE_TOO_LARGE);
        }
        let next_offset = i64::try_from(self.records.len()).unwrap();
        if let Some(offset) = self.numbers.take(batch.header(), next_offset)? {
            return Ok(offset);
        }
        self.records.extend(values);
        Ok(next_offset)
    }
}

fn values(batch: &SharedBatch) -> Vec<u64> {
    let section = batch.records(1 << 20).unwrap();
    section
        .iter()
        .map(|record| u64::from_be_bytes(record.unwrap().value.unwrap()[..8].try_into().unwrap()))
        .collect()
}

/// A request on its way, and its answer on the way back.
struct Underway {
    shipment: Shipment,
    sent: Vec<(usize, Bytes)>,
    answers: Option<Vec<Result<Written>>>,
}

struct World {
    random: Random,
    now: Instant,
    accumulator: Accumulator,
    room: Arc<Semaphore>,
    logs: Vec<Log>,
    network: HashMap<i32, VecDeque<Underway>>,
    // Of connections that the client has lost, and that the broker has not read to the end.
    late: Vec<(i32, Vec<(usize, Bytes)>)>,
    next_record: u64,
    deliveries: Vec<(u64, Delivery)>,
    records_max: usize,
    identities: i64,
}

fn metadata(logs: &[Log]) -> ClusterMetadata {
    let partition = |(number, log): (i32, &Log)| PartitionInfo {
        partition: number,
        leader: Some(log.leader),
        ..Default::default()
    };
    let info = TopicInfo {
        name: "orders".to_owned(),
        partitions: (0..).zip(logs).map(partition).collect(),
        ..Default::default()
    };
    let broker = |id| BrokerInfo { id, address: BrokerAddress::new("b", 1), rack: None };
    ClusterMetadata {
        brokers: (0..BROKERS).map(broker).collect(),
        topics: [("orders".to_owned(), info)].into(),
        ..Default::default()
    }
}

fn lost() -> Error {
    Error::Closed { broker: "b".into(), reason: CloseReason::ByBroker }
}

impl World {
    fn new(seed: u64, settings: Settings) -> Self {
        let logs: Vec<Log> = (0..PARTITIONS).map(|_| Log::default()).collect();
        let room = Arc::new(Semaphore::new(settings.memory_bytes_max));
        let mut accumulator = Accumulator::new(settings);
        let metadata = metadata(&logs);
        accumulator.learn(&metadata.topics["orders"], &metadata);
        accumulator.set_numbering(Numbering::By(Identity { producer_id: 7, epoch: 0 }));
        Self {
            random: Random(seed * 2 + 1),
            now: Instant::now(),
            accumulator,
            room,
            logs,
            network: HashMap::new(),
            late: Vec::new(),
            next_record: 0,
            deliveries: Vec::new(),
            records_max: usize::MAX,
            identities: 7,
        }
    }

    fn send(&mut self) {
        let id = self.next_record;
        self.next_record += 1;
        let mut value = id.to_be_bytes().to_vec();
        value.resize(8 + self.random.below(60), 0);
        let partition = i32::try_from(self.random.below(PARTITIONS)).unwrap();
        let record = ProducerRecord::to("orders").value(&value).partition(partition).timestamp(1);
        let Ok(permit) = self.room.try_acquire_many(u32::try_from(record.bytes_max()).unwrap()) else {
            return;
        };
        permit.forget();
        let charge = Charge::new(self.room.clone(), record.bytes_max());
        let (delivery, _) = self.accumulator.append(&record, None, charge, self.now).unwrap();
        self.deliveries.push((id, delivery));
    }

    fn drain(&mut self) {
        let orders = self.accumulator.drain(self.now);
        let mut compressor = Compressor::new(Compression::None, None).unwrap();
        for mut shipment in orders.shipments {
            let mut sent = Vec::new();
            for (_, batch) in &mut shipment.batches {
                let partition = usize::try_from(batch.partition).unwrap();
                assert!(sent.iter().all(|(other, _)| *other != partition), "one batch for each partition");
                sent.push((partition, batch.build(&mut compressor).unwrap()));
            }
            let bytes: usize = sent.iter().map(|(_, bytes)| bytes.len()).sum();
            assert!(bytes <= settings().request_bytes_max || sent.len() == 1, "{bytes} bytes");
            let network = self.network.entry(shipment.broker).or_default();
            network.push_back(Underway { shipment, sent, answers: None });
            assert!(network.len() <= settings().in_flight_max);
        }
    }

    fn append(&mut self, broker: i32, sent: &[(usize, Bytes)], may_fail: bool) -> Vec<Result<Written>> {
        let answer = |(partition, bytes): &(usize, Bytes)| {
            let log = &mut self.logs[*partition];
            let code = if log.leader != broker {
                Err(ErrorCode::NOT_LEADER_OR_FOLLOWER)
            } else if may_fail && self.random.is(9) {
                Err(ErrorCode::NOT_ENOUGH_REPLICAS)
            } else {
                let appended = log.append(bytes, self.records_max);
                // Written, and the answer says that nobody knows.
                if may_fail && self.random.is(12) { Err(ErrorCode::REQUEST_TIMED_OUT) } else { appended }
            };
            code.map(|offset| Written { base_offset: Some(offset), append_time: None })
                .map_err(|code| Error::broker(code, "orders", None))
        };
        sent.iter().map(answer).collect()
    }

    fn broker_reads(&mut self, broker: i32, may_fail: bool) {
        let network = self.network.entry(broker).or_default();
        let Some(index) = network.iter().position(|underway| underway.answers.is_none()) else { return };
        let sent = network[index].sent.clone();
        let answers = self.append(broker, &sent, may_fail);
        self.network.get_mut(&broker).unwrap()[index].answers = Some(answers);
    }

    fn client_reads(&mut self, broker: i32) {
        let network = self.network.entry(broker).or_default();
        if network.front().is_some_and(|underway| underway.answers.is_some()) {
            let Underway { shipment, answers, .. } = network.pop_front().unwrap();
            self.answered(shipment, answers.unwrap());
        }
    }

    fn answered(&mut self, shipment: Shipment, answers: Vec<Result<Written>>) {
        let results = shipment.batches.into_iter().zip(answers).collect();
        let wishes = self.accumulator.answered(shipment.broker, results, self.now);
        if wishes.identity {
            self.identities += 1;
            let identity = Identity { producer_id: self.identities, epoch: 0 };
            self.accumulator.set_numbering(Numbering::By(identity));
        }
    }

    fn lose_connection(&mut self, broker: i32) {
        for underway in self.network.remove(&broker).unwrap_or_default() {
            if underway.answers.is_none() && self.random.is(2) {
                self.late.push((broker, underway.sent));
            }
            let answers = underway.shipment.batches.iter().map(|_| Err(lost())).collect();
            self.answered(underway.shipment, answers);
        }
    }

    fn late_one_arrives(&mut self) {
        if !self.late.is_empty() {
            let (broker, sent) = self.late.remove(self.random.below(self.late.len()));
            self.append(broker, &sent, false);
        }
    }

    fn step(&mut self) {
        let broker = i32::try_from(self.random.below(2)).unwrap();
        match self.random.below(20) {
            0..7 => (0..self.random.below(6)).for_each(|_| self.send()),
            7..12 => self.broker_reads(broker, true),
            12..16 => self.client_reads(broker),
            16 => self.lose_connection(broker),
            17 => self.late_one_arrives(),
            18 => {
                let partition = self.random.below(PARTITIONS);
                self.logs[partition].leader = broker;
            }
            _ => self.accumulator.update(&metadata(&self.logs)),
        }
        self.now += Duration::from_millis(u64::try_from(self.random.below(8)).unwrap());
        self.drain();
    }

    /// Nothing fails any more.
    fn heal(&mut self) {
        for _ in 0..100_000 {
            self.accumulator.update(&metadata(&self.logs));
            for broker in 0..BROKERS {
                self.broker_reads(broker, false);
                self.client_reads(broker);
            }
            self.late_one_arrives();
            self.now += Duration::from_millis(5);
            self.drain();
            if self.accumulator.is_empty() {
                return;
            }
        }
        panic!("it never ends");
    }

    /// What was delivered and what was given up.
    async fn check(self) -> (usize, usize) {
        for log in &self.logs {
            let is_in_order = log.records.is_sorted_by(|left, right| left < right);
            assert!(is_in_order, "order, and nothing twice: {:?}", log.records);
        }
        self.check_deliveries().await
    }

    async fn check_deliveries(self) -> (usize, usize) {
        let bytes = settings().memory_bytes_max;
        drop(self.accumulator);
        assert_eq!(self.room.available_permits(), bytes, "all memory has been given back");
        let (mut delivered, mut given_up) = (0, 0);
        for (id, delivery) in self.deliveries {
            let partition = usize::try_from(delivery.partition()).unwrap();
            match delivery.await {
                Ok(found) => {
                    let offset = usize::try_from(found.offset.unwrap()).unwrap();
                    assert_eq!(self.logs[partition].records[offset], id, "a record stands where it was said");
                    delivered += 1;
                }
                Err(_) => given_up += 1,
            }
        }
        (delivered, given_up)
    }
}

#[tokio::test]
async fn nothing_is_lost_doubled_or_swapped() {
    for seed in 0..100 {
        let mut world = World::new(seed, settings());
        (0..600).for_each(|_| world.step());
        world.heal();
        let sent = world.deliveries.len();
        let (delivered, given_up) = world.check().await;
        assert_eq!((delivered, given_up), (sent, 0), "seed {seed}");
        assert!(sent > 100);
    }
}

#[tokio::test]
async fn what_is_given_up_leaves_no_gap_that_stops_the_rest() {
    let mut all = (0, 0);
    for seed in 0..100 {
        let settings = Settings { delivery_timeout: Duration::from_millis(300), ..settings() };
        let mut world = World::new(seed, settings);
        (0..600).for_each(|_| world.step());
        world.heal();
        let (delivered, given_up) = world.check().await;
        all = (all.0 + delivered, all.1 + given_up);
    }
    assert!(all.0 > 10_000 && all.1 > 1_000, "both have to be met: {all:?}");
}

#[tokio::test]
async fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    for seed in 0..100 {
        let mut world = World::new(seed, settings());
        world.records_max = 2;
        (0..600).for_each(|_| world.step());
        world.heal();
        let sent = world.deliveries.len();
        assert_eq!(world.check().await, (sent, 0), "seed {seed}");
    }
}

#[tokio::test]
async fn epochs_that_are_used_up_ask_for_another_identity() {
    let mut others = 0;
    for seed in 0..50 {
        let settings = Settings { delivery_timeout: Duration::from_millis(300), ..settings() };
        let mut world = World::new(seed, settings);
        world.accumulator.set_numbering(Numbering::By(Identity { producer_id: 7, epoch: i16::MAX - 2 }));
        (0..900).for_each(|_| world.step());
        world.heal();
        others += world.identities - 7;
        assert!(world.check_deliveries().await.0 > 0);
    }
    assert!(others > 10, "{others}");
}

/// The simulation has to notice what would go wrong without the numbers.
#[tokio::test]
async fn without_numbers_things_go_wrong() {
    let mut wrong = 0;
    for seed in 0..50 {
        let settings = Settings { is_idempotent: false, ..settings() };
        let mut world = World::new(seed, settings);
        world.accumulator.set_numbering(Numbering::Off);
        (0..600).for_each(|_| world.step());
        world.heal();
        wrong +=
            usize::from(world.logs.iter().any(|log| !log.records.is_sorted_by(|left, right| left < right)));
    }
    assert!(wrong > 25, "{wrong}");
}
