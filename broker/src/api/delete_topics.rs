//! DeleteTopics: topics go, with all that is in them; by name, or from v6 on by id.
//!
//! Who may not even describe a topic does not learn its name from its id. Where `delete.topic.enable` is off, all of them
//! are TOPIC_DELETION_DISABLED (INVALID_REQUEST below v3). What takes longer than `timeout_ms` is REQUEST_TIMED_OUT, and may
//! be gone later; 0 or less stands for 30 s.

use std::sync::Arc;

use strandline_protocol::apis::delete_topics::{
    DeletableTopicResult, DeleteTopicState, DeleteTopicsRequest, DeleteTopicsResponse,
};
use strandline_protocol::{ErrorCode, Text, Uuid};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::decide::{DeleteTopics, DeletedTopic, Refusal, TopicReference};

use super::Dispatched;
use super::cluster::patience;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DeleteTopicsRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move { delete(&owner, &caller, request).await })
}

async fn delete(broker: &Arc<Broker>, call: &Call, request: DeleteTopicsRequest) -> DeleteTopicsResponse {
    let named = request
        .topic_names
        .into_iter()
        .map(|name| DeleteTopicState { name: Some(name), ..Default::default() });
    let states: Vec<_> = if call.version >= 6 { request.topics } else { named.collect() };
    let is_enabled = broker.metadata.settings().delete_topic_enable;
    let image = broker.metadata.image();
    let mut responses = Vec::new();
    let mut allowed = Vec::new();
    for state in states {
        let checked = if is_enabled { check(broker, call, &image, &state) } else { Err(disabled(call)) };
        match checked {
            Ok(reference) => allowed.push(reference),
            Err(refusal) => responses.push(refused(state.name, state.topic_id, refusal)),
        }
    }
    let references = allowed.clone();
    match broker.metadata.run_within(patience(request.timeout_ms), DeleteTopics { topics: allowed }).await {
        Ok(deleted) => responses.extend(deleted.into_iter().map(describe)),
        Err(refusal) => responses.extend(references.into_iter().map(|reference| {
            let (name, topic_id) = names_of(reference);
            refused(name, topic_id, refusal.clone())
        })),
    }
    DeleteTopicsResponse { responses, ..Default::default() }
}

fn disabled(call: &Call) -> Refusal {
    let code = if call.version < 3 { ErrorCode::INVALID_REQUEST } else { ErrorCode::TOPIC_DELETION_DISABLED };
    Refusal { code, message: "Topic deletion is disabled.".to_owned() }
}

/// Which topic is meant, if it is one that the asker may delete.
fn check(
    broker: &Broker,
    call: &Call,
    image: &MetadataImage,
    state: &DeleteTopicState,
) -> Result<TopicReference, Refusal> {
    let may = |operation, name: &str| broker.authorizer.authorize(call, operation, Resource::Topic(name));
    let refuse = |code, message: &str| Err(Refusal { code, message: message.to_owned() });
    let unauthorized = "Topic authorization failed.";
    match &state.name {
        Some(_) if !state.topic_id.is_zero() => {
            refuse(ErrorCode::INVALID_REQUEST, "You may not specify both topic name and topic id.")
        }
        Some(name) if may(Operation::Delete, name) => Ok(TopicReference::Name(name.detached())),
        Some(_) => refuse(ErrorCode::TOPIC_AUTHORIZATION_FAILED, unauthorized),
        None if state.topic_id.is_zero() => {
            refuse(ErrorCode::INVALID_REQUEST, "Neither topic name nor id were specified.")
        }
        None => match image.topic_by_id(state.topic_id).map(|topic| topic.name()) {
            Some(name) if may(Operation::Delete, name) => Ok(TopicReference::Id(state.topic_id)),
            // As in Kafka: that there is a topic of this id tells nobody what it is called.
            Some(_) => refuse(ErrorCode::TOPIC_AUTHORIZATION_FAILED, unauthorized),
            None => refuse(ErrorCode::UNKNOWN_TOPIC_ID, "This server does not host this topic ID."),
        },
    }
}

fn names_of(reference: TopicReference) -> (Option<Text>, Uuid) {
    match reference {
        TopicReference::Name(name) => (Some(name), Uuid::ZERO),
        TopicReference::Id(topic_id) => (None, topic_id),
    }
}

fn describe(deleted: DeletedTopic) -> DeletableTopicResult {
    match deleted.result {
        Ok(topic) => DeletableTopicResult {
            name: Some(topic.name().clone()),
            topic_id: topic.id(),
            ..Default::default()
        },
        Err(refusal) => {
            let (name, topic_id) = names_of(deleted.reference);
            refused(name, topic_id, refusal)
        }
    }
}

fn refused(name: Option<Text>, topic_id: Uuid, refusal: Refusal) -> DeletableTopicResult {
    let Refusal { code, message } = refusal;
    let error_message = Some(Text::from(message));
    DeletableTopicResult { name, topic_id, error_code: code, error_message, ..Default::default() }
}
