//! DescribeCluster: the cluster's id and its brokers, without the topics.
//!
//! A broker that is asked for controllers says MISMATCHED_ENDPOINT_TYPE, and UNSUPPORTED_ENDPOINT_TYPE for a kind
//! that there is not.

use std::sync::Arc;

use strandline_protocol::apis::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};
use strandline_protocol::{ErrorCode, Text};

use super::Dispatched;
use super::cluster::{OPERATIONS_NOT_ASKED, cluster_operations, controller_id, nodes};
use crate::broker::Broker;
use crate::context::Call;

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeClusterRequest) -> Dispatched {
    let endpoint_type = request.endpoint_type;
    let refused = match endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some((
            ErrorCode::MISMATCHED_ENDPOINT_TYPE,
            "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER",
        )),
        _ => Some((ErrorCode::UNSUPPORTED_ENDPOINT_TYPE, "Unsupported endpoint type")),
    };
    if let Some((error_code, message)) = refused {
        let error_message = Some(Text::from_static(message));
        let response =
            DescribeClusterResponse { error_code, error_message, endpoint_type, ..Default::default() };
        return call.now(broker, response);
    }
    let image = broker.metadata.image();
    let brokers = nodes(broker, &call, &image).into_iter();
    let brokers = brokers.filter(|node| request.include_fenced_brokers || !node.is_fenced);
    let brokers = brokers.map(|node| DescribeClusterBroker {
        broker_id: node.id,
        host: node.endpoint.host,
        port: node.endpoint.port.into(),
        rack: node.rack,
        is_fenced: node.is_fenced,
        ..Default::default()
    });
    let operations = request.include_cluster_authorized_operations.then(|| cluster_operations(broker, &call));
    let response = DescribeClusterResponse {
        endpoint_type,
        cluster_id: image.cluster_id().cloned().unwrap_or_default(),
        controller_id: controller_id(broker),
        brokers: brokers.collect(),
        cluster_authorized_operations: operations.unwrap_or(OPERATIONS_NOT_ASKED),
        ..Default::default()
    };
    call.now(broker, response)
}
