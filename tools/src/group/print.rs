//! Groups as tables and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};
use strandline_client::{GroupDescription, GroupListing};

use super::{Described, Progress};
use crate::cluster::Output;
use crate::table::Table;

pub(super) fn listed(groups: &[GroupListing], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |group: &GroupListing| {
            json!({
                "name": group.name, "state": group.state, "kind": group.kind, "protocolType": group.protocol_type,
            })
        };
        return writeln!(out, "{}", Value::Array(groups.iter().map(value).collect()));
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
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(name, (group, progress)): &(String, Described)| {
            json!({
                "name": name, "state": group.state, "protocolType": group.protocol_type, "assignor": group.assignor,
                "members": members(group), "partitions": progress.iter().map(partition).collect::<Vec<_>>(),
            })
        };
        return writeln!(out, "{}", Value::Array(groups.iter().map(value).collect()));
    }
    for (name, (group, progress)) in groups {
        writeln!(out, "{name}: {}, {} members", group.state, group.members.len())?;
        let mut table = Table::new(&["TOPIC", "PARTITION", "COMMITTED", "END", "LAG", "MEMBER"]);
        let text = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
        for it in progress {
            let member = it.member.clone().unwrap_or_default();
            let (committed, end, lag) = (text(it.committed), text(it.end), text(it.lag()));
            table.row([it.topic.clone(), it.partition.to_string(), committed, end, lag, member]);
        }
        table.print(out)?;
    }
    Ok(())
}

fn members(group: &GroupDescription) -> Vec<Value> {
    let member = |member: &strandline_client::GroupMember| {
        json!({
            "id": member.id, "instance": member.instance, "clientId": member.client_id, "host": member.host,
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
    moved: &[((String, i32), i64)],
    has_moved: bool,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |((topic, partition), offset): &((String, i32), i64)| json!({ "topic": topic, "partition": partition, "offset": offset });
        let partitions: Vec<_> = moved.iter().map(value).collect();
        return writeln!(out, "{}", json!({ "name": group, "changed": has_moved, "partitions": partitions }));
    }
    let mut table =
        Table::new(&["TOPIC", "PARTITION", if has_moved { "GOES ON AT" } else { "WOULD GO ON AT" }]);
    for ((topic, partition), offset) in moved {
        table.row([topic.clone(), partition.to_string(), offset.to_string()]);
    }
    table.print(out)
}

pub(super) fn deleted(groups: &[(String, ())], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let names: Vec<_> = groups.iter().map(|(name, ())| json!({ "name": name })).collect();
        return writeln!(out, "{}", Value::Array(names));
    }
    groups.iter().try_for_each(|(name, ())| writeln!(out, "{name}: deleted"))
}
