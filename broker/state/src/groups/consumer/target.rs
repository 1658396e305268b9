//! The target: who shall have which partitions.

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::{Text, Uuid};

use super::draft::{Context, Draft, Refusal};
use super::member::Member;
use super::{ConsumerGroup, TimerKind, records};
use crate::groups::assignors::{Assignor, MemberSpec, PartitionCounts};
use crate::metadata::MetadataImage;

/// Computes a new target if the one that stands is for an older epoch, and old enough.
pub(super) fn update(context: Context<'_>, draft: &mut Draft<'_>) -> Result<(), Refusal> {
    if draft.target_epoch >= draft.epoch {
        return Ok(());
    }
    let interval_ms = i64::from(context.settings.assignment_interval_ms(context.image, draft.id()));
    let next_ms = draft.target_at_ms.saturating_add(interval_ms);
    let is_clock_set_back = draft.target_at_ms > context.now_ms;
    if draft.target_at_ms != 0 && !is_clock_set_back && context.now_ms < next_ms {
        draft.set_timer(TimerKind::Assign, &Text::new(), next_ms);
        return Ok(());
    }
    compute(context, draft);
    Ok(())
}

fn compute(context: Context<'_>, draft: &mut Draft<'_>) {
    let assignor = assignor(context, draft);
    let (specs, partition_counts) = specs(draft, context.image);
    let targets = assignor.assign(&specs, &partition_counts);
    let group_id = draft.id().clone();
    for (spec, target) in specs.iter().zip(&targets) {
        if draft.target(&spec.member_id).is_none_or(|before| **before != *target) {
            draft.write([records::target(&group_id, &spec.member_id, target)]);
        }
    }
    draft.write([records::target_epoch(&group_id, draft.epoch, context.now_ms)]);
}

/// The assignor that most members would like, of those that are allowed.
pub(super) fn assignor(context: Context<'_>, group: &ConsumerGroup) -> Assignor {
    let mut wishes: BTreeMap<&Text, usize> = BTreeMap::new();
    for wish in group.members().filter_map(|member| member.assignor.as_ref()) {
        *wishes.entry(wish).or_default() += 1;
    }
    let most = wishes.values().copied().max();
    let wished = |assignor: &&Assignor| wishes.get(&Text::from_static(assignor.name())).copied() == most;
    let found = most.and_then(|_| context.settings.assignors.iter().find(wished));
    found.copied().unwrap_or(context.settings.default_assignor())
}

fn specs(group: &ConsumerGroup, image: &MetadataImage) -> (Vec<MemberSpec>, PartitionCounts) {
    let mut partition_counts = PartitionCounts::new();
    // Most members of a group are subscribed to the same.
    let mut last: Option<(&Member, Arc<[Uuid]>)> = None;
    let mut specs = Vec::with_capacity(group.member_count());
    for member in group.members() {
        let is_same = |(other, _): &&(&Member, Arc<[Uuid]>)| {
            Arc::ptr_eq(&other.topic_names, &member.topic_names) && other.topic_regex == member.topic_regex
        };
        let topics = match last.as_ref().filter(is_same) {
            Some((_, topics)) => Arc::clone(topics),
            None => topics(group, member, image, &mut partition_counts),
        };
        last = Some((member, Arc::clone(&topics)));
        specs.push(MemberSpec {
            member_id: member.id.clone(),
            instance_id: member.instance_id.clone(),
            topics,
            current: group.target(&member.id).map(|target| (**target).clone()).unwrap_or_default(),
        });
    }
    (specs, partition_counts)
}

/// The topics that a member is subscribed to and that are there.
fn topics(
    group: &ConsumerGroup,
    member: &Member,
    image: &MetadataImage,
    partition_counts: &mut PartitionCounts,
) -> Arc<[Uuid]> {
    let mut topics: Vec<Uuid> = Vec::new();
    for topic in group.names_of(member).filter_map(|name| image.topic(name)) {
        let count = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
        partition_counts.insert(topic.id(), count);
        topics.push(topic.id());
    }
    topics.sort_unstable();
    topics.dedup();
    topics.into()
}
