//! Metadata: which brokers there are, and which of them leads each partition.
//!
//! All topics are an empty list in v0 and null from v1 on. A topic that is asked for by name and missing is made, if
//! the broker's `auto.create.topics.enable` and the request (v4 on) allow it; the answer waits until it can be
//! written to, for 5 s at most, and is LEADER_NOT_AVAILABLE after that: who asks again finds it once it is there. Who may
//! not make it is told so, and need not ask again. By id, nothing is ever made. Who may not describe a topic learns its
//! name from its id no more than its id from its name.
//!
//! An id, or no name, in v10 and v11 is INVALID_REQUEST for all topics of the request.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use strandline_protocol::apis::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::{ErrorCode, Text, Uuid};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::decide::validate_topic_name;
use strandline_state::metadata::image::Topic;

use super::Dispatched;
use super::cluster::{OPERATIONS_NOT_ASKED, cluster_operations, controller_id, nodes, topic_operations};
use super::create_topics::auto_create;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// From here on an id in the request counts.
const FIRST_VERSION_BY_ID: i16 = 12;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: MetadataRequest) -> Dispatched {
    if let Some(response) = malformed(&call, &request) {
        return call.now(broker, response);
    }
    let missing = missing_names(broker, &call, &request);
    if missing.is_empty() {
        let response = respond(broker, &call, &request, &[]);
        return call.now(broker, response);
    }
    let owner = Arc::clone(broker);
    let caller = call.clone();
    call.later(broker, async move {
        let is_settled = auto_create(&owner, missing.clone()).await;
        let awaited = if is_settled { Vec::new() } else { missing };
        respond(&owner, &caller, &request, &awaited)
    })
}

/// The answer to what older versions can write and nobody could mean: in v10 and v11 ids do not count yet, and there
/// is no topic without a name.
fn malformed(call: &Call, request: &MetadataRequest) -> Option<MetadataResponse> {
    if call.version >= FIRST_VERSION_BY_ID {
        return None;
    }
    let topics = request.topics.as_ref()?;
    topics.iter().find(|topic| topic.name.is_none() || !topic.topic_id.is_zero())?;
    let refused = topics.iter().map(|topic| {
        let name = Some(topic.name.clone().unwrap_or_default());
        failed(ErrorCode::INVALID_REQUEST, name, topic.topic_id)
    });
    Some(MetadataResponse { topics: refused.collect(), ..Default::default() })
}

/// Whether a question brings topics into being that are missing.
fn makes_topics(broker: &Broker, call: &Call, request: &MetadataRequest) -> bool {
    broker.metadata.settings().auto_create_topics_enable
        && (call.version < 4 || request.allow_auto_topic_creation)
}

fn may_create(broker: &Broker, call: &Call, name: &str) -> bool {
    let may = |resource| broker.authorizer.authorize(call, Operation::Create, resource);
    may(Resource::Cluster) || may(Resource::Topic(name))
}

/// The topics that the question itself brings into being.
fn missing_names(broker: &Broker, call: &Call, request: &MetadataRequest) -> Vec<Text> {
    let is_allowed = makes_topics(broker, call, request);
    let Some(topics) = request.topics.as_ref().filter(|_| is_allowed) else { return Vec::new() };
    let image = broker.metadata.image();
    let names: BTreeSet<_> = topics
        .iter()
        .filter(|topic| !is_by_id(call, topic))
        .filter_map(|topic| topic.name.as_ref())
        .collect();
    let is_missing = |name: &&&Text| {
        broker.authorizer.authorize(call, Operation::Describe, Resource::Topic(name))
            && image.topic(name).is_none()
            && validate_topic_name(name).is_ok()
            && may_create(broker, call, name)
    };
    names.iter().filter(is_missing).map(|name| name.detached()).collect()
}

fn is_by_id(call: &Call, topic: &MetadataRequestTopic) -> bool {
    // An id counts more than a name beside it.
    call.version >= FIRST_VERSION_BY_ID && (topic.name.is_none() || topic.topic_id != Uuid::ZERO)
}

/// What is there; `awaited` are the names of topics that may be there soon, rising.
fn respond(broker: &Broker, call: &Call, request: &MetadataRequest, awaited: &[Text]) -> MetadataResponse {
    let image = broker.metadata.image();
    let describe = Describe { broker, call, image: &image, request, awaited };
    let brokers = nodes(broker, call, &image).into_iter().filter(|node| !node.is_fenced);
    let brokers = brokers.map(|node| MetadataResponseBroker {
        node_id: node.id,
        host: node.endpoint.host,
        port: node.endpoint.port.into(),
        rack: node.rack,
        ..Default::default()
    });
    let cluster_operations =
        request.include_cluster_authorized_operations.then(|| cluster_operations(broker, call));
    MetadataResponse {
        brokers: brokers.collect(),
        cluster_id: image.cluster_id().cloned(),
        controller_id: controller_id(broker),
        topics: describe.topics(),
        cluster_authorized_operations: cluster_operations.unwrap_or(OPERATIONS_NOT_ASKED),
        ..Default::default()
    }
}

struct Describe<'a> {
    broker: &'a Broker,
    call: &'a Call,
    image: &'a MetadataImage,
    request: &'a MetadataRequest,
    awaited: &'a [Text],
}

impl Describe<'_> {
    fn topics(&self) -> Vec<MetadataResponseTopic> {
        let is_all = |topics: &&Vec<_>| self.call.version > 0 || !topics.is_empty();
        match self.request.topics.as_ref().filter(is_all) {
            Some(topics) => {
                // What is named twice is told once.
                let mut told = HashSet::new();
                let answers = topics.iter().map(|topic| self.asked_for(topic));
                answers.filter(|answer| told.insert((answer.name.clone(), answer.topic_id))).collect()
            }
            None => {
                let seen = self.image.topics().filter(|topic| self.may_describe(topic.name()));
                seen.map(|topic| self.found(topic)).collect()
            }
        }
    }

    fn may_describe(&self, name: &str) -> bool {
        self.broker.authorizer.authorize(self.call, Operation::Describe, Resource::Topic(name))
    }

    fn asked_for(&self, asked: &MetadataRequestTopic) -> MetadataResponseTopic {
        if is_by_id(self.call, asked) {
            return self.by_id(asked.topic_id);
        }
        let name = asked.name.clone().unwrap_or_default();
        if !self.may_describe(&name) {
            return failed(ErrorCode::TOPIC_AUTHORIZATION_FAILED, Some(name), Uuid::ZERO);
        }
        match self.image.topic(&name) {
            Some(topic) => self.found(topic),
            None if makes_topics(self.broker, self.call, self.request)
                && !may_create(self.broker, self.call, &name) =>
            {
                failed(ErrorCode::TOPIC_AUTHORIZATION_FAILED, Some(name), Uuid::ZERO)
            }
            None if validate_topic_name(&name).is_err() => {
                failed(ErrorCode::INVALID_TOPIC_EXCEPTION, Some(name), Uuid::ZERO)
            }
            None if self.awaited.binary_search(&name).is_ok() => {
                failed(ErrorCode::LEADER_NOT_AVAILABLE, Some(name), Uuid::ZERO)
            }
            None => failed(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, Some(name), Uuid::ZERO),
        }
    }

    fn by_id(&self, topic_id: Uuid) -> MetadataResponseTopic {
        match self.image.topic_by_id(topic_id) {
            Some(topic) if self.may_describe(topic.name()) => self.found(topic),
            // As in Kafka: that there is a topic of this id tells nobody what it is called.
            Some(_) => failed(ErrorCode::TOPIC_AUTHORIZATION_FAILED, None, topic_id),
            None => failed(ErrorCode::UNKNOWN_TOPIC_ID, None, topic_id),
        }
    }

    fn found(&self, topic: &Topic) -> MetadataResponseTopic {
        let partitions = topic.partitions().map(|(index, partition)| MetadataResponsePartition {
            error_code: if partition.leader() < 0 {
                ErrorCode::LEADER_NOT_AVAILABLE
            } else {
                ErrorCode::NONE
            },
            partition_index: index,
            leader_id: partition.leader(),
            leader_epoch: partition.leader_epoch(),
            replica_nodes: partition.replicas().to_vec(),
            isr_nodes: partition.isr().to_vec(),
            ..Default::default()
        });
        let operations = self
            .request
            .include_topic_authorized_operations
            .then(|| topic_operations(self.broker, self.call, topic.name()));
        MetadataResponseTopic {
            name: Some(topic.name().clone()),
            topic_id: topic.id(),
            is_internal: topic.is_internal(),
            partitions: partitions.collect(),
            topic_authorized_operations: operations.unwrap_or(OPERATIONS_NOT_ASKED),
            ..Default::default()
        }
    }
}

fn failed(error_code: ErrorCode, name: Option<Text>, topic_id: Uuid) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code,
        name,
        topic_id,
        topic_authorized_operations: OPERATIONS_NOT_ASKED,
        ..Default::default()
    }
}
