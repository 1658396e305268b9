//! What is drawn: pure text, from one look and the one before it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use strandline_client::TopicInfo;

use super::sample::{GroupSample, Sample};
use crate::results::{self, counted, or_dash};
use crate::table::Table;

/// How much can be drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

/// A view in the making.
pub(super) struct Frame<'a> {
    pub(super) before: Option<&'a Sample>,
    pub(super) now: &'a Sample,
    pub(super) interval: Duration,
}

/// A topic, as a line of it is made.
struct Topic<'a> {
    info: &'a TopicInfo,
    records: Option<i64>,
    bytes: Option<i64>,
    // How many records came, and by how many bytes it grew, per second.
    records_rate: Option<i64>,
    bytes_rate: Option<i64>,
    out_of_sync: usize,
}

struct Group<'a> {
    name: &'a str,
    sample: &'a GroupSample,
    rate: Option<i64>,
}

impl Frame<'_> {
    /// What happened per second between the two looks.
    fn rate(&self, before: Option<i64>, now: Option<i64>) -> Option<i64> {
        let millis = i64::try_from(self.now.at.checked_duration_since(self.before?.at)?.as_millis()).ok()?;
        let more = now?.checked_sub(before?)?;
        more.checked_mul(1_000)?.checked_div(millis)
    }

    fn topics(&self) -> Vec<Topic<'_>> {
        let mut topics: Vec<_> = self.now.topics.iter().map(|info| self.topic(info)).collect();
        let order = |topic: &Topic<'_>| (-topic.records_rate.unwrap_or(0), -topic.bytes.unwrap_or(0));
        topics.sort_by(|left, right| (order(left), &left.info.name).cmp(&(order(right), &right.info.name)));
        topics
    }

    fn topic<'b>(&self, info: &'b TopicInfo) -> Topic<'b> {
        let (records, bytes) = self.now.extents.total(info);
        let ends = |sample: &Sample| -> Option<i64> {
            info.partitions
                .iter()
                .map(|partition| sample.extents.get(&info.name, partition.partition).end)
                .sum()
        };
        let bytes_before = self.before.and_then(|before| before.extents.total(info).1);
        Topic {
            info,
            records,
            bytes,
            records_rate: self.rate(self.before.and_then(ends), ends(self.now)),
            bytes_rate: self.rate(bytes_before, bytes),
            out_of_sync: info.partitions.iter().filter(|it| it.in_sync.len() < it.replicas.len()).count(),
        }
    }

    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<_> =
            self.now.groups.iter().map(|(name, sample)| self.group(name, sample)).collect();
        groups.sort_by_key(|group| -group.sample.lag().unwrap_or(0));
        groups
    }

    fn group<'b>(&self, name: &'b str, sample: &'b GroupSample) -> Group<'b> {
        let before = self.before.and_then(|before| before.groups.get(name));
        let rate = self.rate(before.map(GroupSample::committed), Some(sample.committed()));
        Group { name, sample, rate }
    }

    /// What a metric grew by per second, or is.
    fn metric(&self, address: &str, name: &str, is_rate: bool) -> Option<i64> {
        let of = |sample: &Sample| whole(sample.metrics.get(address)?.get(name)?);
        let now = of(self.now);
        if is_rate { self.rate(self.before.and_then(of), now) } else { now }
    }

    /// The view as lines that fit.
    pub(super) fn lines(&self, size: Size) -> Vec<String> {
        let mut lines = self.head();
        let sections = [self.broker_table(), self.metrics_table(), self.topic_table(), self.group_table()];
        let sections: Vec<Vec<String>> = sections.into_iter().filter(|lines| lines.len() > 1).collect();
        // One line is for how to leave it.
        let room = size.rows.saturating_sub(lines.len() + sections.len() + 1);
        for section in share(sections, room) {
            lines.push(String::new());
            lines.extend(section);
        }
        if size.rows < usize::MAX {
            lines.truncate(size.rows.saturating_sub(1));
            let seconds = self.interval.as_secs();
            lines.push(format!("every {seconds} s   q quits"));
        }
        lines.iter().map(|line| line.chars().take(size.columns).collect()).collect()
    }

    fn head(&self) -> Vec<String> {
        let Sample { cluster, topics, groups_count, .. } = self.now;
        let partitions: usize = topics.iter().map(|topic| topic.partitions.len()).sum();
        let shown = self.topics();
        let out_of_sync: usize = shown.iter().map(|topic| topic.out_of_sync).sum();
        let id = cluster.cluster_id.as_deref().unwrap_or("without an id");
        let total = |of: fn(&Topic<'_>) -> Option<i64>| {
            shown.iter().filter_map(of).reduce(|sum, one| sum.saturating_add(one))
        };
        let groups = self.groups();
        let lag: i64 = groups.iter().filter_map(|group| group.sample.lag()).sum();
        let read = groups.iter().filter_map(|group| group.rate).reduce(|sum, one| sum.saturating_add(one));
        vec![
            format!(
                "cluster {id}   {}   {}   {}   {out_of_sync} out of sync   {}",
                counted(cluster.brokers.len(), "broker", "brokers"),
                counted(topics.len(), "topic", "topics"),
                counted(partitions, "partition", "partitions"),
                counted(groups_count, "group", "groups")
            ),
            format!(
                "{} in   {} read by groups   {lag} behind   {} in all",
                counted(or_dash(total(|topic| topic.records_rate)), "record/s", "records/s"),
                counted(or_dash(read), "record/s", "records/s"),
                or_dash(total(|topic| topic.bytes).map(results::bytes))
            ),
        ]
    }

    fn broker_table(&self) -> Vec<String> {
        let mut table = Table::new(&["BROKER", "ADDRESS", "RACK", "LEADS", "HOLDS", "OUT OF SYNC"]);
        for broker in &self.now.cluster.brokers {
            let load = crate::overview::load_of(broker.id, &self.now.topics);
            table.row([
                broker.id.to_string(),
                broker.address.to_string(),
                broker.rack.clone().unwrap_or_default(),
                load.leads.to_string(),
                load.holds.to_string(),
                load.out_of_sync.to_string(),
            ]);
        }
        table.lines()
    }

    fn metrics_table(&self) -> Vec<String> {
        let mut table =
            Table::new(&["METRICS OF", "CONNECTIONS", "REQUESTS/s", "IN/s", "OUT/s", "UNSYNCED", "OFFLINE"]);
        for address in self.now.metrics.keys() {
            let level = |name| self.metric(address, name, false);
            let rate = |name| self.metric(address, name, true);
            table.row([
                address.clone(),
                or_dash(level("strandline_network_connections")),
                or_dash(rate("strandline_network_requests_total")),
                or_dash(rate("strandline_network_received_bytes_total").map(results::bytes)),
                or_dash(rate("strandline_network_sent_bytes_total").map(results::bytes)),
                or_dash(level("strandline_unsynced_bytes").map(results::bytes)),
                or_dash(level("strandline_offline_directories")),
            ]);
        }
        table.lines()
    }

    fn topic_table(&self) -> Vec<String> {
        let mut table =
            Table::new(&["TOPIC", "PARTITIONS", "RECORDS", "RECORDS/s", "SIZE", "GROWS BY/s", "OUT OF SYNC"]);
        for topic in self.topics() {
            table.row([
                topic.info.name.clone(),
                topic.info.partitions.len().to_string(),
                or_dash(topic.records),
                or_dash(topic.records_rate),
                or_dash(topic.bytes.map(results::bytes)),
                or_dash(topic.bytes_rate.map(|rate| results::bytes(rate.max(0)))),
                topic.out_of_sync.to_string(),
            ]);
        }
        table.lines()
    }

    fn group_table(&self) -> Vec<String> {
        let mut table = Table::new(&["GROUP", "STATE", "MEMBERS", "RECORDS/s", "BEHIND"]);
        for group in self.groups() {
            table.row([
                group.name.to_owned(),
                group.sample.state.clone(),
                group.sample.members.to_string(),
                or_dash(group.rate),
                or_dash(group.sample.lag()),
            ]);
        }
        table.lines()
    }

    /// The same for programs.
    pub(super) fn json(&self) -> Value {
        let topic = |topic: Topic<'_>| {
            json!({
                "name": topic.info.name, "partitions": topic.info.partitions.len(), "records": topic.records,
                "recordsPerSecond": topic.records_rate, "bytes": topic.bytes, "bytesPerSecond": topic.bytes_rate,
                "outOfSync": topic.out_of_sync,
            })
        };
        let group = |group: Group<'_>| {
            json!({
                "name": group.name, "state": group.sample.state, "members": group.sample.members,
                "recordsPerSecond": group.rate, "lag": group.sample.lag(),
            })
        };
        let brokers = self.now.cluster.brokers.iter().map(|broker| {
            let load = crate::overview::load_of(broker.id, &self.now.topics);
            json!({
                "id": broker.id, "address": broker.address.to_string(), "leads": load.leads, "holds": load.holds,
                "outOfSync": load.out_of_sync,
            })
        });
        let metrics: BTreeMap<&String, Value> =
            self.now.metrics.keys().map(|address| (address, self.metrics_json(address))).collect();
        json!({
            "clusterId": self.now.cluster.cluster_id, "brokers": brokers.collect::<Vec<_>>(), "metrics": metrics,
            "topics": self.topics().into_iter().map(topic).collect::<Vec<_>>(),
            "groups": self.groups().into_iter().map(group).collect::<Vec<_>>(),
        })
    }

    fn metrics_json(&self, address: &str) -> Value {
        json!({
            "connections": self.metric(address, "strandline_network_connections", false),
            "requestsPerSecond": self.metric(address, "strandline_network_requests_total", true),
            "receivedBytesPerSecond": self.metric(address, "strandline_network_received_bytes_total", true),
            "sentBytesPerSecond": self.metric(address, "strandline_network_sent_bytes_total", true),
            "unsyncedBytes": self.metric(address, "strandline_unsynced_bytes", false),
        })
    }
}

/// A metric's value as the whole number that all of these are.
fn whole(value: f64) -> Option<i64> {
    format!("{value:.0}").parse().ok()
}

/// Cuts sections until all of them fit: the longest gives first, and none loses its head.
fn share(mut sections: Vec<Vec<String>>, room: usize) -> Vec<Vec<String>> {
    let lines = |sections: &[Vec<String>]| -> usize { sections.iter().map(Vec::len).sum() };
    let mut cut = vec![0_usize; sections.len()];
    while lines(&sections) > room {
        let longest = sections.iter_mut().zip(&mut cut).max_by_key(|(section, _)| section.len());
        let Some((section, cut)) = longest.filter(|(section, _)| section.len() > 2) else { break };
        section.pop();
        *cut += 1;
    }
    for (section, cut) in sections.iter_mut().zip(cut) {
        if let (Some(last), true) = (section.last_mut(), cut > 0) {
            *last = format!("... and {} more", cut + 1);
        }
    }
    sections
}

#[cfg(test)]
mod tests;
