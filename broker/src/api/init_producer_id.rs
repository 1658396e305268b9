//! InitProducerId: gives a producer the id and epoch that its sequences are counted under.
//!
//! Without a transactional id any broker answers, with an id that nobody has and epoch 0, whatever the producer says
//! it had: that is Kafka's rule, and a producer that lost its place begins anew. It takes the right to write
//! idempotently to the cluster.
//!
//! - With a transactional id the coordinator answers. There is none in this build yet: COORDINATOR_NOT_AVAILABLE, upon
//!   which a client asks again, until it gives up by its own timeout.
//! - An empty transactional id is INVALID_REQUEST, and so is an id without an epoch, or the other way round (v3).

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: InitProducerIdRequest) -> Dispatched {
    if let Err(error_code) = check(broker, &call, &request) {
        return call.now(broker, refused(error_code));
    }
    let shared = Arc::clone(broker);
    call.later(broker, async move {
        match shared.producer_ids.next().await {
            Ok(producer_id) => {
                InitProducerIdResponse { producer_id, producer_epoch: 0, ..Default::default() }
            }
            Err(error_code) => refused(error_code),
        }
    })
}

fn check(broker: &Broker, call: &Call, request: &InitProducerIdRequest) -> Result<(), ErrorCode> {
    let may = |operation, resource| broker.authorizer.authorize(call, operation, resource);
    match request.transactional_id.as_deref() {
        Some(id) if !may(Operation::Write, Resource::TransactionalId(id)) => {
            return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
        }
        None if !may(Operation::IdempotentWrite, Resource::Cluster) => {
            return Err(ErrorCode::CLUSTER_AUTHORIZATION_FAILED);
        }
        _ => {}
    }
    let has_id = request.producer_id != NO_PRODUCER_ID;
    let has_epoch = request.producer_epoch != NO_PRODUCER_EPOCH;
    if has_id != has_epoch {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    match request.transactional_id.as_deref() {
        None => Ok(()),
        Some("") => Err(ErrorCode::INVALID_REQUEST),
        Some(_) => Err(ErrorCode::COORDINATOR_NOT_AVAILABLE),
    }
}

fn refused(error_code: ErrorCode) -> InitProducerIdResponse {
    InitProducerIdResponse { error_code, producer_epoch: NO_PRODUCER_EPOCH, ..Default::default() }
}

#[cfg(test)]
mod tests;
