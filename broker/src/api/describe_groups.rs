//! DescribeGroups: classic groups, with their members.
//!
//! It takes DESCRIBE on each group. One that is not there, or not a classic one, is Dead; from v6 on that is an error
//! besides.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup,
};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::cluster::{OPERATIONS_NOT_ASKED, group_operations};
use super::groups::ask_each;
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

/// The first version in which it is an error that a group is not there.
const FIRST_VERSION_OF_NOT_FOUND: i16 = 6;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeGroupsRequest) -> Dispatched {
    let pick = |reply| match reply {
        Reply::DescribeGroup(group) => Some(group),
        _ => None,
    };
    let asking = (Operation::Describe, Ok(()));
    let answers = ask_each(broker, &call, request.groups, asking, Request::DescribeGroup, pick).await;
    let (owner, caller) = (Arc::clone(broker), call.clone());
    let tells_operations = request.include_authorized_operations;
    call.later(broker, async move {
        let mut groups = Vec::with_capacity(answers.len());
        for (group_id, answer) in answers {
            let mut group = answer.await.unwrap_or_else(|error_code| DescribedGroup {
                group_id,
                error_code,
                ..Default::default()
            });
            group.authorized_operations = OPERATIONS_NOT_ASKED;
            if caller.version < FIRST_VERSION_OF_NOT_FOUND
                && group.error_code == ErrorCode::GROUP_ID_NOT_FOUND
            {
                group.error_code = ErrorCode::NONE;
                group.error_message = None;
            }
            if tells_operations && group.error_code == ErrorCode::NONE {
                group.authorized_operations = group_operations(&owner, &caller, &group.group_id);
            }
            groups.push(group);
        }
        DescribeGroupsResponse { groups, ..Default::default() }
    })
}
