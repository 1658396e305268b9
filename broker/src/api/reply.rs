//! How requests are answered, and the one place where answers are charged.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::{ErrorCode, Response};

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

    /// Shows each code in it, those that say that nothing is wrong too.
    fn show_codes(&self, show: &mut dyn FnMut(ErrorCode)) {
        let _ = show;
    }
}

/// Responses that tell it, each with where its codes are: in itself, in each member of a list, or in those of the lists
/// in a list.
macro_rules! throttled {
    ($($module:ident::$response:ident $({$($where:tt)+})?),+ $(,)?) => {
        $(impl Throttled for strandline_protocol::apis::$module::$response {
            fn set_throttle_time_ms(&mut self, throttle_time_ms: i32) {
                self.throttle_time_ms = throttle_time_ms;
            }

            $(fn show_codes(&self, show: &mut dyn FnMut(ErrorCode)) {
                throttled!(@codes self, show, $($where)+);
            })?
        })+
    };
    (@codes $self:ident, $show:ident, itself) => {
        $show($self.error_code);
    };
    (@codes $self:ident, $show:ident, $list:ident) => {
        $self.$list.iter().for_each(|one| $show(one.error_code));
    };
    (@codes $self:ident, $show:ident, $list:ident . $inner:ident) => {
        $self.$list.iter().flat_map(|one| &one.$inner).for_each(|one| $show(one.error_code));
    };
    (@codes $self:ident, $show:ident, itself and $list:ident . $inner:ident) => {
        throttled!(@codes $self, $show, itself);
        throttled!(@codes $self, $show, $list.$inner);
    };
}

throttled! {
    add_offsets_to_txn::AddOffsetsToTxnResponse { itself },
    add_partitions_to_txn::AddPartitionsToTxnResponse { itself },
    describe_transactions::DescribeTransactionsResponse,
    end_txn::EndTxnResponse { itself },
    list_transactions::ListTransactionsResponse { itself },
    txn_offset_commit::TxnOffsetCommitResponse { topics.partitions },
    alter_configs::AlterConfigsResponse { responses },
    alter_partition_reassignments::AlterPartitionReassignmentsResponse,
    alter_replica_log_dirs::AlterReplicaLogDirsResponse,
    api_versions::ApiVersionsResponse { itself },
    delete_records::DeleteRecordsResponse { topics.partitions },
    elect_leaders::ElectLeadersResponse,
    fetch::FetchResponse { itself and responses.partitions },
    incremental_alter_configs::IncrementalAlterConfigsResponse { responses },
    init_producer_id::InitProducerIdResponse { itself },
    list_config_resources::ListConfigResourcesResponse,
    list_offsets::ListOffsetsResponse { topics.partitions },
    list_partition_reassignments::ListPartitionReassignmentsResponse,
    offset_for_leader_epoch::OffsetForLeaderEpochResponse { topics.partitions },
    produce::ProduceResponse { responses.partition_responses },
    consumer_group_describe::ConsumerGroupDescribeResponse { groups },
    consumer_group_heartbeat::ConsumerGroupHeartbeatResponse { itself },
    create_partitions::CreatePartitionsResponse { results },
    create_topics::CreateTopicsResponse { topics },
    delete_topics::DeleteTopicsResponse { responses },
    describe_cluster::DescribeClusterResponse,
    describe_configs::DescribeConfigsResponse { results },
    describe_log_dirs::DescribeLogDirsResponse,
    describe_producers::DescribeProducersResponse,
    describe_topic_partitions::DescribeTopicPartitionsResponse { topics },
    metadata::MetadataResponse { topics },
    update_features::UpdateFeaturesResponse { itself },
    delete_groups::DeleteGroupsResponse { results },
    describe_groups::DescribeGroupsResponse { groups },
    find_coordinator::FindCoordinatorResponse { itself },
    heartbeat::HeartbeatResponse { itself },
    join_group::JoinGroupResponse { itself },
    leave_group::LeaveGroupResponse { itself },
    list_groups::ListGroupsResponse { itself },
    offset_commit::OffsetCommitResponse { topics.partitions },
    offset_delete::OffsetDeleteResponse { itself },
    offset_fetch::OffsetFetchResponse { itself },
    sync_group::SyncGroupResponse { itself },
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
        response.show_codes(&mut |code| self.note_refusal(broker, code));
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

    /// Counts what is no success.
    pub(super) fn note_refusal(&self, broker: &Broker, code: ErrorCode) {
        if code != ErrorCode::NONE {
            broker.metrics.refused(self.api, code);
            // What a client calls itself is its own choice: it is written so that it cannot end a line.
            let (peer, client, version) = (self.connection.peer, self.client_id.as_deref(), self.version);
            tracing::debug!(%peer, ?client, api = %self.api, version, error = %code, "refused");
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
