//! DescribeTopicPartitions: topics page by page, by rising name, so that very many partitions need no single huge
//! answer.
//!
//! A page ends after as many partitions as the request and `max.request.partition.size.limit` allow, with a cursor
//! at the first that is missing. What lies before the cursor is not looked at. Nothing is ever made by this.
//!
//! A cursor at a topic that is not asked for, or at a partition below zero, is INVALID_REQUEST, said of each topic.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use strandline_protocol::apis::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, ResponseCursor,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::decide::validate_topic_name;
use strandline_state::metadata::image::{Partition, Topic};

use super::Dispatched;
use super::cluster::{OPERATIONS_NOT_ASKED, topic_operations};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: DescribeTopicPartitionsRequest,
) -> Dispatched {
    if !is_cursor_valid(&request) {
        return call.now(broker, refused(&request));
    }
    let image = broker.metadata.image();
    let limit =
        request.response_partition_limit.min(broker.metadata.settings().max_request_partition_size_limit);
    let cursor = request.cursor.as_ref();
    let (first, first_partition) =
        cursor.map_or(("", 0), |cursor| (&*cursor.topic_name, cursor.partition_index));
    let mut page = Page {
        broker,
        call: &call,
        left: usize::try_from(limit).unwrap_or(0).max(1),
        first_partition: (Text::from(first), first_partition),
        response: DescribeTopicPartitionsResponse::default(),
    };
    if request.topics.is_empty() {
        page.add_all(&image, first);
    } else {
        let names: BTreeSet<_> = request.topics.iter().map(|topic| topic.name.as_str()).collect();
        names.range(first..).all(|name| page.add_named(&image, name));
    }
    let response = page.response;
    call.now(broker, response)
}

fn is_cursor_valid(request: &DescribeTopicPartitionsRequest) -> bool {
    let Some(cursor) = &request.cursor else { return true };
    let is_named = || request.topics.iter().any(|topic| topic.name == cursor.topic_name);
    cursor.partition_index >= 0 && (request.topics.is_empty() || is_named())
}

fn refused(request: &DescribeTopicPartitionsRequest) -> DescribeTopicPartitionsResponse {
    let topics = request.topics.iter().map(|topic| failed(ErrorCode::INVALID_REQUEST, topic.name.clone()));
    DescribeTopicPartitionsResponse { topics: topics.collect(), ..Default::default() }
}

fn failed(error_code: ErrorCode, name: Text) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code,
        name: Some(name),
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
        ..Default::default()
    }
}

struct Page<'a> {
    broker: &'a Broker,
    call: &'a Call,
    /// So many partitions fit still.
    left: usize,
    /// Where the first topic goes on.
    first_partition: (Text, i32),
    response: DescribeTopicPartitionsResponse,
}

impl Page<'_> {
    fn may_describe(&self, name: &str) -> bool {
        self.broker.authorizer.authorize(self.call, Operation::Describe, Resource::Topic(name))
    }

    fn add_all(&mut self, image: &MetadataImage, first: &str) {
        for topic in image.topics_from(Bound::Included(first)) {
            if self.may_describe(topic.name()) && !self.add(topic) {
                return;
            }
        }
    }

    /// Adds a topic that was asked for by name. False if the page is full.
    fn add_named(&mut self, image: &MetadataImage, name: &str) -> bool {
        let error_code = if !self.may_describe(name) {
            ErrorCode::TOPIC_AUTHORIZATION_FAILED
        } else if let Some(topic) = image.topic(name) {
            return self.add(topic);
        } else if validate_topic_name(name).is_err() {
            ErrorCode::INVALID_TOPIC_EXCEPTION
        } else {
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        };
        self.response.topics.push(failed(error_code, Text::from(name)));
        true
    }

    /// Adds as much of a topic as fits. False if the page is full.
    fn add(&mut self, topic: &Topic) -> bool {
        let (first_topic, first_partition) = &self.first_partition;
        let from = if first_topic == topic.name() { *first_partition } else { 0 };
        if self.left == 0 {
            self.end_before(topic, from);
            return false;
        }
        let partitions: Vec<_> = topic
            .partitions_from(from)
            .take(self.left)
            .map(|(index, partition)| describe(index, partition))
            .collect();
        self.left -= partitions.len();
        let next = partitions.last().map_or(from, |last| last.partition_index + 1);
        self.response.topics.push(DescribeTopicPartitionsResponseTopic {
            name: Some(topic.name().clone()),
            topic_id: topic.id(),
            is_internal: topic.is_internal(),
            partitions,
            topic_authorized_operations: topic_operations(self.broker, self.call, topic.name()),
            ..Default::default()
        });
        let is_whole = topic.partitions_from(next).next().is_none();
        if !is_whole {
            self.end_before(topic, next);
        }
        is_whole
    }

    fn end_before(&mut self, topic: &Topic, partition_index: i32) {
        let topic_name = topic.name().clone();
        self.response.next_cursor =
            Some(ResponseCursor { topic_name, partition_index, ..Default::default() });
    }
}

fn describe(index: i32, partition: &Partition) -> DescribeTopicPartitionsResponsePartition {
    let replication = partition.replication();
    DescribeTopicPartitionsResponsePartition {
        error_code: if partition.leader() < 0 { ErrorCode::LEADER_NOT_AVAILABLE } else { ErrorCode::NONE },
        partition_index: index,
        leader_id: partition.leader(),
        leader_epoch: partition.leader_epoch(),
        replica_nodes: replication.replicas.to_vec(),
        isr_nodes: replication.isr.to_vec(),
        eligible_leader_replicas: Some(replication.eligible_leader_replicas.to_vec()),
        last_known_elr: Some(replication.last_known_elr.to_vec()),
        ..Default::default()
    }
}
