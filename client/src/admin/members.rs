//! Groups of the consumer protocol, and members that are to go.

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::consumer_group_describe::{
    Assignment, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberIdentity};
use strandline_protocol::schema::VersionRange;

use super::{Admin, Each, GroupDescription, GroupMember};
use crate::cluster::Coordinated;
use crate::error::{Error, Result};

/// A group of the consumer protocol, with what its coordinator knows besides.
///
/// ```
/// assert_eq!(strandline_client::ConsumerGroupDescription::default().group_epoch, 0);
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConsumerGroupDescription {
    /// Where it stands, in Kafka's words: `Empty`, `Assigning`, `Reconciling`, `Stable`.
    pub state: String,
    /// Raised whenever members, subscriptions or topics change.
    pub group_epoch: i32,
    /// The epoch that what is assigned was worked out for.
    pub assignment_epoch: i32,
    /// The coordinator's rule.
    pub assignor: String,
    /// The members.
    pub members: Vec<ConsumerGroupMember>,
}

/// A member of a group of the consumer protocol.
///
/// ```
/// assert!(strandline_client::ConsumerGroupMember::default().target.is_empty());
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ConsumerGroupMember {
    /// Its id.
    pub id: String,
    /// Its own name, if it has one.
    pub instance: Option<String>,
    /// The rack it says it is in.
    pub rack: Option<String>,
    /// How far it has followed the group.
    pub epoch: i32,
    /// What it calls itself.
    pub client_id: String,
    /// Where it is.
    pub host: String,
    /// The topics that it named.
    pub topics: Vec<String>,
    /// The pattern that it gave.
    pub pattern: Option<String>,
    /// What it has.
    pub partitions: Vec<(String, i32)>,
    /// What it is to have.
    pub target: Vec<(String, i32)>,
    /// Whether it still speaks the classic protocol.
    pub is_classic: bool,
}

/// The first version of LeaveGroup that names members.
const LEAVE_MANY_FIRST: i16 = 3;

impl Admin {
    /// Groups of the consumer protocol. [`Admin::describe_groups`] knows the other ones, too.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// for (name, group) in admin.describe_consumer_groups(&["billing"]).await {
    ///     println!("{name}: epoch {}", group?.group_epoch);
    /// }
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| {
    /// #     let _member = stage.member().await?;
    /// #     example(&stage.client.admin()).await
    /// # });
    /// ```
    pub async fn describe_consumer_groups(&self, names: &[&str]) -> Each<ConsumerGroupDescription> {
        let mut results = Vec::new();
        for name in names {
            results.push(((*name).to_owned(), self.describe_consumer_group(name).await));
        }
        results
    }

    pub(super) async fn describe_consumer_group(&self, name: &str) -> Result<ConsumerGroupDescription> {
        let request = ConsumerGroupDescribeRequest { group_ids: vec![name.into()], ..Default::default() };
        let question = (&request, ApiKey::ConsumerGroupDescribe.api().stable_versions());
        let code =
            |response: &ConsumerGroupDescribeResponse| response.groups.first().map(|group| group.error_code);
        let response = self.client.ask_coordinator(Coordinated::Group, name, question, code).await?;
        let group = response.groups.into_iter().next();
        let group = group.ok_or_else(|| Error::Missing(format!("group {name}")))?;
        let message = group.error_message.clone().map(String::from);
        Error::check(group.error_code, || format!("group {name}"), message)?;
        Ok(described(group))
    }

    /// Has members leave a group of the classic protocol: those of these names of their own.
    ///
    /// ```
    /// # async fn example(admin: &strandline_client::Admin) -> Result<(), strandline_client::Error> {
    /// admin.remove_instances("billing", &["billing-1"]).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| {
    /// #     let _member = stage.member_of_name("billing-1").await?;
    /// #     example(&stage.client.admin()).await
    /// # });
    /// ```
    pub async fn remove_instances(&self, group: &str, instances: &[&str]) -> Result<Each<()>> {
        let member = |instance: &&str| MemberIdentity {
            group_instance_id: Some((*instance).into()),
            reason: Some("an administrator removed it".into()),
            ..Default::default()
        };
        let members = instances.iter().map(member).collect();
        let request = LeaveGroupRequest { group_id: group.into(), members, ..Default::default() };
        let versions = VersionRange::new(LEAVE_MANY_FIRST, ApiKey::LeaveGroup.api().stable_versions().last);
        let code = |response: &LeaveGroupResponse| Some(response.error_code);
        let question = (&request, versions);
        let response = self.client.ask_coordinator(Coordinated::Group, group, question, code).await?;
        Error::check(response.error_code, || format!("group {group}"), None)?;
        let result = |member: strandline_protocol::apis::leave_group::MemberResponse| {
            let name = String::from(member.group_instance_id.unwrap_or(member.member_id));
            let checked = Error::check(member.error_code, || format!("{group}: {name}"), None);
            (name, checked)
        };
        Ok(response.members.into_iter().map(result).collect())
    }
}

fn described(group: DescribedGroup) -> ConsumerGroupDescription {
    ConsumerGroupDescription {
        state: group.group_state.into(),
        group_epoch: group.group_epoch,
        assignment_epoch: group.assignment_epoch,
        assignor: group.assignor_name.into(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn member(member: Member) -> ConsumerGroupMember {
    ConsumerGroupMember {
        id: member.member_id.into(),
        instance: member.instance_id.map(String::from),
        rack: member.rack_id.map(String::from),
        epoch: member.member_epoch,
        client_id: member.client_id.into(),
        host: member.client_host.into(),
        topics: member.subscribed_topic_names.into_iter().map(String::from).collect(),
        pattern: member.subscribed_topic_regex.map(String::from).filter(|pattern| !pattern.is_empty()),
        partitions: partitions(member.assignment),
        target: partitions(member.target_assignment),
        is_classic: member.member_type == 0,
    }
}

fn partitions(assignment: Assignment) -> Vec<(String, i32)> {
    let topics = assignment.topic_partitions.into_iter();
    let partitions = topics.flat_map(|topic| {
        let name = String::from(topic.topic_name);
        topic.partitions.into_iter().map(move |partition| (name.clone(), partition))
    });
    partitions.collect()
}

impl From<ConsumerGroupDescription> for GroupDescription {
    fn from(group: ConsumerGroupDescription) -> Self {
        let member = |member: ConsumerGroupMember| GroupMember {
            id: member.id,
            instance: member.instance,
            client_id: member.client_id,
            host: member.host,
            partitions: member.partitions,
        };
        Self {
            state: group.state,
            protocol_type: "consumer".to_owned(),
            assignor: group.assignor,
            members: group.members.into_iter().map(member).collect(),
        }
    }
}
