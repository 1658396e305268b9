//! DeleteTopics: topics go, with all that is in them; by name, or from v6 on by id.
//!
//! A topic that is named in one entry and has its id in another is INVALID_REQUEST and stays, and so is an entry with both.
//! A name or an id that is there twice is INVALID_REQUEST once, and names nothing. Who may not even describe a topic does not learn its name from its id. Where
//! `delete.topic.enable` is off, all of them are TOPIC_DELETION_DISABLED (INVALID_REQUEST below v3). What takes longer than
//! `timeout_ms` is REQUEST_TIMED_OUT, and may be gone later; 0 or less stands for 30 s.

use std::collections::HashSet;
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
    let repeated = repeated(&states);
    let mut responses = Vec::new();
    let mut allowed = Vec::new();
    for state in states {
        let checked = match reference(&state) {
            _ if !is_enabled => Err(disabled(call)),
            // The decision refuses it, whatever it is, and has to know of it because of the other way to name it.
            Ok(reference) if repeated.contains(&reference) => Ok(reference),
            reference => reference.and_then(|reference| check(broker, call, &image, reference)),
        };
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

/// What is there more than once.
fn repeated(states: &[DeleteTopicState]) -> HashSet<TopicReference> {
    let mut seen = HashSet::new();
    let references = states.iter().filter_map(|state| reference(state).ok());
    references.filter(|reference| !seen.insert(reference.clone())).collect()
}

/// Which topic is meant.
fn reference(state: &DeleteTopicState) -> Result<TopicReference, Refusal> {
    match &state.name {
        Some(_) if !state.topic_id.is_zero() => {
            refuse(ErrorCode::INVALID_REQUEST, "You may not specify both topic name and topic id.")
        }
        Some(name) => Ok(TopicReference::Name(name.detached())),
        None if state.topic_id.is_zero() => {
            refuse(ErrorCode::INVALID_REQUEST, "Neither topic name nor id were specified.")
        }
        None => Ok(TopicReference::Id(state.topic_id)),
    }
}

/// The same, if it is one that the asker may delete.
fn check(
    broker: &Broker,
    call: &Call,
    image: &MetadataImage,
    reference: TopicReference,
) -> Result<TopicReference, Refusal> {
    let name = match &reference {
        TopicReference::Name(name) => name,
        TopicReference::Id(id) => match image.topic_by_id(*id) {
            Some(topic) => topic.name(),
            None => return refuse(ErrorCode::UNKNOWN_TOPIC_ID, "This server does not host this topic ID."),
        },
    };
    if broker.authorizer.authorize(call, Operation::Delete, Resource::Topic(name)) {
        return Ok(reference);
    }
    // As in Kafka: that there is a topic of this id tells nobody what it is called.
    refuse(ErrorCode::TOPIC_AUTHORIZATION_FAILED, "Topic authorization failed.")
}

fn refuse<T>(code: ErrorCode, message: &str) -> Result<T, Refusal> {
    Err(Refusal { code, message: message.to_owned() })
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
        Err(refusal) => refused(deleted.name, deleted.topic_id.unwrap_or(Uuid::ZERO), refusal),
    }
}

fn refused(name: Option<Text>, topic_id: Uuid, refusal: Refusal) -> DeletableTopicResult {
    let Refusal { code, message } = refusal;
    let error_message = Some(Text::from(message));
    DeletableTopicResult { name, topic_id, error_code: code, error_message, ..Default::default() }
}
