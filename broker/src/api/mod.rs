//! Every API that is served: one file each, and the one table of them all, from which the advertised versions come.
//!
//! A handler has two stages. What it awaits before it returns is *dispatching*: the connection's next request
//! starts only then, so whatever has to keep its order happens there, and nothing that takes long. What it leaves
//! to [`Dispatched::Later`] runs beside the requests that follow; answers keep the order of the requests.

mod add_offsets_to_txn;
mod add_partitions_to_txn;
mod alter_configs;
mod alter_partition_reassignments;
mod alter_replica_log_dirs;
mod api_versions;
mod cluster;
mod configs;
mod configs_of_loggers;
mod consumer_group_describe;
mod consumer_group_heartbeat;
mod create_partitions;
mod create_topics;
mod delete_groups;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_groups;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod describe_transactions;
mod elect_leaders;
mod end_txn;
mod fetch;
mod find_coordinator;
mod groups;
mod heartbeat;
mod incremental_alter_configs;
mod init_producer_id;
mod join_group;
mod leave_group;
mod list_config_resources;
mod list_groups;
mod list_offsets;
mod list_partition_reassignments;
mod list_transactions;
mod metadata;
mod offset_commit;
mod offset_delete;
mod offset_fetch;
mod offset_for_leader_epoch;
mod produce;
mod reply;
mod responses;
mod sync_group;
pub mod topics;
mod transactions;
pub mod turn;
mod txn_offset_commit;
mod update_features;
mod wait;
mod write_txn_markers;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::apis::{Api, ApiKey};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::schema::VersionRange;
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, DecodeError, Message, Reader};

pub use self::fetch::sessions as fetch_sessions;
pub use self::reply::{Answering, Append, Dispatched, Dispatching, LaterReply, Reply};

use crate::broker::Broker;
use crate::context::{Call, Connection};

/// An API that is served.
#[derive(Clone, Copy, Debug)]
pub struct Served {
    /// Its key.
    pub key: ApiKey,
    /// What is told to clients.
    pub advertised: VersionRange,
    /// What is answered. Lower than advertised nowhere but for Produce, whose lowest versions older clients want
    /// to see although nobody sends them (KAFKA-18659).
    pub versions: VersionRange,
}

macro_rules! served {
    ($(
        $name:ident $first:literal..=$last:literal $(advertised from $advertised:literal)? => $module:ident $($how:ident)?
    ),+ $(,)?) => {
        /// The table: what is served, by rising key.
        pub static SERVED: &[Served] = &[$(Served {
            key: ApiKey::$name,
            advertised: VersionRange::new(served!(@first $first $($advertised)?), $last),
            versions: VersionRange::new($first, $last),
        }),+];

        fn handle(broker: &Arc<Broker>, call: Call, mut reader: Reader) -> DecodeResult<Dispatching> {
            match call.api {
                $(ApiKey::$name => {
                    // What may follow is not looked at, as Kafka does not: librdkafka 2.16 has three bytes behind some
                    // requests for metadata.
                    let request = Message::read(&mut reader, call.version)?;
                    Ok(served!(@begin broker, call, request, $module $($how)?))
                })+
                _ => Ok(Dispatching::done(Dispatched::Now(Reply::Close("an API that is not served")))),
            }
        }
    };
    // What comes most often and waits least begins without a box.
    (@begin $broker:ident, $call:ident, $request:ident, $module:ident begins) => {
        $module::begin($broker, $call, $request)
    };
    (@begin $broker:ident, $call:ident, $request:ident, $module:ident) => {{
        let broker = Arc::clone($broker);
        // Each in a box of its own size: one for all of them would be as large as the largest.
        Dispatching::going(async move { $module::handle(&broker, $call, $request).await })
    }};
    (@first $first:literal) => { $first };
    (@first $first:literal $advertised:literal) => { $advertised };
}

served! {
    Produce 3..=13 advertised from 0 => produce begins,
    Fetch 4..=18 => fetch,
    ListOffsets 1..=11 => list_offsets,
    Metadata 0..=13 => metadata,
    OffsetCommit 2..=10 => offset_commit,
    OffsetFetch 1..=10 => offset_fetch,
    FindCoordinator 0..=6 => find_coordinator,
    JoinGroup 0..=9 => join_group,
    Heartbeat 0..=4 => heartbeat,
    LeaveGroup 0..=5 => leave_group,
    SyncGroup 0..=5 => sync_group,
    DescribeGroups 0..=6 => describe_groups,
    ListGroups 0..=5 => list_groups,
    ApiVersions 0..=4 => api_versions,
    CreateTopics 2..=7 => create_topics,
    DeleteTopics 1..=6 => delete_topics,
    DeleteRecords 0..=2 => delete_records,
    InitProducerId 0..=5 => init_producer_id,
    OffsetForLeaderEpoch 2..=4 => offset_for_leader_epoch,
    AddPartitionsToTxn 0..=5 => add_partitions_to_txn,
    AddOffsetsToTxn 0..=4 => add_offsets_to_txn,
    EndTxn 0..=5 => end_txn,
    WriteTxnMarkers 1..=2 => write_txn_markers,
    TxnOffsetCommit 0..=5 => txn_offset_commit,
    DescribeConfigs 1..=4 => describe_configs,
    AlterConfigs 0..=2 => alter_configs,
    AlterReplicaLogDirs 1..=2 => alter_replica_log_dirs,
    DescribeLogDirs 1..=5 => describe_log_dirs,
    CreatePartitions 0..=3 => create_partitions,
    DeleteGroups 0..=2 => delete_groups,
    ElectLeaders 0..=2 => elect_leaders,
    IncrementalAlterConfigs 0..=1 => incremental_alter_configs,
    AlterPartitionReassignments 0..=1 => alter_partition_reassignments,
    ListPartitionReassignments 0..=0 => list_partition_reassignments,
    OffsetDelete 0..=0 => offset_delete,
    DescribeQuorum 0..=2 => describe_quorum,
    UpdateFeatures 0..=2 => update_features,
    DescribeCluster 0..=2 => describe_cluster,
    DescribeProducers 0..=0 => describe_producers,
    DescribeTransactions 0..=0 => describe_transactions,
    ListTransactions 0..=2 => list_transactions,
    ConsumerGroupHeartbeat 0..=1 => consumer_group_heartbeat,
    ConsumerGroupDescribe 0..=1 => consumer_group_describe,
    ListConfigResources 0..=1 => list_config_resources,
    DescribeTopicPartitions 0..=0 => describe_topic_partitions,
}

/// Finds out what a frame asks, and begins to answer it.
///
/// The frame is what follows the four bytes of length. Whatever is not a request that is served is answered as
/// Kafka answers it, by closing the connection; but a client that asks for the versions in a version that is too
/// new is told so in the oldest.
pub fn dispatch(
    broker: &Arc<Broker>,
    connection: &Arc<Connection>,
    frame: Bytes,
    received_at: Duration,
) -> Dispatching {
    let request_bytes = frame.len();
    let mut reader = Reader::new(frame);
    let (api, header) = match RequestHeader::read_with_api(&mut reader) {
        Ok(found) => found,
        Err(error) => return Dispatching::done(refuse(connection, &error)),
    };
    let call = Call {
        connection: Arc::clone(connection),
        client_id: header.client_id,
        api: api.key,
        version: header.request_api_version,
        correlation_id: header.correlation_id,
        request_bytes,
        received_at,
    };
    if !is_served(api, call.version) {
        if api.key == ApiKey::ApiVersions {
            return Dispatching::done(api_versions::unsupported(broker, call));
        }
        tracing::info!(peer = %connection.peer, api = api.name, version = call.version, "not served: closing");
        return Dispatching::done(Dispatched::Now(Reply::Close("a version that is not served")));
    }
    // What was asked before this may still be gathered: it comes first, but for what is gathered behind it.
    if api.key == ApiKey::Produce || connection.turn.gathering.try_in(&broker.storage) {
        return begin(broker, connection, call, reader);
    }
    let (broker, connection) = (Arc::clone(broker), Arc::clone(connection));
    Dispatching::going(async move {
        poll_fn(|context| connection.turn.gathering.poll_in(&broker.storage, context)).await;
        begin(&broker, &connection, call, reader).await
    })
}

fn begin(broker: &Arc<Broker>, connection: &Connection, call: Call, reader: Reader) -> Dispatching {
    handle(broker, call, reader).unwrap_or_else(|error| Dispatching::done(refuse(connection, &error)))
}

/// Whether nothing of a request is kept for longer than it takes to work on it. Of what is produced that is so: it is
/// copied into the journal. Where it waits for replicas after that, all behind it wait as well, which lie beside it.
/// Others wait for something to happen each by itself, or leave names behind.
pub fn is_brief(frame: &[u8]) -> bool {
    frame.first_chunk().is_some_and(|key| i16::from_be_bytes(*key) == i16::from(ApiKey::Produce))
}

fn is_served(api: &Api, version: i16) -> bool {
    let served = SERVED.iter().find(|served| served.key == api.key);
    served.is_some_and(|served| served.versions.contains(version))
}

fn refuse(connection: &Connection, error: &DecodeError) -> Dispatched {
    tracing::info!(peer = %connection.peer, %error, "not a request: closing");
    Dispatched::Now(Reply::Close("not a request"))
}

#[cfg(test)]
mod tests;
