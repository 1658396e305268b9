//! Validation takes a short way over ordinary records. It must say what the long way says: here each is held
//! against a model that knows no short way, on records that are nearly, but not quite, in order.

use proptest::collection::vec;
use proptest::prelude::*;
use strandline_protocol::Compression;
use strandline_protocol::batch::{Attributes, BatchHeader, BatchView, HEADER_BYTES, Origin, TimestampType};

use crate::generate::{batch_of, read};
use crate::make::{BYTES_MAX, NOW, framed, header, plain, sealed, validate, varint};
use crate::model;

/// Whether the batch is valid for a producer, after all three have said the same of it for each origin.
fn all_agree(header: BatchHeader, section: &[u8]) -> Result<bool, TestCaseError> {
    let bytes = sealed(header, section);
    let mut valid = false;
    for origin in [Origin::Producer, Origin::Log] {
        let found = validate(&bytes, origin);
        let expected = model::summary(&header, section, origin);
        prop_assert_eq!(found.as_ref().ok(), expected.as_ref(), "{:?}: {:?}", origin, found);
        prop_assert!(found.is_ok() || found.unwrap_err().offset <= bytes.len());
        valid |= origin == Origin::Producer && expected.is_some();
    }
    if header.record_count >= 0 {
        the_iterator_agrees(&bytes, header, section)?;
    }
    Ok(valid)
}

fn the_iterator_agrees(bytes: &[u8], header: BatchHeader, section: &[u8]) -> Result<(), TestCaseError> {
    let append_time = match header.attributes.timestamp_type() {
        TimestampType::CreateTime => None,
        TimestampType::LogAppendTime => Some(header.max_timestamp),
    };
    let expected = model::records(section, header.record_count).map(|records| {
        let meaning = |record: model::ModelRecord| {
            let own_time = header.base_timestamp.wrapping_add(record.timestamp_delta);
            let offset = header.base_offset.wrapping_add(record.offset_delta);
            (offset, append_time.unwrap_or(own_time), record.key, record.value, record.headers.len())
        };
        records.into_iter().map(meaning).collect::<Vec<_>>()
    });
    let view = BatchView::parse(bytes).unwrap();
    let found = read(&view).ok().map(|records| {
        let parts = |(offset, record): (i64, crate::generate::OwnedRecord)| {
            (offset, record.timestamp, record.key, record.value, record.headers.len())
        };
        records.into_iter().map(parts).collect::<Vec<_>>()
    });
    prop_assert_eq!(found, expected);
    // After an error, and after the end, nothing more comes out.
    let section = view.records(BYTES_MAX).unwrap();
    let mut records = section.iter();
    let errors = records.by_ref().filter(Result::is_err).count();
    prop_assert!(errors <= 1 && records.next().is_none());
    Ok(())
}

/// Something done to the records, at a place that is found once their length is known.
#[derive(Clone, Debug)]
enum Change {
    Set(u8),
    Add(u8),
    Insert(Vec<u8>),
    Remove(usize),
}

impl Change {
    fn apply(&self, section: &mut Vec<u8>, place: &proptest::sample::Index) {
        if section.is_empty() {
            return;
        }
        let place = place.index(section.len());
        match self {
            Self::Set(byte) => section[place] = *byte,
            Self::Add(byte) => section[place] = section[place].wrapping_add(*byte),
            Self::Insert(bytes) => drop(section.splice(place..place, bytes.iter().copied())),
            Self::Remove(count) => drop(section.drain(place..(place + count).min(section.len()))),
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let telling = prop_oneof![Just(0), Just(1), Just(2), Just(0x7F), Just(0x80), Just(0xFF), any::<u8>()];
    prop_oneof![
        4 => telling.clone().prop_map(Change::Set),
        // The next number of the same sign is two further.
        3 => prop_oneof![Just(1), Just(2), Just(254), Just(255)].prop_map(Change::Add),
        2 => vec(telling, 1..4).prop_map(Change::Insert),
        1 => (1..4usize).prop_map(Change::Remove),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn on_batches_that_someone_meddled_with(
        plan in batch_of(vec![Compression::None]),
        changes in vec((change(), any::<proptest::sample::Index>()), 0..4),
        more_records in prop_oneof![6 => Just(0), 1 => -2..3],
        more_offsets in prop_oneof![6 => Just(0), 1 => -2..3],
    ) {
        let bytes = plan.build();
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        let mut section = bytes[HEADER_BYTES..].to_vec();
        for (change, place) in &changes {
            change.apply(&mut section, place);
        }
        header.record_count += more_records;
        header.last_offset_delta += more_offsets;
        all_agree(header, &section)?;
    }

    #[test]
    fn on_bytes_that_look_like_records(
        bodies in vec(vec(prop_oneof![4 => 0..12u8, 1 => Just(0x80), 1 => any::<u8>()], 5..24), 1..5),
        right_offsets: bool,
        append_time: bool,
    ) {
        let mut section = Vec::new();
        for (place, mut body) in (0u8..).zip(bodies) {
            // The attributes and a timestamp of one byte, so that more of them are records.
            body[0] &= 8;
            if right_offsets {
                (body[1], body[2]) = (body[1] & 0x7F, 2 * place);
            }
            section.extend(framed(&[&body]));
        }
        let count = i32::try_from(section.len()).unwrap().min(3);
        let mut header = header(count);
        header.attributes = Attributes(if append_time { 8 } else { 0 });
        all_agree(header, &section)?;
    }
}

/// Every value of every byte: three records, of which the second has headers, and which the short way takes.
#[test]
fn on_every_value_of_every_byte() {
    let headers: &[&[u8]] = &[&[0, 9, 2, 2, b'k', 2, b'v', 6], &[2, b'a', 1], &[2, b'a', 0], &[0, 2, b'b']];
    let tail = framed(&[&[0, 1, 4, 1, 40], &[b'x'; 20], &[0]]);
    let section = [plain(0), framed(headers), tail].concat();
    let mut valid = 0;
    for place in 0..section.len() {
        for byte in 0..=u8::MAX {
            let mut section = section.clone();
            section[place] = byte;
            valid += u32::from(all_agree(header(3), &section).unwrap());
        }
    }
    // The contents of keys and values, and timestamps, may be anything; little else may.
    assert!((26 * 255..40 * 255).contains(&valid), "{valid}");
}

/// Numbers that are written in more bytes than they need, or in more than there are.
#[test]
fn on_numbers_of_every_length() {
    let numbers = [
        vec![0],
        vec![0x80, 0],
        vec![0x80, 0x80, 0],
        vec![0x80, 0x80, 0x80, 0],
        vec![0x80, 0x80, 0x80, 0x80, 0],
        vec![0x80, 0x80, 0x80, 0x80, 0x10],
        vec![0x80, 0x80, 0x80, 0x80, 0x80, 0],
        vec![1],
        vec![0x81, 0],
        vec![0x81, 0x80, 0],
        vec![0x81, 0x80, 0x80, 0],
        vec![0x82, 0x80, 0],
        varint(63),
        varint(-65),
        varint(8_191),
        varint(-8_193),
        // The last of three bytes, and the first of four.
        varint((1 << 20) - 1),
        varint(-(1 << 20)),
        varint(1 << 20),
        varint(i32::MAX.into()),
        varint(i32::MIN.into()),
        varint(i64::MAX),
        varint(i64::MIN),
        vec![0x80; 9],
        vec![0xFF; 12],
    ];
    let mut valid = 0;
    for place in 0..5 {
        for number in &numbers {
            let mut fields: [&[u8]; 6] = [&[0], &[0], &[0], &[1], &[1], &[0]];
            fields[place + 1] = number;
            // First with a record behind it, which the short way needs, then without.
            let record = framed(&fields);
            let pair = [record.clone(), framed(&[&[0, 0, 2, 40], &[b'k'; 20], &[1, 0]])].concat();
            valid += u32::from(all_agree(header(2), &pair).unwrap());
            valid += u32::from(all_agree(header(1), &record).unwrap());
            // The record's own length.
            let body = fields.concat();
            let lengths = varint(i64::try_from(body.len()).unwrap());
            let longer = [&[lengths[0] | 0x80, 0x80, 0][..], &body, &pair[record.len()..]].concat();
            valid += u32::from(all_agree(header(2), &longer).unwrap());
        }
    }
    assert!(valid > 60, "{valid}");
}

#[test]
fn on_timestamps_at_the_ends_of_time() {
    for base in [i64::MIN, -2, -1, 0, NOW, i64::MAX - 1, i64::MAX] {
        for delta in [i64::MIN, -NOW, -1, 0, 1, 2, NOW, i64::MAX] {
            for append_time in [0, 8] {
                let mut header = header(2);
                (header.base_timestamp, header.attributes) = (base, Attributes(append_time));
                let timed = framed(&[&[0], &varint(delta), &[2, 1, 1, 0]]);
                all_agree(header, &[plain(0), timed].concat()).unwrap();
            }
        }
    }
}
