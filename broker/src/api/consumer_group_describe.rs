//! ConsumerGroupDescribe: consumer groups of the new protocol, with their members (KIP-848).
//!
//! It takes DESCRIBE on each group, and on each topic that its members have or are subscribed to: who may not see one of
//! these sees no member. Groups of this kind are there if the cluster's `group.version` is at least 1.

use std::sync::Arc;

use strandline_protocol::apis::consumer_group_describe::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::cluster::{OPERATIONS_NOT_ASKED, group_operations};
use super::groups::ask_each;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::features::has_consumer_groups;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: ConsumerGroupDescribeRequest,
) -> Dispatched {
    let is_supported = has_consumer_groups(&broker.metadata.image());
    let served = if is_supported { Ok(()) } else { Err(ErrorCode::UNSUPPORTED_VERSION) };
    let pick = |reply| match reply {
        Reply::ConsumerGroupDescribe(group) => Some(group),
        _ => None,
    };
    let asking = (Operation::Describe, served);
    let answers =
        ask_each(broker, &call, request.group_ids, asking, Request::ConsumerGroupDescribe, pick).await;
    let (owner, caller) = (Arc::clone(broker), call.clone());
    let tells_operations = request.include_authorized_operations;
    call.later(broker, async move {
        let mut groups = Vec::with_capacity(answers.len());
        for (group_id, answer) in answers {
            let mut group = answer.await.unwrap_or_else(|code| refused(&group_id, code));
            if !group.members.iter().flat_map(topics).all(|name| may_see(&owner, &caller, name)) {
                group = refused(&group_id, ErrorCode::TOPIC_AUTHORIZATION_FAILED);
            }
            group.authorized_operations = OPERATIONS_NOT_ASKED;
            if tells_operations && group.error_code == ErrorCode::NONE {
                group.authorized_operations = group_operations(&owner, &caller, &group_id);
            }
            groups.push(group);
        }
        ConsumerGroupDescribeResponse { groups, ..Default::default() }
    })
}

/// Every topic that a member has, shall have, or is subscribed to.
fn topics(member: &Member) -> impl Iterator<Item = &Text> {
    let assignments = [&member.assignment, &member.target_assignment].into_iter();
    let assigned = assignments.flat_map(|assignment| assignment.topic_partitions.iter());
    member.subscribed_topic_names.iter().chain(assigned.map(|topic| &topic.topic_name))
}

fn may_see(broker: &Broker, call: &Call, topic: &str) -> bool {
    broker.authorizer.authorize(call, Operation::Describe, Resource::Topic(topic))
}

fn refused(group_id: &Text, error_code: ErrorCode) -> DescribedGroup {
    DescribedGroup { group_id: group_id.clone(), error_code, ..Default::default() }
}
