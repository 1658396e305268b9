//! Snapshots are read as they were written, and bytes that are none are refused.

use super::{ABORT, COMMIT, PRODUCER, append, end, marker, records, transactional};
use crate::producers::{Producers, SnapshotError};
use crate::random::Random;

/// Something of everything that a snapshot holds.
fn producers() -> Producers {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(1, 0, 0, 1, 10)));
    append(&mut producers, transactional(records(2, 0, 0, 1, 11)));
    append(&mut producers, transactional(records(3, 0, 0, 1, 12)));
    for offset in 13..20 {
        append(&mut producers, records(PRODUCER, 0, offset, 1, offset.into()));
    }
    end(&mut producers, marker(1, 0, 20), ABORT).unwrap();
    end(&mut producers, marker(2, 0, 21), COMMIT).unwrap();
    producers
}

/// The checksum made true again.
fn signed(mut body: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&body[4..]).to_le_bytes();
    body[..4].copy_from_slice(&crc);
    body
}

fn malformed(snapshot: &[u8]) -> &'static str {
    match Producers::restore(snapshot) {
        Err(SnapshotError::Malformed { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_snapshot_gives_the_state_back() {
    let producers = producers();
    let snapshot = producers.snapshot().unwrap();
    let restored = Producers::restore(&snapshot).unwrap();
    assert_eq!(restored.snapshot(), Some(snapshot));
    assert!(restored.active().eq(producers.active()) && restored.active().count() == 4);
    assert!(restored.aborted().eq(producers.aborted()) && restored.aborted().count() == 1);
    assert_eq!(restored.first_unstable_offset(), Some(10), "the marker of 10 may not be everywhere yet");
}

#[test]
fn there_is_no_snapshot_of_nothing() {
    assert_eq!(Producers::new().snapshot(), None);
}

#[test]
fn the_bytes_are_these_for_ever() {
    let mut producers = Producers::new();
    append(&mut producers, transactional(records(0x0102, 3, 4, 2, 5)));
    let expected = b"\x01\0\x01\0\0\0\
        \x02\x01\0\0\0\0\0\0\x03\0\xff\xff\xff\xff\xed\x03\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01\
        \x05\0\0\0\x01\0\0\0\x06\0\0\0\0\0\0\0\xed\x03\0\0\0\0\0\0\
        \0\0\0\0\0\0\0\0";
    assert_eq!(producers.snapshot().unwrap()[4..], *expected);
}

#[test]
fn a_snapshot_that_is_cut_or_changed_is_refused() {
    let snapshot = producers().snapshot().unwrap();
    for cut in 0..snapshot.len() {
        assert!(Producers::restore(&snapshot[..cut]).is_err(), "cut at {cut}");
        if cut >= 4 {
            assert_eq!(malformed(&signed(snapshot[..cut].to_vec())), "it ends too early", "cut at {cut}");
        }
    }
    for index in 0..snapshot.len() {
        let mut changed = snapshot.clone();
        changed[index] ^= 0x10;
        let expected = SnapshotError::Checksum { bytes: snapshot.len() };
        assert_eq!(Producers::restore(&changed).unwrap_err(), expected, "changed at {index}");
    }
}

#[test]
fn another_version_is_refused_as_such() {
    let mut snapshot = producers().snapshot().unwrap();
    snapshot[4] = 2;
    assert_eq!(
        Producers::restore(&signed(snapshot.clone())).unwrap_err(),
        SnapshotError::NewerVersion { found: 2 }
    );
    snapshot[4] = 0;
    assert_eq!(malformed(&signed(snapshot)), "there is no such version");
}

#[test]
fn what_makes_no_sense_is_refused_though_its_checksum_is_right() {
    const FIRST_PRODUCER: usize = 10;
    const PRODUCER_BYTES: usize = 31 + 24;
    let snapshot = producers().snapshot().unwrap();
    let with = |index: usize, byte: u8| {
        let mut changed = snapshot.clone();
        changed[index] = byte;
        signed(changed)
    };
    let trailing = [snapshot.as_slice(), b"x"].concat();
    assert_eq!(malformed(&signed(trailing)), "more follows than belongs to it");
    assert_eq!(malformed(&with(FIRST_PRODUCER, 9)), "the producers' ids do not rise");
    assert_eq!(malformed(&with(FIRST_PRODUCER + 30, 6)), "it remembers too many batches");
    assert_eq!(malformed(&with(FIRST_PRODUCER + 54 - 8, 0x80)), "an offset is negative");
    let start = FIRST_PRODUCER + 2 * PRODUCER_BYTES + 22;
    assert_eq!(malformed(&with(start + 7, 0x80)), "an offset is negative");
    let transactions = snapshot.len() - (4 + 32) - (4 + 16);
    assert_eq!(malformed(&with(transactions + 4 + 7, 0x80)), "an offset is negative");
    let aborted_count = snapshot.len() - (4 + 32);
    assert_eq!(malformed(&with(aborted_count + 3, 0xff)), "it ends too early", "a count is not believed");
}

#[test]
fn random_bytes_under_a_right_checksum_do_no_harm() {
    let snapshot = producers().snapshot().unwrap();
    for seed in 0..20_000 {
        let mut random = Random::from_seed(seed);
        let mut changed = snapshot.clone();
        for _ in 0..=random.index(4) {
            let index = 4 + random.index(changed.len() - 4);
            changed[index] = random.next_u64().to_le_bytes()[0];
        }
        if let Ok(mut restored) = Producers::restore(&signed(changed)) {
            restored.replay(&marker(3, 0, 30), Some(ABORT));
            restored.remove_expired(0, 0);
            assert!(restored.last_stable_offset(0, 50) <= 50);
        }
    }
}
