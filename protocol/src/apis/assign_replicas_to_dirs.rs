//! AssignReplicasToDirs: a broker tells the controller in which of its data directories replicas lie
//! (KIP-858).
//!
//! With several disks, the loss of one must take the leadership of just its partitions away. For that the
//! controller has to know the directory of each replica before the disk fails. A broker sends this
//! request, in batches, when it has placed a new replica, when a replica moved between directories, and
//! when the controller's record differs from what it finds on disk. It repeats the request until the
//! controller has confirmed; a replica moved by AlterReplicaLogDirs is swapped only after that.
//!
//! Directories are named by the id in their `meta.properties`, never by path. `STALE_BROKER_EPOCH` on top
//! refuses the whole request. Per partition there are `UNKNOWN_TOPIC_ID`, `UNKNOWN_TOPIC_OR_PARTITION`,
//! and `NOT_LEADER_OR_FOLLOWER` when the broker is no replica of the partition. It is a request between
//! nodes of the cluster and takes cluster rights.
//!
//! - v0: the only version, flexible.

use crate::{ErrorCode, TaggedFields, Uuid, Wire};

/// Where one broker keeps some of its replicas.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsRequest {
    /// The node id of the broker that asks.
    #[wire("0+")]
    pub broker_id: i32,
    /// The epoch of its current registration; -1 = not known.
    #[wire("0+", default = -1)]
    pub broker_epoch: i64,
    /// The directories with the replicas in them.
    #[wire("0+")]
    pub directories: Vec<RequestDirectoryData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One directory of the broker.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "DirectoryData")]
pub struct RequestDirectoryData {
    /// The directory's id, as announced in BrokerRegistration.
    #[wire("0+")]
    pub id: Uuid,
    /// The replicas in it, by topic.
    #[wire("0+")]
    pub topics: Vec<RequestTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Replicas of one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct RequestTopicData {
    /// The topic's id; this API has no names.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// The partitions whose replica lies in the directory.
    #[wire("0+")]
    pub partitions: Vec<RequestPartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One replica.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct RequestPartitionData {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for each replica, nested as in the request.
#[derive(Clone, Debug, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct AssignReplicasToDirsResponse {
    /// Milliseconds for which a quota holds the broker back; 0 = no quota was exceeded.
    #[wire("0+")]
    pub throttle_time_ms: i32,
    /// An error of the whole request; nothing was recorded then.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// The results by directory.
    #[wire("0+")]
    pub directories: Vec<ResponseDirectoryData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one directory.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "DirectoryData")]
pub struct ResponseDirectoryData {
    /// The directory's id, as in the request.
    #[wire("0+")]
    pub id: Uuid,
    /// The results, grouped by topic.
    #[wire("0+")]
    pub topics: Vec<ResponseTopicData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The results for one topic.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "TopicData")]
pub struct ResponseTopicData {
    /// The topic's id, as in the request.
    #[wire("0+")]
    pub topic_id: Uuid,
    /// One result per replica.
    #[wire("0+")]
    pub partitions: Vec<ResponsePartitionData>,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// The result for one replica.
#[derive(Clone, Debug, PartialEq, Wire)]
#[wire(name = "PartitionData")]
pub struct ResponsePartitionData {
    /// The partition's number within the topic.
    #[wire("0+")]
    pub partition_index: i32,
    /// `NONE` = the controller has recorded the directory.
    #[wire("0+")]
    pub error_code: ErrorCode,
    /// Tagged fields that this codec does not know.
    pub unknown_tagged_fields: TaggedFields,
}
