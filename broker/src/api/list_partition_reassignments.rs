//! ListPartitionReassignments: which partitions are on their way to other brokers. On one node none ever is.

use std::sync::Arc;

use strandline_protocol::Text;
use strandline_protocol::apis::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use super::Dispatched;
use super::cluster::may_describe_cluster;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    _: ListPartitionReassignmentsRequest,
) -> Dispatched {
    let response = match may_describe_cluster(broker, &call) {
        Ok(()) => ListPartitionReassignmentsResponse::default(),
        Err(refusal) => ListPartitionReassignmentsResponse {
            error_code: refusal.code,
            error_message: Some(Text::from(refusal.message)),
            ..Default::default()
        },
    };
    call.now(broker, response)
}
