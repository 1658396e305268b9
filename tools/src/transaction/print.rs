//! Transactions as tables and as JSON.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;
use strandline_client::{TransactionDescription, TransactionListing};

use crate::cluster::Output;
use crate::results::{self, counted, list};
use crate::table::Table;
use crate::time::moment;

pub(super) fn listed(
    transactions: &[TransactionListing],
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |it: &TransactionListing| {
            json!({
                "id": it.id, "producerId": it.producer_id, "state": it.state, "coordinator": it.coordinator,
            })
        };
        return results::json(&transactions.iter().map(value).collect(), out);
    }
    let mut table = Table::new(&["ID", "STATE", "PRODUCER", "COORDINATOR"]);
    for it in transactions {
        table.row([it.id.clone(), it.state.clone(), it.producer_id.to_string(), it.coordinator.to_string()]);
    }
    table.print(out)
}

/// The partitions that belong to it, by topic.
fn topics(transaction: &TransactionDescription) -> BTreeMap<&str, Vec<i32>> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in &transaction.partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    topics
}

pub(super) fn described(
    transactions: &[(String, TransactionDescription)],
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(id, it): &(String, TransactionDescription)| {
            let topics = topics(it).into_iter();
            let topics =
                topics.map(|(topic, partitions)| json!({ "topic": topic, "partitions": partitions }));
            json!({
                "id": id, "state": it.state, "producerId": it.producer_id, "epoch": it.producer_epoch,
                "timeoutMs": it.timeout_ms, "openSince": it.started, "topics": topics.collect::<Vec<_>>(),
            })
        };
        return results::json(&transactions.iter().map(value).collect(), out);
    }
    for (index, (id, it)) in transactions.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "transaction  {id}")?;
        writeln!(out, "state        {}", it.state)?;
        writeln!(out, "producer     {} with epoch {}", it.producer_id, it.producer_epoch)?;
        writeln!(out, "timeout      {} ms", it.timeout_ms)?;
        if let Some(started) = it.started {
            writeln!(out, "open since   {}", moment(started))?;
        }
        for (topic, partitions) in topics(it) {
            writeln!(out, "in           {topic} {}", list(&partitions))?;
        }
    }
    Ok(())
}

pub(super) fn aborted(ids: &[(String, i16)], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value =
            |(id, epoch): &(String, i16)| json!({ "id": id, "fenced": true, "fencedBelowEpoch": epoch });
        return results::json(&ids.iter().map(value).collect(), out);
    }
    ids.iter().try_for_each(|(id, epoch)| writeln!(out, "{id}: whoever had an epoch below {epoch} is fenced"))
}

/// Whom it would fence, and what it would abort.
pub(super) fn would_be_aborted(
    ids: &[(String, TransactionDescription)],
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(id, it): &(String, TransactionDescription)| {
            let partitions = it.partitions.iter().map(|(topic, partition)| format!("{topic}-{partition}"));
            let partitions: Vec<_> = partitions.collect();
            json!({
                "id": id,
                "fenced": false,
                "producer": it.producer_id,
                "epoch": it.producer_epoch,
                "state": it.state,
                "partitions": partitions,
            })
        };
        return results::json(&ids.iter().map(value).collect(), out);
    }
    for (id, it) in ids {
        let open = if it.state == "Ongoing" {
            let partitions = counted(it.partitions.len(), "partition", "partitions");
            format!("its transaction in {partitions} would be aborted")
        } else {
            "no transaction is open".to_owned()
        };
        let (producer, epoch) = (it.producer_id, it.producer_epoch);
        writeln!(out, "{id}: producer {producer} of epoch {epoch} would be fenced, and {open}")?;
    }
    Ok(())
}
