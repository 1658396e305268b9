//! What stands in the records, field by field. Nothing here ever changes but by a new version or a tag.

use strandline_protocol::{TaggedFields, Text, Uuid, Wire};

/// There is one cluster.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ClusterKey {}

/// The cluster.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ClusterValue {
    /// Its id, which clients see.
    #[wire("0+")]
    pub cluster_id: Text,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which broker.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct BrokerKey {
    /// Its number.
    #[wire("0")]
    pub node_id: i32,
}

/// A broker, as it registered last.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct BrokerValue {
    /// Which start of the broker this is.
    #[wire("0+")]
    pub incarnation_id: Uuid,
    /// The ids of its data directories.
    #[wire("0+")]
    pub directory_ids: Vec<Uuid>,
    /// Where it can be reached.
    #[wire("0+")]
    pub endpoints: Vec<BrokerEndpoint>,
    /// The rack, or zone, that it stands in; null where it did not say.
    #[wire("0+", nullable = "0+", default = null)]
    pub rack: Option<Text>,
    /// Whether it is kept from leading anything.
    #[wire("0+")]
    pub fenced: bool,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// An address of a broker.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
pub struct BrokerEndpoint {
    /// The listener that the address belongs to.
    #[wire("0+")]
    pub listener: Text,
    /// The name or address that clients are told.
    #[wire("0+")]
    pub host: Text,
    /// The port that clients are told.
    #[wire("0+")]
    pub port: u16,
    /// How the listener is secured, by Kafka's number: 0 plaintext, 1 SSL, 2 SASL over plaintext, 3 over SSL.
    #[wire("0+")]
    pub security_protocol: i16,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which topic.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct TopicKey {
    /// Its id, which no other topic ever had.
    #[wire("0")]
    pub topic_id: Uuid,
}

/// A topic.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct TopicValue {
    /// Its name.
    #[wire("0+")]
    pub name: Text,
    /// Whether it belongs to the brokers, not to a user.
    #[wire("0+")]
    pub is_internal: bool,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which partition.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct PartitionKey {
    /// The topic's id.
    #[wire("0")]
    pub topic_id: Uuid,
    /// The partition's number in the topic.
    #[wire("0")]
    pub index: i32,
}

/// A partition.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct PartitionValue {
    /// The brokers that have a copy, the one that leads if it can first.
    #[wire("0+")]
    pub replicas: Vec<i32>,
    /// For each replica, the directory that the copy is in.
    #[wire("0+")]
    pub directory_ids: Vec<Uuid>,
    /// The replicas that are in sync.
    #[wire("0+")]
    pub isr: Vec<i32>,
    /// Replicas that left the in-sync set and still have all that was committed (KIP-966).
    #[wire("0+")]
    pub eligible_leader_replicas: Vec<i32>,
    /// What the eligible leader replicas were before an unclean shutdown of one of them.
    #[wire("0+")]
    pub last_known_elr: Vec<i32>,
    /// The broker that leads; -1 = none.
    #[wire("0+", default = -1)]
    pub leader: i32,
    /// Rises with each leader.
    #[wire("0+")]
    pub leader_epoch: i32,
    /// Rises with each change of this record.
    #[wire("0+")]
    pub partition_epoch: i32,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which resource.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ConfigKey {
    /// The type of resource, by Kafka's number: 2 topic, 4 broker.
    #[wire("0")]
    pub resource_type: i8,
    /// The resource's name: a topic's name, a broker's number or nothing for all brokers.
    #[wire("0")]
    pub resource_name: Text,
}

/// All that is set on a resource.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ConfigValue {
    /// By rising name.
    #[wire("0+")]
    pub entries: Vec<ConfigEntry>,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// One thing that is set.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
pub struct ConfigEntry {
    /// The setting.
    #[wire("0+")]
    pub name: Text,
    /// What it is set to.
    #[wire("0+")]
    pub value: Text,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// Which feature.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct FeatureKey {
    /// Its name.
    #[wire("0")]
    pub name: Text,
}

/// The level of a feature.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct FeatureValue {
    /// The level. A feature that is off has no record.
    #[wire("0+")]
    pub level: i16,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}

/// There is one row of producer ids.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "none")]
pub struct ProducerIdsKey {}

/// The producer ids.
#[derive(Clone, Debug, Eq, PartialEq, Wire)]
#[message(versions = "0", flexible = "0+")]
pub struct ProducerIdsValue {
    /// The first that has not been handed out.
    #[wire("0+")]
    pub next_id: i64,
    /// Tagged fields that this program does not know.
    pub unknown_tagged_fields: TaggedFields,
}
