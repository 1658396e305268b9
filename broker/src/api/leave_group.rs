//! LeaveGroup: members go out of a classic group.
//!
//! It takes READ on the group. Up to v2 one member leaves, and what is wrong with it stands on top.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use strandline_state::groups::{Reply, Request};

use super::Dispatched;
use super::groups::{ask, check_named};
use crate::authorize::Operation;
use crate::broker::Broker;
use crate::context::Call;

/// The first version in which there are several members.
const FIRST_VERSION_OF_MANY: i16 = 3;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, mut request: LeaveGroupRequest) -> Dispatched {
    if let Err(code) = check_named(broker, &call, Operation::Read, &request.group_id) {
        return call.now(broker, refused(code));
    }
    let version = call.version;
    if version < FIRST_VERSION_OF_MANY {
        let member_id = std::mem::take(&mut request.member_id);
        request.members = vec![MemberIdentity { member_id, ..Default::default() }];
    }
    let group_id = request.group_id.clone();
    let answer = ask(broker, &call, &group_id, Request::LeaveGroup(request), |reply| match reply {
        Reply::LeaveGroup(response) => Some(response),
        _ => None,
    });
    let answer = answer.await;
    call.later(broker, async move { in_version(version, answer.await.unwrap_or_else(refused)) })
}

fn refused(error_code: ErrorCode) -> LeaveGroupResponse {
    LeaveGroupResponse { error_code, ..Default::default() }
}

fn in_version(version: i16, mut response: LeaveGroupResponse) -> LeaveGroupResponse {
    if version < FIRST_VERSION_OF_MANY {
        let of_member = response.members.drain(..).next().map(|member| member.error_code);
        if response.error_code == ErrorCode::NONE {
            response.error_code = of_member.unwrap_or(ErrorCode::NONE);
        }
    }
    response
}
