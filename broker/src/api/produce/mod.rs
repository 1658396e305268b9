//! Produce: appends one batch to each partition that is named.
//!
//! Each topic is authorised before it is looked up, each batch is validated here, on the connection's task, and all
//! that may be appended go to the writer in one submission, so that they commit in one group. That much is
//! dispatching: a connection's batches reach the writer in the order of its requests. One partition's error leaves
//! the others alone.
//!
//! - v0-2 are advertised and not served (KAFKA-18659). Below v7 zstd is UNSUPPORTED_COMPRESSION_TYPE. From v8 on the
//!   answer names the records at fault (KIP-467). v13 names topics by id; an unknown one is UNKNOWN_TOPIC_ID.
//! - With acks 0 there is no answer; if there was an error the connection is closed instead, as Kafka does. acks
//!   other than -1, 0 and 1 are INVALID_REQUIRED_ACKS for every partition.
//! - A batch that its producer has sent before is answered with its first offset. Errors about sequences and epochs
//!   are the log's; UNKNOWN_SERVER_ERROR ends an idempotent producer, and is never answered.
//! - Transactional batches need the right to write under their transactional id, or the whole request is
//!   TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Whether their transaction is open is for [`crate::admission`] to say.

mod answer;
mod check;
mod plan;

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{ProduceRequest, ProduceResponse};

use self::plan::Plan;
use super::{Dispatched, Reply};
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ProduceRequest) -> Dispatched {
    let acks = request.acks;
    let mut plan = plan(broker, &call, request);
    plan.complete(&broker.offload).await;
    plan.admit(broker, &call).await;
    let Some((commands, pending)) = plan.take_commands() else {
        return Dispatched::Now(finish(broker, &call, acks, plan.response));
    };
    let submitted = broker.storage.submit(commands).await;
    let (broker, mut response) = (Arc::clone(broker), plan.response);
    Dispatched::Later(Box::pin(async move {
        let outcomes = submitted.await;
        answer::fill(&mut response, pending, outcomes);
        finish(&broker, &call, acks, response)
    }))
}

/// What is to be done with each partition of a request.
fn plan(broker: &Broker, call: &Call, request: ProduceRequest) -> Plan {
    let is_authorized = !plan::has_transactional(&request)
        || request.transactional_id.as_deref().is_some_and(|id| {
            broker.authorizer.authorize(call, Operation::Write, Resource::TransactionalId(id))
        });
    if !is_authorized {
        return Plan::refusal(request, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    Plan::new(broker, call, request)
}

/// Answers as the producer wants to be answered.
fn finish(broker: &Broker, call: &Call, acks: i16, response: ProduceResponse) -> Reply {
    if acks != 0 {
        return call.reply(broker, response);
    }
    let mut partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    if partitions.any(|partition| partition.error_code != ErrorCode::NONE) {
        return Reply::Close("a producer that wants no answer, and an error");
    }
    Reply::Silence
}

#[cfg(test)]
mod tests;
