//! ElectLeaders: has partitions led by the replica that should lead them, or by any. On one node there is nobody else,
//! so that none is needed.
//!
//! Partitions that are named get ELECTION_NOT_NEEDED, as Kafka says it; where all are meant, those are left out. What
//! does not exist is UNKNOWN_TOPIC_OR_PARTITION.

use std::sync::Arc;

use strandline_protocol::apis::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;

use super::Dispatched;
use super::cluster::may_change_cluster;
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ElectLeadersRequest) -> Dispatched {
    let may = may_change_cluster(broker, &call);
    let image = broker.metadata.image();
    let results = request.topic_partitions.into_iter().flatten().map(|asked| {
        let result = |index: &i32| {
            let (error_code, message) = match &may {
                Ok(()) => elect(&image, &asked.topic, *index),
                Err(refusal) => (refusal.code, refusal.message.clone()),
            };
            let error_message = Some(Text::from(message));
            PartitionResult { partition_id: *index, error_code, error_message, ..Default::default() }
        };
        let partition_result = asked.partitions.iter().map(result).collect();
        ReplicaElectionResult { topic: asked.topic.clone(), partition_result, ..Default::default() }
    });
    let replica_election_results = results.collect();
    // v0 has no place for it.
    let of_whole = may.err().filter(|_| call.version > 0);
    let error_code = of_whole.map_or(ErrorCode::NONE, |refusal| refusal.code);
    call.now(broker, ElectLeadersResponse { error_code, replica_election_results, ..Default::default() })
}

fn elect(image: &MetadataImage, topic: &str, index: i32) -> (ErrorCode, String) {
    let Some(found) = image.topic(topic) else {
        return (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("No such topic as {topic}"));
    };
    match found.partition(index) {
        None => (ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, format!("No such partition as {topic}-{index}")),
        Some(partition) if partition.leader() < 0 => {
            (ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE, "The preferred leader was not available.".to_owned())
        }
        Some(_) => {
            (ErrorCode::ELECTION_NOT_NEEDED, "Leader election not needed for topic partition.".to_owned())
        }
    }
}
