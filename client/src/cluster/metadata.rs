//! The picture of a cluster: brokers, topics, and who leads what.

use std::collections::HashMap;

use strandline_protocol::apis::metadata::{
    MetadataRequest, MetadataResponse, MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::{ErrorCode, Uuid};

use crate::address::BrokerAddress;
use crate::error::{Error, Result};

/// A cluster as a broker described it. Immutable: a newer one takes its place.
///
/// ```
/// assert!(strandline_client::ClusterMetadata::default().leader("orders", 0).is_none());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ClusterMetadata {
    /// The cluster's id, from brokers that have one.
    pub cluster_id: Option<String>,
    /// A broker that takes requests for the controller.
    pub controller_id: Option<i32>,
    /// The brokers that are alive.
    pub brokers: Vec<BrokerInfo>,
    /// The topics that were asked for and exist, by name.
    pub topics: HashMap<String, TopicInfo>,
}

/// A broker, and where it listens.
///
/// ```
/// use strandline_client::{BrokerAddress, BrokerInfo};
/// let broker = BrokerInfo { id: 1, address: BrokerAddress::new("a", 9092), rack: None };
/// assert_eq!(broker.address.to_string(), "a:9092");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BrokerInfo {
    /// Its id.
    pub id: i32,
    /// Where it listens.
    pub address: BrokerAddress,
    /// The rack it stands in, if it was told.
    pub rack: Option<String>,
}

/// A topic and its partitions.
///
/// ```
/// assert!(strandline_client::TopicInfo::default().id.is_zero(), "brokers before Kafka 2.8 have no ids");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicInfo {
    /// Its name.
    pub name: String,
    /// Its id; zero from brokers that have none.
    pub id: Uuid,
    /// Whether it is one of the cluster's own.
    pub is_internal: bool,
    /// The partitions, by rising number.
    pub partitions: Vec<PartitionInfo>,
}

/// A partition: who leads it and who holds it.
///
/// ```
/// assert_eq!(strandline_client::PartitionInfo::default().leader, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PartitionInfo {
    /// Its number.
    pub partition: i32,
    /// The broker to produce to and to fetch from, unless there is none at present.
    pub leader: Option<i32>,
    /// Counts the changes of leader; -1 from brokers that do not tell.
    pub leader_epoch: i32,
    /// The brokers that hold a copy, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Those whose copy is in sync.
    pub in_sync: Vec<i32>,
    /// Those that are down.
    pub offline: Vec<i32>,
}

impl ClusterMetadata {
    /// The broker of this id.
    ///
    /// ```
    /// assert!(strandline_client::ClusterMetadata::default().broker(1).is_none());
    /// ```
    pub fn broker(&self, id: i32) -> Option<&BrokerInfo> {
        self.brokers.iter().find(|broker| broker.id == id)
    }

    /// The leader of a partition, if it is known and has one.
    ///
    /// ```
    /// assert!(strandline_client::ClusterMetadata::default().leader("orders", 0).is_none());
    /// ```
    pub fn leader(&self, topic: &str, partition: i32) -> Option<&BrokerInfo> {
        self.broker(self.topics.get(topic)?.partition(partition)?.leader?)
    }

    /// What is known once `response` has answered `request`.
    pub(super) fn updated(
        &self,
        request: &MetadataRequest,
        response: &MetadataResponse,
        brokers: Vec<BrokerInfo>,
    ) -> Self {
        // Asked for all, what is not in the answer is no more.
        let mut topics = if request.topics.is_none() { HashMap::new() } else { self.topics.clone() };
        for asked in request.topics.iter().flatten() {
            if let Some(name) = &asked.name {
                topics.remove(name.as_str());
            }
        }
        let described = response.topics.iter().filter(|topic| topic.error_code == ErrorCode::NONE);
        topics.extend(described.filter_map(topic_info).map(|topic| (topic.name.clone(), topic)));
        Self {
            cluster_id: response.cluster_id.clone().map(String::from),
            controller_id: some_id(response.controller_id),
            brokers,
            topics,
        }
    }
}

/// The brokers that an answer names. One that cannot be is an error.
pub(super) fn brokers(response: &MetadataResponse) -> Result<Vec<BrokerInfo>> {
    let brokers = response.brokers.iter().map(|broker| {
        let port = u16::try_from(broker.port).ok().filter(|port| *port != 0);
        let port = port.ok_or_else(|| Error::Missing(format!("the port of broker {}", broker.node_id)))?;
        let address = BrokerAddress::new(broker.host.as_str(), port);
        let rack = broker.rack.clone().map(String::from);
        Ok(BrokerInfo { id: broker.node_id, address, rack })
    });
    brokers.collect()
}

impl TopicInfo {
    /// The partition of this number.
    ///
    /// ```
    /// assert!(strandline_client::TopicInfo::default().partition(0).is_none());
    /// ```
    pub fn partition(&self, partition: i32) -> Option<&PartitionInfo> {
        let place = self.partitions.binary_search_by_key(&partition, |info| info.partition);
        place.ok().and_then(|index| self.partitions.get(index))
    }
}

/// A topic that has a name, as every one has that was asked for by name.
pub(crate) fn topic_info(topic: &MetadataResponseTopic) -> Option<TopicInfo> {
    let mut partitions: Vec<_> = topic.partitions.iter().map(partition_info).collect();
    partitions.sort_by_key(|info| info.partition);
    Some(TopicInfo {
        name: topic.name.clone()?.into(),
        id: topic.topic_id,
        is_internal: topic.is_internal,
        partitions,
    })
}

fn partition_info(partition: &MetadataResponsePartition) -> PartitionInfo {
    PartitionInfo {
        partition: partition.partition_index,
        leader: some_id(partition.leader_id),
        leader_epoch: partition.leader_epoch,
        replicas: partition.replica_nodes.clone(),
        in_sync: partition.isr_nodes.clone(),
        offline: partition.offline_replicas.clone(),
    }
}

fn some_id(id: i32) -> Option<i32> {
    if id < 0 { None } else { Some(id) }
}
