//! AlterPartitionReassignments: moves partitions to other brokers. On one node a partition is where it should be, or is
//! asked to where nobody is.
//!
//! Where it is already is no error. A broker that is not registered, one that is named twice, or none at all is
//! INVALID_REPLICA_ASSIGNMENT; taking back what nobody asked for NO_REASSIGNMENT_IN_PROGRESS.

use std::collections::BTreeSet;
use std::sync::Arc;

use strandline_protocol::apis::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;

use super::Dispatched;
use super::cluster::may_change_cluster;
use crate::broker::Broker;
use crate::context::Call;

type Refused = (ErrorCode, String);

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: AlterPartitionReassignmentsRequest,
) -> Dispatched {
    let allow_replication_factor_change = request.allow_replication_factor_change;
    if let Err(refusal) = may_change_cluster(broker, &call) {
        let response = AlterPartitionReassignmentsResponse {
            allow_replication_factor_change,
            error_code: refusal.code,
            error_message: Some(Text::from(refusal.message)),
            ..Default::default()
        };
        return call.now(broker, response);
    }
    let image = broker.metadata.image();
    let responses = request.topics.into_iter().map(|topic| {
        let result = |asked: &ReassignablePartition| {
            let result = reassign(&image, &topic.name, asked);
            let (error_code, error_message) = match result {
                Ok(()) => (ErrorCode::NONE, None),
                Err((code, message)) => (code, Some(Text::from(message))),
            };
            let partition_index = asked.partition_index;
            ReassignablePartitionResponse { partition_index, error_code, error_message, ..Default::default() }
        };
        let partitions = topic.partitions.iter().map(result).collect();
        ReassignableTopicResponse { name: topic.name.clone(), partitions, ..Default::default() }
    });
    let responses = responses.collect();
    let response = AlterPartitionReassignmentsResponse {
        allow_replication_factor_change,
        responses,
        ..Default::default()
    };
    call.now(broker, response)
}

fn reassign(image: &MetadataImage, name: &str, asked: &ReassignablePartition) -> Result<(), Refused> {
    let index = asked.partition_index;
    let unknown = |message: String| (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, message);
    let topic = image.topic(name).ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
    let partition = topic.partition(index);
    let partition = partition.ok_or_else(|| unknown(format!("Unable to find partition {name}:{index}.")))?;
    let Some(wanted) = &asked.replicas else {
        let message = "No partition reassignment is in progress.".to_owned();
        return Err((ErrorCode::NO_REASSIGNMENT_IN_PROGRESS, message));
    };
    let fault = |text: String| Err((ErrorCode::INVALID_REPLICA_ASSIGNMENT, text));
    if wanted.is_empty() {
        return fault("The manual partition assignment includes an empty replica list.".to_owned());
    }
    if let Some(id) = wanted.iter().find(|id| image.broker(**id).is_none()) {
        return fault(format!(
            "The manual partition assignment includes broker {id}, but no such broker is registered."
        ));
    }
    if wanted.iter().collect::<BTreeSet<_>>().len() < wanted.len() {
        return fault("The manual partition assignment includes a broker more than once.".to_owned());
    }
    if wanted.as_slice() == partition.replicas() {
        return Ok(());
    }
    fault("Partitions are not moved between brokers yet.".to_owned())
}
