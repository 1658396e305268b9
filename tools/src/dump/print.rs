//! Batches and records as lines.

use std::io::Write;

use serde_json::{Map, Value, json};
use strandline_protocol::Compression;
use strandline_protocol::batch::{BatchHeader, NO_PRODUCER_ID, Record};

use super::batches::Placed;
use super::{How, names, refused};
use crate::cluster::{Failure, Output};
use crate::readable;
use crate::results::counted;
use crate::time::moment;

/// What the records of one batch may take once they are decompressed.
pub(super) const DECOMPRESSED_BYTES_MAX: usize = 1 << 30;

/// Whose batches they are.
pub(super) struct Of<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: Option<i32>,
}

pub(super) fn batch(
    of: &Of<'_>,
    placed: &Placed<'_>,
    how: &How,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let header = placed.batch.header();
    if !how.shows(header.base_offset, header.last_offset()) {
        return Ok(());
    }
    match how.output {
        Output::Table => writeln!(out, "  {}", line(header, placed))?,
        Output::Json => writeln!(out, "{}", json_of(of, header, placed))?,
    }
    if !how.deep {
        return Ok(());
    }
    let section = placed.batch.records(DECOMPRESSED_BYTES_MAX).map_err(refused)?;
    for record in section.iter() {
        let record = record.map_err(refused)?;
        if !how.shows(record.offset, record.offset) {
            continue;
        }
        let said = content(of, header, &record);
        match how.output {
            Output::Table => {
                writeln!(out, "    {}  {}  {}", record.offset, moment(record.timestamp), text(&said))?;
            }
            Output::Json => {
                let mut fields = Map::from_iter([
                    ("offset".to_owned(), json!(record.offset)),
                    ("timestamp".to_owned(), json!(record.timestamp)),
                ]);
                fields.extend(said);
                writeln!(out, "{}", json!({ "record": fields }))?;
            }
        }
    }
    Ok(())
}

fn codec(header: &BatchHeader) -> String {
    match header.attributes.compression() {
        Ok(Compression::None) => "none".to_owned(),
        Ok(codec) => codec.to_string(),
        Err(_) => format!("codec {}", header.attributes.compression_id()),
    }
}

fn line(header: &BatchHeader, placed: &Placed<'_>) -> String {
    let last = header.last_offset();
    let mut line = format!(
        "{}-{last}  {}  {} bytes",
        header.base_offset,
        counted(header.record_count, "record", "records"),
        header.total_bytes()
    );
    if header.attributes.compression_id() != 0 {
        line.push_str(&format!("  {}", codec(header)));
    }
    line.push_str(&format!("  {}", moment(header.max_timestamp)));
    if header.partition_leader_epoch >= 0 {
        line.push_str(&format!("  epoch {}", header.partition_leader_epoch));
    }
    if header.producer_id != NO_PRODUCER_ID {
        let (id, epoch, sequence) = (header.producer_id, header.producer_epoch, header.base_sequence);
        line.push_str(&format!("  producer {id} epoch {epoch} sequence {sequence}"));
    }
    if header.attributes.is_transactional() {
        line.push_str("  transactional");
    }
    if header.attributes.is_control() {
        line.push_str("  control");
    }
    line.push_str(&format!("  {}@{}", placed.file, placed.position));
    line
}

fn json_of(of: &Of<'_>, header: &BatchHeader, placed: &Placed<'_>) -> Value {
    json!({
        "batch": {
            "topic": of.topic, "partition": of.partition, "baseOffset": header.base_offset,
            "lastOffset": header.last_offset(), "records": header.record_count, "bytes": header.total_bytes(),
            "compression": codec(header), "maxTimestamp": header.max_timestamp,
            "leaderEpoch": header.partition_leader_epoch, "producerId": header.producer_id,
            "producerEpoch": header.producer_epoch, "baseSequence": header.base_sequence,
            "transactional": header.attributes.is_transactional(), "control": header.attributes.is_control(),
            "crc": header.crc, "file": placed.file, "position": placed.position,
        }
    })
}

/// What a record says, in words where its topic is one of the cluster's own.
fn content(of: &Of<'_>, header: &BatchHeader, record: &Record<'_>) -> Map<String, Value> {
    if header.attributes.is_control() {
        return Map::from_iter([("control".to_owned(), json!(readable::control(record.key, record.value)))]);
    }
    if let Some(said) = readable::internal(of.topic, record.key, record.value) {
        return said;
    }
    if of.topic == names::METADATA_NAME {
        return Map::from_iter([("metadata".to_owned(), json!(metadata(record)))]);
    }
    let part = |bytes: Option<&[u8]>| bytes.map_or(Value::Null, readable::bytes);
    let mut fields =
        Map::from_iter([("key".to_owned(), part(record.key)), ("value".to_owned(), part(record.value))]);
    let headers: Vec<Value> = record
        .headers
        .filter_map(|header| header.ok())
        .map(|header| json!({ "name": readable::bytes(header.key), "value": part(header.value) }))
        .collect();
    if !headers.is_empty() {
        fields.insert("headers".to_owned(), Value::Array(headers));
    }
    fields
}

fn metadata(record: &Record<'_>) -> String {
    let bytes = |part: &[u8]| bytes::Bytes::copy_from_slice(part);
    let key = bytes(record.key.unwrap_or_default());
    match strandline_state::metadata::MetadataRecord::from_bytes(key, record.value.map(bytes)) {
        Ok(record) => format!("{record:?}"),
        Err(error) => error.to_string(),
    }
}

/// Fields on a line.
fn text(fields: &Map<String, Value>) -> String {
    fields.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join("  ")
}
