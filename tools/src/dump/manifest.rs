//! The manifest's rows as lines.

use std::collections::BTreeMap;
use std::io::Write;

use serde_json::{Value, json};
use strandline_log::config::Durability;
use strandline_log::local_id::LocalId;
use strandline_log::manifest::PartitionRow;
use strandline_log::producers::Producers;
use strandline_log::segment::SegmentFacts;

use super::directory::{Opened, Partition};
use super::names::Names;
use super::partitions::name_of;
use super::{OfDirectory, refused};
use crate::cluster::{Failure, Output};
use crate::results::counted;
use crate::time::moment;

/// The newest snapshot of a partition's producers, and up to where it is one.
type Snapshots = BTreeMap<LocalId, (i64, Producers)>;

pub(super) fn print(plan: &OfDirectory, out: &mut impl Write) -> Result<(), Failure> {
    let opened = Opened::open(&plan.directory)?;
    let names = Names::read(&opened)?;
    names.check(&plan.chosen, &opened)?;
    let snapshots = snapshots(&opened)?;
    let meta = opened.manifest.meta();
    match plan.output {
        Output::Table => {
            writeln!(
                out,
                "checkpoint at frame {}; the next folder is {}",
                meta.checkpoint,
                LocalId(meta.next_local_id)
            )?;
        }
        Output::Json => {
            let meta = json!({ "checkpoint": meta.checkpoint, "nextFolder": LocalId(meta.next_local_id).to_string() });
            writeln!(out, "{}", json!({ "manifest": meta }))?;
        }
    }
    for (id, partition) in
        opened.partitions.iter().filter(|(_, partition)| names.chooses(&plan.chosen, partition))
    {
        let Some(row) = &partition.row else { continue };
        let (topic, index) = name_of(&names, *id, Some(partition));
        let name = format!("{topic}-{index}");
        match plan.output {
            Output::Table => write_partition(&name, *id, partition, row, out)?,
            Output::Json => writeln!(out, "{}", json_of(&name, *id, partition, row))?,
        }
        if let Some((offset, producers)) = snapshots.get(id) {
            write_producers(&name, *offset, producers, plan.output, out)?;
        }
    }
    Ok(())
}

fn snapshots(opened: &Opened) -> Result<Snapshots, Failure> {
    let (mut snapshots, mut result) = (Snapshots::new(), Ok(()));
    let visit = |id, offset, bytes: &[u8]| match Producers::restore(bytes) {
        Ok(producers) => _ = snapshots.insert(id, (offset, producers)),
        Err(error) => result = Err(refused(error)),
    };
    opened.manifest.snapshots(visit).map_err(refused)?;
    result.map(|()| snapshots)
}

const fn durability(row: &PartitionRow) -> &'static str {
    match row.config.durability {
        Durability::Async => "async",
        _ => "fsync",
    }
}

fn write_partition(
    name: &str,
    id: LocalId,
    partition: &Partition,
    row: &PartitionRow,
    out: &mut impl Write,
) -> std::io::Result<()> {
    let PartitionRow { log_start, flushed_to, includes_sequence, .. } = row;
    writeln!(
        out,
        "{name}: from {log_start}, in segments up to {flushed_to}, frames up to {includes_sequence}, {}, in {id}",
        durability(row)
    )?;
    if let Some(cleaned_to) = row.cleaned_to {
        writeln!(out, "  compacted up to {cleaned_to}")?;
    }
    for (epoch, start) in &row.epochs {
        writeln!(out, "  leader epoch {epoch} from {start}")?;
    }
    for (base_offset, facts) in &partition.segments {
        let SegmentFacts { end_offset, length, generation, max_timestamp, is_sealed, .. } = facts;
        let state = if *is_sealed { "full" } else { "open" };
        writeln!(
            out,
            "  segment {base_offset} to {end_offset}  {length} bytes  {state}  written {}  up to {}",
            counted(u64::from(*generation) + 1, "time", "times"),
            moment(*max_timestamp)
        )?;
    }
    Ok(())
}

fn json_of(name: &str, id: LocalId, partition: &Partition, row: &PartitionRow) -> Value {
    let segments = partition.segments.iter().map(|(base_offset, facts)| {
        json!({
            "baseOffset": base_offset, "endOffset": facts.end_offset, "bytes": facts.length,
            "generation": facts.generation, "maxTimestamp": facts.max_timestamp, "sealed": facts.is_sealed,
            "created": facts.created_ms,
        })
    });
    let epochs = row.epochs.iter().map(|(epoch, start)| json!({ "epoch": epoch, "startOffset": start }));
    json!({
        "partition": {
            "name": name, "folder": id.to_string(), "logStart": row.log_start, "flushedTo": row.flushed_to,
            "includesFrame": row.includes_sequence, "cleanedTo": row.cleaned_to, "durability": durability(row),
            "epochs": epochs.collect::<Vec<_>>(), "segments": segments.collect::<Vec<_>>(),
        }
    })
}

fn write_producers(
    name: &str,
    offset: i64,
    producers: &Producers,
    output: Output,
    out: &mut impl Write,
) -> std::io::Result<()> {
    for it in producers.active() {
        let (id, epoch, sequence) = (it.producer_id, it.epoch, it.last_sequence);
        if output == Output::Json {
            let producer = json!({
                "partition": name, "snapshotAt": offset, "producerId": id, "epoch": epoch, "lastSequence": sequence,
                "lastOffset": it.last_offset, "openSinceOffset": it.transaction_start,
            });
            writeln!(out, "{}", json!({ "producer": producer }))?;
            continue;
        }
        let open = it.transaction_start.map(|start| format!("  open since {start}")).unwrap_or_default();
        writeln!(out, "  producer {id}  epoch {epoch}  sequence {sequence}{open}  as of {offset}")?;
    }
    Ok(())
}
