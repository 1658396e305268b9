//! OffsetDelete: offsets of a group go, for chosen partitions.
//!
//! It takes DELETE on the group, and READ on each topic.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse, OffsetDeleteResponsePartition,
    OffsetDeleteResponseTopic,
};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check_named};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, mut request: OffsetDeleteRequest) -> Dispatched {
    if let Err(code) = check_named(broker, &call, Operation::Delete, &request.group_id) {
        return call.now(broker, refused(code));
    }
    let mut failed = Vec::new();
    request.topics.retain(|topic| match check_topic(broker, &call, topic) {
        Ok(()) => true,
        Err(code) => {
            failed.push(refused_topic(topic, code));
            false
        }
    });
    let group_id = request.group_id.clone();
    let answer = ask(broker, &call, &group_id, Request::OffsetDelete(request), |reply| match reply {
        Reply::OffsetDelete(response) => Some(response),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move {
        let mut response = answer.await.unwrap_or_else(refused);
        if response.error_code == ErrorCode::NONE {
            response.topics.extend(failed);
        }
        response
    })
}

fn check_topic(broker: &Broker, call: &Call, topic: &OffsetDeleteRequestTopic) -> Result<(), ErrorCode> {
    if !broker.authorizer.authorize(call, Operation::Read, Resource::Topic(&topic.name)) {
        return Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED);
    }
    broker.topics.by_name(&topic.name).map(drop).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
}

fn refused(error_code: ErrorCode) -> OffsetDeleteResponse {
    OffsetDeleteResponse { error_code, ..Default::default() }
}

fn refused_topic(topic: &OffsetDeleteRequestTopic, error_code: ErrorCode) -> OffsetDeleteResponseTopic {
    let partitions = topic.partitions.iter();
    let partitions = partitions.map(|partition| OffsetDeleteResponsePartition {
        partition_index: partition.partition_index,
        error_code,
    });
    OffsetDeleteResponseTopic { name: topic.name.clone(), partitions: partitions.collect() }
}
