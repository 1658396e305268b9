//! BeginQuorumEpoch: the new leader of the metadata quorum tells the other voters that it was elected
//! (KIP-595).
//!
//! In Kafka's Raft followers pull: without this message a voter that did not vote for the winner would
//! find out only by timeout. The leader repeats it until a voter has acknowledged or begins to fetch, and
//! later to voters that stop fetching. The receiver becomes a follower of the named leader and starts to
//! fetch. Only controllers send and receive it.
//!
//! There is one metadata partition (`__cluster_metadata`, 0), although the layout has room for many; any
//! other is `INVALID_REQUEST`. Errors: `FENCED_LEADER_EPOCH` when the receiver knows a later epoch (the
//! sender then steps down), `INCONSISTENT_VOTER_SET` when sender or receiver is no voter in the other's
//! eyes, `INVALID_VOTER_KEY` when the message was meant for another directory than the receiver's,
//! `INCONSISTENT_CLUSTER_ID` on top.
//!
//! - v1: flexible; the receiver is named with its directory id and the leader with its endpoints, since
//!   voters may change at run time (KIP-853).

use crate::{ErrorCode, TaggedFields, Text, Uuid, Wire};

/// Announces a leader and its epoch to one voter.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochRequest {
    /// The sender's cluster; another's is refused. Null = do not check.
    #[wire("0+", nullable = "0+", default = null)]
    pub cluster_id: Option<Text>,
    /// From v1: the node id of the voter that this copy is meant for; -1 = not given.
    #[wire("1+", default = -1, ignorable)]
    pub voter_id: i32,
    /// The metadata topic, as the only entry.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// From v1: where the leader can be reached, so that the voter can fetch at once.
    #[wire("1+", ignorable)]
    pub leader_endpoints: Vec<LeaderEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The announcement for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    /// Always `__cluster_metadata`.
    #[wire("0+")]
    pub topic_name: Text,
    /// The one partition.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The announcement for one partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// Always 0.
    #[wire("0+")]
    pub partition_index: i32,
    /// From v1: the metadata log directory of the voter that this copy is meant for; zeros = not given.
    #[wire("1+", ignorable)]
    pub voter_directory_id: Uuid,
    /// Node id of the leader, which is the sender.
    #[wire("0+")]
    pub leader_id: i32,
    /// The epoch in which it was elected; at most one leader exists per epoch.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One address of the leader.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct LeaderEndpoint {
    /// The listener's name; receivers look for the one that they use among controllers.
    #[wire("1+")]
    pub name: Text,
    /// Host name or address to connect to.
    #[wire("1+")]
    pub host: Text,
    /// TCP port to connect to.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Acknowledges the leader, or tells it about a later one.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0-1", flexible = "1+")]
pub struct BeginQuorumEpochResponse {
    /// An error of the whole request, such as another cluster's id. This API has no throttle time.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The metadata topic, as the only entry.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// From v1: addresses of the leaders named in `topics`, tagged, and left out when empty.
    #[wire("1+", tag = 0)]
    pub node_endpoints: Vec<NodeEndpoint>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The receiver's view of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    /// Always `__cluster_metadata`.
    #[wire("0+")]
    pub topic_name: Text,
    /// The one partition.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The receiver's view of the partition.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// Always 0.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE` = the receiver follows the leader.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The leader that the receiver knows; -1 = none.
    #[wire("0+")]
    pub leader_id: i32,
    /// The latest epoch that the receiver knows. Higher than the sender's, it deposes the sender.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Where one leader can be reached.
#[derive(Clone, Debug, PartialEq, Wire)]
pub struct NodeEndpoint {
    /// The leader's node id.
    #[wire("1+")]
    pub node_id: i32,
    /// Host name or address to connect to.
    #[wire("1+")]
    pub host: Text,
    /// TCP port to connect to.
    #[wire("1+")]
    pub port: u16,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
