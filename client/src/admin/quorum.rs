//! The quorum behind the metadata: who leads it, and how far the others are.

use strandline_protocol::apis::describe_quorum::{
    DescribeQuorumRequest, ReplicaState, RequestPartitionData, RequestTopicData,
};

use super::Admin;
use crate::error::{Error, Result};

/// The log of the cluster's metadata.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// The quorum that keeps the metadata.
///
/// ```
/// assert!(strandline_client::QuorumDescription::default().voters.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct QuorumDescription {
    /// The node that leads.
    pub leader_id: i32,
    /// Its epoch.
    pub leader_epoch: i32,
    /// Up to where a majority has the log.
    pub high_watermark: i64,
    /// Those who vote.
    pub voters: Vec<QuorumReplica>,
    /// Those who only follow.
    pub observers: Vec<QuorumReplica>,
}

/// A node's copy of the log of metadata.
///
/// ```
/// assert_eq!(strandline_client::QuorumReplica::default().last_caught_up, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct QuorumReplica {
    /// The node.
    pub id: i32,
    /// Where its copy ends.
    pub end_offset: i64,
    /// When it last asked for more, in milliseconds since 1970.
    pub last_fetch: Option<i64>,
    /// When it last had all that the leader had.
    pub last_caught_up: Option<i64>,
}

impl Admin {
    /// Who leads the quorum behind the metadata, and how far the others are.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// println!("led by {}", admin.describe_quorum().await?.leader_id);
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn describe_quorum(&self) -> Result<QuorumDescription> {
        let partitions = vec![RequestPartitionData::default()];
        let topic = RequestTopicData { topic_name: METADATA_TOPIC.into(), partitions, ..Default::default() };
        let request = DescribeQuorumRequest { topics: vec![topic], ..Default::default() };
        let response = self.client.ask_controller(&request, |response| Some(response.error_code)).await?;
        let subject = || "the quorum".to_owned();
        Error::check(response.error_code, subject, response.error_message.map(String::from))?;
        let partition = response.topics.into_iter().flat_map(|topic| topic.partitions).next();
        let partition = partition.ok_or_else(|| Error::Missing(subject()))?;
        Error::check(partition.error_code, subject, partition.error_message.map(String::from))?;
        Ok(QuorumDescription {
            leader_id: partition.leader_id,
            leader_epoch: partition.leader_epoch,
            high_watermark: partition.high_watermark,
            voters: partition.current_voters.iter().map(replica).collect(),
            observers: partition.observers.iter().map(replica).collect(),
        })
    }
}

fn replica(state: &ReplicaState) -> QuorumReplica {
    let known = |time: i64| Some(time).filter(|time| *time >= 0);
    QuorumReplica {
        id: state.replica_id,
        end_offset: state.log_end_offset,
        last_fetch: known(state.last_fetch_timestamp),
        last_caught_up: known(state.last_caught_up_timestamp),
    }
}
