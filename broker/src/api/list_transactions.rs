//! ListTransactions: the transactional ids that this broker coordinates.
//!
//! Ids that the one who asks may not see are left out. Names of states that are none come back. v1 lists those whose
//! transaction has been open for longer than some time: as in Kafka, ids without one count as open since ever. v2 has a
//! pattern that whole ids match, in RE2's syntax as in Kafka: look-around and back-references, which can take for ever,
//! are INVALID_REGULAR_EXPRESSION, as is what makes no sense.

use std::sync::Arc;

use strandline_protocol::apis::list_transactions::{
    ListTransactionsRequest, ListTransactionsResponse, TransactionState,
};
use strandline_protocol::{ErrorCode, Text};
use strandline_state::regex::{Matcher, Regex};
use strandline_state::transactions::Filter;

use super::Dispatched;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::transactions::statuses;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ListTransactionsRequest) -> Dispatched {
    let (owner, caller) = (Arc::clone(broker), call.clone());
    call.later(broker, async move {
        let pattern = match pattern(&request) {
            Ok(pattern) => pattern,
            Err(error_code) => return refused(error_code, Vec::new()),
        };
        let (known, unknown_state_filters) = statuses(&request.state_filters);
        let filter = Filter {
            statuses: (!request.state_filters.is_empty()).then_some(known),
            producer_ids: request.producer_id_filters.iter().copied().collect(),
            longer_than_ms: Some(request.duration_filter).filter(|duration_ms| *duration_ms >= 0),
        };
        let listed = match owner.transactions.list(&filter).await {
            Ok(listed) => listed,
            Err(error_code) => return refused(error_code, unknown_state_filters),
        };
        let may_see = |id: &str| {
            let resource = Resource::TransactionalId(id);
            owner.authorizer.authorize(&caller, Operation::Describe, resource)
        };
        // The machines are not held up by somebody's pattern.
        let mut matcher = pattern.as_ref().map(Matcher::new);
        let mut is_meant = |id: &str| matcher.as_mut().is_none_or(|matcher| matcher.is_match(id));
        let shown = listed.into_iter().filter(|(id, ..)| is_meant(id) && may_see(id));
        let states = shown.map(|(transactional_id, producer_id, status)| {
            let transaction_state = Text::from_static(status.name());
            TransactionState { transactional_id, producer_id, transaction_state, ..Default::default() }
        });
        ListTransactionsResponse {
            unknown_state_filters,
            transaction_states: states.collect(),
            ..Default::default()
        }
    })
}

/// The pattern that ids have to match; none if any will do.
fn pattern(request: &ListTransactionsRequest) -> Result<Option<Regex>, ErrorCode> {
    let text = request.transactional_id_pattern.as_ref().filter(|pattern| !pattern.is_empty());
    text.map(|pattern| Regex::new(pattern).map_err(|_| ErrorCode::INVALID_REGULAR_EXPRESSION)).transpose()
}

fn refused(error_code: ErrorCode, unknown_state_filters: Vec<Text>) -> ListTransactionsResponse {
    ListTransactionsResponse { error_code, unknown_state_filters, ..Default::default() }
}
