//! What a leader and a cleaner do to a batch's header leaves a batch whose checksum is true.

use proptest::prelude::*;
use strandline_protocol::batch::{
    Attributes, BatchErrorKind, BatchView, HEADER_BYTES, NO_TIMESTAMP, Origin, TimestampType,
};

use crate::generate::{batch, read};
use crate::make::{header, plain, reseal, sealed, validate};

fn timestamp_type() -> impl Strategy<Value = TimestampType> {
    prop_oneof![Just(TimestampType::CreateTime), Just(TimestampType::LogAppendTime)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_place_in_the_log_lies_outside_of_the_checksum(
        plan in batch(),
        offset in 0..i64::MAX - 50,
        epoch: i32,
    ) {
        let before = plan.build();
        let mut bytes = before.to_vec();
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.assign(offset, epoch);
        header.write_over(&mut bytes).unwrap();
        // Nothing else has changed.
        prop_assert_eq!(&bytes[8..12], &before[8..12]);
        prop_assert_eq!(&bytes[16..], &before[16..]);
        let view = BatchView::parse(&bytes).unwrap();
        prop_assert_eq!(view.check_crc(), Ok(()));
        prop_assert_eq!(view.header(), &header);
        let (records, moved) = (read(&view).unwrap(), plan.expected());
        for (place, ((found, record), (_, expected))) in (0..).zip(records.iter().zip(&moved)) {
            prop_assert_eq!((*found, record), (offset + place, expected));
        }
    }

    #[test]
    fn a_producer_changes_the_checksum_with_it(
        plan in batch(),
        producer_id in 0..=i64::MAX,
        epoch in 0..=i16::MAX,
        sequence in 0..=i32::MAX,
    ) {
        let mut bytes = plan.build().to_vec();
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.set_producer(producer_id, epoch, sequence);
        header.write_over(&mut bytes).unwrap();
        let mut made_anew = bytes.clone();
        reseal(&mut made_anew);
        prop_assert_eq!(&bytes, &made_anew);
        let view = BatchView::parse(&bytes).unwrap();
        let patched = view.header();
        let found = (patched.producer_id, patched.producer_epoch, patched.base_sequence);
        prop_assert_eq!(found, (producer_id, epoch, sequence));
    }

    #[test]
    fn timestamps_change_the_checksum_with_them(
        plan in batch(),
        kind in timestamp_type(),
        time in -1..=i64::MAX,
    ) {
        let mut bytes = plan.build().to_vec();
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.set_timestamps(kind, time);
        header.write_over(&mut bytes).unwrap();
        let mut made_anew = bytes.clone();
        reseal(&mut made_anew);
        prop_assert_eq!(&bytes, &made_anew);
        let view = BatchView::parse(&bytes).unwrap();
        let patched = view.header();
        prop_assert_eq!((patched.attributes.timestamp_type(), patched.max_timestamp), (kind, time));
        if kind == TimestampType::LogAppendTime {
            prop_assert!(read(&view).unwrap().iter().all(|(_, record)| record.timestamp == time));
        }
        // And back again.
        let original = plan.build();
        let first = *BatchView::parse(&original).unwrap().header();
        header.set_timestamps(first.attributes.timestamp_type(), first.max_timestamp);
        prop_assert_eq!(header, first);
    }

    #[test]
    fn damage_does_not_become_valid(
        plan in batch(),
        place: prop::sample::Index,
        flip in 1..=u8::MAX,
        time in 0..i64::MAX,
    ) {
        let mut bytes = plan.build().to_vec();
        let place = HEADER_BYTES + place.index(bytes.len() - HEADER_BYTES);
        bytes[place] ^= flip;
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.set_timestamps(TimestampType::LogAppendTime, time);
        header.write_over(&mut bytes).unwrap();
        prop_assert!(BatchView::parse(&bytes).unwrap().check_crc().is_err());
    }

    #[test]
    fn an_emptied_batch_keeps_its_offsets_and_its_producer(plan in batch()) {
        let bytes = plan.build();
        let before = *BatchView::parse(&bytes).unwrap().header();
        let emptied = before.emptied().encode();
        let summary = validate(&emptied, Origin::Log).unwrap();
        prop_assert_eq!((summary.record_count, summary.record_bytes), (0, 0));
        prop_assert_eq!((summary.timestamp_min, summary.timestamp_max), (None, NO_TIMESTAMP));
        let after = *BatchView::parse(&emptied).unwrap().header();
        prop_assert_eq!((after.base_offset, after.last_offset()), (before.base_offset, before.last_offset()));
        prop_assert_eq!(after.producer_id, before.producer_id);
        prop_assert_eq!(after.last_sequence(), before.last_sequence());
        prop_assert_eq!(after.attributes.is_transactional(), before.attributes.is_transactional());
        prop_assert_eq!((after.max_timestamp, after.delete_horizon_ms()), (before.max_timestamp, None));
    }
}

#[test]
fn bits_without_a_meaning_stay_until_the_timestamps_change() {
    let mut before = header(1);
    before.attributes = Attributes(0xFF80);
    let bytes = sealed(before, &plain(0));
    assert!(validate(&bytes, Origin::Producer).is_ok());
    let mut header = *BatchView::parse(&bytes).unwrap().header();
    header.assign(5, 5);
    assert_eq!(header.attributes, Attributes(0xFF80));
    // The same values change nothing.
    header.set_timestamps(TimestampType::CreateTime, header.max_timestamp);
    assert_eq!(header.attributes, Attributes(0xFF80));
    header.set_timestamps(TimestampType::LogAppendTime, 1);
    assert_eq!(header.attributes, Attributes(0x08));
    let mut bytes = bytes;
    header.write_over(&mut bytes).unwrap();
    BatchView::parse(&bytes).unwrap().check_crc().unwrap();
}

#[test]
fn a_header_needs_room() {
    let mut short = [7; HEADER_BYTES - 1];
    let error = header(1).write_over(&mut short).unwrap_err();
    assert_eq!(error.kind, BatchErrorKind::Incomplete { wanted: 61, remaining: 60 });
    assert_eq!(short, [7; 60]);
}
