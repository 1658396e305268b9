//! A member of a classic group, as a consumer is one: it joins, takes or gives out the assignment, and sends heartbeats.
//! Owns what it says and how it goes on after each answer; reads no records.

use std::time::{Duration, Instant};

use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::{
    JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse, JoinGroupResponseMember,
};
use strandline_protocol::apis::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use strandline_protocol::embedded::consumer::{
    AssignedPartitions, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::links::{Links, answer};
use super::target::Leader;
use crate::cluster::Failure;

const PROTOCOL_TYPE: &str = "consumer";
const ASSIGNOR: &str = "range";

/// The version of what members say of themselves.
const MEMBER_VERSION: i16 = 1;

/// How long a coordinator that is not ready yet is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(5);

/// What all members of a benchmark have in common.
pub(super) struct Common {
    pub(super) topic: Text,
    pub(super) partitions: Vec<i32>,
    pub(super) session_timeout_ms: i32,
    pub(super) rebalance_timeout_ms: i32,
}

/// The versions that a coordinator takes.
#[derive(Clone, Copy)]
pub(super) struct Versions {
    join: i16,
    sync: i16,
    heartbeat: i16,
}

pub(super) struct Member {
    group: Text,
    /// The connection to its coordinator.
    place: usize,
    versions: Versions,
    id: Text,
    generation: i32,
    /// Changes what it says of itself, so that joining again is more than a question.
    round: u32,
    asked: Option<(Asked, i32)>,
    settled: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Asked {
    Join,
    Sync,
    Heartbeat,
}

/// What an answer came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// It goes on joining.
    Joining,
    /// It has its part of the new generation.
    Settled,
    /// Its heartbeat was heard.
    Heard,
}

impl Versions {
    pub(super) fn of(coordinator: &Leader) -> Result<Self, Failure> {
        Ok(Self {
            join: coordinator.version::<JoinGroupRequest>(i16::MAX)?,
            sync: coordinator.version::<SyncGroupRequest>(i16::MAX)?,
            heartbeat: coordinator.version::<HeartbeatRequest>(i16::MAX)?,
        })
    }
}

impl Member {
    pub(super) fn new(group: &str, place: usize, versions: Versions) -> Self {
        Self {
            group: group.into(),
            place,
            versions,
            id: Text::default(),
            generation: -1,
            round: 0,
            asked: None,
            settled: false,
        }
    }

    pub(super) const fn generation(&self) -> i32 {
        self.generation
    }

    pub(super) const fn is_settled(&self) -> bool {
        self.settled
    }

    pub(super) const fn has_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Joins with something new to say, so that all others have to join again.
    pub(super) fn join_anew(&mut self, common: &Common, links: &mut Links) -> Result<(), Failure> {
        self.round += 1;
        self.join(common, links)
    }

    fn join(&mut self, common: &Common, links: &mut Links) -> Result<(), Failure> {
        self.settled = false;
        let subscription = ConsumerProtocolSubscription {
            topics: vec![common.topic.clone()],
            user_data: Some(Bytes::copy_from_slice(&self.round.to_be_bytes())),
            ..Default::default()
        };
        let metadata = subscription
            .to_member_bytes(MEMBER_VERSION)
            .map_err(|error| Failure::Refused(error.to_string()))?;
        let protocol = JoinGroupRequestProtocol { name: ASSIGNOR.into(), metadata, ..Default::default() };
        let request = JoinGroupRequest {
            group_id: self.group.clone(),
            session_timeout_ms: common.session_timeout_ms,
            rebalance_timeout_ms: common.rebalance_timeout_ms,
            member_id: self.id.clone(),
            protocol_type: PROTOCOL_TYPE.into(),
            protocols: vec![protocol],
            ..Default::default()
        };
        self.asked = Some((Asked::Join, links.submit(self.place, &request, self.versions.join)?));
        Ok(())
    }

    fn sync(
        &mut self,
        assignments: Vec<SyncGroupRequestAssignment>,
        links: &mut Links,
    ) -> Result<(), Failure> {
        let request = SyncGroupRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            protocol_type: Some(PROTOCOL_TYPE.into()),
            protocol_name: Some(ASSIGNOR.into()),
            assignments,
            ..Default::default()
        };
        self.asked = Some((Asked::Sync, links.submit(self.place, &request, self.versions.sync)?));
        Ok(())
    }

    pub(super) fn heartbeat(&mut self, links: &mut Links) -> Result<(), Failure> {
        let request = HeartbeatRequest {
            group_id: self.group.clone(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            ..Default::default()
        };
        let correlation_id = links.submit(self.place, &request, self.versions.heartbeat)?;
        self.asked = Some((Asked::Heartbeat, correlation_id));
        Ok(())
    }

    /// Takes the answer to what it asked last, and asks what follows.
    pub(super) fn take(
        &mut self,
        content: Bytes,
        common: &Common,
        links: &mut Links,
    ) -> Result<Outcome, Failure> {
        let Some((asked, expected)) = self.asked.take() else {
            return Err(Failure::Refused("an answer that was not asked".to_owned()));
        };
        match asked {
            Asked::Join => {
                let response = answer::<JoinGroupRequest>(content, self.versions.join, expected)?;
                self.joined(response, common, links)?;
                Ok(Outcome::Joining)
            }
            Asked::Sync => {
                let response = answer::<SyncGroupRequest>(content, self.versions.sync, expected)?;
                if response.error_code.is_none() {
                    self.settled = true;
                    return Ok(Outcome::Settled);
                }
                self.join_after(response.error_code, common, links)?;
                Ok(Outcome::Joining)
            }
            Asked::Heartbeat => {
                let response = answer::<HeartbeatRequest>(content, self.versions.heartbeat, expected)?;
                if response.error_code.is_none() {
                    return Ok(Outcome::Heard);
                }
                self.join_after(response.error_code, common, links)?;
                Ok(Outcome::Joining)
            }
        }
    }

    fn joined(
        &mut self,
        response: JoinGroupResponse,
        common: &Common,
        links: &mut Links,
    ) -> Result<(), Failure> {
        match response.error_code {
            ErrorCode::NONE => {
                self.id = response.member_id;
                self.generation = response.generation_id;
                let is_leader = response.leader == self.id;
                let assignments = if is_leader { assign(common, &response.members)? } else { Vec::new() };
                self.sync(assignments, links)
            }
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.id = response.member_id;
                self.join(common, links)
            }
            code => self.join_after(code, common, links),
        }
    }

    /// Joins again after an error that is part of a group's life.
    fn join_after(&mut self, code: ErrorCode, common: &Common, links: &mut Links) -> Result<(), Failure> {
        match code {
            ErrorCode::REBALANCE_IN_PROGRESS | ErrorCode::ILLEGAL_GENERATION => {}
            ErrorCode::UNKNOWN_MEMBER_ID => self.id = Text::default(),
            // A coordinator that has just begun.
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR => std::thread::sleep(RETRY_AFTER),
            code => return Err(Failure::Refused(format!("group {}: {code}", self.group))),
        }
        self.join(common, links)
    }
}

/// Deals the partitions out in turn.
fn assign(
    common: &Common,
    members: &[JoinGroupResponseMember],
) -> Result<Vec<SyncGroupRequestAssignment>, Failure> {
    let count = members.len().max(1);
    let assignment = |(place, member): (usize, &JoinGroupResponseMember)| {
        let partitions: Vec<i32> = common.partitions.iter().copied().skip(place).step_by(count).collect();
        let of_topic = AssignedPartitions { topic: common.topic.clone(), partitions };
        let assignment =
            ConsumerProtocolAssignment { assigned_partitions: vec![of_topic], ..Default::default() };
        let assignment = assignment
            .to_member_bytes(MEMBER_VERSION)
            .map_err(|error| Failure::Refused(error.to_string()))?;
        Ok(SyncGroupRequestAssignment {
            member_id: member.member_id.clone(),
            assignment,
            ..Default::default()
        })
    };
    members.iter().enumerate().map(assignment).collect()
}

/// When the member of this place sends its first heartbeat, so that those of all are spread evenly.
pub(super) fn first_beat(now: Instant, interval: Duration, place: usize, count: usize) -> Instant {
    let part = u32::try_from(place).unwrap_or(0);
    let all = u32::try_from(count).unwrap_or(u32::MAX).max(1);
    now + interval.mul_f64(f64::from(part % all) / f64::from(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leader_deals_out_every_partition_once() {
        let common = Common {
            topic: "t".into(),
            partitions: (0..10).collect(),
            session_timeout_ms: 1,
            rebalance_timeout_ms: 1,
        };
        let member = |id: &str| JoinGroupResponseMember { member_id: id.into(), ..Default::default() };
        let dealt = assign(&common, &["a", "b", "c"].map(member)).unwrap();
        let mut all: Vec<i32> = dealt
            .iter()
            .flat_map(|each| {
                let read = ConsumerProtocolAssignment::from_member_bytes(each.assignment.clone()).unwrap();
                read.assigned_partitions.into_iter().flat_map(|of_topic| of_topic.partitions)
            })
            .collect();
        all.sort_unstable();
        assert_eq!(all, common.partitions);
        assert_eq!(dealt.iter().map(|each| each.member_id.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn heartbeats_are_spread_over_an_interval() {
        let (now, interval) = (Instant::now(), Duration::from_secs(3));
        let offset = |place| first_beat(now, interval, place, 300).duration_since(now).as_millis();
        assert_eq!([offset(0), offset(100), offset(200), offset(300)], [0, 1_000, 2_000, 0]);
    }
}
