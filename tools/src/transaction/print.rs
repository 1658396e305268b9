//! Transactions as tables and as JSON.

use std::io::{self, Write};

use serde_json::json;
use strandline_protocol::apis::describe_transactions::TransactionState;

use super::Listed;
use crate::cluster::Output;
use crate::results::{self, list};
use crate::table::Table;
use crate::time::moment;

pub(super) fn listed(transactions: &[Listed], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |it: &Listed| {
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

/// When it was opened, if it is.
fn begun(state: &TransactionState) -> Option<i64> {
    Some(state.transaction_start_time_ms).filter(|time| *time > 0)
}

pub(super) fn described(
    transactions: &[(String, TransactionState)],
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(id, state): &(String, TransactionState)| {
            let topics = state.topics.iter();
            let topics =
                topics.map(|topic| json!({ "topic": topic.topic.as_str(), "partitions": topic.partitions }));
            json!({
                "id": id, "state": state.transaction_state.as_str(), "producerId": state.producer_id,
                "epoch": state.producer_epoch, "timeoutMs": state.transaction_timeout_ms, "openSince": begun(state),
                "topics": topics.collect::<Vec<_>>(),
            })
        };
        return results::json(&transactions.iter().map(value).collect(), out);
    }
    for (index, (id, state)) in transactions.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "transaction  {id}")?;
        writeln!(out, "state        {}", state.transaction_state)?;
        writeln!(out, "producer     {} with epoch {}", state.producer_id, state.producer_epoch)?;
        writeln!(out, "timeout      {} ms", state.transaction_timeout_ms)?;
        if let Some(begun) = begun(state) {
            writeln!(out, "open since   {}", moment(begun))?;
        }
        for topic in &state.topics {
            writeln!(out, "in           {} {}", topic.topic, list(&topic.partitions))?;
        }
    }
    Ok(())
}

pub(super) fn aborted(ids: &[(String, i16)], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |(id, epoch): &(String, i16)| json!({ "id": id, "fencedBelowEpoch": epoch });
        return results::json(&ids.iter().map(value).collect(), out);
    }
    ids.iter().try_for_each(|(id, epoch)| writeln!(out, "{id}: whoever had an epoch below {epoch} is fenced"))
}
