//! Records return as they went, and nothing that stands in their place does harm.

use proptest::prelude::*;

use super::*;
use strandline_protocol::{DecodeErrorKind, Uuid};

fn partition() -> MetadataRecord {
    let key = PartitionKey { topic_id: Uuid::from(7), index: 3 };
    let value = PartitionValue {
        replicas: vec![1, 2],
        directory_ids: vec![Uuid::from(1), Uuid::from(2)],
        isr: vec![1],
        leader: 1,
        leader_epoch: 4,
        partition_epoch: 9,
        ..Default::default()
    };
    MetadataRecord::Partition(key, Some(value))
}

#[test]
fn a_record_returns_and_its_tombstone_is_of_the_same_key() {
    let record = partition();
    let (key, value) = record.to_bytes().unwrap();
    assert_eq!(key[..2], [0, 3], "the type");
    assert_eq!(value.as_ref().unwrap()[..2], [0, 0], "the version");
    assert_eq!(MetadataRecord::from_bytes(key.clone(), value).unwrap(), record);
    assert_eq!(record.tombstone().to_bytes().unwrap(), (key.clone(), None));
    assert_eq!(MetadataRecord::from_bytes(key, Some(Bytes::new())).unwrap(), record.tombstone());
}

// The bytes of today, as a log of tomorrow still has them.
#[test]
fn the_layout_stays() {
    let (key, value) = partition().to_bytes().unwrap();
    let mut expected_key = vec![0, 3];
    expected_key.extend([0; 15]);
    expected_key.extend([7, 0, 0, 0, 3]);
    assert_eq!(key, expected_key);
    let mut expected = vec![0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 3];
    expected.extend([0; 15]);
    expected.push(1);
    expected.extend([0; 15]);
    expected.extend([2, 2, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0]);
    assert_eq!(value.unwrap(), expected);
}

#[test]
fn what_is_newer_is_an_error_that_says_so() {
    let (key, value) = partition().to_bytes().unwrap();
    let mut newer = value.clone().unwrap().to_vec();
    newer[1] = 1;
    let error = MetadataRecord::from_bytes(key.clone(), Some(newer.into())).unwrap_err();
    let RecordError::Bad(error) = error else { panic!("{error}") };
    assert!(matches!(error.kind, DecodeErrorKind::VersionUnsupported(_)), "{error}");

    let mut newer = key.to_vec();
    newer[1] = 99;
    assert_eq!(MetadataRecord::from_bytes(newer.into(), value), Err(RecordError::TypeUnknown(99)));
}

#[test]
fn a_tagged_field_that_is_not_known_is_written_back() {
    let (key, value) = partition().to_bytes().unwrap();
    let mut tagged = value.unwrap().to_vec();
    tagged.pop();
    tagged.extend([1, 5, 2, 0xAB, 0xCD]);
    let record = MetadataRecord::from_bytes(key, Some(tagged.clone().into())).unwrap();
    assert_eq!(record.to_bytes().unwrap().1.unwrap(), tagged);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(
        record_type in 0u8..9,
        version in 0u8..2,
        key in prop::collection::vec(any::<u8>(), 0..40),
        value in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let key = [vec![0, record_type], key].concat();
        let value = [vec![0, version], value].concat();
        if let Ok(record) = MetadataRecord::from_bytes(key.clone().into(), Some(value.into())) {
            prop_assert_eq!(record.to_bytes().unwrap().0, key.clone());
        }
        let _ = MetadataRecord::from_bytes(key.into(), None);
    }
}
