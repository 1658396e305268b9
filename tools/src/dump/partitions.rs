//! Whole partitions of a data directory.

use std::io::Write;
use std::path::Path;

use serde_json::json;
use strandline_log::layout::FileKind;
use strandline_log::local_id::LocalId;

use super::directory::{Opened, Partition};
use super::names::Names;
use super::{Chosen, How, OfDirectory, files, print};
use crate::cluster::{Failure, Output};
use crate::progress::{Far, Progress};
use crate::results;
use crate::table::Table;

/// A partition's topic and number, or its folder where the broker did not say which it is.
pub(super) fn name_of(names: &Names, id: LocalId, partition: Option<&Partition>) -> (String, i32) {
    match partition.and_then(|partition| partition.place) {
        Some(place) => (names.of(place), place.index),
        None => (id.to_string(), 0),
    }
}

pub(super) fn list(plan: &OfDirectory, out: &mut impl Write) -> Result<(), Failure> {
    let opened = Opened::open(&plan.directory)?;
    let names = Names::read(&opened)?;
    names.check(&plan.chosen, &opened)?;
    let chosen = opened.partitions.iter().filter(|(_, partition)| names.chooses(&plan.chosen, partition));
    let mut rows: Vec<_> =
        chosen.map(|(id, partition)| (name_of(&names, *id, Some(partition)), *id, partition)).collect();
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    let bytes_of =
        |partition: &Partition| -> u64 { partition.segments.iter().map(|(_, facts)| facts.length).sum() };
    if plan.output == Output::Json {
        for ((topic, index), id, partition) in rows {
            let line = json!({
                "topic": topic, "partition": index, "folder": id.to_string(), "begin": partition.begin,
                "end": partition.end, "segments": partition.segments.len(), "segmentBytes": bytes_of(partition),
                "journalBytes": partition.journal_bytes,
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    let mut table = Table::new(&[
        "TOPIC",
        "PARTITION",
        "BEGIN",
        "END",
        "SEGMENTS",
        "IN SEGMENTS",
        "IN JOURNAL",
        "FOLDER",
    ]);
    let size = |bytes: u64| results::bytes(i64::try_from(bytes).unwrap_or(i64::MAX));
    for ((topic, index), id, partition) in rows {
        table.row([
            topic,
            index.to_string(),
            partition.begin.to_string(),
            partition.end.to_string(),
            partition.segments.len().to_string(),
            size(bytes_of(partition)),
            size(partition.journal_bytes),
            id.to_string(),
        ]);
    }
    Ok(table.print(out)?)
}

pub(super) fn dump(
    directory: &Path,
    chosen: &Chosen,
    how: &How,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let opened = Opened::open(directory)?;
    let names = Names::read(&opened)?;
    names.check(chosen, &opened)?;
    let mut progress = Progress::new(!std::io::IsTerminal::is_terminal(&std::io::stdout()));
    let chosen_ones = || opened.partitions.values().filter(|partition| names.chooses(chosen, partition));
    let total = chosen_ones().map(|partition| how.offsets_before(partition, i64::MAX)).sum();
    let mut done = 0;
    for (id, partition) in opened.partitions.iter().filter(|(_, partition)| names.chooses(chosen, partition))
    {
        let is_empty = partition.begin == partition.end && partition.segments.is_empty();
        if is_empty && chosen.partition.is_empty() {
            // Most partitions of the cluster's own topics are.
            continue;
        }
        let (topic, index) = name_of(&names, *id, Some(partition));
        let of = print::Of { topic: &topic, partition: Some(index) };
        if how.output == Output::Table {
            writeln!(out, "{topic}-{index}: offsets {} to {}, in {id}", partition.begin, partition.end)?;
        }
        opened.batches(*id, (how.from, how.until), &mut |placed| {
            progress.tell(|| {
                let offset = placed.batch.header().base_offset;
                let done = done + how.offsets_before(partition, offset);
                Far::of(Some((done, total)), format!("{topic}-{index} at {offset}"))
            });
            print::batch(&of, placed, how, out)
        })?;
        done += how.offsets_before(partition, i64::MAX);
        if how.indexes {
            for (base_offset, _) in &partition.segments {
                for kind in [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::TransactionIndex] {
                    if let Some((path, file)) = opened.file(*id, partition, *base_offset, kind)? {
                        files::index(&path, &*file, (*base_offset, kind), how, out)?;
                    }
                }
            }
        }
    }
    Ok(())
}
