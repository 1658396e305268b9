//! CreateTopics: topics with their partitions and what is set on them. A topic can be written to when the answer says
//! that it is there.
//!
//! Who may create in the cluster may create any topic; others each one that they may create. From v5 on the answer
//! tells what is in force, to those who may know it; from v7 on the topic's id.
//!
//! More than 100,000 partitions in one request are POLICY_VIOLATION for all of its topics; Kafka takes 10,000. What takes
//! longer than `timeout_ms` is REQUEST_TIMED_OUT, and may be there later; 0 or less stands for 30 s.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::apis::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest, CreateTopicsResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::decide::{
    CreateTopics, CreatedTopic, NewTopic, Refusal, TopicCreation, is_internal_name,
};
use strandline_state::settings::effective_topic_configs;

use super::Dispatched;
use super::cluster::patience;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::coordinator::internal_topic;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: CreateTopicsRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move { create(&owner, &caller, request).await })
}

/// The longest that a client which only asks for topics waits until they are made: well below what clients wait for an
/// answer, and as long as one who asks a coordinator waits, if nobody sets that.
const ASKING_MAX: Duration = Duration::from_secs(5);

/// Makes topics as a client wishes by asking for them. Whether it went well shows in the next image; false if it may go
/// well yet, and took too long to wait for.
pub(super) async fn auto_create(broker: &Arc<Broker>, names: Vec<Text>) -> bool {
    let topics = names.into_iter().map(|name| match internal_topic(&name) {
        Some(topic) => topic.new_topic(&broker.metadata),
        None => NewTopic {
            name,
            topic_id: broker.metadata.new_id(),
            partition_count: -1,
            replication_factor: -1,
            ..NewTopic::default()
        },
    });
    let settings = broker.metadata.settings();
    let command = CreateTopics { topics: topics.collect(), validate_only: false, settings };
    match broker.metadata.run_within(ASKING_MAX, command).await {
        Ok(created) => {
            for CreatedTopic { name, result } in created {
                match result {
                    Ok(_) => tracing::info!(topic = ?name, "created because a client asked for it"),
                    Err(refusal) => tracing::info!(topic = ?name, %refusal, "not created"),
                }
            }
        }
        Err(refusal) => {
            if refusal.code == ErrorCode::REQUEST_TIMED_OUT {
                tracing::debug!(%refusal, "topics that were asked for may be created later");
                return false;
            }
            tracing::warn!(%refusal, "no topics are created");
        }
    }
    true
}

async fn create(broker: &Arc<Broker>, call: &Call, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let may = |resource: Resource<'_>| broker.authorizer.authorize(call, Operation::Create, resource);
    let may_all = may(Resource::Cluster);
    let (allowed, denied): (Vec<_>, Vec<_>) =
        request.topics.into_iter().partition(|topic| may_all || may(Resource::Topic(&topic.name)));
    let mut topics: Vec<_> = denied.into_iter().map(|topic| unauthorized(topic.name)).collect();
    let wanted = allowed.into_iter().map(|topic| new_topic(broker, topic)).collect();
    let settings = broker.metadata.settings();
    let command = CreateTopics { topics: wanted, validate_only: request.validate_only, settings };
    let names: BTreeSet<_> = command.topics.iter().map(|topic| topic.name.clone()).collect();
    match broker.metadata.run_within(patience(request.timeout_ms), command).await {
        Ok(created) => topics.extend(created.into_iter().map(|created| describe(broker, call, created))),
        Err(refusal) => topics.extend(names.into_iter().map(|name| refused(name, refusal.clone()))),
    }
    CreateTopicsResponse { topics, ..Default::default() }
}

fn new_topic(broker: &Broker, topic: CreatableTopic) -> NewTopic {
    let assignments = topic.assignments.into_iter();
    let configs = topic.configs.into_iter();
    NewTopic {
        is_internal: is_internal_name(&topic.name),
        name: topic.name.detached(),
        topic_id: broker.metadata.new_id(),
        partition_count: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: assignments.map(|entry| (entry.partition_index, entry.broker_ids)).collect(),
        configs: configs.map(|entry| (entry.name, entry.value)).collect(),
    }
}

fn describe(broker: &Broker, call: &Call, created: CreatedTopic) -> CreatableTopicResult {
    let CreatedTopic { name, result } = created;
    let creation = match result {
        Ok(creation) => creation,
        Err(refusal) => return refused(name, refusal),
    };
    let result = CreatableTopicResult { topic_id: creation.topic_id, ..Default::default() };
    if !broker.authorizer.authorize(call, Operation::DescribeConfigs, Resource::Topic(&name)) {
        let topic_config_error_code = ErrorCode::TOPIC_AUTHORIZATION_FAILED;
        return CreatableTopicResult { name, topic_config_error_code, ..result };
    }
    CreatableTopicResult {
        name,
        num_partitions: creation.partition_count,
        replication_factor: creation.replication_factor,
        configs: Some(configs(broker, &creation)),
        ..result
    }
}

/// What is in force for a topic that was made.
fn configs(broker: &Broker, creation: &TopicCreation) -> Vec<CreatableTopicConfigs> {
    let set: Vec<_> = creation.configs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let effective = effective_topic_configs(&broker.metadata.settings(), set.iter().copied());
    let configs = effective.unwrap_or_default().into_iter().map(|config| CreatableTopicConfigs {
        name: Text::from_static(config.name),
        value: config.value.map(Text::from),
        config_source: config.source.code(),
        ..Default::default()
    });
    configs.collect()
}

fn refused(name: Text, refusal: Refusal) -> CreatableTopicResult {
    let Refusal { code, message } = refusal;
    let error_message = Some(Text::from(message));
    CreatableTopicResult { name, error_code: code, error_message, ..Default::default() }
}

fn unauthorized(name: Text) -> CreatableTopicResult {
    let message = "Authorization failed.".to_owned();
    refused(name, Refusal { code: ErrorCode::TOPIC_AUTHORIZATION_FAILED, message })
}
