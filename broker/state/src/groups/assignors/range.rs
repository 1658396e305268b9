//! `range`: of each topic, each member gets a run of partitions.

use std::collections::BTreeMap;

use strandline_protocol::Uuid;

use super::{MemberSpec, PartitionCounts};
use crate::groups::partitions::Partitions;

/// Gives out the partitions of each topic in runs, the first ones longer by one where they do not come out even.
pub(super) fn assign(members: &[MemberSpec], partition_counts: &PartitionCounts) -> Vec<Partitions> {
    let mut subscribers: BTreeMap<Uuid, Vec<usize>> = BTreeMap::new();
    for index in in_order(members) {
        for topic_id in members.get(index).into_iter().flat_map(|member| member.topics.iter()) {
            subscribers.entry(*topic_id).or_default().push(index);
        }
    }
    let mut assigned = vec![Partitions::default(); members.len()];
    for (topic_id, subscribers) in subscribers {
        let count = partition_counts.get(&topic_id).copied().unwrap_or(0);
        let among = i32::try_from(subscribers.len()).unwrap_or(i32::MAX).max(1);
        let (quota, mut longer) = (count / among, count % among);
        let mut next = 0;
        for index in subscribers {
            let end = next + quota + i32::from(longer > 0);
            longer -= 1;
            if let Some(own) = assigned.get_mut(index) {
                own.extend((next..end).map(|partition| (topic_id, partition)));
            }
            next = end;
        }
    }
    assigned
}

/// Static members come first, by their names: these outlast a restart, and so does what they own. The others follow by
/// their ids.
fn in_order(members: &[MemberSpec]) -> Vec<usize> {
    let mut order: Vec<(bool, &str, usize)> = members
        .iter()
        .enumerate()
        .map(|(index, member)| match &member.instance_id {
            Some(instance_id) => (false, instance_id.as_str(), index),
            None => (true, member.member_id.as_str(), index),
        })
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(_, _, index)| index).collect()
}
