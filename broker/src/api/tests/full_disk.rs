//! A disk that is full, as clients see it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strandline_log::clock::SimulatedClock;
use strandline_log::disk::Disk;
use strandline_log::engine::{Options, UpTo, Writer};
use strandline_log::random::Random;
use strandline_protocol::ErrorCode;
use strandline_protocol::batch::{BatchBuilder, batches};

use super::{NOW_MS, Rig, built, fetch_request, records};
use crate::api::topics::TopicRules;
use crate::tests::full_disk::{CAPACITY_BYTES, PAUSE_MS, fill, small_options};

/// So large that a few of them fill what is kept in reserve.
const VALUE_BYTES: usize = 2_000;

fn options() -> Options {
    Options { flush_bytes: 16 << 10, ..small_options() }
}

/// A record's value: its number, and so many bytes that it takes room.
fn value(number: i32) -> Vec<u8> {
    let mut value = number.to_be_bytes().to_vec();
    value.resize(VALUE_BYTES, 7);
    value
}

/// A producer with an identity, which takes what is refused for what may be there, and sends it again.
struct Producer<'a> {
    rig: &'a Rig,
    sent: i32,
    acknowledged: Vec<Vec<u8>>,
}

impl Producer<'_> {
    /// Sends the next record, or the one that was refused once more.
    async fn send(&mut self) -> ErrorCode {
        let value = value(self.sent);
        let batch = built(BatchBuilder::new().producer(5, 0, self.sent), &[&value]);
        let response = self.rig.produce("t", batch).await;
        if response.error_code == ErrorCode::NONE {
            assert_eq!(response.base_offset, i64::from(self.sent), "a record is there once");
            self.sent += 1;
            self.acknowledged.push(value);
        }
        response.error_code
    }

    /// Everything that can be read.
    async fn read(&self) -> Vec<Vec<u8>> {
        let mut found: Vec<Vec<u8>> = Vec::new();
        loop {
            let offset = i64::try_from(found.len()).unwrap();
            let response = self.rig.call(12, &fetch_request("t", &[(0, offset)])).await;
            let before = found.len();
            found.extend(
                records(&response).into_iter().skip_while(|(_, at, _)| *at < offset).map(|(.., value)| value),
            );
            if found.len() == before {
                return found;
            }
        }
    }
}

#[tokio::test]
async fn a_full_disk_takes_nothing_loses_nothing_and_goes_on_by_itself() {
    let rig = Rig::with_options(options());
    rig.disk.sync_directory(Path::new("/")).unwrap();
    rig.create("t", 1, TopicRules::default());
    let mut producer = Producer { rig: &rig, sent: 0, acknowledged: Vec::new() };
    for _ in 0..50 {
        assert_eq!(producer.send().await, ErrorCode::NONE);
    }
    fill(&rig.disk);
    // What the journal has room for is still taken; then nothing is, however often it is tried.
    let mut refusals = 0;
    while refusals < 20 {
        match producer.send().await {
            ErrorCode::NONE => assert!(producer.sent < 1_000, "the disk is full, and everything is taken"),
            ErrorCode::KAFKA_STORAGE_ERROR => {
                refusals += 1;
                rig.clock.advance(PAUSE_MS);
            }
            code => panic!("{code:?}"),
        }
    }
    assert_eq!(producer.read().await, producer.acknowledged, "reading goes on");
    rig.disk.set_capacity(CAPACITY_BYTES);
    let mut attempts = 0;
    while producer.send().await != ErrorCode::NONE {
        attempts += 1;
        assert!(attempts < 1_000, "there is room again, and nothing is taken");
        rig.clock.advance(PAUSE_MS);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..50 {
        assert_eq!(producer.send().await, ErrorCode::NONE);
    }
    assert_eq!(producer.read().await, producer.acknowledged);
    // And so it is after the power was cut.
    let (acknowledged, id, disk) = (producer.acknowledged, rig.log("t", 0).id(), rig.disk.clone());
    disk.crash();
    drop(rig);
    let clock = Arc::new(SimulatedClock::new(NOW_MS));
    let (data, random) = (PathBuf::from("/data"), Random::from_seed(2));
    let writer = Writer::recover(Arc::new(disk.clone()), data, options(), clock, random).unwrap();
    let (partition, _) = writer.partitions().into_iter().find(|(partition, _)| partition.id() == id).unwrap();
    let mut found: Vec<Vec<u8>> = Vec::new();
    while found.len() < acknowledged.len() {
        let read = partition.read(i64::try_from(found.len()).unwrap(), 1 << 20, UpTo::End).unwrap();
        for slice in read.slices {
            for batch in batches(&slice.read().unwrap()).map_while(Result::ok) {
                let records = batch.records(1 << 20).unwrap();
                let records = records.iter().map(Result::unwrap);
                let new = records.filter(|record| record.offset >= i64::try_from(found.len()).unwrap());
                let new: Vec<_> = new.map(|record| record.value.unwrap().to_vec()).collect();
                found.extend(new);
            }
        }
    }
    assert_eq!(found, acknowledged);
}
