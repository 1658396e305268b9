//! The coordinator of the same group for members of the consumer protocol (KIP-848): it decides who reads what, takes a
//! partition from one before it gives it to another, and fences whoever is not where it ought to be.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::apis::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, ResponseTopicPartitions,
};
use strandline_protocol::{ErrorCode, Text};
use tokio::time::Instant;

use super::members::SILENCE_MAX;
use super::troubled::TOPIC_ID;

/// The least that a client believes.
const HEARTBEAT_INTERVAL_MS: i32 = 50;
const LEAVES: i32 = -1;

struct Member {
    epoch: i32,
    previous_epoch: i32,
    // What it was told to read, and what it says it has: it holds both.
    told: BTreeSet<i32>,
    owned: BTreeSet<i32>,
    seen: Instant,
}

impl Member {
    fn holds(&self, partition: i32) -> bool {
        self.told.contains(&partition) || self.owned.contains(&partition)
    }
}

/// The members that joined by this protocol.
#[derive(Default)]
pub(crate) struct ModernGroup {
    epoch: i32,
    members: BTreeMap<Text, Member>,
    /// How often a member was told that it is none.
    pub(crate) fenced: usize,
}

impl ModernGroup {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Nobody who is in it is a member any more.
    pub(super) fn fence(&mut self) {
        self.members.clear();
        self.epoch += 1;
    }

    /// Whether this member may commit.
    pub(super) fn check(&mut self, member: &Text, epoch: i32) -> Result<(), ErrorCode> {
        self.expire();
        let member = self.members.get(member).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        if epoch == member.epoch { Ok(()) } else { Err(ErrorCode::STALE_MEMBER_EPOCH) }
    }

    fn expire(&mut self) {
        let before = self.members.len();
        self.members.retain(|_, member| member.seen.elapsed() < SILENCE_MAX);
        if self.members.len() != before {
            self.epoch += 1;
        }
    }

    pub(super) fn beat(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        partitions: i32,
    ) -> ConsumerGroupHeartbeatResponse {
        self.expire();
        match self.beaten(request, partitions) {
            Ok(response) => response,
            Err(error_code) => {
                self.fenced += 1;
                // Whoever is where nobody ought to be is out, and what it had is free.
                if error_code == ErrorCode::FENCED_MEMBER_EPOCH
                    && self.members.remove(&request.member_id).is_some()
                {
                    self.epoch += 1;
                }
                ConsumerGroupHeartbeatResponse { error_code, ..Default::default() }
            }
        }
    }

    fn beaten(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        partitions: i32,
    ) -> Result<ConsumerGroupHeartbeatResponse, ErrorCode> {
        let id = &request.member_id;
        let owned = request.topic_partitions.as_ref().map(|topics| {
            topics.iter().flat_map(|topic| topic.partitions.iter().copied()).collect::<BTreeSet<i32>>()
        });
        match request.member_epoch {
            LEAVES => {
                self.members.remove(id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
                self.epoch += 1;
                let member_epoch = LEAVES;
                return Ok(ConsumerGroupHeartbeatResponse { member_epoch, ..Default::default() });
            }
            0 => self.join(request, owned.as_ref())?,
            epoch => self.find(id, epoch, owned.as_ref())?,
        }
        let target = self.target(id, partitions);
        let taken: BTreeSet<i32> = (0..partitions).filter(|it| self.is_held_by_others(id, *it)).collect();
        let group_epoch = self.epoch;
        let member = self.members.get_mut(id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        member.seen = Instant::now();
        if let Some(owned) = owned {
            member.owned = owned;
        }
        let before = member.told.clone();
        if member.owned.is_subset(&target) {
            member.told = target.difference(&taken).copied().collect();
            if member.epoch != group_epoch {
                (member.previous_epoch, member.epoch) = (member.epoch, group_epoch);
            }
        } else {
            // First it has to let go.
            member.told.retain(|partition| target.contains(partition));
        }
        let must_be_told = member.told != before || request.subscribed_topic_names.is_some();
        let assignment = must_be_told.then(|| assignment(&member.told));
        Ok(ConsumerGroupHeartbeatResponse {
            member_id: Some(id.clone()),
            member_epoch: member.epoch,
            heartbeat_interval_ms: HEARTBEAT_INTERVAL_MS,
            assignment,
            ..Default::default()
        })
    }

    fn join(
        &mut self,
        request: &ConsumerGroupHeartbeatRequest,
        owned: Option<&BTreeSet<i32>>,
    ) -> Result<(), ErrorCode> {
        let is_complete = request.rebalance_timeout_ms > 0 && request.subscribed_topic_names.is_some();
        if !is_complete || owned.is_none_or(|owned| !owned.is_empty()) {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        // One that joined before and did not hear of it is the same as one that is new.
        let (told, owned) = (BTreeSet::new(), BTreeSet::new());
        let member = Member { epoch: 0, previous_epoch: 0, told, owned, seen: Instant::now() };
        self.members.insert(request.member_id.clone(), member);
        self.epoch += 1;
        Ok(())
    }

    fn find(&self, id: &Text, epoch: i32, owned: Option<&BTreeSet<i32>>) -> Result<(), ErrorCode> {
        let member = self.members.get(id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        let has_missed_an_answer =
            epoch == member.previous_epoch && owned.is_some_and(|owned| owned.is_subset(&member.told));
        if epoch == member.epoch || has_missed_an_answer {
            Ok(())
        } else {
            Err(ErrorCode::FENCED_MEMBER_EPOCH)
        }
    }

    /// What it is to have in the end: every so manieth partition.
    fn target(&self, id: &Text, partitions: i32) -> BTreeSet<i32> {
        let count = self.members.len().max(1);
        let place = self.members.keys().position(|other| other == id);
        (0..partitions).filter(|it| usize::try_from(*it).ok().map(|it| it % count) == place).collect()
    }

    fn is_held_by_others(&self, id: &Text, partition: i32) -> bool {
        self.members.iter().any(|(other, member)| other != id && member.holds(partition))
    }
}

fn assignment(partitions: &BTreeSet<i32>) -> Assignment {
    let topic = ResponseTopicPartitions {
        topic_id: TOPIC_ID,
        partitions: partitions.iter().copied().collect(),
        ..Default::default()
    };
    let topics = if partitions.is_empty() { Vec::new() } else { vec![topic] };
    Assignment { topic_partitions: topics, ..Default::default() }
}
