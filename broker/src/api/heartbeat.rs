//! Heartbeat: a member of a classic group lives, and hears whether there is a rebalance.
//!
//! It takes READ on the group. While the coordinator reads its log, every member is told that all is well: nobody shall
//! leave for that, and every session begins afresh after it.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::heartbeat::{HeartbeatRequest, HeartbeatResponse};
use strandline_state::groups::{Reply, Request, Sign};

use super::Dispatched;
use super::groups::{ask, check_named};
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: HeartbeatRequest) -> Dispatched {
    if let Err(code) = check_named(broker, &call, Operation::Read, &request.group_id) {
        return call.now(broker, answered(code));
    }
    let heeded = broker.groups.heed(&request.group_id, call.received_at, Sign::Classic(&request));
    if let Some(Reply::Heartbeat(code)) = heeded {
        return call.now(broker, answered(code));
    }
    let group_id = request.group_id.clone();
    let answer = ask(broker, &call, &group_id, Request::Heartbeat(request), |reply| match reply {
        Reply::Heartbeat(code) => Some(code),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move {
        match answer.await {
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => answered(ErrorCode::NONE),
            Ok(code) | Err(code) => answered(code),
        }
    })
}

fn answered(error_code: ErrorCode) -> HeartbeatResponse {
    HeartbeatResponse { error_code, ..Default::default() }
}
