//! AddOffsetsToTxn: the offsets of a group are going to be part of a transaction.
//!
//! It takes the right to write under the transactional id, and to read the group. What becomes part of the transaction
//! is the partition of the internal topic that has the group. Below v2 PRODUCER_FENCED is INVALID_PRODUCER_EPOCH.
//! Producers of version 2 of transactions do not send it.

use std::sync::Arc;

use strandline_protocol::apis::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::transactions::{Partitions, Producer};

use super::Dispatched;
use super::transactions::known_to_client;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::coordinator::OFFSETS_TOPIC;

const FIRST_VERSION_OF_FENCED: i16 = 2;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: AddOffsetsToTxnRequest) -> Dispatched {
    let partitions = match check(broker, &call, &request).await {
        Ok(partitions) => partitions,
        Err(error_code) => {
            return call.now(broker, AddOffsetsToTxnResponse { error_code, ..Default::default() });
        }
    };
    let AddOffsetsToTxnRequest { transactional_id, producer_id, producer_epoch, .. } = request;
    let producer = Producer { transactional_id, producer_id, producer_epoch };
    let added = broker.transactions.add(producer, partitions, 0).await;
    let version = call.version;
    call.later(broker, async move {
        let code = added.await.err().unwrap_or(ErrorCode::NONE);
        let error_code = known_to_client(code, version, FIRST_VERSION_OF_FENCED);
        AddOffsetsToTxnResponse { error_code, ..Default::default() }
    })
}

async fn check(
    broker: &Broker,
    call: &Call,
    request: &AddOffsetsToTxnRequest,
) -> Result<Partitions, ErrorCode> {
    let may = |operation, resource| broker.authorizer.authorize(call, operation, resource);
    if !may(Operation::Write, Resource::TransactionalId(&request.transactional_id)) {
        return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if !may(Operation::Read, Resource::Group(&request.group_id)) {
        return Err(ErrorCode::GROUP_AUTHORIZATION_FAILED);
    }
    // The producer looks for the group's coordinator only afterwards.
    broker.groups.ensure_topic().await?;
    let partition = broker.groups.partition_of(&request.group_id);
    let partition = partition.map_err(|_| ErrorCode::COORDINATOR_NOT_AVAILABLE)?;
    Ok([(Text::from_static(OFFSETS_TOPIC.name), partition)].into_iter().collect())
}
