//! DescribeTransactions: where transactional ids stand, of those that this broker coordinates.
//!
//! It takes the right to see each id; topics that may not be seen are left out. An id that is not known is
//! TRANSACTIONAL_ID_NOT_FOUND. While a transaction ends, the partitions are those that have no marker yet.

use std::sync::Arc;

use strandline_protocol::apis::describe_transactions::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, TopicData, TransactionState as Described,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::transactions::TransactionState;

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: DescribeTransactionsRequest,
) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let mut transaction_states = Vec::with_capacity(request.transactional_ids.len());
        for transactional_id in request.transactional_ids {
            let described = describe(&owner, &caller, transactional_id.clone()).await;
            transaction_states.push(described.unwrap_or_else(|error_code| Described {
                error_code,
                transactional_id,
                ..Default::default()
            }));
        }
        DescribeTransactionsResponse { transaction_states, ..Default::default() }
    })
}

async fn describe(broker: &Broker, call: &Call, transactional_id: Text) -> Result<Described, ErrorCode> {
    let may = |resource| broker.authorizer.authorize(call, Operation::Describe, resource);
    if !may(Resource::TransactionalId(&transactional_id)) {
        return Err(ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    if transactional_id.is_empty() {
        return Err(ErrorCode::INVALID_REQUEST);
    }
    let state: TransactionState = broker.transactions.describe(transactional_id.clone()).await?;
    let topics = state.partitions.topics().filter(|(topic, _)| may(Resource::Topic(topic)));
    let topics = topics.map(|(topic, indexes)| TopicData {
        topic: topic.clone(),
        partitions: indexes.iter().copied().collect(),
        ..Default::default()
    });
    Ok(Described {
        error_code: ErrorCode::NONE,
        topics: topics.collect(),
        transactional_id,
        transaction_state: Text::from_static(state.status.name()),
        transaction_timeout_ms: state.timeout_ms,
        transaction_start_time_ms: state.started_ms,
        producer_id: state.producer_id,
        producer_epoch: state.producer_epoch,
        ..Default::default()
    })
}
