//! OffsetCommit: a group got so far.
//!
//! It takes READ on the group, and on each topic. From v10 on topics are told by their ids. What is wrong with the group
//! stands on every partition; what is wrong with a topic or a partition spares the others.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use strandline_state::groups::offsets::commit_refused;
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check};
use super::topics::Topic;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// The first version in which topics have ids.
const FIRST_VERSION_BY_ID: i16 = 10;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, mut request: OffsetCommitRequest) -> Dispatched {
    if let Err(code) = check(broker, &call, Operation::Read, &request.group_id) {
        return call.now(broker, commit_refused(&request, code));
    }
    let mut failed = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for mut topic in std::mem::take(&mut request.topics) {
        match resolve(broker, &call, &mut topic) {
            Ok(found) => {
                let is_unknown = |partition: &mut OffsetCommitRequestPartition| {
                    found.leadership(partition.partition_index).is_err()
                };
                let partitions: Vec<_> = topic.partitions.extract_if(.., is_unknown).collect();
                if !partitions.is_empty() {
                    let unknown = OffsetCommitRequestTopic { partitions, ..named(&topic) };
                    failed.push(refused(&unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION));
                }
                if !topic.partitions.is_empty() {
                    topics.push(topic);
                }
            }
            Err(code) => failed.push(refused(&topic, code)),
        }
    }
    request.topics = topics;
    if request.topics.is_empty() {
        return call.now(broker, OffsetCommitResponse { topics: failed, ..Default::default() });
    }
    let (group_id, sent, version) = (request.group_id.clone(), request.clone(), call.version);
    let answer =
        ask(broker, &call, &group_id, Request::OffsetCommit { request, version }, |reply| match reply {
            Reply::OffsetCommit(response) => Some(response),
            _ => None,
        });
    let answer = answer.await;
    call.later(broker, async move {
        let mut response = answer.await.unwrap_or_else(|code| commit_refused(&sent, code));
        response.topics.extend(failed);
        response
    })
}

/// The topic without its partitions.
fn named(topic: &OffsetCommitRequestTopic) -> OffsetCommitRequestTopic {
    let (name, topic_id) = (topic.name.clone(), topic.topic_id);
    OffsetCommitRequestTopic { name, topic_id, ..Default::default() }
}

/// Finds out which topic is meant, and fills in what the request does not say.
fn resolve(
    broker: &Broker,
    call: &Call,
    topic: &mut OffsetCommitRequestTopic,
) -> Result<Arc<Topic>, ErrorCode> {
    let may_read = |name: &str| broker.authorizer.authorize(call, Operation::Read, Resource::Topic(name));
    if call.version >= FIRST_VERSION_BY_ID {
        let found = broker.topics.by_id(topic.topic_id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        topic.name = found.name.clone();
        return if may_read(&topic.name) { Ok(found) } else { Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED) };
    }
    if !may_read(&topic.name) {
        return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    }
    let found = broker.topics.by_name(&topic.name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
    topic.topic_id = found.id;
    Ok(found)
}

fn refused(topic: &OffsetCommitRequestTopic, error_code: ErrorCode) -> OffsetCommitResponseTopic {
    let partitions = topic.partitions.iter().map(|partition| OffsetCommitResponsePartition {
        partition_index: partition.partition_index,
        error_code,
        ..Default::default()
    });
    let partitions = partitions.collect();
    let (name, topic_id) = (topic.name.clone(), topic.topic_id);
    OffsetCommitResponseTopic { name, topic_id, partitions, ..Default::default() }
}
