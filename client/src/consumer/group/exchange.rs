//! What a member says to its coordinator, and reads of the answers.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse, JoinGroupResponseMember,
};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use strandline_protocol::embedded::consumer::{
    AssignedPartitions, ConsumerProtocolAssignment, ConsumerProtocolSubscription, OwnedPartitions,
};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::assign::{Assignor, Key, Member};
use super::{GroupSettings, Identity, user_data};
use crate::connection::Connection;
use crate::error::{Error, Result};

/// What kind of members these are.
const PROTOCOL_TYPE: &str = "consumer";
/// The version of what members say of themselves; older readers pass over what they do not know.
const MEMBER_VERSION: i16 = 3;

/// From the first version that knows members with names of their own.
fn versions(key: ApiKey, first: i16) -> VersionRange {
    VersionRange::new(first, key.api().stable_versions().last)
}

pub(super) fn subject(settings: &GroupSettings) -> String {
    format!("group {}", settings.name)
}

fn check(settings: &GroupSettings, code: ErrorCode) -> Result<()> {
    Error::check(code, || subject(settings), None)
}

fn by_topic(keys: &[Key]) -> BTreeMap<Text, Vec<i32>> {
    let mut topics: BTreeMap<Text, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in keys {
        topics.entry(topic.clone()).or_default().push(*partition);
    }
    topics
}

pub(super) fn timeout_ms(timeout: std::time::Duration) -> i32 {
    i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX)
}

/// Joins, and waits until all have.
pub(super) async fn join(
    connection: &Connection,
    settings: &GroupSettings,
    identity: &Identity,
    topics: &[Text],
    owned: &[Key],
    had: &(Vec<Key>, i32),
) -> Result<JoinGroupResponse> {
    let owned_partitions =
        by_topic(owned).into_iter().map(|(topic, partitions)| OwnedPartitions { topic, partitions });
    let subscription = ConsumerProtocolSubscription {
        topics: topics.to_vec(),
        owned_partitions: owned_partitions.collect(),
        generation_id: identity.generation,
        rack_id: settings.rack.as_deref().map(Text::from),
        ..Default::default()
    };
    let mut protocols = Vec::new();
    for assignor in &settings.assignors {
        let user_data = match assignor {
            Assignor::Range | Assignor::RoundRobin => None,
            Assignor::Sticky => Some(user_data::sticky(&had.0, had.1)),
            Assignor::CooperativeSticky => Some(user_data::cooperative(identity.generation)),
        };
        let metadata = ConsumerProtocolSubscription { user_data, ..subscription.clone() };
        let metadata = metadata.to_member_bytes(MEMBER_VERSION)?;
        protocols.push(JoinGroupRequestProtocol {
            name: assignor.name().into(),
            metadata,
            ..Default::default()
        });
    }
    let request = JoinGroupRequest {
        group_id: settings.name.as_str().into(),
        session_timeout_ms: timeout_ms(settings.session_timeout),
        rebalance_timeout_ms: timeout_ms(settings.poll_interval_max),
        member_id: identity.member.clone(),
        group_instance_id: settings.instance.as_deref().map(Text::from),
        protocol_type: PROTOCOL_TYPE.into(),
        protocols,
        ..Default::default()
    };
    connection.submit(&request, versions(ApiKey::JoinGroup, 5)).await?.await
}

/// What the members have said of themselves.
pub(super) fn members(assignor: Assignor, members: Vec<JoinGroupResponseMember>) -> Vec<Member> {
    let member = |member: JoinGroupResponseMember| {
        // Whoever cannot be understood gets nothing.
        let said = ConsumerProtocolSubscription::from_member_bytes(member.metadata).unwrap_or_default();
        let (owned, generation) = owned(assignor, &said);
        Member {
            id: member.member_id,
            instance: member.group_instance_id,
            topics: said.topics.into_iter().collect::<BTreeSet<_>>(),
            owned,
            generation,
        }
    };
    members.into_iter().map(member).collect()
}

/// What a member had before this round, and of which generation that is.
fn owned(assignor: Assignor, said: &ConsumerProtocolSubscription) -> (Vec<Key>, i32) {
    let user_data = said.user_data.as_deref().filter(|data| !data.is_empty());
    if assignor == Assignor::Sticky {
        return user_data.and_then(user_data::read_sticky).unwrap_or((Vec::new(), -1));
    }
    let owned = said.owned_partitions.iter().flat_map(|owned| {
        let topic = owned.topic.clone();
        owned.partitions.iter().map(move |partition| (topic.clone(), *partition))
    });
    let generation = match said.generation_id {
        generation @ 0.. => generation,
        // Members from before Kafka 3.4 say it there.
        _ => user_data.and_then(user_data::read_cooperative).unwrap_or(-1),
    };
    (owned.collect(), generation)
}

/// Tells the coordinator what each is to read, if one is the leader, and learns what that is for oneself.
pub(super) async fn sync(
    connection: &Connection,
    settings: &GroupSettings,
    identity: &Identity,
    assignor: Assignor,
    given: BTreeMap<Text, Vec<Key>>,
) -> Result<Vec<Key>> {
    let mut assignments = Vec::new();
    for (member_id, keys) in given {
        let assignment = assignment(&keys)?;
        assignments.push(SyncGroupRequestAssignment { member_id, assignment, ..Default::default() });
    }
    let request = SyncGroupRequest {
        group_id: settings.name.as_str().into(),
        generation_id: identity.generation,
        member_id: identity.member.clone(),
        group_instance_id: settings.instance.as_deref().map(Text::from),
        protocol_type: Some(PROTOCOL_TYPE.into()),
        protocol_name: Some(assignor.name().into()),
        assignments,
        ..Default::default()
    };
    let response = connection.submit(&request, versions(ApiKey::SyncGroup, 3)).await?.await?;
    check(settings, response.error_code)?;
    if response.assignment.is_empty() {
        return Ok(Vec::new());
    }
    let assignment = ConsumerProtocolAssignment::from_member_bytes(response.assignment);
    let assignment =
        assignment.map_err(|_| Error::Missing(format!("the assignment of {}", subject(settings))))?;
    let topics = assignment.assigned_partitions.into_iter();
    Ok(topics
        .flat_map(|topic| {
            let name = topic.topic.detached();
            topic.partitions.into_iter().map(move |partition| (name.clone(), partition))
        })
        .collect())
}

fn assignment(keys: &[Key]) -> Result<Bytes> {
    let assigned_partitions =
        by_topic(keys).into_iter().map(|(topic, partitions)| AssignedPartitions { topic, partitions });
    let assignment = ConsumerProtocolAssignment {
        assigned_partitions: assigned_partitions.collect(),
        ..Default::default()
    };
    // Nothing in it is newer than the second version.
    Ok(assignment.to_member_bytes(1)?)
}

pub(super) async fn heartbeat(
    connection: &Connection,
    settings: &GroupSettings,
    identity: &Identity,
) -> Result<()> {
    let request = HeartbeatRequest {
        group_id: settings.name.as_str().into(),
        generation_id: identity.generation,
        member_id: identity.member.clone(),
        group_instance_id: settings.instance.as_deref().map(Text::from),
        ..Default::default()
    };
    let response = connection.submit(&request, versions(ApiKey::Heartbeat, 3)).await?.await?;
    check(settings, response.error_code)
}

/// Goes, and says so. Who has a name of its own is expected back, and says nothing.
pub(super) async fn leave(
    connection: &Connection,
    settings: &GroupSettings,
    identity: &Identity,
) -> Result<()> {
    if settings.instance.is_some() || identity.member.is_empty() {
        return Ok(());
    }
    let member = MemberIdentity { member_id: identity.member.clone(), ..Default::default() };
    let request = LeaveGroupRequest {
        group_id: settings.name.as_str().into(),
        members: vec![member],
        ..Default::default()
    };
    let response = connection.submit(&request, versions(ApiKey::LeaveGroup, 3)).await?.await?;
    check(settings, response.error_code)
}
