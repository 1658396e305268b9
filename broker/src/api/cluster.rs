//! What several answers tell of the cluster: its brokers as the asker can reach them, and what the asker may do.

use std::time::Duration;

use strandline_protocol::{ErrorCode, Text};
use strandline_state::metadata::MetadataImage;
use strandline_state::metadata::decide::Refusal;

use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::{Call, Endpoint};

/// Not asked for: zero would mean that nothing is allowed.
pub(super) const OPERATIONS_NOT_ASKED: i32 = i32::MIN;

/// So long those wait for a change of the cluster who do not say how long: as long as Kafka's clients by themselves.
const PATIENCE_UNSAID: Duration = Duration::from_secs(30);

/// How long somebody waits for a change of the cluster.
///
/// Who gives no time for it gets it all the same, and is told what came of it. Kafka is no model here: its controller does
/// nothing for a request whose time is over as it comes, and answers REQUEST_TIMED_OUT. Clients that leave the time out
/// get no topic from it; and librdkafka, told to wait for 0 ms, takes the answer to mean that the topic is being made, as
/// it was while ZooKeeper had the topics, and reports success.
pub(super) fn patience(timeout_ms: i32) -> Duration {
    match u64::try_from(timeout_ms) {
        Ok(said @ 1..) => Duration::from_millis(said),
        _ => PATIENCE_UNSAID,
    }
}

const TOPIC_OPERATIONS: [Operation; 8] = [
    Operation::Read,
    Operation::Write,
    Operation::Create,
    Operation::Delete,
    Operation::Alter,
    Operation::Describe,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
];

const CLUSTER_OPERATIONS: [Operation; 7] = [
    Operation::Create,
    Operation::Alter,
    Operation::Describe,
    Operation::ClusterAction,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
    Operation::IdempotentWrite,
];

const GROUP_OPERATIONS: [Operation; 5] = [
    Operation::Read,
    Operation::Delete,
    Operation::Describe,
    Operation::DescribeConfigs,
    Operation::AlterConfigs,
];

/// Whether the asker may see how the cluster is.
pub(super) fn may_describe_cluster(broker: &Broker, call: &Call) -> Result<(), Refusal> {
    may(broker, call, Operation::Describe)
}

/// Whether the asker may change how the cluster is.
pub(super) fn may_change_cluster(broker: &Broker, call: &Call) -> Result<(), Refusal> {
    may(broker, call, Operation::Alter)
}

fn may(broker: &Broker, call: &Call, operation: Operation) -> Result<(), Refusal> {
    if broker.authorizer.authorize(call, operation, Resource::Cluster) {
        return Ok(());
    }
    let message = "Cluster authorization failed.".to_owned();
    Err(Refusal { code: ErrorCode::CLUSTER_AUTHORIZATION_FAILED, message })
}

/// A broker, at the address of the listener that the question came by.
pub(super) struct Node {
    pub(super) id: i32,
    pub(super) endpoint: Endpoint,
    pub(super) rack: Option<Text>,
    pub(super) is_fenced: bool,
}

/// The brokers that can be reached by the asker's listener.
pub(super) fn nodes(broker: &Broker, call: &Call, image: &MetadataImage) -> Vec<Node> {
    let asked_by = &call.connection.endpoint;
    let nodes = image.brokers().filter_map(|(id, value)| {
        let endpoint = if id == broker.metadata.node_id() {
            (**asked_by).clone()
        } else {
            let same = value.endpoints.iter().find(|endpoint| endpoint.listener == asked_by.listener)?;
            Endpoint { listener: same.listener.clone(), host: same.host.clone(), port: same.port }
        };
        Some(Node { id, endpoint, rack: value.rack.clone(), is_fenced: value.fenced })
    });
    nodes.collect()
}

/// A broker that is alive. Clients send it what is for the controller, and any broker knows what to do with that.
pub(super) fn controller_id(broker: &Broker) -> i32 {
    broker.metadata.node_id()
}

/// What the asker may do with a topic, one bit each.
pub(super) fn topic_operations(broker: &Broker, call: &Call, name: &str) -> i32 {
    operations(broker, call, &TOPIC_OPERATIONS, Resource::Topic(name))
}

/// What the asker may do with a group, one bit each.
pub(super) fn group_operations(broker: &Broker, call: &Call, id: &str) -> i32 {
    operations(broker, call, &GROUP_OPERATIONS, Resource::Group(id))
}

/// What the asker may do with the cluster, one bit each.
pub(super) fn cluster_operations(broker: &Broker, call: &Call) -> i32 {
    operations(broker, call, &CLUSTER_OPERATIONS, Resource::Cluster)
}

fn operations(broker: &Broker, call: &Call, operations: &[Operation], resource: Resource<'_>) -> i32 {
    let allowed =
        operations.iter().filter(|operation| broker.authorizer.authorize(call, **operation, resource));
    allowed.fold(0, |bits, operation| bits | 1 << operation.code())
}
