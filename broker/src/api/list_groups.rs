//! ListGroups: the groups whose coordinator this broker is, of every kind.
//!
//! Who may DESCRIBE the cluster sees all of them, others those that they may describe. As long as a part of them is being
//! read, the list is COORDINATOR_LOAD_IN_PROGRESS: it would not be whole. States and types are chosen whatever the case
//! of their letters.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::list_groups::{ListGroupsRequest, ListGroupsResponse};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask_partition, check};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ListGroupsRequest) -> Dispatched {
    let mut answers = Vec::new();
    let count = i32::try_from(broker.groups.partition_count()).unwrap_or(i32::MAX);
    for partition in 0..count {
        let (states, types) = (request.states_filter.clone(), request.types_filter.clone());
        let request = Request::ListGroups { states, types };
        let pick = |reply| match reply {
            Reply::ListGroups(groups) => Some(groups),
            _ => None,
        };
        answers.push(ask_partition(broker, &call, partition, request, pick).await);
    }
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let sees_all = owner.authorizer.authorize(&caller, Operation::Describe, Resource::Cluster);
        let mut groups = Vec::new();
        for answer in answers {
            match answer.await {
                Ok(found) => groups.extend(found),
                // Another broker has them.
                Err(ErrorCode::NOT_COORDINATOR) => {}
                Err(error_code) => return ListGroupsResponse { error_code, ..Default::default() },
            }
        }
        groups
            .retain(|group| sees_all || check(&owner, &caller, Operation::Describe, &group.group_id).is_ok());
        ListGroupsResponse { groups, ..Default::default() }
    })
}
