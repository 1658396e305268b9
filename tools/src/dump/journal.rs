//! The journal's entries as lines.

use std::io::Write;

use serde_json::{Value, json};
use strandline_log::journal::{Entry, Replayed, Seal};
use strandline_protocol::batch::BatchHeader;

use super::OfDirectory;
use super::directory::{Opened, partition_of};
use super::names::Names;
use super::partitions::name_of;
use crate::cluster::{Failure, Output};

pub(super) fn print(plan: &OfDirectory, out: &mut impl Write) -> Result<(), Failure> {
    let opened = Opened::open(&plan.directory)?;
    let names = Names::read(&opened)?;
    names.check(&plan.chosen, &opened)?;
    let is_filtered = !plan.chosen.topic.is_empty() || !plan.chosen.partition.is_empty();
    let mut result = Ok(());
    let inspection = opened.walk(|replayed| {
        let id = partition_of(&replayed.entry);
        let partition = id.and_then(|id| opened.partitions.get(&id));
        let is_chosen = !is_filtered || partition.is_some_and(|it| names.chooses(&plan.chosen, it));
        if result.is_err() || !is_chosen {
            return;
        }
        let whose = id.map(|id| name_of(&names, id, partition));
        let whose = whose.map(|(topic, index)| format!("{topic}-{index}"));
        result = match plan.output {
            Output::Table => writeln!(out, "{}", line(replayed, whose.as_deref())),
            Output::Json => writeln!(out, "{}", json_of(replayed, whose.as_deref())),
        };
    })?;
    result?;
    if plan.output == Output::Table {
        let sealed = match inspection.seal {
            Some(Seal::Closed) => "closed",
            Some(Seal::Died) => "opened after a death that nobody has answered for",
            None => "not closed",
        };
        let torn = if inspection.is_torn { ", with a torn frame behind it" } else { "" };
        writeln!(out, "the last frame is {}; the journal was {sealed}{torn}", inspection.last_sequence)?;
    }
    Ok(())
}

/// What kind of entry it is, and what it says.
fn said(entry: &Entry<'_>) -> (&'static str, Value) {
    match entry {
        Entry::Append { base_offset, batch, .. } => {
            let last = BatchHeader::parse(batch).ok().map(|header| header.last_offset());
            ("append", json!({ "baseOffset": base_offset, "lastOffset": last, "bytes": batch.len() }))
        }
        Entry::Truncate { end_offset, .. } => ("truncate", json!({ "endOffset": end_offset })),
        Entry::SetLogStart { start_offset, .. } => ("set-log-start", json!({ "startOffset": start_offset })),
        Entry::CreatePartition { description, .. } => ("create", json!({ "bytes": description.len() })),
        Entry::DeletePartition { .. } => ("delete", json!({})),
        Entry::Configure { config, .. } => ("configure", json!({ "bytes": config.len() })),
        Entry::Metadata(record) => ("metadata", json!({ "bytes": record.len() })),
        Entry::RaftEntry(entry) => ("raft-entry", json!({ "bytes": entry.len() })),
        Entry::RaftVote(vote) => ("raft-vote", json!({ "bytes": vote.len() })),
        Entry::Seal(Seal::Closed) => ("seal", json!({})),
        Entry::Seal(Seal::Died) => ("seal-of-the-dead", json!({})),
    }
}

fn line(replayed: &Replayed<'_>, whose: Option<&str>) -> String {
    let (kind, said) = said(&replayed.entry);
    let fields = said.as_object().into_iter().flatten();
    let fields: Vec<_> = fields.map(|(name, value)| format!("{name} {value}")).collect();
    let (file, offset) = (replayed.position.file, replayed.position.offset);
    format!("{}  {kind}  {}  {}  {file}@{offset}", replayed.sequence, whose.unwrap_or("-"), fields.join("  "))
}

fn json_of(replayed: &Replayed<'_>, whose: Option<&str>) -> Value {
    let (kind, said) = said(&replayed.entry);
    json!({
        "frame": replayed.sequence, "kind": kind, "partition": whose, "said": said,
        "file": replayed.position.file, "position": replayed.position.offset,
    })
}
