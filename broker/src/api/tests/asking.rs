//! One request of each API of groups and transactions, by its name, and the code that it is answered with.

use strandline_protocol::apis::add_offsets_to_txn::AddOffsetsToTxnRequest;
use strandline_protocol::apis::add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnTopic};
use strandline_protocol::apis::consumer_group_describe::ConsumerGroupDescribeRequest;
use strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use strandline_protocol::apis::delete_groups::DeleteGroupsRequest;
use strandline_protocol::apis::describe_groups::DescribeGroupsRequest;
use strandline_protocol::apis::describe_transactions::DescribeTransactionsRequest;
use strandline_protocol::apis::end_txn::EndTxnRequest;
use strandline_protocol::apis::find_coordinator::FindCoordinatorRequest;
use strandline_protocol::apis::heartbeat::HeartbeatRequest;
use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use strandline_protocol::apis::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity};
use strandline_protocol::apis::list_groups::ListGroupsRequest;
use strandline_protocol::apis::list_transactions::ListTransactionsRequest;
use strandline_protocol::apis::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::apis::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use strandline_protocol::apis::sync_group::SyncGroupRequest;
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use strandline_protocol::apis::write_txn_markers::{
    WritableTxnMarker, WritableTxnMarkerTopic, WriteTxnMarkersRequest,
};
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::unavailable::World;

pub(super) const TOPIC: &str = "t";
pub(super) const GROUP: &str = "g";
pub(super) const TRANSACTIONAL_ID: &str = "tx";

/// Who a producer is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Own {
    pub(super) id: i64,
    pub(super) epoch: i16,
}

/// A member of the classic group, with its generation.
type Member = (Text, i32);

impl World {
    /// Asks as somebody that the group does not know.
    pub(super) async fn ask(&self, api: &str) -> ErrorCode {
        self.ask_as(api, &("stranger".into(), 1)).await
    }

    /// Whoever is to ask; for some that takes a member.
    pub(super) async fn prepared(&self, api: &str) -> Member {
        if matches!(api, "SyncGroup" | "Heartbeat" | "LeaveGroup") {
            self.joined().await
        } else {
            ("stranger".into(), 1)
        }
    }

    pub(super) async fn ask_as(&self, api: &str, member: &Member) -> ErrorCode {
        match api {
            "JoinGroup" => self.rig.call(9, &join(&Text::new())).await.error_code,
            "FindCoordinator" | "SyncGroup" | "Heartbeat" | "LeaveGroup" | "ConsumerGroupHeartbeat" => {
                self.ask_as_member(api, member).await
            }
            "ConsumerGroupDescribe" | "DescribeGroups" | "ListGroups" | "DeleteGroups" => {
                self.ask_of_groups(api).await
            }
            "OffsetCommit" | "OffsetFetch" | "OffsetDelete" | "TxnOffsetCommit" => {
                self.ask_of_offsets(api).await
            }
            _ => self.ask_of_transactions(api).await,
        }
    }

    async fn ask_as_member(&self, api: &str, member: &Member) -> ErrorCode {
        let (group_id, (member_id, generation_id)) = (Text::from(GROUP), member.clone());
        match api {
            "FindCoordinator" => {
                let request =
                    FindCoordinatorRequest { coordinator_keys: vec![group_id], ..Default::default() };
                self.rig.call(4, &request).await.coordinators[0].error_code
            }
            "SyncGroup" => {
                let request = SyncGroupRequest {
                    group_id,
                    generation_id,
                    member_id,
                    protocol_type: Some("consumer".into()),
                    protocol_name: Some("range".into()),
                    ..Default::default()
                };
                self.rig.call(5, &request).await.error_code
            }
            "Heartbeat" => {
                let request = HeartbeatRequest { group_id, generation_id, member_id, ..Default::default() };
                self.rig.call(4, &request).await.error_code
            }
            "LeaveGroup" => {
                let members = vec![MemberIdentity { member_id, ..Default::default() }];
                let request = LeaveGroupRequest { group_id, members, ..Default::default() };
                let response = self.rig.call(5, &request).await;
                response.members.first().map_or(response.error_code, |member| member.error_code)
            }
            _ => {
                let request = ConsumerGroupHeartbeatRequest {
                    group_id,
                    member_id: "member".into(),
                    rebalance_timeout_ms: 1_000,
                    subscribed_topic_names: Some(vec![TOPIC.into()]),
                    topic_partitions: Some(Vec::new()),
                    ..Default::default()
                };
                self.rig.call(1, &request).await.error_code
            }
        }
    }

    /// A member that is alone, and has not asked for what it is assigned.
    async fn joined(&self) -> Member {
        let given = self.rig.call(9, &join(&Text::new())).await;
        assert_eq!(given.error_code, ErrorCode::MEMBER_ID_REQUIRED);
        let joined = self.rig.call(9, &join(&given.member_id)).await;
        assert_eq!(joined.error_code, ErrorCode::NONE);
        (joined.member_id, joined.generation_id)
    }

    async fn ask_of_groups(&self, api: &str) -> ErrorCode {
        let groups = vec![Text::from(GROUP)];
        match api {
            "ConsumerGroupDescribe" => {
                let request = ConsumerGroupDescribeRequest { group_ids: groups, ..Default::default() };
                self.rig.call(1, &request).await.groups[0].error_code
            }
            "DescribeGroups" => {
                let request = DescribeGroupsRequest { groups, ..Default::default() };
                self.rig.call(6, &request).await.groups[0].error_code
            }
            "DeleteGroups" => {
                let request = DeleteGroupsRequest { groups_names: groups, ..Default::default() };
                self.rig.call(2, &request).await.results[0].error_code
            }
            _ => self.rig.call(5, &ListGroupsRequest::default()).await.error_code,
        }
    }

    async fn ask_of_offsets(&self, api: &str) -> ErrorCode {
        let (group_id, name) = (Text::from(GROUP), Text::from(TOPIC));
        match api {
            "OffsetCommit" => {
                let partitions =
                    vec![OffsetCommitRequestPartition { committed_offset: 1, ..Default::default() }];
                let topics = vec![OffsetCommitRequestTopic { name, partitions, ..Default::default() }];
                let request = OffsetCommitRequest {
                    group_id,
                    generation_id_or_member_epoch: -1,
                    topics,
                    ..Default::default()
                };
                self.rig.call(9, &request).await.topics[0].partitions[0].error_code
            }
            "OffsetFetch" => {
                let groups = vec![OffsetFetchRequestGroup { group_id, topics: None, ..Default::default() }];
                let request = OffsetFetchRequest { groups, ..Default::default() };
                self.rig.call(9, &request).await.groups[0].error_code
            }
            "OffsetDelete" => {
                let partitions = vec![OffsetDeleteRequestPartition { partition_index: 0 }];
                let topics = vec![OffsetDeleteRequestTopic { name, partitions }];
                self.rig.call(0, &OffsetDeleteRequest { group_id, topics }).await.error_code
            }
            _ => {
                let partitions =
                    vec![TxnOffsetCommitRequestPartition { committed_offset: 1, ..Default::default() }];
                let topics = vec![TxnOffsetCommitRequestTopic { name, partitions, ..Default::default() }];
                let request = TxnOffsetCommitRequest {
                    transactional_id: TRANSACTIONAL_ID.into(),
                    group_id,
                    producer_id: self.own.id,
                    producer_epoch: self.own.epoch,
                    generation_id: -1,
                    topics,
                    ..Default::default()
                };
                self.rig.call(5, &request).await.topics[0].partitions[0].error_code
            }
        }
    }

    /// What the group has committed of the first partition, or -1.
    pub(super) async fn committed(&self) -> i64 {
        let groups =
            vec![OffsetFetchRequestGroup { group_id: GROUP.into(), topics: None, ..Default::default() }];
        let response = self.rig.call(9, &OffsetFetchRequest { groups, ..Default::default() }).await;
        let topic = response.groups[0].topics.first();
        topic.and_then(|topic| topic.partitions.first()).map_or(-1, |found| found.committed_offset)
    }

    /// The identity of the producer of the transactional id.
    pub(super) async fn initialised(&self) -> Own {
        let response = self.rig.call(5, &init()).await;
        assert_eq!(response.error_code, ErrorCode::NONE);
        Own { id: response.producer_id, epoch: response.producer_epoch }
    }

    async fn ask_of_transactions(&self, api: &str) -> ErrorCode {
        let (transactional_id, Own { id: producer_id, epoch: producer_epoch }) =
            (Text::from(TRANSACTIONAL_ID), self.own);
        match api {
            "InitProducerId" => self.rig.call(5, &init()).await.error_code,
            "AddPartitionsToTxn" => {
                let topic = AddPartitionsToTxnTopic {
                    name: TOPIC.into(),
                    partitions: vec![self.next_partition],
                    ..Default::default()
                };
                let request = AddPartitionsToTxnRequest {
                    v3_and_below_transactional_id: transactional_id,
                    v3_and_below_producer_id: producer_id,
                    v3_and_below_producer_epoch: producer_epoch,
                    v3_and_below_topics: vec![topic],
                    ..Default::default()
                };
                let response = self.rig.call(3, &request).await;
                response.results_by_topic_v3_and_below[0].results_by_partition[0].partition_error_code
            }
            "AddOffsetsToTxn" => {
                let request = AddOffsetsToTxnRequest {
                    transactional_id,
                    producer_id,
                    producer_epoch,
                    group_id: GROUP.into(),
                    ..Default::default()
                };
                self.rig.call(4, &request).await.error_code
            }
            "EndTxn" => {
                let request = EndTxnRequest {
                    transactional_id,
                    producer_id,
                    producer_epoch,
                    committed: true,
                    ..Default::default()
                };
                self.rig.call(5, &request).await.error_code
            }
            "WriteTxnMarkers" => self.write_marker().await,
            "DescribeTransactions" => {
                let transactional_ids = vec![transactional_id];
                let request = DescribeTransactionsRequest { transactional_ids, ..Default::default() };
                self.rig.call(0, &request).await.transaction_states[0].error_code
            }
            "ListTransactions" => self.rig.call(2, &ListTransactionsRequest::default()).await.error_code,
            other => panic!("{other}"),
        }
    }

    /// A marker for the partition of the internal topic that has the group.
    async fn write_marker(&self) -> ErrorCode {
        let index = self.rig.broker.groups.partition_of(GROUP).unwrap();
        let topic = WritableTxnMarkerTopic {
            name: "__consumer_offsets".into(),
            partition_indexes: vec![index],
            ..Default::default()
        };
        let marker = WritableTxnMarker {
            producer_id: self.own.id,
            producer_epoch: self.own.epoch,
            topics: vec![topic],
            ..Default::default()
        };
        let request = WriteTxnMarkersRequest { markers: vec![marker], ..Default::default() };
        self.rig.call(1, &request).await.markers[0].topics[0].partitions[0].error_code
    }
}

fn init() -> InitProducerIdRequest {
    InitProducerIdRequest {
        transactional_id: Some(TRANSACTIONAL_ID.into()),
        transaction_timeout_ms: 60_000,
        ..Default::default()
    }
}

fn join(member_id: &Text) -> JoinGroupRequest {
    let metadata = Bytes::from_static(b"m");
    let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata, ..Default::default() };
    JoinGroupRequest {
        group_id: GROUP.into(),
        session_timeout_ms: 60_000,
        rebalance_timeout_ms: 60_000,
        member_id: member_id.clone(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..Default::default()
    }
}
