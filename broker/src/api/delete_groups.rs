//! DeleteGroups: groups without members go, with their offsets.
//!
//! It takes DELETE on each group; each has a result of its own.

use std::sync::Arc;

use strandline_protocol::apis::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check};
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DeleteGroupsRequest) -> Dispatched {
    let mut answers = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        let answer = match check(broker, &call, Operation::Delete, &group_id) {
            Ok(()) => {
                let pick = |reply| match reply {
                    Reply::DeleteGroup(result) => Some(result),
                    _ => None,
                };
                Ok(ask(broker, &call, &group_id, Request::DeleteGroup(group_id.clone()), pick).await)
            }
            Err(code) => Err(code),
        };
        answers.push((group_id, answer));
    }
    call.later(broker, async move {
        let mut results = Vec::with_capacity(answers.len());
        for (group_id, answer) in answers {
            let answer = match answer {
                Ok(answer) => answer.await,
                Err(code) => Err(code),
            };
            let refused = |error_code| DeletableGroupResult { group_id, error_code, ..Default::default() };
            results.push(answer.unwrap_or_else(refused));
        }
        DeleteGroupsResponse { results, ..Default::default() }
    })
}
