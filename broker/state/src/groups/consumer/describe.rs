//! A group as ConsumerGroupDescribe shows it.

use std::collections::BTreeMap;

use strandline_protocol::apis::consumer_group_describe::{
    Assignment, DescribedGroup, Member as DescribedMember, TopicPartitions,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::draft::Context;
use super::member::Member;
use super::{ConsumerGroup, target};

const TYPE_CLASSIC: i8 = 0;
const TYPE_CONSUMER: i8 = 1;

/// The group of this id; none is one that is not there, or is of another kind.
pub fn describe(context: Context<'_>, group_id: &Text, group: Option<&ConsumerGroup>) -> DescribedGroup {
    let Some(group) = group else {
        return DescribedGroup {
            group_id: group_id.clone(),
            error_code: ErrorCode::GROUP_ID_NOT_FOUND,
            error_message: Some(Text::from(format!("Group {group_id} is not a consumer group."))),
            ..Default::default()
        };
    };
    DescribedGroup {
        group_id: group_id.clone(),
        group_state: Text::from_static(group.state().name()),
        group_epoch: group.epoch(),
        assignment_epoch: group.target_epoch(),
        assignor_name: Text::from_static(target::assignor(context, group).name()),
        members: group.members().map(|member| describe_member(context, group, member)).collect(),
        ..Default::default()
    }
}

fn describe_member(context: Context<'_>, group: &ConsumerGroup, member: &Member) -> DescribedMember {
    // What it has not confirmed to have given up is still its own.
    let owned = member.assigned.iter().chain(member.revoking.iter());
    let target = group.target(&member.id).into_iter().flat_map(|target| target.iter());
    DescribedMember {
        member_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        rack_id: member.rack_id.clone(),
        member_epoch: member.epoch,
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        subscribed_topic_names: member.topic_names.to_vec(),
        subscribed_topic_regex: Some(member.topic_regex.clone()),
        assignment: assignment(context, owned.map(|(topic_id, partition, _)| (topic_id, partition))),
        target_assignment: assignment(context, target),
        member_type: if member.is_classic() { TYPE_CLASSIC } else { TYPE_CONSUMER },
        ..Default::default()
    }
}

/// Partitions of topics that are there, by the names that they have now.
fn assignment(context: Context<'_>, partitions: impl Iterator<Item = (Uuid, i32)>) -> Assignment {
    let mut by_topic: BTreeMap<Uuid, Vec<i32>> = BTreeMap::new();
    for (topic_id, partition) in partitions {
        by_topic.entry(topic_id).or_default().push(partition);
    }
    let topics = by_topic.into_iter().filter_map(|(topic_id, mut partitions)| {
        let topic = context.image.topic_by_id(topic_id)?;
        partitions.sort_unstable();
        Some(TopicPartitions { topic_id, topic_name: topic.name().clone(), partitions, ..Default::default() })
    });
    Assignment { topic_partitions: topics.collect(), ..Default::default() }
}
