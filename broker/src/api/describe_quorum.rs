//! DescribeQuorum: who votes on the metadata, and how far each one is. Of one node, it alone.
//!
//! Whatever is asked for that is not the one partition of the metadata is UNKNOWN_TOPIC_OR_PARTITION.

use std::sync::Arc;

use strandline_protocol::apis::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Listener, Node, ReplicaState, ResponsePartitionData,
    ResponseTopicData,
};
use strandline_protocol::{ErrorCode, Text};

use super::Dispatched;
use super::cluster::{may_describe_cluster, nodes};
use crate::broker::Broker;
use crate::context::Call;

/// The topic of the metadata, as clients call it.
const METADATA: &str = "__cluster_metadata";

/// From this version on nodes and directories are told.
const NODES_VERSION: i16 = 2;

/// There was never another leader.
const LEADER_EPOCH: i32 = 1;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: DescribeQuorumRequest) -> Dispatched {
    if let Err(refusal) = may_describe_cluster(broker, &call) {
        let (error_code, error_message) = (refusal.code, Some(Text::from(refusal.message)));
        return call.now(broker, DescribeQuorumResponse { error_code, error_message, ..Default::default() });
    }
    let has_nodes = call.version >= NODES_VERSION;
    let topics = request.topics.into_iter().map(|topic| {
        let is_metadata = topic.topic_name == METADATA;
        let partition = |index: i32| match index {
            0 if is_metadata => described(broker, has_nodes),
            _ => ResponsePartitionData {
                partition_index: index,
                error_code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                ..Default::default()
            },
        };
        let partitions = topic.partitions.iter().map(|asked| partition(asked.partition_index)).collect();
        ResponseTopicData { topic_name: topic.topic_name, partitions, ..Default::default() }
    });
    let topics = topics.collect();
    let image = broker.metadata.image();
    let nodes = nodes(broker, &call, &image).into_iter().filter(|_| has_nodes).map(|node| {
        let endpoint = node.endpoint;
        let (name, host, port) = (endpoint.listener, endpoint.host, endpoint.port);
        let listeners = vec![Listener { name, host, port, ..Default::default() }];
        Node { node_id: node.id, listeners, ..Default::default() }
    });
    let nodes = nodes.collect();
    call.now(broker, DescribeQuorumResponse { topics, nodes, ..Default::default() })
}

fn described(broker: &Broker, has_directory: bool) -> ResponsePartitionData {
    let image = broker.metadata.image();
    let node_id = broker.metadata.node_id();
    let directory = image.broker(node_id).and_then(|node| node.directory_ids.first()).copied();
    let directory = directory.filter(|_| has_directory);
    let end_offset = image.offset() + 1;
    let now_ms = broker.clock.wall_ms();
    let voter = ReplicaState {
        replica_id: node_id,
        replica_directory_id: directory.unwrap_or_default(),
        log_end_offset: end_offset,
        last_fetch_timestamp: now_ms,
        last_caught_up_timestamp: now_ms,
        ..Default::default()
    };
    ResponsePartitionData {
        partition_index: 0,
        leader_id: node_id,
        leader_epoch: LEADER_EPOCH,
        high_watermark: end_offset,
        current_voters: vec![voter],
        ..Default::default()
    }
}
