//! Topics as tables and as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};
use strandline_client::{CreatedTopic, PartitionInfo, TopicInfo, TopicSetting};

use crate::cluster::Output;
use crate::table::Table;

pub(super) fn created(
    topics: &[(String, CreatedTopic)],
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
            })
        };
        return json_lines(topics.iter().map(value).collect(), out);
    }
    for (name, topic) in topics {
        match topic.partitions {
            Some(partitions) => writeln!(out, "{name}: created with {partitions} partitions")?,
            None => writeln!(out, "{name}: created")?,
        }
    }
    Ok(())
}

pub(super) fn deleted(topics: &[(String, ())], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        return json_lines(topics.iter().map(|(name, ())| json!({ "name": name })).collect(), out);
    }
    topics.iter().try_for_each(|(name, ())| writeln!(out, "{name}: deleted"))
}

pub(super) fn listed(topics: &[TopicInfo], output: Output, out: &mut impl Write) -> io::Result<()> {
    if output == Output::Json {
        let value = |topic: &TopicInfo| {
            json!({
                "name": topic.name,
                "id": id(topic.id),
                "partitions": topic.partitions.len(),
                "replicationFactor": replicas(topic),
                "internal": topic.is_internal,
            })
        };
        return json_lines(topics.iter().map(value).collect(), out);
    }
    let mut table = Table::new(&["NAME", "PARTITIONS", "REPLICAS", "ID"]);
    for topic in topics {
        let (partitions, replicas) = (topic.partitions.len().to_string(), replicas(topic).to_string());
        table.row([topic.name.clone(), partitions, replicas, id(topic.id).unwrap_or_default()]);
    }
    table.print(out)
}

pub(super) fn described(
    topics: &[TopicInfo],
    settings: &[(String, Vec<TopicSetting>)],
    output: Output,
    out: &mut impl Write,
) -> io::Result<()> {
    let of = |topic: &TopicInfo| {
        settings.iter().find(|(name, _)| *name == topic.name).map(|(_, all)| all.as_slice())
    };
    if output == Output::Json {
        return json_lines(topics.iter().map(|topic| description(topic, of(topic))).collect(), out);
    }
    for (index, topic) in topics.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "topic       {}", topic.name)?;
        if let Some(id) = id(topic.id) {
            writeln!(out, "id          {id}")?;
        }
        writeln!(out, "partitions  {}", topic.partitions.len())?;
        for setting in own(of(topic)) {
            writeln!(out, "setting     {}={}", setting.name, setting.value.as_deref().unwrap_or("(secret)"))?;
        }
        let mut table = Table::new(&["PARTITION", "LEADER", "EPOCH", "REPLICAS", "IN SYNC", "OFFLINE"]);
        for partition in &topic.partitions {
            table.row(row(partition));
        }
        table.print(out)?;
    }
    Ok(())
}

fn row(partition: &PartitionInfo) -> [String; 6] {
    let list = |ids: &[i32]| ids.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    [
        partition.partition.to_string(),
        partition.leader.map_or("none".to_owned(), |leader| leader.to_string()),
        partition.leader_epoch.to_string(),
        list(&partition.replicas),
        list(&partition.in_sync),
        list(&partition.offline),
    ]
}

fn description(topic: &TopicInfo, settings: Option<&[TopicSetting]>) -> Value {
    let partition = |partition: &PartitionInfo| {
        json!({
            "partition": partition.partition,
            "leader": partition.leader,
            "leaderEpoch": partition.leader_epoch,
            "replicas": partition.replicas,
            "inSync": partition.in_sync,
            "offline": partition.offline,
        })
    };
    let all: Vec<Value> = settings
        .unwrap_or_default()
        .iter()
        .map(
            |setting| json!({ "name": setting.name, "value": setting.value, "ofTopic": setting.is_of_topic }),
        )
        .collect();
    json!({
        "name": topic.name,
        "id": id(topic.id),
        "internal": topic.is_internal,
        "partitions": topic.partitions.iter().map(partition).collect::<Vec<_>>(),
        "settings": all,
    })
}

/// The settings that were made on the topic.
fn own(settings: Option<&[TopicSetting]>) -> impl Iterator<Item = &TopicSetting> {
    settings.unwrap_or_default().iter().filter(|setting| setting.is_of_topic)
}

fn id(id: strandline_protocol::Uuid) -> Option<String> {
    if id.is_zero() { None } else { Some(id.to_string()) }
}

fn replicas(topic: &TopicInfo) -> usize {
    topic.partitions.first().map_or(0, |partition| partition.replicas.len())
}

fn json_lines(values: Vec<Value>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:#}", Value::Array(values))
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
        let text = printed(|out| listed(&[topic()], Output::Table, out));
        assert_eq!(text, "NAME    PARTITIONS  REPLICAS  ID\norders           1         2\n");
        let json: Value =
            serde_json::from_str(&printed(|out| listed(&[topic()], Output::Json, out))).unwrap();
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
        let text = printed(|out| described(&[topic()], &settings, Output::Table, out));
        assert!(text.contains("setting     retention.ms=1\n") && !text.contains("other"), "{text}");
        assert!(text.lines().last().unwrap().contains("1,2"), "{text}");
        let json = printed(|out| described(&[topic()], &settings, Output::Json, out));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json[0]["partitions"][0]["inSync"], json!([1]));
        assert_eq!(json[0]["settings"].as_array().unwrap().len(), 2);
    }
}
