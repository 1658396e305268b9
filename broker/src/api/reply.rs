//! How requests are answered, and the one place where answers are charged.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::Response;
use strandline_protocol::frame::OutboundFrame;

use crate::broker::Broker;
use crate::context::Call;
use crate::quota::Charge;

/// What is sent back.
#[derive(Debug)]
pub enum Reply {
    /// An answer, and for how long nothing more is read from the connection after it.
    Send {
        /// The answer.
        frame: OutboundFrame,
        /// For how long.
        throttle: Duration,
    },
    /// No answer: the request wants none.
    Silence,
    /// Nothing, ever again.
    Close(&'static str),
}

/// An answer that comes later.
pub type LaterReply = Pin<Box<dyn Future<Output = Reply> + Send>>;

/// How far a request got.
pub enum Dispatched {
    /// It is answered.
    Now(Reply),
    /// It will be; meanwhile the next one can begin.
    Later(LaterReply),
}

impl fmt::Debug for Dispatched {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(reply) => reply.fmt(formatter),
            Self::Later(_) => formatter.write_str("Later"),
        }
    }
}

/// A response in which a client is told how long it is throttled.
pub trait Throttled: Response {
    /// Tells it.
    fn set_throttle_time_ms(&mut self, throttle_time_ms: i32);
}

macro_rules! throttled {
    ($($module:ident::$response:ident),+ $(,)?) => {
        $(impl Throttled for strandline_protocol::apis::$module::$response {
            fn set_throttle_time_ms(&mut self, throttle_time_ms: i32) {
                self.throttle_time_ms = throttle_time_ms;
            }
        })+
    };
}

throttled! {
    add_offsets_to_txn::AddOffsetsToTxnResponse,
    add_partitions_to_txn::AddPartitionsToTxnResponse,
    describe_transactions::DescribeTransactionsResponse,
    end_txn::EndTxnResponse,
    list_transactions::ListTransactionsResponse,
    txn_offset_commit::TxnOffsetCommitResponse,
    alter_configs::AlterConfigsResponse,
    alter_partition_reassignments::AlterPartitionReassignmentsResponse,
    alter_replica_log_dirs::AlterReplicaLogDirsResponse,
    api_versions::ApiVersionsResponse,
    delete_records::DeleteRecordsResponse,
    elect_leaders::ElectLeadersResponse,
    fetch::FetchResponse,
    incremental_alter_configs::IncrementalAlterConfigsResponse,
    init_producer_id::InitProducerIdResponse,
    list_config_resources::ListConfigResourcesResponse,
    list_offsets::ListOffsetsResponse,
    list_partition_reassignments::ListPartitionReassignmentsResponse,
    offset_for_leader_epoch::OffsetForLeaderEpochResponse,
    produce::ProduceResponse,
    consumer_group_describe::ConsumerGroupDescribeResponse,
    consumer_group_heartbeat::ConsumerGroupHeartbeatResponse,
    create_partitions::CreatePartitionsResponse,
    create_topics::CreateTopicsResponse,
    delete_topics::DeleteTopicsResponse,
    describe_cluster::DescribeClusterResponse,
    describe_configs::DescribeConfigsResponse,
    describe_log_dirs::DescribeLogDirsResponse,
    describe_producers::DescribeProducersResponse,
    describe_topic_partitions::DescribeTopicPartitionsResponse,
    metadata::MetadataResponse,
    update_features::UpdateFeaturesResponse,
    delete_groups::DeleteGroupsResponse,
    describe_groups::DescribeGroupsResponse,
    find_coordinator::FindCoordinatorResponse,
    heartbeat::HeartbeatResponse,
    join_group::JoinGroupResponse,
    leave_group::LeaveGroupResponse,
    list_groups::ListGroupsResponse,
    offset_commit::OffsetCommitResponse,
    offset_delete::OffsetDeleteResponse,
    offset_fetch::OffsetFetchResponse,
    sync_group::SyncGroupResponse,
}

/// Has no place for it: who sends it is a broker, or an operator.
impl Throttled for strandline_protocol::apis::write_txn_markers::WriteTxnMarkersResponse {
    fn set_throttle_time_ms(&mut self, _: i32) {}
}

/// Has no place for it: the client is held back all the same.
impl Throttled for strandline_protocol::apis::describe_quorum::DescribeQuorumResponse {
    fn set_throttle_time_ms(&mut self, _: i32) {}
}

impl Call {
    /// The answer to this call, charged.
    pub fn reply<R: Throttled>(&self, broker: &Broker, response: R) -> Reply {
        self.reply_in(broker, self.version, response)
    }

    /// The same, in a version that is not the one asked for.
    pub fn reply_in<R: Throttled>(&self, broker: &Broker, version: i16, mut response: R) -> Reply {
        let encoded = OutboundFrame::response(version, self.correlation_id, &response);
        let Ok(frame) = encoded.inspect_err(|error| tracing::error!(%error, "an answer cannot be written"))
        else {
            return Reply::Close("an answer that cannot be written");
        };
        let worked = broker.clock.monotonic().saturating_sub(self.received_at);
        let charge = Charge { request_bytes: self.request_bytes, response_bytes: frame.len(), worked };
        let throttle = broker.quotas.charge(self, charge);
        if throttle.is_zero() {
            return Reply::Send { frame, throttle };
        }
        response.set_throttle_time_ms(i32::try_from(throttle.as_millis()).unwrap_or(i32::MAX));
        match OutboundFrame::response(version, self.correlation_id, &response) {
            Ok(frame) => Reply::Send { frame, throttle },
            Err(_) => Reply::Close("an answer that cannot be written"),
        }
    }

    /// The answer to this call, at once.
    pub fn now<R: Throttled>(&self, broker: &Broker, response: R) -> Dispatched {
        Dispatched::Now(self.reply(broker, response))
    }

    /// The answer to this call, when `response` has it.
    pub fn later<R: Throttled>(
        self,
        broker: &Arc<Broker>,
        response: impl Future<Output = R> + Send + 'static,
    ) -> Dispatched {
        let broker = Arc::clone(broker);
        Dispatched::Later(Box::pin(async move {
            let response = response.await;
            self.reply(&broker, response)
        }))
    }
}
