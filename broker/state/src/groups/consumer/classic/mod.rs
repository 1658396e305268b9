//! Members of the classic protocol in a consumer group: while a group moves from one protocol to the other, it has both.
//!
//! The broker assigns to them too. To a member of the classic protocol, each step towards its target is a rebalance of
//! its own: it is told so by its heartbeat, joins, and is given by SyncGroup what it may use. What it still owns it says
//! in its subscription. It is never a leader.

mod downgrade;
mod join;
mod requests;
mod upgrade;

pub use self::downgrade::{Downgrade, DowngradedMember};

pub(super) use self::downgrade::{downgrade, may_downgrade};
pub(super) use self::join::join;
pub(super) use self::requests::{heartbeat, leave, sync};
pub(super) use self::upgrade::upgrade;

use std::collections::BTreeMap;

use strandline_protocol::apis::consumer_group_heartbeat::RequestTopicPartitions;
use strandline_protocol::embedded::consumer::{
    AssignedPartitions, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use strandline_protocol::{Bytes, ErrorCode, Text, Uuid};

use super::draft::Refusal;
use super::member::Member;
use crate::metadata::MetadataImage;

/// The last version of what members tell each other that is known.
const EMBEDDED_VERSION_LAST: i16 = 3;

/// What a member of the classic protocol is subscribed to.
fn subscription(metadata: &Bytes) -> Result<ConsumerProtocolSubscription, Refusal> {
    ConsumerProtocolSubscription::from_member_bytes(metadata.clone()).map_err(|error| {
        let message = format!("The embedded consumer protocol is malformed: {error}.");
        Refusal::new(ErrorCode::INCONSISTENT_GROUP_PROTOCOL, message)
    })
}

/// What it says that it owns, of topics that are there.
fn owned(subscription: &ConsumerProtocolSubscription, image: &MetadataImage) -> Vec<RequestTopicPartitions> {
    let topics = subscription.owned_partitions.iter().filter_map(|owned| {
        let topic_id = image.topic(&owned.topic)?.id();
        Some(RequestTopicPartitions { topic_id, partitions: owned.partitions.clone(), ..Default::default() })
    });
    topics.collect()
}

/// Partitions as a member of the classic protocol reads them, in the version that it speaks.
fn assignment(
    partitions: impl Iterator<Item = (Uuid, i32)>,
    metadata: Option<&Bytes>,
    image: &MetadataImage,
) -> Bytes {
    let mut by_name: BTreeMap<Text, Vec<i32>> = BTreeMap::new();
    for (topic_id, partition) in partitions {
        if let Some(topic) = image.topic_by_id(topic_id) {
            by_name.entry(topic.name().clone()).or_default().push(partition);
        }
    }
    let assigned = by_name.into_iter().map(|(topic, partitions)| AssignedPartitions { topic, partitions });
    let assignment =
        ConsumerProtocolAssignment { assigned_partitions: assigned.collect(), ..Default::default() };
    let version = metadata.and_then(|metadata| metadata.first_chunk().copied()).map_or(0, i16::from_be_bytes);
    // Names of topics that are there, and numbers: nothing is too long for its field.
    assignment.to_member_bytes(version.clamp(0, EMBEDDED_VERSION_LAST)).unwrap_or_default()
}

/// The name of the protocol that a member of the classic protocol is told that the group has: its own first one.
fn protocol_name(member: &Member) -> Option<Text> {
    member.classic.as_ref()?.supported_protocols.first().map(|protocol| protocol.name.clone())
}

/// What a member of the classic protocol sent for its first protocol.
fn metadata(member: &Member) -> Option<&Bytes> {
    member.classic.as_ref()?.supported_protocols.first().map(|protocol| &protocol.metadata)
}
