//! Control records: built, read, and refused where they are none.

use strandline_protocol::batch::{
    Attributes, BatchBuilder, BatchErrorKind, BatchView, BuildError, ControlError, ControlRecord,
    NO_SEQUENCE, NewRecord, Origin, Place,
};
use strandline_protocol::{Bytes, ErrorCode};

use crate::golden::control_records;
use crate::make::{NOW, framed, header, plain, sealed, validate};

fn the_record(batch: &[u8]) -> ControlRecord {
    let section = BatchView::parse(batch).unwrap().records(0).unwrap();
    let record = section.iter().next().unwrap().unwrap();
    ControlRecord::read(record.key, record.value).unwrap()
}

#[test]
fn every_kind_is_read_as_it_was_built() {
    for (type_id, (name, control)) in (0..).zip(control_records()) {
        assert_eq!(control.type_id(), type_id, "{name}");
        let batch = control.into_batch(NOW).unwrap();
        assert_eq!(the_record(&batch), control, "{name}");
        let view = BatchView::parse(&batch).unwrap();
        assert!(view.header().attributes.is_control() && !view.header().has_producer_id(), "{name}");
        assert!(validate(&batch, Origin::Log).is_ok(), "{name}");
    }
}

#[test]
fn a_marker_carries_its_producer_and_no_sequence() {
    let marker = ControlRecord::Abort { coordinator_epoch: -1 };
    let batch = marker.transaction_marker(NOW, 9, 0).unwrap();
    let header = *BatchView::parse(&batch).unwrap().header();
    assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (9, 0, NO_SEQUENCE));
    assert_eq!(header.last_sequence(), NO_SEQUENCE);
    assert!(header.attributes.is_transactional() && header.attributes.is_control());
    assert_eq!(the_record(&batch), marker);
    assert_eq!(marker.transaction_marker(NOW, -1, -1), Err(BuildError::TransactionalWithoutProducer));
}

#[test]
fn a_producer_may_not_send_them() {
    let marker = ControlRecord::Commit { coordinator_epoch: 0 };
    for batch in [marker.into_batch(NOW).unwrap(), marker.transaction_marker(NOW, 9, 0).unwrap()] {
        let error = validate(&batch, Origin::Producer).unwrap_err();
        assert_eq!((error.offset, &error.kind), (21, &BatchErrorKind::ControlFromProducer));
        assert_eq!(error.code(), ErrorCode::INVALID_RECORD);
    }
}

#[test]
fn they_do_not_mix_with_others() {
    let control = ControlRecord::Commit { coordinator_epoch: 0 };
    assert_eq!(BatchBuilder::new().append_control(NOW, &control), Err(BuildError::ControlMixed));
    assert_eq!(BatchBuilder::new().control(true).append(&NewRecord::at(NOW)), Err(BuildError::ControlMixed));
}

#[test]
fn types_of_the_future_are_passed_over() {
    for type_id in [-1, 7, i16::MAX] {
        for value in [None, Some(Bytes::from_static(b"?"))] {
            let unknown = ControlRecord::Unknown { type_id, value };
            let batch = unknown.into_batch(NOW).unwrap();
            assert_eq!(the_record(&batch), unknown);
            assert!(validate(&batch, Origin::Log).is_ok());
        }
    }
    // A later version only adds to the end.
    let (key, value) = (&[0, 9, 0, 1, 5][..], &[0, 1, 0, 0, 0, 3, 7, 7][..]);
    let commit = ControlRecord::Commit { coordinator_epoch: 3 };
    assert_eq!(ControlRecord::read(Some(key), Some(value)), Ok(commit));
}

#[test]
fn what_is_none_is_refused_where_it_is() {
    type Nullable = Option<&'static [u8]>;
    const COMMIT: Nullable = Some(&[0, 0, 0, 1]);
    let cases: [(Nullable, Nullable, &str); 8] = [
        (None, Some(&[0; 6]), "it has no key"),
        (Some(&[]), Some(&[0; 6]), "it is too short for a version"),
        (Some(&[0, 0, 0]), Some(&[0; 6]), "the key is too short"),
        (Some(&[0xFF, 0xFF, 0, 1]), Some(&[0; 6]), "its version is negative"),
        (COMMIT, None, "it has no value"),
        (COMMIT, Some(&[0]), "it is too short for a version"),
        (COMMIT, Some(&[0; 5]), "the marker is too short"),
        (COMMIT, Some(&[0x80, 0, 0, 0, 0, 0]), "its version is negative"),
    ];
    let bytes = |bytes: Nullable| {
        let length = bytes.map_or(1, |bytes| u8::try_from(2 * bytes.len()).unwrap());
        [&[length][..], bytes.unwrap_or_default()].concat()
    };
    let sound = framed(&[&[0, 0, 0], &bytes(COMMIT), &bytes(Some(&[0; 6])), &[0]]);
    for (key, value, what) in cases {
        let kind = BatchErrorKind::ControlRecord(what);
        assert_eq!(ControlRecord::read(key, value), Err(ControlError::Malformed(kind.clone())));
        let mut header = header(2);
        header.attributes = Attributes::default().with_control(true);
        let record = framed(&[&[0, 0, 2], &bytes(key), &bytes(value), &[0]]);
        let error = validate(&sealed(header, &[sound.clone(), record].concat()), Origin::Log).unwrap_err();
        assert_eq!((error.place, error.offset, error.kind), (Place::Batch, 61 + sound.len(), kind));
    }
    // An ordinary record under the control bit has no key.
    let mut header = header(1);
    header.attributes = Attributes::default().with_control(true);
    assert!(validate(&sealed(header, &plain(0)), Origin::Log).is_err());
}

#[test]
fn a_value_that_is_no_message_is_refused() {
    for type_id in 2..=6u8 {
        let key = [0, 0, 0, type_id];
        assert!(
            matches!(ControlRecord::read(Some(&key), Some(&[0])), Err(ControlError::Value(_))),
            "{type_id}"
        );
        let missing = ControlError::Malformed(BatchErrorKind::ControlRecord("it has no value"));
        assert_eq!(ControlRecord::read(Some(&key), None), Err(missing));
    }
}
