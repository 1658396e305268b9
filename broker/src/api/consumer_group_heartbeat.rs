//! ConsumerGroupHeartbeat: a member of a consumer group joins, stays, changes its mind, or leaves (KIP-848).
//!
//! It takes READ on the group, and DESCRIBE on each topic that is named. A pattern finds the topics that the member may
//! DESCRIBE which holds it against them: for all members that have it, as in Kafka, until the topics are others or ten
//! minutes have passed, and another member holds it against them. Groups of this kind are there if the cluster's
//! `group.version` is at least 1. Up to v0 the broker makes up the id of a member that has none.

use std::sync::Arc;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Reply, Request, Sign};

use super::Dispatched;
use super::groups::{ask, caller, check};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::features::has_consumer_groups;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: ConsumerGroupHeartbeatRequest,
) -> Dispatched {
    if let Err(code) = check_request(broker, &call, &request) {
        return call.now(broker, refused(code));
    }
    let asker = caller(&call);
    let sign = Sign::Consumer(&request, &asker);
    let heeded = broker.groups.heed(&request.group_id, call.received_at, sign);
    if let Some(Reply::ConsumerGroupHeartbeat(response)) = heeded {
        return call.now(broker, response);
    }
    let (group_id, version) = (request.group_id.clone(), call.version);
    let new_member_id = Text::from(broker.metadata.new_id().to_string());
    let request = Request::ConsumerGroupHeartbeat { request, version, new_member_id };
    let answer = ask(broker, &call, &group_id, request, |reply| match reply {
        Reply::ConsumerGroupHeartbeat(response) => Some(response),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move { answer.await.unwrap_or_else(refused) })
}

fn check_request(
    broker: &Broker,
    call: &Call,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<(), ErrorCode> {
    if !has_consumer_groups(&broker.metadata.image()) {
        return Err(ErrorCode::UNSUPPORTED_VERSION);
    }
    check(broker, call, Operation::Read, &request.group_id)?;
    let mut names = request.subscribed_topic_names.iter().flatten();
    let may_see = |name: &Text| broker.authorizer.authorize(call, Operation::Describe, Resource::Topic(name));
    if names.all(may_see) { Ok(()) } else { Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED) }
}

fn refused(error_code: ErrorCode) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse { error_code, ..Default::default() }
}
