//! What the classes of Kafka 4.3.1 wrote: read, and built again to the byte.

use strandline_protocol::batch::{
    BatchBuilder, BatchView, ControlRecord, HEADER_BYTES, NewRecord, Origin, TimestampType,
};
use strandline_protocol::control::{
    Endpoint, KRaftVersionFeature, KRaftVersionRecord, LeaderChangeMessage, RegisteredVoter,
    SnapshotFooterRecord, SnapshotHeaderRecord, Voter, VotersRecord,
};
use strandline_protocol::{Bytes, Compression, TaggedFields, Uuid};

use crate::generate::{OwnedRecord, read};
use crate::make::{NOW, validate};

/// The batch of this name.
pub(crate) fn golden(name: &str) -> Vec<u8> {
    let file = include_str!("../golden/batch/kafka.hex");
    let line = file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).expect(name);
    let digit = |digits: &[u8]| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap();
    line.as_bytes().chunks(2).map(digit).collect()
}

fn records() -> [OwnedRecord; 3] {
    let some = |text: &str| Some(text.as_bytes().to_vec());
    let header = |key: &str, value| (key.to_owned(), value);
    let headers =
        vec![header("h", some("1")), header("h", None), header("é", some("")), header("h", some("1"))];
    [
        OwnedRecord { timestamp: NOW, key: None, value: some("value"), headers: vec![] },
        OwnedRecord { timestamp: NOW + 5, key: some("key"), value: None, headers },
        OwnedRecord {
            timestamp: NOW - 300,
            key: some(""),
            value: some(&"long ".repeat(40)),
            headers: vec![],
        },
    ]
}

fn build(mut builder: BatchBuilder) -> Bytes {
    for record in records() {
        record.with(|record| builder.append(record)).unwrap();
    }
    builder.build().unwrap()
}

#[test]
fn plain_batches_are_built_to_the_byte() {
    let new = BatchBuilder::new;
    let producer = || new().producer(4_711, 3, i32::MAX - 1);
    for (name, builder) in [
        ("plain", new()),
        ("placed", new().base_offset(1_000).partition_leader_epoch(7)),
        ("idempotent", producer()),
        ("transactional", producer().transactional(true)),
        ("append-time", new().log_append_time(NOW + 1_000)),
        ("delete-horizon", new().delete_horizon(NOW + 60_000)),
    ] {
        assert_eq!(build(builder), golden(name), "{name}");
    }

    let mut gaps = new().base_offset(50);
    for (offset_delta, key, value) in [(2, b"a", b"1"), (5, b"b", b"2")] {
        gaps.append_at(offset_delta, &NewRecord { key: Some(key), value: Some(value), ..NewRecord::at(-1) })
            .unwrap();
    }
    gaps.end_at(9).unwrap();
    assert_eq!(gaps.build().unwrap(), golden("gaps"));
}

#[test]
fn batches_of_every_codec_are_read() {
    let names = ["plain", "gzip", "snappy", "lz4", "zstd"];
    let plain = golden("plain");
    for (name, compression) in names.into_iter().zip(Compression::ALL) {
        let bytes = golden(name);
        let view = BatchView::parse_only(&bytes).unwrap();
        assert_eq!(view.header().attributes.compression(), Ok(compression), "{name}");
        let summary = validate(&bytes, Origin::Producer).unwrap();
        assert_eq!((summary.record_count, summary.first_without_key), (3, Some(0)), "{name}");
        assert_eq!((summary.timestamp_min, summary.timestamp_max), (Some(NOW - 300), NOW + 5), "{name}");
        assert_eq!(summary.timestamp_max_offset_delta, 1, "{name}");
        assert!(summary.agrees_with(view.header()), "{name}");
        assert_eq!(read(&view).unwrap(), (0..).zip(records()).collect::<Vec<_>>(), "{name}");
        let section = view.records(summary.record_bytes).unwrap();
        assert_eq!(section.as_slice(), &plain[HEADER_BYTES..], "{name}");
    }
}

#[test]
fn headers_say_what_kafka_meant() {
    let header = |name| *BatchView::parse(&golden(name)).unwrap().header();
    let transactional = header("transactional");
    assert!(transactional.attributes.is_transactional() && transactional.has_producer_id());
    assert_eq!((transactional.producer_id, transactional.producer_epoch), (4_711, 3));
    // Three records from the last number but one on.
    assert_eq!((transactional.base_sequence, transactional.last_sequence()), (i32::MAX - 1, 0));
    let placed = header("placed");
    assert_eq!((placed.base_offset, placed.last_offset(), placed.partition_leader_epoch), (1_000, 1_002, 7));
    assert_eq!(header("delete-horizon").delete_horizon_ms(), Some(NOW + 60_000));
    assert_eq!((header("gaps").last_offset(), header("gaps").record_count), (59, 2));
    let bytes = golden("append-time");
    let view = BatchView::parse(&bytes).unwrap();
    assert_eq!(view.header().attributes.timestamp_type(), TimestampType::LogAppendTime);
    assert!(read(&view).unwrap().iter().all(|(_, record)| record.timestamp == NOW + 1_000));
}

#[test]
fn a_leader_patches_to_the_byte() {
    let mut bytes = golden("plain");
    let mut header = *BatchView::parse(&bytes).unwrap().header();
    header.assign(1_000, 7);
    header.write_over(&mut bytes).unwrap();
    assert_eq!(bytes, golden("assigned"));
    header.set_timestamps(TimestampType::LogAppendTime, NOW + 9_999);
    header.write_over(&mut bytes).unwrap();
    assert_eq!(bytes, golden("assigned-append-time"));
    header.set_timestamps(TimestampType::CreateTime, NOW + 6);
    header.write_over(&mut bytes).unwrap();
    assert_eq!(bytes, golden("assigned-max-timestamp"));
}

#[test]
fn compaction_empties_to_the_byte() {
    let bytes = golden("transactional");
    let emptied = BatchView::parse(&bytes).unwrap().header().emptied();
    assert_eq!(&emptied.encode()[..], golden("emptied"));
}

/// The control records of the golden file, by name. Their messages are what `KafkaBatches.java` says.
pub(crate) fn control_records() -> [(&'static str, ControlRecord); 7] {
    let unknown_tagged_fields = TaggedFields::default;
    let directory = Uuid([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    let voter = Voter {
        voter_id: 2,
        voter_directory_id: Uuid::default(),
        unknown_tagged_fields: unknown_tagged_fields(),
    };
    let leader_change = LeaderChangeMessage {
        version: 0,
        leader_id: 1,
        voters: vec![voter.clone()],
        granting_voters: vec![voter],
        unknown_tagged_fields: unknown_tagged_fields(),
    };
    let header = SnapshotHeaderRecord {
        version: 0,
        last_contained_log_timestamp: NOW - 1,
        unknown_tagged_fields: unknown_tagged_fields(),
    };
    let footer = SnapshotFooterRecord { version: 0, unknown_tagged_fields: unknown_tagged_fields() };
    let kraft_version =
        KRaftVersionRecord { version: 0, kraft_version: 1, unknown_tagged_fields: unknown_tagged_fields() };
    let endpoint = Endpoint {
        name: "CONTROLLER".into(),
        host: "tide".into(),
        port: 9_093,
        unknown_tagged_fields: unknown_tagged_fields(),
    };
    let registered = RegisteredVoter {
        voter_id: 2,
        voter_directory_id: directory,
        endpoints: vec![endpoint],
        kraft_version_feature: KRaftVersionFeature {
            min_supported_version: 0,
            max_supported_version: 1,
            unknown_tagged_fields: unknown_tagged_fields(),
        },
        unknown_tagged_fields: unknown_tagged_fields(),
    };
    let voters =
        VotersRecord { version: 0, voters: vec![registered], unknown_tagged_fields: unknown_tagged_fields() };
    [
        ("abort-marker", ControlRecord::Abort { coordinator_epoch: 12 }),
        ("commit-marker", ControlRecord::Commit { coordinator_epoch: 12 }),
        ("leader-change", ControlRecord::LeaderChange(leader_change)),
        ("snapshot-header", ControlRecord::SnapshotHeader(header)),
        ("snapshot-footer", ControlRecord::SnapshotFooter(footer)),
        ("kraft-version", ControlRecord::KRaftVersion(kraft_version)),
        ("kraft-voters", ControlRecord::KRaftVoters(voters)),
    ]
}

#[test]
fn control_batches_are_read_and_built_to_the_byte() {
    for (name, control) in control_records() {
        let kafka = golden(name);
        let view = BatchView::parse_only(&kafka).unwrap();
        assert_eq!(validate(&kafka, Origin::Log).unwrap().record_count, 1, "{name}");
        let section = view.records(0).unwrap();
        let record = section.iter().next().unwrap().unwrap();
        assert_eq!((record.offset, record.timestamp), (77, NOW), "{name}");
        assert_eq!(ControlRecord::read(record.key, record.value), Ok(control.clone()), "{name}");

        let built = match control {
            ControlRecord::Abort { .. } | ControlRecord::Commit { .. } => {
                control.transaction_marker(NOW, 4_711, 3)
            }
            _ => control.into_batch(NOW),
        };
        let mut bytes = built.unwrap().to_vec();
        let mut header = *BatchView::parse(&bytes).unwrap().header();
        header.assign(77, 7);
        header.write_over(&mut bytes).unwrap();
        assert_eq!(bytes, kafka, "{name}");
    }
}
