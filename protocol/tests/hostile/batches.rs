//! Batches and compressed bytes, damaged in few places: far enough in to be read, and then wrong.

use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, ControlRecord, NewRecord, RecordHeader};

use crate::properties::check::{batch, builder, compression, coordinator_log};
use crate::properties::random::Random;

const ROUNDS: usize = 300;

fn ordinary() -> Vec<u8> {
    let headers = [RecordHeader::new("trace", Some(b"a")), RecordHeader::new("trace", None)];
    let mut builder = BatchBuilder::new().producer(4_711, 0, 17);
    for value in [None, Some(&b""[..]), Some(b"ebb"), Some(&[7; 300])] {
        let record = NewRecord { key: value, value, headers: &headers, ..NewRecord::at(1_700_000_000_000) };
        builder.append(&record).unwrap();
    }
    builder.build().unwrap().to_vec()
}

/// The bytes with one to three of them changed.
fn damaged(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let place = random.below(bytes.len());
        bytes[place] = match random.below(4) {
            0 => 0xFF,
            1 => bytes[place] ^ 1 << random.below(8),
            2 => bytes[place].wrapping_add(1),
            _ => bytes[place].wrapping_sub(1),
        };
    }
    bytes
}

#[test]
fn damaged_batches_are_refused_or_mean_something() {
    let mut random = Random::new(4);
    let marker = ControlRecord::Commit { coordinator_epoch: 3 }.transaction_marker(7, 4_711, 0).unwrap();
    for whole in [ordinary(), marker.to_vec()] {
        // As they are, and then with a checksum that is right and each of the codecs.
        for repair in [0, 1, 3, 5, 7, 9] {
            for _ in 0..ROUNDS {
                batch::field(&[&[repair], &damaged(&whole, &mut random)[..]].concat());
            }
        }
    }
}

#[test]
fn whatever_is_built_is_valid_and_complete() {
    let mut random = Random::new(5);
    for _ in 0..ROUNDS {
        let length = random.below(200);
        let noise = random.bytes(length);
        builder::round_trip(&noise);
        // Small numbers say less that a builder refuses.
        builder::round_trip(&noise.iter().map(|byte| byte & 0x0F).collect::<Vec<_>>());
    }
}

#[test]
fn damaged_streams_stay_below_the_cap() {
    let mut random = Random::new(6);
    let content = b"the tide comes in, the tide goes out, ".repeat(50);
    for (codec, check) in [
        (Compression::Gzip, compression::gzip as fn(&[u8])),
        (Compression::Snappy, compression::snappy),
        (Compression::Lz4, compression::lz4),
        (Compression::Zstd, compression::zstd),
    ] {
        let compressed = codec.compress(None, &content).unwrap();
        for cap in [0, 1, 2] {
            for _ in 0..20 {
                check(&[&[cap], &damaged(&compressed, &mut random)[..]].concat());
            }
        }
    }
}

#[test]
fn records_of_internal_topics_made_of_noise_do_no_harm() {
    let mut random = Random::new(7);
    for record_type in 0..30 {
        for _ in 0..20 {
            let quiet: Vec<u8> = random.bytes(60).iter().map(|byte| byte & 0x03).collect();
            coordinator_log::record(&[&[20, 0, record_type], &quiet[..]].concat());
        }
    }
}
