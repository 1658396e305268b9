//! Groups: which there are, who is in them, how far they have read; their offsets set and deleted, and they themselves.

use std::collections::BTreeMap;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::delete_groups::DeleteGroupsRequest;
use strandline_protocol::apis::describe_groups::{
    DescribeGroupsRequest, DescribedGroup, DescribedGroupMember,
};
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::embedded::consumer::ConsumerProtocolAssignment;
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{ErrorCode, Text};

use super::{Admin, Each, EachPartition, GroupFilter};
use crate::cluster::Coordinated;
use crate::error::{Error, Result};

/// The last versions that name topics; later ones have their ids.
const COMMIT_BY_NAME: VersionRange = VersionRange::new(2, 9);

/// A group as the list of groups has it.
///
/// ```
/// assert_eq!(strandline_client::GroupListing::default().state, None);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupListing {
    /// Its name.
    pub name: String,
    /// What its members do: `consumer` for those that consume.
    pub protocol_type: String,
    /// Its state, such as `Stable` or `Empty` (Kafka 2.6 and newer).
    pub state: Option<String>,
    /// Its kind, such as `classic` or `consumer` (Kafka 3.8 and newer).
    pub kind: Option<String>,
}

/// A group and its members.
///
/// ```
/// assert!(strandline_client::GroupDescription::default().members.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupDescription {
    /// Its state.
    pub state: String,
    /// What its members do.
    pub protocol_type: String,
    /// How its partitions are given out, once that is agreed on.
    pub assignor: String,
    /// Its members.
    pub members: Vec<GroupMember>,
}

/// A member of a group.
///
/// ```
/// assert!(strandline_client::GroupMember::default().partitions.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct GroupMember {
    /// The id that it has from the coordinator.
    pub id: String,
    /// The name that it keeps from one start to the next, if it has one.
    pub instance: Option<String>,
    /// What it calls itself.
    pub client_id: String,
    /// Where it connects from.
    pub host: String,
    /// What is assigned to it, where its kind of assignment is understood.
    pub partitions: Vec<(String, i32)>,
}

impl Admin {
    /// Every group, of every broker.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for group in admin.list_groups().await? {
    ///     println!("{}: {:?}", group.name, group.state);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_groups(&self) -> Result<Vec<GroupListing>> {
        self.list_groups_of(&GroupFilter::new()).await
    }

    /// The groups of every broker that pass a filter. Brokers that are too old for it are an error.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// use strandline_client::GroupFilter;
    /// println!("{} groups are idle", admin.list_groups_of(&GroupFilter::new().state("Empty")).await?.len());
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn list_groups_of(&self, filter: &GroupFilter) -> Result<Vec<GroupListing>> {
        let (request, versions) = filter.question();
        let metadata = self.client.refresh(&[]).await?;
        let mut found = BTreeMap::new();
        for broker in &metadata.brokers {
            let connection = self.client.broker(broker.id).await?;
            let response = connection.submit(&request, versions).await?.await?;
            Error::check(response.error_code, || format!("the groups of broker {}", broker.id), None)?;
            let some = |text: Text| Some(String::from(text)).filter(|text| !text.is_empty());
            for group in response.groups {
                let name = String::from(group.group_id);
                let listing = GroupListing {
                    name: name.clone(),
                    protocol_type: group.protocol_type.into(),
                    state: some(group.group_state),
                    kind: some(group.group_type),
                };
                found.insert(name, listing);
            }
        }
        Ok(found.into_values().collect())
    }

    /// The members of these groups. A group that is not there is described as `Dead` by brokers before Kafka 4.0, and
    /// refused with `GROUP_ID_NOT_FOUND` by later ones.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, group) in admin.describe_groups(&["billing"]).await {
    ///     println!("{name} has {} members", group?.members.len());
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| { stage.group().await?; example(&stage.client.admin()).await });
    /// ```
    pub async fn describe_groups(&self, names: &[&str]) -> Each<GroupDescription> {
        let mut results = Vec::new();
        for name in names {
            results.push(((*name).to_owned(), self.describe_group(name).await));
        }
        results
    }

    async fn describe_group(&self, name: &str) -> Result<GroupDescription> {
        let request = DescribeGroupsRequest { groups: vec![name.into()], ..Default::default() };
        let versions = ApiKey::DescribeGroups.api().stable_versions();
        let code =
            |response: &strandline_protocol::apis::describe_groups::DescribeGroupsResponse| -> Option<ErrorCode> {
                response.groups.first().map(|group| group.error_code)
            };
        let response =
            self.client.ask_coordinator(Coordinated::Group, name, (&request, versions), code).await?;
        let group =
            response.groups.into_iter().next().ok_or_else(|| Error::Missing(format!("group {name}")))?;
        // What the classic protocol knows nothing of may be a group of the other one.
        if (group.error_code == ErrorCode::GROUP_ID_NOT_FOUND || group.group_state == "Dead")
            && let Ok(other) = self.describe_consumer_group(name).await
        {
            return Ok(other.into());
        }
        let message = group.error_message.clone().map(String::from);
        Error::check(group.error_code, || format!("group {name}"), message)?;
        Ok(described(group))
    }

    /// Sets how far a group has read: each offset is that of the record that comes next. The group must have no
    /// members.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for ((topic, partition), result) in admin.set_group_offsets("billing", &[("orders", 0, 42)]).await? {
    ///     println!("{topic}-{partition}: {:?}", result?);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn set_group_offsets(
        &self,
        group: &str,
        offsets: &[(&str, i32, i64)],
    ) -> Result<EachPartition<()>> {
        let mut topics: BTreeMap<&str, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (topic, partition, offset) in offsets {
            topics.entry(topic).or_default().push(OffsetCommitRequestPartition {
                partition_index: *partition,
                committed_offset: *offset,
                committed_metadata: Some(Text::new()),
                ..Default::default()
            });
        }
        let topics = topics.into_iter().map(|(name, partitions)| OffsetCommitRequestTopic {
            name: name.into(),
            partitions,
            ..Default::default()
        });
        let request =
            OffsetCommitRequest { group_id: group.into(), topics: topics.collect(), ..Default::default() };
        let question = (&request, COMMIT_BY_NAME);
        let response = self
            .client
            .ask_coordinator(Coordinated::Group, group, question, |response| {
                response.topics.first()?.partitions.first().map(|partition| partition.error_code)
            })
            .await?;
        let mut results = Vec::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let subject = || format!("{group}: {}-{}", topic.name, partition.partition_index);
                let key = (topic.name.clone().into(), partition.partition_index);
                results.push((key, Error::check(partition.error_code, subject, None)));
            }
        }
        Ok(results)
    }

    /// Forgets how far a group has read partitions.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.delete_group_offsets("billing", &[("orders", 0)]).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| { stage.group().await?; example(&stage.client.admin()).await });
    /// ```
    pub async fn delete_group_offsets(
        &self,
        group: &str,
        partitions: &[(&str, i32)],
    ) -> Result<EachPartition<()>> {
        let mut topics: BTreeMap<&str, Vec<OffsetDeleteRequestPartition>> = BTreeMap::new();
        for (topic, partition) in partitions {
            topics
                .entry(topic)
                .or_default()
                .push(OffsetDeleteRequestPartition { partition_index: *partition });
        }
        let topics = topics
            .into_iter()
            .map(|(name, partitions)| OffsetDeleteRequestTopic { name: name.into(), partitions });
        let request = OffsetDeleteRequest { group_id: group.into(), topics: topics.collect() };
        let question = (&request, ApiKey::OffsetDelete.api().stable_versions());
        let code = |response: &strandline_protocol::apis::offset_delete::OffsetDeleteResponse| {
            Some(response.error_code)
        };
        let response = self.client.ask_coordinator(Coordinated::Group, group, question, code).await?;
        Error::check(response.error_code, || format!("group {group}"), None)?;
        let mut results = Vec::new();
        for topic in response.topics {
            for partition in topic.partitions {
                let subject = || format!("{group}: {}-{}", topic.name, partition.partition_index);
                let key = (topic.name.clone().into(), partition.partition_index);
                results.push((key, Error::check(partition.error_code, subject, None)));
            }
        }
        Ok(results)
    }

    /// Deletes groups that have no members, with all their offsets.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, result) in admin.delete_groups(&["billing"]).await {
    ///     println!("{name}: {:?}", result);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client.admin()).await);
    /// ```
    pub async fn delete_groups(&self, names: &[&str]) -> Each<()> {
        let mut results = Vec::new();
        for name in names {
            let request = DeleteGroupsRequest { groups_names: vec![(*name).into()], ..Default::default() };
            let question = (&request, ApiKey::DeleteGroups.api().stable_versions());
            let code = |response: &strandline_protocol::apis::delete_groups::DeleteGroupsResponse| {
                response.results.first().map(|result| result.error_code)
            };
            let asked = self.client.ask_coordinator(Coordinated::Group, name, question, code).await;
            let result = asked.and_then(|response| {
                let first = response.results.first();
                let code = first.ok_or_else(|| Error::Missing(format!("group {name}")))?.error_code;
                Error::check(code, || format!("group {name}"), None)
            });
            results.push(((*name).to_owned(), result));
        }
        results
    }
}

fn described(group: DescribedGroup) -> GroupDescription {
    GroupDescription {
        state: group.group_state.into(),
        protocol_type: group.protocol_type.into(),
        assignor: group.protocol_data.into(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn member(member: DescribedGroupMember) -> GroupMember {
    // What another kind of member has there is for itself to understand.
    let assignment = ConsumerProtocolAssignment::from_member_bytes(member.member_assignment).ok();
    let topics = assignment.into_iter().flat_map(|assignment| assignment.assigned_partitions);
    let partitions = topics.flat_map(|topic| {
        let name = String::from(topic.topic);
        topic.partitions.into_iter().map(move |partition| (name.clone(), partition))
    });
    GroupMember {
        id: member.member_id.into(),
        instance: member.group_instance_id.map(String::from),
        client_id: member.client_id.into(),
        host: member.client_host.into(),
        partitions: partitions.collect(),
    }
}
