//! Who is in a group, by whichever of the two protocols it has members.

use strandline_client::{Client, Error, GroupDescription, GroupMember};
use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::consumer_group_describe::{
    ConsumerGroupDescribeRequest, DescribedGroup, Member,
};
use strandline_protocol::{ErrorCode, Text};

use crate::coordinator::{self, Kept};

/// A group of the classic protocol, or of the one that came after it.
pub(super) async fn described(client: &Client, name: &str) -> Result<GroupDescription, Error> {
    let mut classic = client.admin().describe_groups(&[name]).await;
    let classic = classic.pop().map_or_else(|| Ok(GroupDescription::default()), |(_, group)| group);
    let is_none = match &classic {
        Ok(group) => group.state == "Dead",
        Err(error) => error.code() == Some(ErrorCode::GROUP_ID_NOT_FOUND),
    };
    if !is_none {
        return classic;
    }
    match consumer_group(client, name).await {
        Ok(Some(group)) => Ok(group),
        // It is neither: what was said first is what counts.
        Ok(None) | Err(_) => {
            let none = || Error::broker(ErrorCode::GROUP_ID_NOT_FOUND, format!("group {name}"), None);
            classic.and_then(|_| Err(none()))
        }
    }
}

async fn consumer_group(client: &Client, name: &str) -> Result<Option<GroupDescription>, Error> {
    let connection = coordinator::of(client, Kept::Group, name).await?;
    if connection.versions().of(ApiKey::ConsumerGroupDescribe).is_empty() {
        return Ok(None);
    }
    let request = ConsumerGroupDescribeRequest { group_ids: vec![name.into()], ..Default::default() };
    let response = connection.request(&request).await?;
    let group = response.groups.into_iter().next();
    Ok(group.filter(|group| group.error_code == ErrorCode::NONE).map(description))
}

fn description(group: DescribedGroup) -> GroupDescription {
    GroupDescription {
        state: group.group_state.into(),
        protocol_type: "consumer".to_owned(),
        assignor: group.assignor_name.into(),
        members: group.members.into_iter().map(member).collect(),
    }
}

fn member(member: Member) -> GroupMember {
    let assigned = member.assignment.topic_partitions.into_iter().flat_map(|topic| {
        let name = String::from(topic.topic_name);
        topic.partitions.into_iter().map(move |partition| (name.clone(), partition))
    });
    GroupMember {
        partitions: assigned.collect(),
        id: member.member_id.into(),
        instance: member.instance_id.map(|id: Text| id.into()),
        client_id: member.client_id.into(),
        host: member.client_host.into(),
    }
}
