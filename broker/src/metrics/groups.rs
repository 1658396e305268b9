//! What there is to be told of groups, asked of their machines as a client would ask, whenever somebody scrapes.

use std::collections::BTreeMap;
use std::time::Duration;

use strandline_protocol::apis::list_groups::ListedGroup;
use strandline_protocol::apis::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use strandline_state::coordinator::Ticket;
use strandline_state::groups::{Ask, Caller, Command, Reply, Request};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::text::{Kind, Text, close_labels, push_label};
use crate::broker::Broker;
use crate::storage::TopicPartition;

/// An answer waits until what it rests on is durable. Where the disk stands still, a scrape does not.
const TIME_MAX: Duration = Duration::from_secs(1);

/// How far a group got in a partition.
#[derive(Debug)]
struct Position {
    labels: String,
    committed: i64,
    lag: i64,
}

/// What was found of groups.
#[derive(Debug, Default)]
pub(super) struct Groups {
    /// How many there are, by type and state.
    counts: BTreeMap<String, u64>,
    members: Vec<(String, u64)>,
    positions: Vec<Position>,
    left_out: u64,
}

fn command(request: Request) -> impl FnOnce(Ticket) -> Command {
    move |ticket| Command::Ask(Box::new(Ask { ticket, caller: Caller::default(), request }))
}

async fn ask(broker: &Broker, group: &str, request: Request) -> Option<Reply> {
    broker.groups.ask(group, command(request)).await.get().await.ok()
}

/// All groups whose coordinator this broker is.
async fn list(broker: &Broker) -> Vec<ListedGroup> {
    let mut listed = Vec::new();
    let count = i32::try_from(broker.groups.partition_count()).unwrap_or(i32::MAX);
    for partition in 0..count {
        let request = Request::ListGroups { states: Vec::new(), types: Vec::new() };
        let answer = broker.groups.ask_partition(partition, command(request)).await;
        if let Ok(Reply::ListGroups(groups)) = answer.get().await {
            listed.extend(groups);
        }
    }
    listed
}

async fn members(broker: &Broker, group: &ListedGroup) -> Option<usize> {
    let id = group.group_id.clone();
    let request = match group.group_type.as_str() {
        "consumer" => Request::ConsumerGroupDescribe(id),
        _ => Request::DescribeGroup(id),
    };
    match ask(broker, &group.group_id, request).await? {
        Reply::ConsumerGroupDescribe(described) => Some(described.members.len()),
        Reply::DescribeGroup(described) => Some(described.members.len()),
        _ => None,
    }
}

async fn positions(broker: &Broker, group: &ListedGroup) -> Option<OffsetFetchResponseGroup> {
    let group_id = group.group_id.clone();
    let request = OffsetFetchRequestGroup { group_id, topics: None, ..Default::default() };
    match ask(broker, &group.group_id, Request::OffsetFetch { request, require_stable: false }).await? {
        Reply::OffsetFetch(found) => Some(found),
        _ => None,
    }
}

impl Groups {
    /// Asks all machines, each of so many groups by itself. To be called where it may be waited; what does not come in
    /// time is not there.
    pub(super) fn of(broker: &Broker, groups_max: i32) -> Self {
        let groups_max = usize::try_from(groups_max).unwrap_or(0);
        let Ok(runtime) = Handle::try_current() else { return Self::default() };
        let asking = async { timeout(TIME_MAX, Self::ask_all(broker, groups_max)).await };
        runtime.block_on(asking).unwrap_or_default()
    }

    async fn ask_all(broker: &Broker, groups_max: usize) -> Self {
        let mut all = Self::default();
        for (number, group) in list(broker).await.iter().enumerate() {
            let mut labels = String::new();
            push_label(&mut labels, "type", &group.group_type);
            push_label(&mut labels, "state", &group.group_state);
            close_labels(&mut labels);
            *all.counts.entry(labels).or_default() += 1;
            if number >= groups_max {
                all.left_out += 1;
                continue;
            }
            if let Some(count) = members(broker, group).await {
                let mut labels = String::new();
                push_label(&mut labels, "group", &group.group_id);
                close_labels(&mut labels);
                all.members.push((labels, count.try_into().unwrap_or(u64::MAX)));
            }
            if let Some(found) = positions(broker, group).await {
                all.add_positions(broker, &found);
            }
        }
        all
    }

    fn add_positions(&mut self, broker: &Broker, found: &OffsetFetchResponseGroup) {
        for topic in &found.topics {
            let Some(known) = broker.topics.by_name(&topic.name) else { continue };
            for partition in topic.partitions.iter().filter(|partition| partition.committed_offset >= 0) {
                let index = partition.partition_index;
                let Some(log) = broker.storage.partition(TopicPartition { topic_id: known.id, index }) else {
                    continue;
                };
                let mut labels = String::new();
                push_label(&mut labels, "group", &found.group_id);
                push_label(&mut labels, "topic", &topic.name);
                push_label(&mut labels, "partition", &index.to_string());
                close_labels(&mut labels);
                let committed = partition.committed_offset;
                let lag = log.offsets().high_watermark.saturating_sub(committed).max(0);
                self.positions.push(Position { labels, committed, lag });
            }
        }
    }

    pub(super) fn write(&self, text: &mut Text) {
        text.family("strandline_groups", Kind::Gauge, "Groups whose coordinator this broker is.");
        for (labels, count) in &self.counts {
            text.sample("strandline_groups", labels, *count);
        }
        let help = "Groups that are not told of each by itself, since there are more than strandline.metrics.groups.";
        text.level("strandline_metrics_groups_left_out", help, self.left_out);
        text.family("strandline_group_members", Kind::Gauge, "Members of a group.");
        for (labels, count) in &self.members {
            text.sample("strandline_group_members", labels, *count);
        }
        let help = "The offset behind the last record that a group says it is done with.";
        text.family("strandline_group_committed_offset", Kind::Gauge, help);
        for position in &self.positions {
            text.sample("strandline_group_committed_offset", &position.labels, position.committed);
        }
        let help = "Records from there to the high watermark.";
        text.family("strandline_group_lag_records", Kind::Gauge, help);
        for position in &self.positions {
            text.sample("strandline_group_lag_records", &position.labels, position.lag);
        }
    }
}
