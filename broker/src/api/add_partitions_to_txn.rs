//! AddPartitionsToTxn: partitions become part of a transaction, or it is asked whether they are.
//!
//! - Up to v3 it comes from clients, about one transaction, and takes the right to write under its id and to each topic.
//!   From v4 on it comes from brokers, about many, and takes rights to the cluster; without `verify_only` the partitions
//!   are added as version 2 of transactions does.
//! - It is all or nothing for each transaction: with one partition that is forbidden or unknown, the others are
//!   OPERATION_NOT_ATTEMPTED.
//! - Below v2 PRODUCER_FENCED is INVALID_PRODUCER_EPOCH. A partition that is not part of the transaction is
//!   TRANSACTION_ABORTABLE to those who ask for that.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult, AddPartitionsToTxnTopic, AddPartitionsToTxnTopicResult,
    AddPartitionsToTxnTransaction,
};
use strandline_state::transactions::{Partitions, Producer};

use super::Dispatched;
use super::transactions::known_to_client;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// The first version that brokers speak.
const FIRST_VERSION_OF_BROKERS: i16 = 4;

/// The first version with a code of its own for producers that were fenced.
const FIRST_VERSION_OF_FENCED: i16 = 2;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: AddPartitionsToTxnRequest,
) -> Dispatched {
    let is_from_broker = call.version >= FIRST_VERSION_OF_BROKERS;
    if is_from_broker && !broker.authorizer.authorize(&call, Operation::ClusterAction, Resource::Cluster) {
        let error_code = ErrorCode::CLUSTER_AUTHORIZATION_FAILED;
        return call.now(broker, AddPartitionsToTxnResponse { error_code, ..Default::default() });
    }
    let transactions = if is_from_broker { request.transactions } else { vec![of_client(request)] };
    let mut pending = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        pending.push(begin(broker, &call, transaction).await);
    }
    call.later(broker, async move {
        let mut results = Vec::with_capacity(pending.len());
        for pending in pending {
            results.push(pending.await);
        }
        if is_from_broker {
            return AddPartitionsToTxnResponse { results_by_transaction: results, ..Default::default() };
        }
        let topics = results.pop().map(|result| result.topic_results).unwrap_or_default();
        AddPartitionsToTxnResponse { results_by_topic_v3_and_below: topics, ..Default::default() }
    })
}

/// The one transaction of a client's request.
fn of_client(request: AddPartitionsToTxnRequest) -> AddPartitionsToTxnTransaction {
    AddPartitionsToTxnTransaction {
        transactional_id: request.v3_and_below_transactional_id,
        producer_id: request.v3_and_below_producer_id,
        producer_epoch: request.v3_and_below_producer_epoch,
        topics: request.v3_and_below_topics,
        ..Default::default()
    }
}

/// Has one transaction looked at. When this returns, the request has its place in order.
async fn begin(
    broker: &Arc<Broker>,
    call: &Call,
    transaction: AddPartitionsToTxnTransaction,
) -> impl Future<Output = AddPartitionsToTxnResult> + Send + 'static {
    let AddPartitionsToTxnTransaction { transactional_id, producer_id, producer_epoch, .. } = transaction;
    let topics = transaction.topics;
    let checked = check(broker, call, &transactional_id, &topics);
    let producer = Producer { transactional_id: transactional_id.clone(), producer_id, producer_epoch };
    let version = call.version;
    let partitions = all(&topics);
    let asked = match checked {
        Err(codes) => Asked::Refused(codes),
        Ok(()) if transaction.verify_only => {
            Asked::Missing(broker.transactions.missing(producer, partitions).await)
        }
        Ok(()) => {
            let raises = if version >= FIRST_VERSION_OF_BROKERS { 2 } else { 0 };
            Asked::Added(Box::pin(broker.transactions.add(producer, partitions, raises).await))
        }
    };
    async move {
        let codes: Codes = match asked {
            Asked::Refused(codes) => codes,
            Asked::Missing(Ok(missing)) => Box::new(move |topic, index| {
                if missing.contains(topic, index) {
                    ErrorCode::TRANSACTION_ABORTABLE
                } else {
                    ErrorCode::NONE
                }
            }),
            Asked::Missing(Err(code)) => Box::new(move |_, _| code),
            Asked::Added(added) => {
                let code = added.await.err().unwrap_or(ErrorCode::NONE);
                let code = known_to_client(code, version, FIRST_VERSION_OF_FENCED);
                Box::new(move |_, _| code)
            }
        };
        AddPartitionsToTxnResult {
            transactional_id,
            topic_results: results(topics, &codes),
            ..Default::default()
        }
    }
}

/// A code for each partition.
type Codes = Box<dyn Fn(&str, i32) -> ErrorCode + Send>;

enum Asked<F> {
    Refused(Codes),
    Missing(Result<Partitions, ErrorCode>),
    Added(std::pin::Pin<Box<F>>),
}

fn all(topics: &[AddPartitionsToTxnTopic]) -> Partitions {
    let partitions =
        topics.iter().flat_map(|topic| topic.partitions.iter().map(|index| (topic.name.clone(), *index)));
    partitions.collect()
}

/// Whether a transaction may be looked at, with all of its partitions.
fn check(
    broker: &Broker,
    call: &Call,
    transactional_id: &str,
    topics: &[AddPartitionsToTxnTopic],
) -> Result<(), Codes> {
    let is_from_client = call.version < FIRST_VERSION_OF_BROKERS;
    let may = |resource| broker.authorizer.authorize(call, Operation::Write, resource);
    if is_from_client && !may(Resource::TransactionalId(transactional_id)) {
        return Err(Box::new(|_, _| ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    }
    let mut failed = std::collections::BTreeMap::new();
    for topic in topics {
        let is_forbidden = is_from_client && !may(Resource::Topic(&topic.name));
        let found = if is_forbidden { None } else { broker.topics.by_name(&topic.name) };
        for index in &topic.partitions {
            let code = match &found {
                _ if is_forbidden => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
                // What no client may write to is no part of a client's transaction.
                Some(found) if is_from_client && found.is_internal => ErrorCode::TOPIC_AUTHORIZATION_FAILED,
                Some(found) if found.leadership(*index).is_ok() => continue,
                _ => ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            };
            failed.insert((topic.name.clone(), *index), code);
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Box::new(move |topic, index| {
        let code = failed.iter().find(|((name, other), _)| name.as_str() == topic && *other == index);
        code.map_or(ErrorCode::OPERATION_NOT_ATTEMPTED, |(_, code)| *code)
    }))
}

fn results(topics: Vec<AddPartitionsToTxnTopic>, codes: &Codes) -> Vec<AddPartitionsToTxnTopicResult> {
    let topics = topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|index| AddPartitionsToTxnPartitionResult {
            partition_index: *index,
            partition_error_code: codes(&topic.name, *index),
            ..Default::default()
        });
        let results_by_partition = partitions.collect();
        AddPartitionsToTxnTopicResult { name: topic.name, results_by_partition, ..Default::default() }
    });
    topics.collect()
}
