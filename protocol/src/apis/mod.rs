//! Every API of Kafka's, one file each, and the one table of them all.
//!
//! A file holds the request and the response, with what the API does and what its versions changed on top.
//! The table below is the only place that pairs keys, names and messages. What it says is what the codec
//! *knows*: a broker advertises those APIs of it that have a handler, a client asks for those it needs.
//!
//! ```
//! use strandline_protocol::apis::ApiKey;
//!
//! let api = ApiKey::try_from(1).unwrap().api();
//! assert_eq!(api.name, "Fetch");
//! assert_eq!(api.stable_versions().to_string(), "4-18");
//! assert_eq!(api.request_header_version(12), 2);
//! assert_eq!(api.response_header_version(11), 0);
//! ```

use std::fmt;

use crate::any::{AnyMessage, Entry};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::message::{Request, Response};
use crate::schema::VersionRange;

pub mod add_offsets_to_txn;
pub mod add_partitions_to_txn;
pub mod add_raft_voter;
pub mod allocate_producer_ids;
pub mod alter_client_quotas;
pub mod alter_configs;
pub mod alter_partition;
pub mod alter_partition_reassignments;
pub mod alter_replica_log_dirs;
pub mod alter_share_group_offsets;
pub mod alter_user_scram_credentials;
pub mod api_versions;
pub mod assign_replicas_to_dirs;
pub mod begin_quorum_epoch;
pub mod broker_heartbeat;
pub mod broker_registration;
pub mod consumer_group_describe;
pub mod consumer_group_heartbeat;
pub mod controller_registration;
pub mod create_acls;
pub mod create_delegation_token;
pub mod create_partitions;
pub mod create_topics;
pub mod delete_acls;
pub mod delete_groups;
pub mod delete_records;
pub mod delete_share_group_offsets;
pub mod delete_share_group_state;
pub mod delete_topics;
pub mod describe_acls;
pub mod describe_client_quotas;
pub mod describe_cluster;
pub mod describe_configs;
pub mod describe_delegation_token;
pub mod describe_groups;
pub mod describe_log_dirs;
pub mod describe_producers;
pub mod describe_quorum;
pub mod describe_share_group_offsets;
pub mod describe_topic_partitions;
pub mod describe_transactions;
pub mod describe_user_scram_credentials;
pub mod elect_leaders;
pub mod end_quorum_epoch;
pub mod end_txn;
pub mod envelope;
pub mod expire_delegation_token;
pub mod fetch;
pub mod fetch_snapshot;
pub mod find_coordinator;
pub mod get_telemetry_subscriptions;
pub mod heartbeat;
pub mod incremental_alter_configs;
pub mod init_producer_id;
pub mod initialize_share_group_state;
pub mod join_group;
pub mod leave_group;
pub mod list_config_resources;
pub mod list_groups;
pub mod list_offsets;
pub mod list_partition_reassignments;
pub mod list_transactions;
pub mod metadata;
pub mod offset_commit;
pub mod offset_delete;
pub mod offset_fetch;
pub mod offset_for_leader_epoch;
pub mod produce;
pub mod push_telemetry;
pub mod read_share_group_state;
pub mod read_share_group_state_summary;
pub mod remove_raft_voter;
pub mod renew_delegation_token;
pub mod sasl_authenticate;
pub mod sasl_handshake;
pub mod share_acknowledge;
pub mod share_fetch;
pub mod share_group_describe;
pub mod share_group_heartbeat;
pub mod streams_group_describe;
pub mod streams_group_heartbeat;
pub mod sync_group;
pub mod txn_offset_commit;
pub mod unregister_broker;
pub mod update_features;
pub mod update_raft_voter;
pub mod vote;
pub mod write_share_group_state;
pub mod write_txn_markers;

/// One API: its key and name, and both of its messages.
#[derive(Debug)]
pub struct Api {
    /// The key that opens each request's header.
    pub key: ApiKey,
    /// Kafka's name for it.
    pub name: &'static str,
    /// The request.
    pub request: Entry,
    /// The response.
    pub response: Entry,
}

impl Api {
    const fn of<R>(name: &'static str) -> Self
    where
        R: Request + AnyMessage,
        R::Response: AnyMessage,
    {
        Self { key: R::KEY, name, request: Entry::of::<R>(), response: Entry::of::<R::Response>() }
    }

    /// The versions that the codec knows; request and response have the same.
    pub const fn versions(&self) -> VersionRange {
        self.request.schema.versions
    }

    /// The versions to offer or to ask for: those that Kafka no longer changes.
    pub const fn stable_versions(&self) -> VersionRange {
        self.request.schema.stable_versions()
    }

    /// The version of the header in front of a request.
    pub const fn request_header_version(&self, version: i16) -> i16 {
        if self.request.schema.flexible_versions.contains(version) { 2 } else { 1 }
    }

    /// The version of the header in front of a response.
    ///
    /// A client that asks for the versions cannot know yet which header the broker can write: the answer to
    /// ApiVersions keeps the oldest for ever.
    pub const fn response_header_version(&self, version: i16) -> i16 {
        let flexible = self.response.schema.flexible_versions.contains(version);
        if flexible && !matches!(self.key, ApiKey::ApiVersions) { 1 } else { 0 }
    }
}

macro_rules! apis {
    ($($name:ident = $key:literal => $module:ident::{$request:ident, $response:ident}),+ $(,)?) => {
        /// The key of an API.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[repr(i16)]
        #[expect(missing_docs, reason = "each is documented by the module of its name")]
        pub enum ApiKey {
            $($name = $key),+
        }

        /// Every key, rising.
        pub static API_KEYS: &[ApiKey] = &[$(ApiKey::$name),+];

        impl TryFrom<i16> for ApiKey {
            type Error = DecodeError;

            fn try_from(key: i16) -> Result<Self, Self::Error> {
                match key {
                    $($key => Ok(Self::$name),)+
                    _ => Err(DecodeError {
                        message: "RequestHeader",
                        version: 0,
                        field: "RequestHeader.RequestApiKey",
                        offset: 0,
                        kind: DecodeErrorKind::ApiUnknown(key),
                    }),
                }
            }
        }

        impl ApiKey {
            /// The API behind the key.
            pub fn api(self) -> &'static Api {
                match self {
                    $(Self::$name => {
                        static API: Api = Api::of::<$module::$request>(stringify!($name));
                        &API
                    })+
                }
            }
        }

        $(
            impl Request for $module::$request {
                const KEY: ApiKey = ApiKey::$name;
                type Response = $module::$response;
            }

            impl Response for $module::$response {
                const KEY: ApiKey = ApiKey::$name;
            }
        )+
    };
}

apis! {
    Produce = 0 => produce::{ProduceRequest, ProduceResponse},
    Fetch = 1 => fetch::{FetchRequest, FetchResponse},
    ListOffsets = 2 => list_offsets::{ListOffsetsRequest, ListOffsetsResponse},
    Metadata = 3 => metadata::{MetadataRequest, MetadataResponse},
    OffsetCommit = 8 => offset_commit::{OffsetCommitRequest, OffsetCommitResponse},
    OffsetFetch = 9 => offset_fetch::{OffsetFetchRequest, OffsetFetchResponse},
    FindCoordinator = 10 => find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse},
    JoinGroup = 11 => join_group::{JoinGroupRequest, JoinGroupResponse},
    Heartbeat = 12 => heartbeat::{HeartbeatRequest, HeartbeatResponse},
    LeaveGroup = 13 => leave_group::{LeaveGroupRequest, LeaveGroupResponse},
    SyncGroup = 14 => sync_group::{SyncGroupRequest, SyncGroupResponse},
    DescribeGroups = 15 => describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse},
    ListGroups = 16 => list_groups::{ListGroupsRequest, ListGroupsResponse},
    SaslHandshake = 17 => sasl_handshake::{SaslHandshakeRequest, SaslHandshakeResponse},
    ApiVersions = 18 => api_versions::{ApiVersionsRequest, ApiVersionsResponse},
    CreateTopics = 19 => create_topics::{CreateTopicsRequest, CreateTopicsResponse},
    DeleteTopics = 20 => delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse},
    DeleteRecords = 21 => delete_records::{DeleteRecordsRequest, DeleteRecordsResponse},
    InitProducerId = 22 => init_producer_id::{InitProducerIdRequest, InitProducerIdResponse},
    OffsetForLeaderEpoch = 23 => offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse},
    AddPartitionsToTxn = 24 => add_partitions_to_txn::{AddPartitionsToTxnRequest, AddPartitionsToTxnResponse},
    AddOffsetsToTxn = 25 => add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse},
    EndTxn = 26 => end_txn::{EndTxnRequest, EndTxnResponse},
    WriteTxnMarkers = 27 => write_txn_markers::{WriteTxnMarkersRequest, WriteTxnMarkersResponse},
    TxnOffsetCommit = 28 => txn_offset_commit::{TxnOffsetCommitRequest, TxnOffsetCommitResponse},
    DescribeAcls = 29 => describe_acls::{DescribeAclsRequest, DescribeAclsResponse},
    CreateAcls = 30 => create_acls::{CreateAclsRequest, CreateAclsResponse},
    DeleteAcls = 31 => delete_acls::{DeleteAclsRequest, DeleteAclsResponse},
    DescribeConfigs = 32 => describe_configs::{DescribeConfigsRequest, DescribeConfigsResponse},
    AlterConfigs = 33 => alter_configs::{AlterConfigsRequest, AlterConfigsResponse},
    AlterReplicaLogDirs = 34 => alter_replica_log_dirs::{AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse},
    DescribeLogDirs = 35 => describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse},
    SaslAuthenticate = 36 => sasl_authenticate::{SaslAuthenticateRequest, SaslAuthenticateResponse},
    CreatePartitions = 37 => create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse},
    CreateDelegationToken = 38 => create_delegation_token::{CreateDelegationTokenRequest, CreateDelegationTokenResponse},
    RenewDelegationToken = 39 => renew_delegation_token::{RenewDelegationTokenRequest, RenewDelegationTokenResponse},
    ExpireDelegationToken = 40 => expire_delegation_token::{ExpireDelegationTokenRequest, ExpireDelegationTokenResponse},
    DescribeDelegationToken = 41 => describe_delegation_token::{DescribeDelegationTokenRequest, DescribeDelegationTokenResponse},
    DeleteGroups = 42 => delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse},
    ElectLeaders = 43 => elect_leaders::{ElectLeadersRequest, ElectLeadersResponse},
    IncrementalAlterConfigs = 44 => incremental_alter_configs::{IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse},
    AlterPartitionReassignments = 45 => alter_partition_reassignments::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse},
    ListPartitionReassignments = 46 => list_partition_reassignments::{ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse},
    OffsetDelete = 47 => offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse},
    DescribeClientQuotas = 48 => describe_client_quotas::{DescribeClientQuotasRequest, DescribeClientQuotasResponse},
    AlterClientQuotas = 49 => alter_client_quotas::{AlterClientQuotasRequest, AlterClientQuotasResponse},
    DescribeUserScramCredentials = 50 => describe_user_scram_credentials::{DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse},
    AlterUserScramCredentials = 51 => alter_user_scram_credentials::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse},
    Vote = 52 => vote::{VoteRequest, VoteResponse},
    BeginQuorumEpoch = 53 => begin_quorum_epoch::{BeginQuorumEpochRequest, BeginQuorumEpochResponse},
    EndQuorumEpoch = 54 => end_quorum_epoch::{EndQuorumEpochRequest, EndQuorumEpochResponse},
    DescribeQuorum = 55 => describe_quorum::{DescribeQuorumRequest, DescribeQuorumResponse},
    AlterPartition = 56 => alter_partition::{AlterPartitionRequest, AlterPartitionResponse},
    UpdateFeatures = 57 => update_features::{UpdateFeaturesRequest, UpdateFeaturesResponse},
    Envelope = 58 => envelope::{EnvelopeRequest, EnvelopeResponse},
    FetchSnapshot = 59 => fetch_snapshot::{FetchSnapshotRequest, FetchSnapshotResponse},
    DescribeCluster = 60 => describe_cluster::{DescribeClusterRequest, DescribeClusterResponse},
    DescribeProducers = 61 => describe_producers::{DescribeProducersRequest, DescribeProducersResponse},
    BrokerRegistration = 62 => broker_registration::{BrokerRegistrationRequest, BrokerRegistrationResponse},
    BrokerHeartbeat = 63 => broker_heartbeat::{BrokerHeartbeatRequest, BrokerHeartbeatResponse},
    UnregisterBroker = 64 => unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse},
    DescribeTransactions = 65 => describe_transactions::{DescribeTransactionsRequest, DescribeTransactionsResponse},
    ListTransactions = 66 => list_transactions::{ListTransactionsRequest, ListTransactionsResponse},
    AllocateProducerIds = 67 => allocate_producer_ids::{AllocateProducerIdsRequest, AllocateProducerIdsResponse},
    ConsumerGroupHeartbeat = 68 => consumer_group_heartbeat::{ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse},
    ConsumerGroupDescribe = 69 => consumer_group_describe::{ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse},
    ControllerRegistration = 70 => controller_registration::{ControllerRegistrationRequest, ControllerRegistrationResponse},
    GetTelemetrySubscriptions = 71 => get_telemetry_subscriptions::{GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse},
    PushTelemetry = 72 => push_telemetry::{PushTelemetryRequest, PushTelemetryResponse},
    AssignReplicasToDirs = 73 => assign_replicas_to_dirs::{AssignReplicasToDirsRequest, AssignReplicasToDirsResponse},
    ListConfigResources = 74 => list_config_resources::{ListConfigResourcesRequest, ListConfigResourcesResponse},
    DescribeTopicPartitions = 75 => describe_topic_partitions::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse},
    ShareGroupHeartbeat = 76 => share_group_heartbeat::{ShareGroupHeartbeatRequest, ShareGroupHeartbeatResponse},
    ShareGroupDescribe = 77 => share_group_describe::{ShareGroupDescribeRequest, ShareGroupDescribeResponse},
    ShareFetch = 78 => share_fetch::{ShareFetchRequest, ShareFetchResponse},
    ShareAcknowledge = 79 => share_acknowledge::{ShareAcknowledgeRequest, ShareAcknowledgeResponse},
    AddRaftVoter = 80 => add_raft_voter::{AddRaftVoterRequest, AddRaftVoterResponse},
    RemoveRaftVoter = 81 => remove_raft_voter::{RemoveRaftVoterRequest, RemoveRaftVoterResponse},
    UpdateRaftVoter = 82 => update_raft_voter::{UpdateRaftVoterRequest, UpdateRaftVoterResponse},
    InitializeShareGroupState = 83 => initialize_share_group_state::{InitializeShareGroupStateRequest, InitializeShareGroupStateResponse},
    ReadShareGroupState = 84 => read_share_group_state::{ReadShareGroupStateRequest, ReadShareGroupStateResponse},
    WriteShareGroupState = 85 => write_share_group_state::{WriteShareGroupStateRequest, WriteShareGroupStateResponse},
    DeleteShareGroupState = 86 => delete_share_group_state::{DeleteShareGroupStateRequest, DeleteShareGroupStateResponse},
    ReadShareGroupStateSummary = 87 => read_share_group_state_summary::{ReadShareGroupStateSummaryRequest, ReadShareGroupStateSummaryResponse},
    StreamsGroupHeartbeat = 88 => streams_group_heartbeat::{StreamsGroupHeartbeatRequest, StreamsGroupHeartbeatResponse},
    StreamsGroupDescribe = 89 => streams_group_describe::{StreamsGroupDescribeRequest, StreamsGroupDescribeResponse},
    DescribeShareGroupOffsets = 90 => describe_share_group_offsets::{DescribeShareGroupOffsetsRequest, DescribeShareGroupOffsetsResponse},
    AlterShareGroupOffsets = 91 => alter_share_group_offsets::{AlterShareGroupOffsetsRequest, AlterShareGroupOffsetsResponse},
    DeleteShareGroupOffsets = 92 => delete_share_group_offsets::{DeleteShareGroupOffsetsRequest, DeleteShareGroupOffsetsResponse},
}

impl From<ApiKey> for i16 {
    fn from(key: ApiKey) -> Self {
        key as Self
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.api().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_each_key_finds_its_row() {
        assert!(API_KEYS.is_sorted());
        for &key in API_KEYS {
            assert_eq!(ApiKey::try_from(i16::from(key)), Ok(key));
            assert_eq!(key.api().key, key);
        }
        assert!(ApiKey::try_from(-1).is_err());
        assert!(ApiKey::try_from(4).is_err(), "LeaderAndIsr left Kafka with version 4");
    }

    #[test]
    fn request_and_response_know_the_same_versions() {
        for api in API_KEYS.iter().map(|key| key.api()) {
            assert_eq!(api.request.schema.versions, api.response.schema.versions, "{}", api.name);
            assert_eq!(api.request.schema.name, format!("{}Request", api.name));
            assert_eq!(api.response.schema.name, format!("{}Response", api.name));
        }
    }

    #[test]
    fn the_answer_to_api_versions_keeps_the_oldest_header() {
        let api = ApiKey::ApiVersions.api();
        assert_eq!(api.request_header_version(3), 2);
        assert_eq!(api.response_header_version(3), 0);
        assert_eq!(ApiKey::Metadata.api().response_header_version(9), 1);
    }
}
