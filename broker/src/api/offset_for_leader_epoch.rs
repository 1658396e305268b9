//! OffsetForLeaderEpoch: where an epoch ended, by which a reader finds out whether its records are still there.
//!
//! An epoch that cannot be told is no error: epoch and offset are -1. v3 adds the replica's number, v4 is flexible.
//! Followers ask with the right to act for the cluster, consumers with that to describe the topic.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
};

use super::Dispatched;
use super::topics::{Led, Topic, check_leader_epoch, end_of_epoch};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: OffsetForLeaderEpochRequest,
) -> Dispatched {
    let is_broker = broker.authorizer.authorize(&call, Operation::ClusterAction, Resource::Cluster);
    let may_ask = |name: &str| {
        is_broker || broker.authorizer.authorize(&call, Operation::Describe, Resource::Topic(name))
    };
    let topics = request.topics.into_iter().map(|asked| {
        let topic = if may_ask(&asked.topic) {
            broker.topics.by_name(&asked.topic).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
        } else {
            Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED)
        };
        let partitions = asked.partitions.iter().map(|asked| {
            let end = topic.clone().and_then(|topic| end_offset(broker, &topic, asked));
            let end = end.unwrap_or_else(|error_code| EpochEndOffset { error_code, ..Default::default() });
            EpochEndOffset { partition: asked.partition, ..end }
        });
        let partitions = partitions.collect();
        OffsetForLeaderTopicResult { topic: asked.topic, partitions, ..Default::default() }
    });
    let topics = topics.collect();
    call.now(broker, OffsetForLeaderEpochResponse { topics, ..Default::default() })
}

fn end_offset(
    broker: &Broker,
    topic: &Topic,
    asked: &OffsetForLeaderPartition,
) -> Result<EpochEndOffset, ErrorCode> {
    let Led { log, leader_epoch, .. } = topic.led(broker, asked.partition)?;
    check_leader_epoch(asked.current_leader_epoch, leader_epoch)?;
    Ok(match end_of_epoch(&log, asked.leader_epoch, leader_epoch) {
        Some(end) => {
            let (leader_epoch, end_offset) = (end.epoch, end.end_offset);
            EpochEndOffset { leader_epoch, end_offset, ..Default::default() }
        }
        None => EpochEndOffset::default(),
    })
}

#[cfg(test)]
mod tests;
