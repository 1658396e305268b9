//! SyncGroup: the leader of a classic group hands in what it assigns, and every member gets its part.
//!
//! It takes READ on the group. The answer waits for the leader's request, and for what it says to be durable. From v5 on
//! the protocol has to be told.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupResponse};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check_named};
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: SyncGroupRequest) -> Dispatched {
    let tells_protocol = request.protocol_type.is_some() && request.protocol_name.is_some();
    let checked = if call.version >= 5 && !tells_protocol {
        Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL)
    } else {
        check_named(broker, &call, Operation::Read, &request.group_id)
    };
    if let Err(code) = checked {
        return call.now(broker, refused(code));
    }
    let group_id = request.group_id.clone();
    let answer = ask(broker, &call, &group_id, Request::SyncGroup(request), |reply| match reply {
        Reply::SyncGroup(response) => Some(response),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move { answer.await.unwrap_or_else(refused) })
}

fn refused(error_code: ErrorCode) -> SyncGroupResponse {
    SyncGroupResponse { error_code, ..Default::default() }
}
