//! TxnOffsetCommit: a group got so far, if a transaction is committed.
//!
//! It takes the right to write under the transactional id, and to read the group and each topic. The offsets are
//! appended at once and count with the marker. As with a batch, the coordinator of the transaction is asked before
//! whether the group's partition is part of it; from v5 on it becomes part of it. What is missing is
//! TRANSACTION_ABORTABLE from v4 on, and INVALID_TXN_STATE below. Below v2 a coordinator that is loading is one that is
//! not available: old clients do not know better.

use std::sync::Arc;

use strandline_log::producers::{FirstBatch, Guard};
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitRequestTopic, TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use strandline_protocol::batch::NO_SEQUENCE;
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::offsets::commit_in_transaction_refused;
use strandline_state::groups::{Reply, Request};
use strandline_state::transactions::{Partitions, Producer};

use super::Dispatched;
use super::groups::{ask_verified, check_named, settled};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::coordinator::OFFSETS_TOPIC;
use crate::transactions::as_committed;

/// From this version on the group becomes part of the transaction.
const ADDING_VERSION: i16 = 5;

/// From this version on a producer knows that it may abort.
const ABORTABLE_VERSION: i16 = 4;

/// So often the coordinator of the transaction is asked again because markers came meanwhile.
const ATTEMPTS_MAX: usize = 4;

/// From this version on a client knows of coordinators that are loading.
const LOADING_VERSION: i16 = 2;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    mut request: TxnOffsetCommitRequest,
) -> Dispatched {
    if let Err(code) = authorize(broker, &call, &request) {
        return call.now(broker, commit_in_transaction_refused(&request, code));
    }
    let mut failed = Vec::new();
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in std::mem::take(&mut request.topics) {
        let (good, bad) = sort(broker, &call, topic);
        topics.extend(good);
        failed.extend(bad);
    }
    request.topics = topics;
    if request.topics.is_empty() {
        return call.now(broker, TxnOffsetCommitResponse { topics: failed, ..Default::default() });
    }
    let version = call.version;
    let (sent, group_id) = (request.clone(), request.group_id.clone());
    let answer = match verify(broker, version, &request).await {
        Err(code) => Err(code),
        Ok(guard) => {
            let request = Request::TxnOffsetCommit(request);
            let pick = |reply| match reply {
                Reply::TxnOffsetCommit(response) => Some(response),
                _ => None,
            };
            Ok(ask_verified(broker, &call, &group_id, guard, request, pick).await)
        }
    };
    call.later(broker, async move {
        let answered = settled(answer).await;
        let mut response = answered.unwrap_or_else(|code| {
            let is_early = code == ErrorCode::COORDINATOR_LOAD_IN_PROGRESS && version < LOADING_VERSION;
            let code = if is_early { ErrorCode::COORDINATOR_NOT_AVAILABLE } else { code };
            // The log has the last word about a transaction, and one code for what it says.
            let is_abortable = code == ErrorCode::INVALID_TXN_STATE && version >= ABORTABLE_VERSION;
            let code = if is_abortable { ErrorCode::TRANSACTION_ABORTABLE } else { code };
            commit_in_transaction_refused(&sent, code)
        });
        response.topics.extend(failed);
        response
    })
}

fn authorize(broker: &Broker, call: &Call, request: &TxnOffsetCommitRequest) -> Result<(), ErrorCode> {
    let resource = Resource::TransactionalId(&request.transactional_id);
    if !broker.authorizer.authorize(call, Operation::Write, resource) {
        return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    check_named(broker, call, Operation::Read, &request.group_id)
}

/// The part of a topic that may be committed, and the part that may not, with the reason.
fn sort(
    broker: &Broker,
    call: &Call,
    mut topic: TxnOffsetCommitRequestTopic,
) -> (Option<TxnOffsetCommitRequestTopic>, Option<TxnOffsetCommitResponseTopic>) {
    let name = topic.name.clone();
    let may_read = broker.authorizer.authorize(call, Operation::Read, Resource::Topic(&name));
    let found = if may_read { broker.topics.by_name(&name) } else { None };
    let code =
        if may_read { ErrorCode::UNKNOWN_TOPIC_OR_PARTITION } else { ErrorCode::TOPIC_AUTHORIZATION_FAILED };
    let is_known = |index| found.as_ref().is_some_and(|found| found.leadership(index).is_ok());
    let bad: Vec<_> =
        topic.partitions.extract_if(.., |partition| !is_known(partition.partition_index)).collect();
    let refused = |index| TxnOffsetCommitResponsePartition {
        partition_index: index,
        error_code: code,
        ..Default::default()
    };
    let partitions: Vec<_> = bad.iter().map(|partition| refused(partition.partition_index)).collect();
    let bad = TxnOffsetCommitResponseTopic { name, partitions, ..Default::default() };
    ((!topic.partitions.is_empty()).then_some(topic), (!bad.partitions.is_empty()).then_some(bad))
}

/// Asks the coordinator of the transaction, unless it is open in the group's partition; gives what is to be shown there.
async fn verify(
    broker: &Broker,
    version: i16,
    request: &TxnOffsetCommitRequest,
) -> Result<Option<Guard>, ErrorCode> {
    let TxnOffsetCommitRequest { producer_id, producer_epoch, transactional_id, .. } = request;
    let partition = broker.groups.partition_of(&request.group_id)?;
    let log = broker.groups.log(partition)?;
    let (producer_id, producer_epoch) = (*producer_id, *producer_epoch);
    let first = FirstBatch { producer_id, producer_epoch, base_sequence: NO_SEQUENCE };
    let is_adding = version >= ADDING_VERSION;
    let begin = || log.begin_verification(first, is_adding, broker.clock.wall_ms());
    let producer = Producer { transactional_id: transactional_id.clone(), producer_id, producer_epoch };
    let partitions: Partitions = [(Text::from_static(OFFSETS_TOPIC.name), partition)].into_iter().collect();
    let mut attempts = 0;
    let Some(mut guard) = begin() else { return Ok(None) };
    loop {
        let asked = if is_adding {
            let added = broker.transactions.add_or_wait(producer.clone(), partitions.clone());
            added.await.map(|()| Partitions::new())
        } else {
            broker.transactions.missing(producer.clone(), partitions.clone()).await
        };
        let code = match asked {
            Ok(missing) if missing.is_empty() => {
                attempts += 1;
                // As with a batch: a marker that came meanwhile has made the guard worthless.
                match begin() {
                    None => return Ok(None),
                    Some(now) if now == guard || attempts == ATTEMPTS_MAX => return Ok(Some(guard)),
                    Some(now) => guard = now,
                }
                continue;
            }
            Ok(_) if version >= ABORTABLE_VERSION => ErrorCode::TRANSACTION_ABORTABLE,
            Ok(_) => ErrorCode::INVALID_TXN_STATE,
            Err(code) => as_committed(code, is_adding),
        };
        log.refuse_verification(producer_id, guard);
        return Err(code);
    }
}
