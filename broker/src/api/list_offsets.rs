//! ListOffsets: turns a time, or a place such as the beginning or the end, into an offset.
//!
//! What is asked by time is looked up in files, on a thread that may wait; the places are at hand.
//!
//! - Finding nothing is no error: offset, timestamp and epoch are -1 then.
//! - The end is the high watermark for clients, the last stable offset for those who read committed records only, and
//!   the log's own end for followers. A record that was found by its time beyond that is not told.
//! - A partition that is named twice is INVALID_REQUEST. A place that is newer than the version it is asked in, or
//!   unknown, is UNSUPPORTED_VERSION: -3 (the largest timestamp) from v7 on, -4 (the first on this disk) from v8 on,
//!   -5 (the last in remote storage) from v9 on, -6 (the first not yet there) from v11 on.
//! - Nothing is in remote storage, so that -5 and -6 find nothing.

use std::collections::HashSet;
use std::sync::Arc;

use strandline_log::engine::{Offsets, Partition, ReadError, UpTo};
use strandline_log::segment::FoundTimestamp;
use strandline_protocol::apis::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};
use strandline_protocol::{ErrorCode, Text};

use super::Dispatched;
use super::topics::{Led, Topic, check_leader_epoch};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// From this version on an answer has the leader's epoch.
const EPOCHS_VERSION_MIN: i16 = 4;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// A partition that has to be searched.
struct Search {
    /// The place of the topic in the answer, and that of the partition in it.
    place: (usize, usize),
    log: Arc<Partition>,
    timestamp: i64,
}

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ListOffsetsRequest) -> Dispatched {
    let up_to = match (request.replica_id, request.isolation_level) {
        (-1, 1) => UpTo::LastStable,
        (-1, _) => UpTo::HighWatermark,
        _ => UpTo::End,
    };
    let asker = Asker { broker, call: &call, up_to, twice: named_twice(&request) };
    let (mut response, searches) = asker.answer(&request);
    let has_epochs = call.version >= EPOCHS_VERSION_MIN;
    if searches.is_empty() {
        return call.now(broker, in_version(response, has_epochs));
    }
    let offload = broker.offload.clone();
    call.later(broker, async move {
        let found = offload.run(move || {
            let each = searches.into_iter();
            each.map(|search| (search.place, search.run(up_to))).collect::<Vec<_>>()
        });
        for ((topic, partition), answer) in found.await.unwrap_or_default() {
            let topic = response.topics.get_mut(topic);
            if let Some(place) = topic.and_then(|topic| topic.partitions.get_mut(partition)) {
                *place = ListOffsetsPartitionResponse { partition_index: place.partition_index, ..answer };
            }
        }
        in_version(response, has_epochs)
    })
}

/// An answer in a version that may have no place for epochs.
fn in_version(mut response: ListOffsetsResponse, has_epochs: bool) -> ListOffsetsResponse {
    if !has_epochs {
        let partitions = response.topics.iter_mut().flat_map(|topic| &mut topic.partitions);
        partitions.for_each(|partition| partition.leader_epoch = -1);
    }
    response
}

/// The partitions that a request names more than once.
fn named_twice(request: &ListOffsetsRequest) -> HashSet<(Text, i32)> {
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            if !seen.insert((&topic.name, partition.partition_index)) {
                twice.insert((topic.name.clone(), partition.partition_index));
            }
        }
    }
    twice
}

struct Asker<'a> {
    broker: &'a Broker,
    call: &'a Call,
    up_to: UpTo,
    twice: HashSet<(Text, i32)>,
}

/// What is known of a partition's answer.
enum Answer {
    Known(ListOffsetsPartitionResponse),
    Search(Arc<Partition>),
}

impl Asker<'_> {
    /// What is at hand, and what has to be searched: there the answer is an error until it is known.
    fn answer(&self, request: &ListOffsetsRequest) -> (ListOffsetsResponse, Vec<Search>) {
        let mut searches = Vec::new();
        let mut response = ListOffsetsResponse::default();
        for asked in &request.topics {
            let topic = self.topic(&asked.name);
            let mut partitions = Vec::with_capacity(asked.partitions.len());
            for partition in &asked.partitions {
                let answer = topic.clone().and_then(|topic| self.partition(&topic, partition));
                let data = match answer {
                    Ok(Answer::Known(data)) => data,
                    Ok(Answer::Search(log)) => {
                        let place = (response.topics.len(), partitions.len());
                        searches.push(Search { place, log, timestamp: partition.timestamp });
                        refused(ErrorCode::KAFKA_STORAGE_ERROR)
                    }
                    Err(code) => refused(code),
                };
                let partition_index = partition.partition_index;
                partitions.push(ListOffsetsPartitionResponse { partition_index, ..data });
            }
            let name = asked.name.clone();
            response.topics.push(ListOffsetsTopicResponse { name, partitions, ..Default::default() });
        }
        (response, searches)
    }

    fn topic(&self, name: &str) -> Result<Arc<Topic>, ErrorCode> {
        let Self { broker, call, .. } = self;
        if !broker.authorizer.authorize(call, Operation::Describe, Resource::Topic(name)) {
            return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
        }
        broker.topics.by_name(name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }

    fn partition(&self, topic: &Topic, asked: &ListOffsetsPartition) -> Result<Answer, ErrorCode> {
        let timestamp = asked.timestamp;
        if !self.twice.is_empty() && self.twice.contains(&(topic.name.clone(), asked.partition_index)) {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        if self.call.version < version_min(timestamp).ok_or(ErrorCode::UNSUPPORTED_VERSION)? {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        let Led { log, leader_epoch, .. } = topic.led(self.broker, asked.partition_index)?;
        check_leader_epoch(asked.current_leader_epoch, leader_epoch)?;
        let offsets = log.offsets();
        Ok(match timestamp {
            LATEST => Answer::Known(found(-1, offsets.limit(self.up_to), leader_epoch)),
            EARLIEST | EARLIEST_LOCAL => {
                let first = beginning(timestamp, &offsets);
                let epoch = if first == offsets.start { log.start_epoch() } else { log.epoch_at(first) };
                Answer::Known(found(-1, first, epoch.unwrap_or(-1)))
            }
            LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Answer::Known(found(-1, -1, -1)),
            _ => Answer::Search(log),
        })
    }
}

/// Where a log begins, or what of it is kept here.
fn beginning(timestamp: i64, offsets: &Offsets) -> i64 {
    if timestamp == EARLIEST_LOCAL { offsets.local_start } else { offsets.start }
}

impl Search {
    fn run(&self, up_to: UpTo) -> ListOffsetsPartitionResponse {
        match self.find(up_to) {
            Ok(Some(FoundTimestamp { timestamp, offset, leader_epoch })) => {
                found(timestamp, offset, leader_epoch)
            }
            Ok(None) => found(-1, -1, -1),
            Err(error) => {
                // Of a topic that was deleted meanwhile there is nothing that an operator could do.
                if !self.log.is_deleted() {
                    tracing::warn!(partition = %self.log.id(), %error, "cannot be searched");
                }
                refused(error.code())
            }
        }
    }

    fn find(&self, up_to: UpTo) -> Result<Option<FoundTimestamp>, ReadError> {
        match self.timestamp {
            MAX_TIMESTAMP => self.log.find_max_timestamp(up_to),
            timestamp => self.log.find_timestamp(timestamp, up_to),
        }
    }
}

/// From which version on a time or place may be asked for; none if never.
fn version_min(timestamp: i64) -> Option<i16> {
    match timestamp {
        0.. | LATEST | EARLIEST => Some(1),
        MAX_TIMESTAMP => Some(7),
        EARLIEST_LOCAL => Some(8),
        LATEST_TIERED => Some(9),
        EARLIEST_PENDING_UPLOAD => Some(11),
        _ => None,
    }
}

fn found(timestamp: i64, offset: i64, leader_epoch: i32) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse { timestamp, offset, leader_epoch, ..Default::default() }
}

fn refused(error_code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse { error_code, ..Default::default() }
}

#[cfg(test)]
mod tests;
