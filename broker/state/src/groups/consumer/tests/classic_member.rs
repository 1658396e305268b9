//! A member of the classic protocol, as it behaves in a group that has both.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use strandline_protocol::apis::sync_group::{
    SyncGroupRequest, SyncGroupRequestAssignment, SyncGroupResponse,
};
use strandline_protocol::embedded::consumer::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, OwnedPartitions,
};
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::World;
use super::world::GROUP;
use crate::groups::classic::Join;
use crate::groups::{Reply, Request};

/// A member of the classic protocol.
#[derive(Clone)]
pub(super) struct Classic {
    pub(super) id: Text,
    pub(super) random_id: Uuid,
    pub(super) instance_id: Option<Text>,
    pub(super) generation: i32,
    pub(super) owned: Vec<(Text, Vec<i32>)>,
}

impl Classic {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let random_id = Uuid::from(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)));
        Self { id: Text::new(), random_id, instance_id: None, generation: -1, owned: Vec::new() }
    }

    pub(super) fn named(instance_id: &str) -> Self {
        Self { instance_id: Some(instance_id.into()), ..Self::new() }
    }

    pub(super) fn join_request(&self) -> Request {
        let owned = self.owned.iter().map(|(topic, partitions)| OwnedPartitions {
            topic: topic.clone(),
            partitions: partitions.clone(),
        });
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["orders".into()],
            owned_partitions: owned.collect(),
            ..Default::default()
        };
        let metadata = subscription.to_member_bytes(1).unwrap();
        let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata, ..Default::default() };
        let request = JoinGroupRequest {
            group_id: GROUP.into(),
            session_timeout_ms: 10_000,
            rebalance_timeout_ms: 30_000,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: "consumer".into(),
            protocols: vec![protocol],
            ..Default::default()
        };
        Request::JoinGroup(Join {
            request,
            random_id: self.random_id,
            needs_member_id: false,
            knows_skip_assignment: true,
        })
    }

    pub(super) fn joined(&mut self, reply: Reply) -> JoinGroupResponse {
        let Reply::JoinGroup(response) = reply else { panic!("{reply:?}") };
        if response.error_code == ErrorCode::NONE {
            (self.id, self.generation) = (response.member_id.clone(), response.generation_id);
        }
        response
    }

    pub(super) fn join(&mut self, world: &mut World) -> JoinGroupResponse {
        let reply = world.ask(self.join_request());
        self.joined(reply)
    }

    pub(super) fn sync(&mut self, world: &mut World) -> Result<(), ErrorCode> {
        let reply = world.ask(self.sync_request(Vec::new()));
        self.synced(reply)
    }

    pub(super) fn sync_request(&self, assignments: Vec<SyncGroupRequestAssignment>) -> Request {
        Request::SyncGroup(SyncGroupRequest {
            group_id: GROUP.into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some("range".into()),
            assignments,
            ..Default::default()
        })
    }

    pub(super) fn synced(&mut self, reply: Reply) -> Result<(), ErrorCode> {
        let Reply::SyncGroup(SyncGroupResponse { error_code, assignment, .. }) = reply else {
            panic!("{reply:?}")
        };
        if error_code != ErrorCode::NONE {
            return Err(error_code);
        }
        let assignment = ConsumerProtocolAssignment::from_member_bytes(assignment).unwrap();
        let topics = assignment.assigned_partitions.into_iter();
        self.owned = topics.map(|assigned| (assigned.topic, assigned.partitions)).collect();
        Ok(())
    }

    pub(super) fn heartbeat(&self, world: &mut World) -> ErrorCode {
        let request = HeartbeatRequest {
            group_id: GROUP.into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance_id.clone(),
            ..Default::default()
        };
        match world.ask(Request::Heartbeat(request)) {
            Reply::Heartbeat(code) => code,
            other => panic!("{other:?}"),
        }
    }

    /// Does what a cooperative consumer does: joins when it is told to, giving up what it was not given again.
    pub(super) fn live(&mut self, world: &mut World) {
        if self.heartbeat(world) == ErrorCode::REBALANCE_IN_PROGRESS {
            assert_eq!(self.join(world).error_code, ErrorCode::NONE);
            // If there is yet another target, its next heartbeat says so.
            let _ = self.sync(world);
        }
    }

    pub(super) fn partitions(&self) -> BTreeSet<i32> {
        self.owned.iter().flat_map(|(_, partitions)| partitions.iter().copied()).collect()
    }
}
