//! All metrics at a moment, for whoever asks.

use std::ops::Range;
use std::sync::Arc;

use strandline_log::engine::Watch;

use super::coordinators::Transactions;
use super::groups::Groups;
use super::text::{Kind, Text, Turns, close_labels, push_label, push_number};
use super::{engine, network, process};
use crate::broker::Broker;
use crate::http::Insight;
use crate::net::Counters;
use crate::storage::TopicPartition;

/// What a line takes, about.
const LINE_BYTES: usize = 96;

/// So many metrics are told of each partition.
const PARTITION_METRICS: usize = 3;

/// A node that serves, to be looked into.
#[derive(Debug)]
pub struct Scraped {
    broker: Arc<Broker>,
    counters: Arc<Counters>,
    watch: Watch,
}

impl Scraped {
    /// The broker, its network and its engine.
    pub fn new(broker: Arc<Broker>, counters: Arc<Counters>, watch: Watch) -> Self {
        Self { broker, counters, watch }
    }
}

impl Insight for Scraped {
    fn obstacle(&self) -> Option<String> {
        self.watch.offline().map(|reason| format!("the data directory is offline: {reason}"))
    }

    fn metrics(&self) -> String {
        let settings = self.broker.metadata.settings();
        let partitions = Partitions::of(&self.broker, settings.metrics_partitions);
        let lines = partitions.rows.len() * PARTITION_METRICS;
        let mut text = Text::with_capacity((64 << 10) + lines * LINE_BYTES);
        build(&mut text);
        process::write(&mut text);
        network::write(&mut text, &self.counters);
        engine::write(&mut text, &self.watch.figures(), self.watch.offline().is_some());
        directory(&mut text, &self.broker);
        cluster(&mut text, &self.broker);
        partitions.write(&mut text);
        Groups::of(&self.broker, settings.metrics_groups).write(&mut text);
        Transactions::of(&self.broker).write(&mut text);
        self.broker.metrics.write(&mut text);
        text.into_string()
    }
}

fn build(text: &mut Text) {
    let mut labels = String::new();
    push_label(&mut labels, "version", env!("CARGO_PKG_VERSION"));
    close_labels(&mut labels);
    text.family("strandline_build_info", Kind::Gauge, "Which version this is; the value is always 1.");
    text.sample("strandline_build_info", &labels, 1);
}

fn directory(text: &mut Text, broker: &Broker) {
    let Some(directory) = broker.storage.directory() else { return };
    let help = "The size of the disk that the data directory lies on, and what of it is free.";
    let (total, free) = (directory.total_bytes(), directory.usable_bytes());
    let values = [total.map(|bytes| ("size", bytes)), free.map(|bytes| ("free", bytes))];
    let values: Vec<_> = values.into_iter().flatten().collect();
    text.levels("strandline_disk_bytes", help, "part", &values);
}

fn cluster(text: &mut Text, broker: &Broker) {
    let image = broker.metadata.image();
    text.level("strandline_topics", "Topics that there are.", image.topics().count().try_into().unwrap_or(0));
    let sessions = broker.fetch_sessions.count().try_into().unwrap_or(0);
    text.level(
        "strandline_fetch_sessions",
        "Sessions of clients that fetch, which are remembered.",
        sessions,
    );
}

/// A partition's figures, and where its labels stand.
#[derive(Debug)]
struct Row {
    labels: Range<usize>,
    start_offset: i64,
    end_offset: i64,
    bytes: u64,
}

/// What there is to be told of each partition, all taken before anything is written.
#[derive(Debug, Default)]
struct Partitions {
    labels: String,
    rows: Vec<Row>,
    left_out: u64,
    segments: u64,
    bytes: u64,
}

impl Partitions {
    /// So many of them at most, in the order of their topics' names. Of all, the sums.
    fn of(broker: &Broker, partitions_max: i32) -> Self {
        let image = broker.metadata.image();
        let partitions_max = usize::try_from(partitions_max).unwrap_or(0);
        let (mut all, mut turns) = (Self::default(), Turns::default());
        let mut topics: Vec<_> = image.topics().collect();
        topics.sort_unstable_by(|one, other| one.name().cmp(other.name()));
        for topic in topics {
            let mut prefix = String::new();
            push_label(&mut prefix, "topic", topic.name());
            prefix.push_str(",partition=\"");
            for (index, _) in topic.partitions() {
                turns.step();
                let Some(log) = broker.storage.partition(TopicPartition { topic_id: topic.id(), index })
                else {
                    continue;
                };
                let (offsets, (segments, bytes)) = (log.offsets(), log.extent());
                all.segments += segments;
                all.bytes += bytes;
                if all.rows.len() >= partitions_max {
                    all.left_out += 1;
                    continue;
                }
                let start = all.labels.len();
                all.labels.push_str(&prefix);
                push_number(&mut all.labels, index.into());
                all.labels.push_str("\"}");
                let labels = start..all.labels.len();
                all.rows.push(Row { labels, start_offset: offsets.start, end_offset: offsets.end, bytes });
            }
        }
        all
    }

    fn write(&self, text: &mut Text) {
        text.level("strandline_segments", "Segments of all partitions.", self.segments);
        text.level("strandline_log_bytes", "Bytes of record batches of all partitions.", self.bytes);
        let help = "Partitions that are not told of each by itself, since there are more than strandline.metrics.partitions.";
        text.level("strandline_metrics_partitions_left_out", help, self.left_out);
        let start = "The first offset that is there.";
        self.family(text, "strandline_partition_log_start_offset", start, |row| row.start_offset.into());
        let end = "The offset behind the last one that is there.";
        self.family(text, "strandline_partition_log_end_offset", end, |row| row.end_offset.into());
        let bytes = "Bytes of record batches, wherever they lie.";
        self.family(text, "strandline_partition_bytes", bytes, |row| row.bytes.into());
    }

    fn family(&self, text: &mut Text, name: &str, help: &str, value: impl Fn(&Row) -> i128) {
        text.family(name, Kind::Gauge, help);
        for row in &self.rows {
            text.sample(name, self.labels.get(row.labels.clone()).unwrap_or_default(), value(row));
        }
    }
}
