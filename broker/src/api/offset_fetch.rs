//! OffsetFetch: how far groups got.
//!
//! It takes DESCRIBE on each group, and on each topic; of a question about all topics those are left out that may not be
//! seen. Up to v7 it is about one group, with its error on top, or on each partition in v1; from v8 on about several,
//! each by itself. From v10 on topics are told by their ids.

use std::sync::Arc;

use strandline_protocol::apis::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check, settled};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// The first version with several groups.
const FIRST_VERSION_OF_GROUPS: i16 = 8;

/// The first version in which topics have ids.
const FIRST_VERSION_BY_ID: i16 = 10;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: OffsetFetchRequest) -> Dispatched {
    let (version, require_stable) = (call.version, request.require_stable);
    let mut answers = Vec::new();
    for group in groups(version, request) {
        let asked = Asked::new(broker, &call, group);
        let answer = match check(broker, &call, Operation::Describe, &asked.group.group_id) {
            Ok(()) => {
                let (group_id, request) = (asked.group.group_id.clone(), asked.group.clone());
                let request = Request::OffsetFetch { request, require_stable };
                let pick = |reply| match reply {
                    Reply::OffsetFetch(response) => Some(response),
                    _ => None,
                };
                Ok(ask(broker, &call, &group_id, request, pick).await)
            }
            Err(code) => Err(code),
        };
        answers.push((asked, answer));
    }
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let mut groups = Vec::with_capacity(answers.len());
        for (asked, answer) in answers {
            groups.push(asked.finish(&owner, &caller, settled(answer).await));
        }
        in_version(version, groups)
    })
}

/// The groups of a request, in the form that the last versions have.
fn groups(version: i16, request: OffsetFetchRequest) -> Vec<OffsetFetchRequestGroup> {
    if version >= FIRST_VERSION_OF_GROUPS {
        return request.groups;
    }
    let topics = request.topics.map(|topics| {
        let topics = topics.into_iter().map(|topic| OffsetFetchRequestTopics {
            name: topic.name,
            partition_indexes: topic.partition_indexes,
            ..Default::default()
        });
        topics.collect()
    });
    vec![OffsetFetchRequestGroup { group_id: request.group_id, topics, ..Default::default() }]
}

/// A group with the topics that may be looked up, and answers for those that may not.
struct Asked {
    group: OffsetFetchRequestGroup,
    failed: Vec<OffsetFetchResponseTopics>,
    /// Whether it is about whatever there is.
    is_about_all: bool,
    /// What was asked for, for answers that have to name it beside an error.
    named: Vec<OffsetFetchRequestTopics>,
}

impl Asked {
    fn new(broker: &Broker, call: &Call, mut group: OffsetFetchRequestGroup) -> Self {
        let is_about_all = group.topics.is_none();
        let named = if call.version < 2 { group.topics.clone().unwrap_or_default() } else { Vec::new() };
        let mut failed = Vec::new();
        if let Some(topics) = &mut group.topics {
            topics.retain_mut(|topic| match resolve(broker, call, topic) {
                Ok(()) => true,
                Err(code) => {
                    failed.push(refused(topic, code));
                    false
                }
            });
        }
        Self { group, failed, is_about_all, named }
    }

    fn finish(
        self,
        broker: &Broker,
        call: &Call,
        answer: Result<OffsetFetchResponseGroup, ErrorCode>,
    ) -> OffsetFetchResponseGroup {
        let mut group = answer.unwrap_or_else(|error_code| OffsetFetchResponseGroup {
            group_id: self.group.group_id,
            error_code: known_to_client(error_code),
            ..Default::default()
        });
        if group.error_code != ErrorCode::NONE {
            group.topics = self.named.iter().map(|topic| refused(topic, group.error_code)).collect();
            return group;
        }
        if self.is_about_all {
            group.topics.retain_mut(|topic| {
                if call.version >= FIRST_VERSION_BY_ID {
                    let Some(found) = broker.topics.by_name(&topic.name) else { return false };
                    topic.topic_id = found.id;
                }
                may_describe(broker, call, &topic.name)
            });
        }
        group.topics.extend(self.failed);
        group
    }
}

/// Consumers before Kafka 3.9 take no other code here for a coordinator that they have to look for again.
fn known_to_client(code: ErrorCode) -> ErrorCode {
    if code == ErrorCode::COORDINATOR_NOT_AVAILABLE { ErrorCode::NOT_COORDINATOR } else { code }
}

fn may_describe(broker: &Broker, call: &Call, name: &str) -> bool {
    broker.authorizer.authorize(call, Operation::Describe, Resource::Topic(name))
}

/// Finds out which topic is meant. By name it need not be there.
fn resolve(broker: &Broker, call: &Call, topic: &mut OffsetFetchRequestTopics) -> Result<(), ErrorCode> {
    if call.version >= FIRST_VERSION_BY_ID {
        let found = broker.topics.by_id(topic.topic_id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        topic.name = found.name.clone();
    }
    if !may_describe(broker, call, &topic.name) {
        return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    }
    if call.version < FIRST_VERSION_BY_ID
        && let Some(found) = broker.topics.by_name(&topic.name)
    {
        topic.topic_id = found.id;
    }
    Ok(())
}

fn refused(topic: &OffsetFetchRequestTopics, error_code: ErrorCode) -> OffsetFetchResponseTopics {
    let partitions = topic.partition_indexes.iter().map(|index| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: -1,
        committed_leader_epoch: -1,
        metadata: Some(Text::new()),
        error_code,
        ..Default::default()
    });
    let partitions = partitions.collect();
    let (name, topic_id) = (topic.name.clone(), topic.topic_id);
    OffsetFetchResponseTopics { name, topic_id, partitions, ..Default::default() }
}

fn in_version(version: i16, mut groups: Vec<OffsetFetchResponseGroup>) -> OffsetFetchResponse {
    if version >= FIRST_VERSION_OF_GROUPS {
        return OffsetFetchResponse { groups, ..Default::default() };
    }
    let group = groups.pop().unwrap_or_default();
    let topics = group.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.into_iter().map(|partition| OffsetFetchResponsePartition {
            partition_index: partition.partition_index,
            committed_offset: partition.committed_offset,
            committed_leader_epoch: partition.committed_leader_epoch,
            metadata: partition.metadata,
            error_code: partition.error_code,
            ..Default::default()
        });
        let partitions = partitions.collect();
        OffsetFetchResponseTopic { name: topic.name, partitions, ..Default::default() }
    });
    let topics = topics.collect();
    OffsetFetchResponse { topics, error_code: group.error_code, ..Default::default() }
}
