//! EndTxn: a transaction is committed or aborted. It is answered when that is decided for good; the markers follow.
//!
//! It takes the right to write under the transactional id. Below v2 PRODUCER_FENCED is INVALID_PRODUCER_EPOCH. From v5 on
//! it is version 2 of transactions: the answer brings the id and the epoch that the producer goes on with.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::end_txn::{EndTxnRequest, EndTxnResponse};
use strandline_state::transactions::Producer;

use super::Dispatched;
use super::transactions::known_to_client;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

const FIRST_VERSION_OF_FENCED: i16 = 2;

/// The first version by which a producer gets another epoch with each transaction.
const FIRST_VERSION_OF_RAISING: i16 = 5;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: EndTxnRequest) -> Dispatched {
    let EndTxnRequest { transactional_id, producer_id, producer_epoch, committed, .. } = request;
    let resource = Resource::TransactionalId(&transactional_id);
    if !broker.authorizer.authorize(&call, Operation::Write, resource) {
        let error_code = ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
        return call.now(broker, EndTxnResponse { error_code, ..Default::default() });
    }
    let version = if call.version >= FIRST_VERSION_OF_RAISING { 2 } else { 0 };
    let producer = Producer { transactional_id, producer_id, producer_epoch };
    let ended = broker.transactions.end(producer, committed, version).await;
    let version = call.version;
    call.later(broker, async move {
        match ended.await {
            Ok(None) => EndTxnResponse::default(),
            Ok(Some((producer_id, producer_epoch))) => {
                EndTxnResponse { producer_id, producer_epoch, ..Default::default() }
            }
            Err(code) => {
                let error_code = known_to_client(code, version, FIRST_VERSION_OF_FENCED);
                EndTxnResponse { error_code, ..Default::default() }
            }
        }
    })
}
