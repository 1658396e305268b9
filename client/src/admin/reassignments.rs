//! Where partitions are, and who leads them: moves to other brokers, and elections.

use std::collections::BTreeMap;

use strandline_protocol::apis::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use strandline_protocol::apis::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use strandline_protocol::apis::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsTopics,
};

use super::{Admin, EachPartition, by_topic};
use crate::error::{Error, Result};

/// A partition that is moving to other brokers.
///
/// ```
/// assert!(strandline_client::Reassignment::default().adding.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reassignment {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// The brokers that have it at the moment, those included that are to get it and to lose it.
    pub replicas: Vec<i32>,
    /// Those that are to get it.
    pub adding: Vec<i32>,
    /// Those that are to lose it.
    pub removing: Vec<i32>,
}

/// How a leader is chosen.
///
/// ```
/// assert_ne!(strandline_client::Election::Preferred, strandline_client::Election::Unclean);
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Election {
    /// The first of the replicas is to lead.
    Preferred,
    /// Where nobody who is in sync is left, somebody who is not: what it lacks is lost.
    Unclean,
}

impl Admin {
    /// The partitions that are moving: of all, or of these.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for moving in admin.list_reassignments(None).await? {
    ///     println!("{}-{} to {:?}", moving.topic, moving.partition, moving.adding);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_reassignments(&self, partitions: Option<&[(&str, i32)]>) -> Result<Vec<Reassignment>> {
        let topic = |(name, partition_indexes): (&str, Vec<i32>)| ListPartitionReassignmentsTopics {
            name: name.into(),
            partition_indexes,
            ..Default::default()
        };
        let request = ListPartitionReassignmentsRequest {
            timeout_ms: self.timeout_ms(),
            topics: partitions.map(|partitions| by_topic(partitions).into_iter().map(topic).collect()),
            ..Default::default()
        };
        let response = self.client.ask_controller(&request, |response| Some(response.error_code)).await?;
        let message = response.error_message.map(String::from);
        Error::check(response.error_code, || "the reassignments".to_owned(), message)?;
        let mut found = Vec::new();
        for topic in response.topics {
            for it in topic.partitions {
                found.push(Reassignment {
                    topic: topic.name.clone().into(),
                    partition: it.partition_index,
                    replicas: it.replicas,
                    adding: it.adding_replicas,
                    removing: it.removing_replicas,
                });
            }
        }
        Ok(found)
    }

    /// Has partitions move to these brokers; none of them takes back a move that is under way.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (partition, begun) in admin.reassign(&[("orders", 0, Some(vec![2, 3]))]).await? {
    ///     println!("{partition:?}: {begun:?}");
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn reassign(&self, moves: &[(&str, i32, Option<Vec<i32>>)]) -> Result<EachPartition<()>> {
        let mut topics: BTreeMap<&str, Vec<ReassignablePartition>> = BTreeMap::new();
        for (topic, partition_index, replicas) in moves {
            topics.entry(topic).or_default().push(ReassignablePartition {
                partition_index: *partition_index,
                replicas: replicas.clone(),
                ..Default::default()
            });
        }
        let topic = |(name, partitions): (&str, _)| ReassignableTopic {
            name: name.into(),
            partitions,
            ..Default::default()
        };
        let request = AlterPartitionReassignmentsRequest {
            timeout_ms: self.timeout_ms(),
            topics: topics.into_iter().map(topic).collect(),
            ..Default::default()
        };
        let response = self.client.ask_controller(&request, |response| Some(response.error_code)).await?;
        let message = response.error_message.map(String::from);
        Error::check(response.error_code, || "the reassignments".to_owned(), message)?;
        let mut results = Vec::new();
        for topic in response.responses {
            for it in topic.partitions {
                let subject = || format!("{}-{}", topic.name, it.partition_index);
                let message = it.error_message.clone().map(String::from);
                let key = (topic.name.clone().into(), it.partition_index);
                results.push((key, Error::check(it.error_code, subject, message)));
            }
        }
        Ok(results)
    }

    /// Has leaders elected: of all partitions, or of these. Those that need none are left out of the answer.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::Election;
    /// admin.elect_leaders(Election::Preferred, Some(&[("orders", 0)])).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn elect_leaders(
        &self,
        election: Election,
        partitions: Option<&[(&str, i32)]>,
    ) -> Result<EachPartition<()>> {
        let topic = |(topic, partitions): (&str, Vec<i32>)| TopicPartitions {
            topic: topic.into(),
            partitions,
            ..Default::default()
        };
        let request = ElectLeadersRequest {
            election_type: match election {
                Election::Preferred => 0,
                Election::Unclean => 1,
            },
            topic_partitions: partitions
                .map(|partitions| by_topic(partitions).into_iter().map(topic).collect()),
            timeout_ms: self.timeout_ms(),
            ..Default::default()
        };
        let response = self.client.ask_controller(&request, |response| Some(response.error_code)).await?;
        Error::check(response.error_code, || "the election".to_owned(), None)?;
        let mut results = Vec::new();
        for topic in response.replica_election_results {
            for it in topic.partition_result {
                let subject = || format!("{}-{}", topic.topic, it.partition_id);
                let message = it.error_message.clone().map(String::from);
                let key = (topic.topic.clone().into(), it.partition_id);
                results.push((key, Error::check(it.error_code, subject, message)));
            }
        }
        Ok(results)
    }
}
