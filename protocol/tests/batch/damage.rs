//! Every byte of some batches, damaged in several ways: with the checksum as it was, and with it made true.

use strandline_protocol::batch::{
    BatchBuilder, BatchErrorKind, BatchHeader, BatchView, NewRecord, Origin, RecordHeader,
};
use strandline_protocol::{Bytes, Compression};

use crate::generate::read;
use crate::make::{NOW, reseal, validate};

const FLIPS: [u8; 5] = [0x01, 0x02, 0x40, 0x80, 0xFF];

fn victims() -> Vec<Bytes> {
    let victim = |(compression, builder): (Compression, BatchBuilder)| {
        let mut builder = builder.compression(compression, None);
        let headers = [RecordHeader::new("trace", Some(b"1")), RecordHeader::new("trace", None)];
        for time in 0..6 {
            let value = [b'v'; 30];
            let headers = if time % 2 == 0 { &headers[..] } else { &[] };
            let record = NewRecord { value: Some(&value), headers, ..NewRecord::at(NOW - 300 * time) };
            builder.append(&NewRecord { key: (time != 3).then_some(b"key"), ..record }).unwrap();
        }
        builder.build().unwrap()
    };
    let plain = || Compression::ALL.map(|compression| (compression, BatchBuilder::new()));
    let transactional = BatchBuilder::new().producer(9, 1, 0).transactional(true).base_offset(5);
    plain().into_iter().chain([(Compression::None, transactional)]).map(victim).collect()
}

/// Calls `look` with every damaged form of `batch` and the place of the damage.
fn each_flip(batch: &[u8], mut look: impl FnMut(usize, &mut [u8])) {
    let mut damaged = batch.to_vec();
    for place in 0..batch.len() {
        for flip in FLIPS {
            damaged[place] ^= flip;
            look(place, &mut damaged);
            damaged.copy_from_slice(batch);
        }
    }
}

#[test]
fn the_checksum_sees_every_byte_it_covers() {
    for batch in victims() {
        let sound = *BatchView::parse(&batch).unwrap().header();
        each_flip(&batch, |place, damaged| {
            let view = BatchView::parse(damaged);
            match place {
                0..8 | 12..16 => {
                    let view = view.unwrap();
                    view.check_crc().unwrap();
                    let BatchHeader { base_offset, partition_leader_epoch, .. } = sound;
                    assert_ne!(*view.header(), sound);
                    let mut header = *view.header();
                    header.assign(base_offset, partition_leader_epoch);
                    assert_eq!(header, sound, "byte {place}");
                }
                // Too long for what is there, too short for a batch, or without its end.
                8..12 => {
                    let error = view.and_then(|view| view.check_crc()).unwrap_err();
                    let known = match error.kind {
                        BatchErrorKind::Incomplete { wanted, .. } => wanted > batch.len(),
                        BatchErrorKind::Length(length) => length < 49,
                        BatchErrorKind::Checksum { .. } => true,
                        _ => false,
                    };
                    assert!(known, "byte {place}: {error}");
                    assert!(validate(damaged, Origin::Log).is_err(), "byte {place}");
                }
                16 => assert_eq!(view.unwrap_err().offset, 16),
                17.. => {
                    let error = view.unwrap().check_crc().unwrap_err();
                    assert_eq!(error.offset, 17);
                    assert!(matches!(error.kind, BatchErrorKind::Checksum { .. }), "byte {place}: {error}");
                    assert_eq!(validate(damaged, Origin::Producer), Err(error));
                }
            }
        });
    }
}

#[test]
fn a_batch_that_is_cut_off_is_incomplete() {
    for batch in victims() {
        for length in 0..batch.len() {
            let error = BatchView::parse(&batch[..length]).unwrap_err();
            assert!(error.is_incomplete() && error.offset == length, "{length} bytes: {error}");
        }
    }
}

#[test]
fn what_the_checksum_lets_through_is_sound_or_refused() {
    let (mut accepted, mut refused) = (0, 0);
    for batch in victims() {
        each_flip(&batch, |place, damaged| {
            reseal(damaged);
            for origin in [Origin::Producer, Origin::Log] {
                match validate(damaged, origin) {
                    Ok(summary) => {
                        accepted += 1;
                        let view = BatchView::parse(damaged).unwrap();
                        let records = read(&view).expect("what is valid can be read");
                        assert_eq!(records.len(), summary.record_count as usize, "byte {place}");
                        let times = records.iter().map(|(_, record)| record.timestamp);
                        assert_eq!(times.clone().fold(-1, i64::max), summary.timestamp_max, "byte {place}");
                        let keyless = records.iter().position(|(_, record)| record.key.is_none());
                        assert_eq!(summary.first_without_key.map(|place| place as usize), keyless);
                    }
                    Err(error) => {
                        refused += 1;
                        // Decompressed, these records take less than twice the batch.
                        assert!(error.offset <= 1_000, "byte {place}: {error}");
                    }
                }
            }
        });
    }
    assert!(accepted > 1_000 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
