//! CreatePartitions: topics get more partitions, which can be written to when the answer says that they are there.
//!
//! Partitions cannot be taken away again: a count that is not higher is INVALID_PARTITIONS. What one request adds, and how
//! long it takes, is bounded as in CreateTopics.

use std::sync::Arc;

use strandline_protocol::apis::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic, CreatePartitionsTopicResult,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{CreatePartitions, PartitionsToAdd, Refusal};

use super::Dispatched;
use super::cluster::patience;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: CreatePartitionsRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move { create(&owner, &caller, request).await })
}

async fn create(
    broker: &Arc<Broker>,
    call: &Call,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let may = |topic: &CreatePartitionsTopic| {
        broker.authorizer.authorize(call, Operation::Alter, Resource::Topic(&topic.name))
    };
    let (allowed, denied): (Vec<_>, Vec<_>) = request.topics.into_iter().partition(may);
    let unauthorized = |topic: CreatePartitionsTopic| {
        let message = "Topic authorization failed.".to_owned();
        result(topic.name, Err(Refusal { code: ErrorCode::TOPIC_AUTHORIZATION_FAILED, message }))
    };
    let mut results: Vec<_> = denied.into_iter().map(unauthorized).collect();
    let topics: Vec<_> = allowed.into_iter().map(to_add).collect();
    let names: Vec<_> = topics.iter().map(|topic| topic.name.clone()).collect();
    let command = CreatePartitions { topics, validate_only: request.validate_only };
    match broker.metadata.run_within(patience(request.timeout_ms), command).await {
        Ok(done) => results.extend(done.into_iter().map(|(name, done)| result(name, done))),
        Err(refusal) => results.extend(names.into_iter().map(|name| result(name, Err(refusal.clone())))),
    }
    CreatePartitionsResponse { results, ..Default::default() }
}

fn to_add(topic: CreatePartitionsTopic) -> PartitionsToAdd {
    let assignments = topic.assignments.map(|assignments| {
        let assignments = assignments.into_iter();
        assignments.map(|assignment| assignment.broker_ids).collect()
    });
    PartitionsToAdd { name: topic.name.detached(), count: topic.count, assignments }
}

fn result(name: Text, done: Result<(), Refusal>) -> CreatePartitionsTopicResult {
    let (error_code, error_message) = match done {
        Ok(()) => (ErrorCode::NONE, None),
        Err(Refusal { code, message }) => (code, Some(Text::from(message))),
    };
    CreatePartitionsTopicResult { name, error_code, error_message, ..Default::default() }
}
