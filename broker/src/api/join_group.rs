//! JoinGroup: a member comes into a classic group, or comes again for a rebalance.
//!
//! It takes READ on the group. The answer waits until the generation begins. From v4 on a newcomer is given an id first
//! (KIP-394), from v9 on a leader may be told not to assign (KIP-814); before v7 the protocol's name is never null.

use std::sync::Arc;

use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupResponse};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::classic::Join;
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check_named};
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: JoinGroupRequest) -> Dispatched {
    let (version, member_id) = (call.version, request.member_id.clone());
    if let Err(code) = check_named(broker, &call, Operation::Read, &request.group_id) {
        return call.now(broker, refused(version, member_id, code));
    }
    let group_id = request.group_id.clone();
    let join = Join {
        request,
        random_id: broker.metadata.new_id(),
        needs_member_id: version >= 4,
        knows_skip_assignment: version >= 9,
    };
    let answer = ask(broker, &call, &group_id, Request::JoinGroup(join), |reply| match reply {
        Reply::JoinGroup(response) => Some(response),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move {
        match answer.await {
            Ok(response) => in_version(version, response),
            Err(code) => refused(version, member_id, code),
        }
    })
}

fn refused(version: i16, member_id: Text, error_code: ErrorCode) -> JoinGroupResponse {
    in_version(version, JoinGroupResponse { member_id, error_code, ..Default::default() })
}

fn in_version(version: i16, mut response: JoinGroupResponse) -> JoinGroupResponse {
    if version < 7 {
        response.protocol_name.get_or_insert_default();
    } else if response.error_code != ErrorCode::NONE {
        response.protocol_name = None;
    }
    response
}
