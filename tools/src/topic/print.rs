//! Topics as tables and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};
use strandline_client::{CreatedTopic, PartitionInfo, TopicInfo, TopicSetting};

use crate::cluster::Output;
use crate::results::{self, counted, list, or_dash};
use crate::sizes::{Extent, Extents};
use crate::table::Table;

pub(super) fn created(
    topics: &[(String, CreatedTopic)],
    is_only_checked: bool,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |(name, topic): &(String, CreatedTopic)| {
            json!({
                "name": name,
                "id": id(topic.id),
                "partitions": topic.partitions,
                "replicationFactor": topic.replication_factor,
                "created": !is_only_checked,
            })
        };
        return results::json(&topics.iter().map(value).collect(), out);
    }
    let said = if is_only_checked { "may be created" } else { "created" };
    for (name, topic) in topics {
        match topic.partitions {
            Some(partitions) => {
                let partitions = counted(partitions, "partition", "partitions");
                writeln!(out, "{name}: {said} with {partitions}")?;
            }
            None => writeln!(out, "{name}: {said}")?,
        }
    }
    Ok(())
}

pub(super) fn listed(
    topics: &[TopicInfo],
    extents: Option<&Extents>,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        let value = |topic: &TopicInfo| {
            let (records, bytes) = extents.map(|extents| extents.total(topic)).unwrap_or_default();
            json!({
                "name": topic.name,
                "id": id(topic.id),
                "partitions": topic.partitions.len(),
                "replicationFactor": replicas(topic),
                "internal": topic.is_internal,
                "underReplicated": under_replicated(topic),
                "records": records,
                "bytes": bytes,
            })
        };
        return results::json(&topics.iter().map(value).collect(), out);
    }
    let head = ["NAME", "PARTITIONS", "REPLICAS", "RECORDS", "SIZE", "OUT OF SYNC", "ID"];
    let narrow = ["NAME", "PARTITIONS", "REPLICAS", "ID"];
    let mut table = Table::new(if extents.is_some() { &head } else { &narrow });
    for topic in topics {
        let mut row =
            vec![topic.name.clone(), topic.partitions.len().to_string(), replicas(topic).to_string()];
        if let Some(extents) = extents {
            let (records, bytes) = extents.total(topic);
            row.extend([
                or_dash(records),
                or_dash(bytes.map(results::bytes)),
                under_replicated(topic).to_string(),
            ]);
        }
        row.push(id(topic.id).unwrap_or_default());
        table.row(row);
    }
    table.print(out)
}

/// What is known of described topics beside their partitions.
pub(super) struct All<'a> {
    pub(super) settings: &'a [(String, Vec<TopicSetting>)],
    pub(super) extents: &'a Extents,
    pub(super) is_wide: bool,
}

impl All<'_> {
    fn settings_of(&self, topic: &TopicInfo) -> &[TopicSetting] {
        let found = self.settings.iter().find(|(name, _)| *name == topic.name);
        found.map(|(_, all)| all.as_slice()).unwrap_or_default()
    }
}

pub(super) fn described(
    topics: &[TopicInfo],
    all: &All<'_>,
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    if output == Output::Json {
        return results::json(&topics.iter().map(|topic| description(topic, all)).collect(), out);
    }
    for (index, topic) in topics.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        describe(topic, all, out)?;
    }
    Ok(())
}

fn describe(topic: &TopicInfo, all: &All<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "topic       {}", topic.name)?;
    if let Some(id) = id(topic.id) {
        writeln!(out, "id          {id}")?;
    }
    writeln!(out, "partitions  {}", topic.partitions.len())?;
    for setting in all.settings_of(topic).iter().filter(|setting| setting.is_of_topic) {
        writeln!(out, "setting     {}={}", setting.name, setting.value.as_deref().unwrap_or("(secret)"))?;
    }
    let mut head = vec!["PARTITION", "LEADER", "REPLICAS", "IN SYNC", "BEGIN", "END", "SIZE"];
    if all.is_wide {
        head.extend(["EPOCH", "OFFLINE"]);
    }
    let mut table = Table::new(&head);
    for partition in &topic.partitions {
        let mut row = row(partition, all.extents.get(&topic.name, partition.partition));
        if all.is_wide {
            row.extend([partition.leader_epoch.to_string(), list(&partition.offline)]);
        }
        table.row(row);
    }
    table.print(out)
}

fn row(partition: &PartitionInfo, extent: Extent) -> Vec<String> {
    vec![
        partition.partition.to_string(),
        partition.leader.map_or("none".to_owned(), |leader| leader.to_string()),
        list(&partition.replicas),
        list(&partition.in_sync),
        or_dash(extent.begin),
        or_dash(extent.end),
        or_dash(extent.bytes.map(results::bytes)),
    ]
}

fn description(topic: &TopicInfo, all: &All<'_>) -> Value {
    let partition = |partition: &PartitionInfo| {
        let extent = all.extents.get(&topic.name, partition.partition);
        json!({
            "partition": partition.partition,
            "leader": partition.leader,
            "leaderEpoch": partition.leader_epoch,
            "replicas": partition.replicas,
            "inSync": partition.in_sync,
            "offline": partition.offline,
            "begin": extent.begin,
            "end": extent.end,
            "bytes": extent.bytes,
        })
    };
    let setting = |setting: &TopicSetting| json!({ "name": setting.name, "value": setting.value, "ofTopic": setting.is_of_topic });
    json!({
        "name": topic.name,
        "id": id(topic.id),
        "internal": topic.is_internal,
        "partitions": topic.partitions.iter().map(partition).collect::<Vec<_>>(),
        "settings": all.settings_of(topic).iter().map(setting).collect::<Vec<_>>(),
    })
}

fn id(id: strandline_protocol::Uuid) -> Option<String> {
    if id.is_zero() { None } else { Some(id.to_string()) }
}

fn replicas(topic: &TopicInfo) -> usize {
    topic.partitions.first().map_or(0, |partition| partition.replicas.len())
}

/// How many partitions have a replica that is not in sync.
fn under_replicated(topic: &TopicInfo) -> usize {
    topic.partitions.iter().filter(|info| info.in_sync.len() < info.replicas.len()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic() -> TopicInfo {
        let partition =
            PartitionInfo { leader: Some(1), replicas: vec![1, 2], in_sync: vec![1], ..Default::default() };
        TopicInfo { name: "orders".to_owned(), partitions: vec![partition], ..Default::default() }
    }

    fn printed(print: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_is_a_line_for_each_topic() {
        let text = printed(|out| listed(&[topic()], None, Output::Table, out));
        assert_eq!(text, "NAME    PARTITIONS  REPLICAS  ID\norders           1         2\n");
        let json: Value =
            serde_json::from_str(&printed(|out| listed(&[topic()], None, Output::Json, out))).unwrap();
        assert_eq!((&json[0]["name"], &json[0]["replicationFactor"]), (&json!("orders"), &json!(2)));
        assert!(json[0]["id"].is_null());
    }

    #[test]
    fn a_description_shows_partitions_and_own_settings() {
        let setting = |name: &str, is_of_topic| TopicSetting {
            name: name.to_owned(),
            value: Some("1".to_owned()),
            is_of_topic,
        };
        let settings = [("orders".to_owned(), vec![setting("retention.ms", true), setting("other", false)])];
        let extents =
            Extents::default().with("orders", 0, Extent { begin: Some(3), end: Some(7), bytes: Some(99) });
        let all = All { settings: &settings, extents: &extents, is_wide: false };
        let text = printed(|out| described(&[topic()], &all, Output::Table, out));
        assert!(text.contains("setting     retention.ms=1\n") && !text.contains("other"), "{text}");
        let words: Vec<_> = text.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(words, ["0", "1", "1,2", "1", "3", "7", "99", "B"]);
        let json = printed(|out| described(&[topic()], &all, Output::Json, out));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json[0]["partitions"][0]["inSync"], json!([1]));
        assert_eq!(json[0]["partitions"][0]["end"], json!(7));
        assert_eq!(json[0]["settings"].as_array().unwrap().len(), 2);
    }
}
