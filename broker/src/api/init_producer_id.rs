//! InitProducerId: gives a producer the id and epoch that its sequences are counted under.
//!
//! Without a transactional id any broker answers, with an id that nobody has and epoch 0, whatever the producer says
//! it had: that is Kafka's rule, and a producer that lost its place begins anew. It takes the right to write
//! idempotently to the cluster, or to write to any topic at all.
//!
//! - With a transactional id its coordinator answers, and every producer before is fenced. It takes the right to write
//!   under that id. A transaction that is open is aborted first: CONCURRENT_TRANSACTIONS, upon which a client asks again.
//! - An empty transactional id is INVALID_REQUEST, and so is an id without an epoch, or the other way round (v3).
//! - Below v4 PRODUCER_FENCED is INVALID_PRODUCER_EPOCH.

use std::sync::Arc;

use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::transactions::Initialise;

use super::Dispatched;
use super::transactions::known_to_client;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

const FIRST_VERSION_OF_FENCED: i16 = 4;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: InitProducerIdRequest) -> Dispatched {
    if let Err(error_code) = check(broker, &call, &request) {
        return call.now(broker, refused(error_code));
    }
    let (shared, version) = (Arc::clone(broker), call.version);
    call.later(broker, async move {
        let given = match request.transactional_id.clone() {
            None => shared.producer_ids.next().await.map(|producer_id| (producer_id, 0)),
            Some(id) => shared.transactions.initialise(initialise(&request, id)).await,
        };
        match given {
            Ok((producer_id, producer_epoch)) => {
                InitProducerIdResponse { producer_id, producer_epoch, ..Default::default() }
            }
            Err(code) => refused(known_to_client(code, version, FIRST_VERSION_OF_FENCED)),
        }
    })
}

fn initialise(request: &InitProducerIdRequest, transactional_id: Text) -> Initialise {
    let InitProducerIdRequest { transaction_timeout_ms, producer_id, producer_epoch, .. } = *request;
    Initialise {
        transactional_id,
        timeout_ms: transaction_timeout_ms,
        expected: (producer_id != NO_PRODUCER_ID).then_some((producer_id, producer_epoch)),
        fresh_producer_id: None,
    }
}

fn check(broker: &Broker, call: &Call, request: &InitProducerIdRequest) -> Result<(), ErrorCode> {
    let may = |operation, resource| broker.authorizer.authorize(call, operation, resource);
    match request.transactional_id.as_deref() {
        Some(id) if !may(Operation::Write, Resource::TransactionalId(id)) => {
            return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
        }
        None if !may(Operation::IdempotentWrite, Resource::Cluster)
            && !broker.authorizer.authorize_any_topic(call, Operation::Write) =>
        {
            return Err(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
        }
        _ => {}
    }
    let has_id = request.producer_id != NO_PRODUCER_ID;
    let has_epoch = request.producer_epoch != NO_PRODUCER_EPOCH;
    let has_name = request.transactional_id.as_deref() != Some("");
    if has_id == has_epoch && has_name { Ok(()) } else { Err(ErrorCode::INVALID_REQUEST) }
}

fn refused(error_code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code, producer_epoch: NO_PRODUCER_EPOCH, ..Default::default() }
}

#[cfg(test)]
mod tests;
