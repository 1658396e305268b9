//! DeleteGroups: groups without members go, with their offsets.
//!
//! It takes DELETE on each group; each has a result of its own.

use std::sync::Arc;

use strandline_protocol::apis::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::ask_each;
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DeleteGroupsRequest) -> Dispatched {
    let pick = |reply| match reply {
        Reply::DeleteGroup(result) => Some(result),
        _ => None,
    };
    let asking = (Operation::Delete, Ok(()));
    let answers = ask_each(broker, &call, request.groups_names, asking, Request::DeleteGroup, pick).await;
    call.later(broker, async move {
        let mut results = Vec::with_capacity(answers.len());
        for (group_id, answer) in answers {
            let refused = |error_code| DeletableGroupResult { group_id, error_code, ..Default::default() };
            results.push(answer.await.unwrap_or_else(refused));
        }
        DeleteGroupsResponse { results, ..Default::default() }
    })
}
