//! What a consumer of the classic protocol assigns where it leads.

use std::collections::BTreeSet;

use strandline_protocol::Text;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::sync_group::SyncGroupRequestAssignment;
use strandline_protocol::embedded::consumer::{
    AssignedPartitions, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};

use super::super::world::World;
use super::TOPIC;

/// What a leader hands out: each keeps what it says it has, up to its share; what is over is nobody's in this
/// generation; what nobody has goes to whoever has room.
pub(super) fn assign(world: &World, response: &JoinGroupResponse) -> Vec<SyncGroupRequestAssignment> {
    let count = world.image.topic(TOPIC).map_or(0, |topic| topic.partition_count());
    let share = count.div_ceil(response.members.len());
    let mut claimed = BTreeSet::new();
    let mut assigned: Vec<(Text, Vec<i32>)> = Vec::new();
    for member in &response.members {
        let read = ConsumerProtocolSubscription::from_member_bytes(member.metadata.clone()).unwrap();
        let owned = read.owned_partitions.iter().flat_map(|owned| owned.partitions.iter().copied());
        let mut own: Vec<i32> = owned.filter(|partition| claimed.insert(*partition)).collect();
        own.truncate(share);
        assigned.push((member.member_id.clone(), own));
    }
    for partition in (0..i32::try_from(count).unwrap()).filter(|partition| !claimed.contains(partition)) {
        let least = assigned.iter_mut().min_by_key(|(_, own)| own.len()).unwrap();
        least.1.push(partition);
    }
    let assignment = |(member_id, partitions): (Text, Vec<i32>)| {
        let assigned_partitions = vec![AssignedPartitions { topic: TOPIC.into(), partitions }];
        let assignment = ConsumerProtocolAssignment { assigned_partitions, ..Default::default() };
        SyncGroupRequestAssignment {
            member_id,
            assignment: assignment.to_member_bytes(1).unwrap(),
            ..Default::default()
        }
    };
    assigned.into_iter().map(assignment).collect()
}
