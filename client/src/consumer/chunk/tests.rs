use bytes::BytesMut;
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, NewRecord};

use super::*;

const READING: Reading = Reading { is_committed_only: false, checks_crc: true, batch_bytes_max: 1 << 20 };
const COMMITTED: Reading = Reading { is_committed_only: true, ..READING };

fn batch(base: i64, values: &[&str], producer: Option<i64>, compression: Compression) -> Bytes {
    let mut builder =
        BatchBuilder::new().base_offset(base).partition_leader_epoch(4).compression(compression, None);
    if let Some(producer) = producer {
        builder = builder.producer(producer, 0, 0).transactional(true);
    }
    for value in values {
        builder.append(&NewRecord { value: Some(value.as_bytes()), ..NewRecord::at(1) }).unwrap();
    }
    builder.build().unwrap()
}

fn marker(base: i64, producer: i64, is_abort: bool) -> Bytes {
    let record = if is_abort {
        ControlRecord::Abort { coordinator_epoch: 1 }
    } else {
        ControlRecord::Commit { coordinator_epoch: 1 }
    };
    let mut bytes = BytesMut::from(record.transaction_marker(1, producer, 0).unwrap().as_ref());
    let mut header = BatchHeader::parse(&bytes).unwrap();
    header.assign(base, 4);
    header.write_over(&mut bytes).unwrap();
    bytes.freeze()
}

fn chunk(from: i64, batches: &[Bytes], aborted: &[(i64, i64)]) -> Chunk {
    let aborted = aborted.iter().map(|(producer_id, first_offset)| AbortedTransaction {
        producer_id: *producer_id,
        first_offset: *first_offset,
        ..Default::default()
    });
    Chunk::new(&("a".into(), 3), from, &Bytes::from(batches.concat()), aborted.collect()).unwrap().unwrap()
}

fn read(chunk: &mut Chunk, reading: Reading) -> Vec<(i64, String)> {
    let mut decompressor = Decompressor::new();
    let mut records = Vec::new();
    while let Some(record) = chunk.next(reading, &mut decompressor).unwrap() {
        assert_eq!(chunk.position(), record.offset + 1);
        records.push((record.offset, String::from_utf8(record.value.unwrap().to_vec()).unwrap()));
    }
    records
}

fn named(records: &[(i64, &str)]) -> Vec<(i64, String)> {
    records.iter().map(|(offset, value)| (*offset, (*value).to_owned())).collect()
}

#[test]
fn what_was_not_asked_for_is_passed_over() {
    let first = batch(10, &["a", "b", "c"], None, Compression::Lz4);
    let second = batch(20, &["d"], None, Compression::None);
    // The last one is cut off, as a broker may do.
    let mut chunk = chunk(11, &[first, second.clone(), second.slice(..40)], &[]);
    assert_eq!(chunk.end(), 21);
    assert_eq!(read(&mut chunk, READING), named(&[(11, "b"), (12, "c"), (20, "d")]));
    assert_eq!((chunk.position(), chunk.leader_epoch()), (21, Some(4)));
}

#[test]
fn values_are_slices_of_the_answer() {
    let bytes = batch(0, &["a value of some length"], None, Compression::None);
    let mut chunk = Chunk::new(&("a".into(), 0), 0, &bytes, Vec::new()).unwrap().unwrap();
    let record = chunk.next(READING, &mut Decompressor::new()).unwrap().unwrap();
    assert!(bytes.as_ptr_range().contains(&record.value.unwrap().as_ptr()));
}

#[test]
fn records_of_aborted_transactions_are_for_those_who_ask_for_them() {
    let plain = Compression::None;
    let batches = [
        batch(0, &["a"], Some(7), plain),
        batch(1, &["b"], Some(8), plain),
        marker(2, 7, true),
        batch(3, &["c"], Some(7), plain),
        marker(4, 8, false),
        batch(5, &["d"], None, plain),
        marker(6, 7, false),
        batch(7, &["e"], Some(8), plain),
        marker(8, 8, true),
    ];
    let aborted = [(8, 7), (7, 0)];
    let committed = named(&[(1, "b"), (3, "c"), (5, "d")]);
    let mut committed_only = chunk(0, &batches, &aborted);
    assert_eq!(read(&mut committed_only, COMMITTED), committed);
    assert_eq!(committed_only.position(), 9, "behind the last mark");
    let all = named(&[(0, "a"), (1, "b"), (3, "c"), (5, "d"), (7, "e")]);
    assert_eq!(read(&mut chunk(0, &batches, &aborted), READING), all);
}

#[test]
fn what_is_damaged_is_said_and_what_is_before_it_is_read() {
    let mut second = BytesMut::from(batch(1, &["b"], None, Compression::None).as_ref());
    *second.last_mut().unwrap() ^= 1;
    let mut chunk = chunk(0, &[batch(0, &["a"], None, Compression::None), second.freeze()], &[]);
    let mut decompressor = Decompressor::new();
    assert_eq!(chunk.next(READING, &mut decompressor).unwrap().unwrap().offset, 0);
    let error = chunk.next(READING, &mut decompressor).unwrap_err();
    assert!(matches!(&error, Error::Corrupt { subject, .. } if subject == "a-3 at 1"), "{error}");
    assert!(!error.is_retriable());
}

#[test]
fn what_unpacks_to_more_than_it_may_is_an_error() {
    let large = "x".repeat(100_000);
    let mut chunk = chunk(0, &[batch(0, &[&large], None, Compression::Zstd)], &[]);
    let reading = Reading { batch_bytes_max: 10_000, ..READING };
    assert!(matches!(chunk.next(reading, &mut Decompressor::new()), Err(Error::Corrupt { .. })));
}

#[test]
fn no_whole_batch_is_nothing_and_nonsense_is_an_error() {
    let bytes = batch(0, &["a"], None, Compression::None);
    assert!(Chunk::new(&("a".into(), 0), 0, &bytes.slice(..30), Vec::new()).unwrap().is_none());
    assert!(Chunk::new(&("a".into(), 0), 0, &Bytes::from(vec![1; 100]), Vec::new()).is_err());
}
