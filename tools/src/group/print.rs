//! Groups as tables and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};
use strandline_client::{GroupDescription, GroupListing};

use super::reset::Move;
use super::{Described, Progress, lag};
use crate::cluster::Output;
use crate::results::{self, counted, or_dash};
use crate::table::Table;

pub(super) fn listed(groups: &[GroupListing], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |group: &GroupListing| {
            json!({
                "name": group.name, "state": group.state, "kind": group.kind, "protocolType": group.protocol_type,
            })
        };
        return results::json(&groups.iter().map(value).collect(), out);
    }
    let mut table = Table::new(&["NAME", "STATE", "KIND", "PROTOCOL"]);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    for group in groups {
        table.row([group.name.clone(), text(&group.state), text(&group.kind), group.protocol_type.clone()]);
    }
    table.print(out)
}

pub(super) fn described(
    groups: &[(String, Described)],
    shows_members: bool,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(name, (group, progress)): &(String, Described)| {
            json!({
                "name": name, "state": group.state, "protocolType": group.protocol_type, "assignor": group.assignor,
                "lag": lag(progress), "members": members(group),
                "partitions": progress.iter().map(partition).collect::<Vec<_>>(),
            })
        };
        return results::json(&groups.iter().map(value).collect(), out);
    }
    for (index, (name, (group, progress))) in groups.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let lag = lag(progress)
            .map(|lag| format!(", {} behind", counted(lag, "record", "records")))
            .unwrap_or_default();
        let members = counted(group.members.len(), "member", "members");
        writeln!(out, "{name}: {}, {members}{lag}", group.state)?;
        if shows_members { table_of_members(group) } else { table_of_partitions(progress) }.print(out)?;
    }
    Ok(())
}

fn table_of_partitions(progress: &[Progress]) -> Table {
    let mut table = Table::new(&["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER"]);
    for it in progress {
        let member = it.member.clone().unwrap_or_default();
        let (committed, end, lag) = (or_dash(it.committed), or_dash(it.end), or_dash(it.lag()));
        table.row([it.topic.clone(), it.partition.to_string(), committed, end, lag, member]);
    }
    table
}

fn table_of_members(group: &GroupDescription) -> Table {
    let mut table = Table::new(&["MEMBER", "INSTANCE", "CLIENT", "HOST", "PARTITIONS"]);
    for member in &group.members {
        let instance = member.instance.clone().unwrap_or_default();
        let partitions = member.partitions.len().to_string();
        table.row([member.id.clone(), instance, member.client_id.clone(), member.host.clone(), partitions]);
    }
    table
}

fn members(group: &GroupDescription) -> Vec<Value> {
    let member = |member: &strandline_client::GroupMember| {
        json!({
            "id": member.id, "instance": member.instance, "clientId": member.client_id, "host": member.host,
            "partitions": member.partitions.len(),
        })
    };
    group.members.iter().map(member).collect()
}

fn partition(progress: &Progress) -> Value {
    json!({
        "topic": progress.topic, "partition": progress.partition, "committed": progress.committed,
        "end": progress.end, "lag": progress.lag(), "member": progress.member,
    })
}

/// Where a group goes on, or would.
pub(super) fn moved(
    group: &str,
    moves: &[Move],
    has_moved: bool,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value =
            |it: &Move| json!({ "topic": it.key.0, "partition": it.key.1, "was": it.from, "offset": it.to });
        let partitions: Vec<_> = moves.iter().map(value).collect();
        return results::json(&json!({ "name": group, "changed": has_moved, "partitions": partitions }), out);
    }
    let said = if has_moved { "GOES ON AT" } else { "WOULD GO ON AT" };
    let mut table = Table::new(&["TOPIC", "PARTITION", "WAS AT", said]);
    for it in moves {
        table.row([it.key.0.clone(), it.key.1.to_string(), or_dash(it.from), it.to.to_string()]);
    }
    table.print(out)
}
