//! A member of a group of the new protocol (KIP-848): heartbeats are all that it sends. Owns what it says and how it goes
//! on after each answer; reads no records.

use std::time::Duration;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, RequestTopicPartitions,
};
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::links::{Links, answer};
use super::member::{Common, Outcome};
use super::target::Leader;
use crate::cluster::Failure;

/// How long a coordinator that is not ready yet is left alone.
const RETRY_AFTER: Duration = Duration::from_millis(5);

pub(super) struct NewMember {
    group: Text,
    place: usize,
    version: i16,
    id: Text,
    epoch: i32,
    // What it was given and has not said yet that it has.
    given: Option<Vec<RequestTopicPartitions>>,
    interval: Duration,
    asked: Option<i32>,
    settled: bool,
}

impl NewMember {
    /// The highest version that both sides know.
    pub(super) fn version(coordinator: &Leader) -> Result<i16, Failure> {
        coordinator.version::<ConsumerGroupHeartbeatRequest>(i16::MAX)
    }

    pub(super) fn new(group: &str, place: usize, version: i16) -> Self {
        Self {
            group: group.into(),
            place,
            version,
            // In the first version the coordinator gives one.
            id: if version == 0 { Text::default() } else { format!("member-of-{group}").as_str().into() },
            epoch: 0,
            given: None,
            interval: Duration::from_secs(5),
            asked: None,
            settled: false,
        }
    }

    /// How long the coordinator wants it to wait between two heartbeats.
    pub(super) const fn interval(&self) -> Duration {
        self.interval
    }

    pub(super) const fn has_asked(&self) -> bool {
        self.asked.is_some()
    }

    pub(super) fn heartbeat(&mut self, common: &Common, links: &mut Links) -> Result<(), Failure> {
        let mut request = ConsumerGroupHeartbeatRequest {
            group_id: self.group.clone(),
            member_id: self.id.clone(),
            member_epoch: self.epoch,
            topic_partitions: self.given.take(),
            ..Default::default()
        };
        if self.epoch == 0 {
            request.rebalance_timeout_ms = common.rebalance_timeout_ms;
            request.subscribed_topic_names = Some(vec![common.topic.clone()]);
            request.topic_partitions = Some(Vec::new());
        }
        self.asked = Some(links.submit(self.place, &request, self.version)?);
        Ok(())
    }

    /// Takes the answer to what it asked last, and asks what follows.
    pub(super) fn take(
        &mut self,
        content: Bytes,
        common: &Common,
        links: &mut Links,
    ) -> Result<Outcome, Failure> {
        let Some(expected) = self.asked.take() else {
            return Err(Failure::Refused("an answer that was not asked".to_owned()));
        };
        let response = answer::<ConsumerGroupHeartbeatRequest>(content, self.version, expected)?;
        match response.error_code {
            ErrorCode::NONE => return self.heard(response, common, links),
            ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_MEMBER_EPOCH => {}
            // A coordinator that has just begun.
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
            | ErrorCode::COORDINATOR_NOT_AVAILABLE
            | ErrorCode::NOT_COORDINATOR => std::thread::sleep(RETRY_AFTER),
            code => return Err(Failure::Refused(format!("group {}: {code}", self.group))),
        }
        (self.epoch, self.settled) = (0, false);
        self.heartbeat(common, links)?;
        Ok(Outcome::Joining)
    }

    fn heard(
        &mut self,
        response: ConsumerGroupHeartbeatResponse,
        common: &Common,
        links: &mut Links,
    ) -> Result<Outcome, Failure> {
        if let Some(id) = response.member_id {
            self.id = id;
        }
        self.epoch = response.member_epoch;
        self.interval = u64::try_from(response.heartbeat_interval_ms)
            .map_or(self.interval, |interval| Duration::from_millis(interval.max(1)));
        if let Some(assignment) = response.assignment {
            let given = assignment.topic_partitions.into_iter().map(|given| RequestTopicPartitions {
                topic_id: given.topic_id,
                partitions: given.partitions,
                ..Default::default()
            });
            self.given = Some(given.collect());
            self.settled = false;
            self.heartbeat(common, links)?;
            return Ok(Outcome::Joining);
        }
        if self.settled {
            return Ok(Outcome::Heard);
        }
        self.settled = true;
        Ok(Outcome::Settled)
    }
}
