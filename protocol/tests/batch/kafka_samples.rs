//! Batches as lines of JSON, for Kafka's own classes to be held against: `tests/conformance/batch` runs this
//! and knows what the lines mean.

use std::fs::File;
use std::io::{BufWriter, Write};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchBuilder, BatchView, ControlRecord, NewRecord, TimestampType};

use crate::generate::{OwnedRecord, batch_of};
use crate::golden::control_records;
use crate::make::{NOW, validate};

const BATCHES_PER_CODEC: usize = 200;

#[test]
#[ignore = "writes the file that STRANDLINE_SAMPLES names, for the conformance script"]
fn write_samples_for_kafka() {
    let path = std::env::var_os("STRANDLINE_SAMPLES").expect("STRANDLINE_SAMPLES names a file");
    let mut file = BufWriter::new(File::create(path).unwrap());
    let mut runner = TestRunner::deterministic();
    for compression in Compression::ALL {
        let batches = batch_of(vec![compression]);
        for _ in 0..BATCHES_PER_CODEC {
            let plan = batches.new_tree(&mut runner).unwrap().current();
            let built = plan.build();
            for bytes in [built.to_vec(), patched(&built), emptied(&built)] {
                writeln!(file, "{}", line(&bytes)).unwrap();
            }
        }
    }
    writeln!(file, "{}", line(&compacted())).unwrap();
    for (_, control) in control_records() {
        let built = match control {
            ControlRecord::Abort { .. } | ControlRecord::Commit { .. } => {
                control.transaction_marker(NOW, 9, 0)
            }
            _ => control.into_batch(NOW),
        };
        writeln!(file, "{}", line(&built.unwrap())).unwrap();
    }
    file.flush().unwrap();
}

/// As a leader appends it to a topic that keeps the time of the append.
fn patched(batch: &[u8]) -> Vec<u8> {
    let mut bytes = batch.to_vec();
    let mut header = *BatchView::parse(&bytes).unwrap().header();
    header.assign(123_456_789_012, 42);
    header.set_timestamps(TimestampType::LogAppendTime, NOW + 77);
    header.write_over(&mut bytes).unwrap();
    bytes
}

fn emptied(batch: &[u8]) -> Vec<u8> {
    BatchView::parse(batch).unwrap().header().emptied().encode().to_vec()
}

fn compacted() -> Vec<u8> {
    let mut builder = BatchBuilder::new().base_offset(100).delete_horizon(NOW + 7);
    builder.append_at(3, &NewRecord::at(NOW)).unwrap();
    builder.append_at(5, &NewRecord::at(NOW - 1)).unwrap();
    builder.end_at(8).unwrap();
    builder.build().unwrap().to_vec()
}

/// The batch, and what our own reader sees in it: that this is what was put in, other tests show.
fn line(bytes: &[u8]) -> Json {
    let view = BatchView::parse_only(bytes).unwrap();
    validate(bytes, strandline_protocol::batch::Origin::Log).unwrap();
    let header = view.header();
    let control = header.attributes.is_control();
    let section = view.records(1 << 20).unwrap();
    let records: Vec<_> = section
        .iter()
        .map(|record| {
            let record = record.unwrap();
            let (offset, owned) = OwnedRecord::of(&record).unwrap();
            let headers = owned.headers.iter().map(|(key, value)| json!([key, value.as_deref().map(hex)]));
            let mut line = json!({
                "offset": offset,
                "timestamp": owned.timestamp,
                "key": owned.key.as_deref().map(hex),
                "value": owned.value.as_deref().map(hex),
                "headers": headers.collect::<Vec<_>>(),
            });
            if control {
                line["controlType"] =
                    json!(control_name(&ControlRecord::read(record.key, record.value).unwrap()));
            }
            line
        })
        .collect();
    json!({
        "bytes": hex(bytes),
        "baseOffset": header.base_offset,
        "lastOffset": header.last_offset(),
        "partitionLeaderEpoch": header.partition_leader_epoch,
        "producerId": header.producer_id,
        "producerEpoch": header.producer_epoch,
        "baseSequence": header.base_sequence,
        "lastSequence": header.last_sequence(),
        "transactional": header.attributes.is_transactional(),
        "control": control,
        "compression": header.attributes.compression().unwrap().name(),
        "timestampType": match header.attributes.timestamp_type() {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        },
        "maxTimestamp": header.max_timestamp,
        "deleteHorizon": header.delete_horizon_ms().unwrap_or(-1),
        "records": records,
    })
}

fn control_name(control: &ControlRecord) -> &'static str {
    match control {
        ControlRecord::Abort { .. } => "ABORT",
        ControlRecord::Commit { .. } => "COMMIT",
        ControlRecord::LeaderChange(_) => "LEADER_CHANGE",
        ControlRecord::SnapshotHeader(_) => "SNAPSHOT_HEADER",
        ControlRecord::SnapshotFooter(_) => "SNAPSHOT_FOOTER",
        ControlRecord::KRaftVersion(_) => "KRAFT_VERSION",
        ControlRecord::KRaftVoters(_) => "KRAFT_VOTERS",
        _ => "UNKNOWN",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
