//! Produce: appends one batch to each partition that is named.
//!
//! Each topic is authorised before it is looked up, each batch is validated here, on the connection's task, and all
//! that may be appended go to the writer in one submission, so that they commit in one group. That much is
//! dispatching: a connection's batches reach the writer in the order of its requests. One partition's error leaves
//! the others alone.
//!
//! - v0-2 are advertised and not served (KAFKA-18659). Below v7 zstd is UNSUPPORTED_COMPRESSION_TYPE. From v8 on the
//!   answer names the records at fault (KIP-467). v13 names topics by id; an unknown one is UNKNOWN_TOPIC_ID.
//! - With acks 0 there is no answer, but quotas are charged; if there was an error the connection is closed, as Kafka does. acks
//!   other than -1, 0 and 1 are INVALID_REQUIRED_ACKS for every partition.
//! - A batch that its producer has sent before is answered with its first offset. Errors about sequences and epochs
//!   are the log's; UNKNOWN_SERVER_ERROR ends an idempotent producer, and is never answered.
//! - With acks -1 the answer waits until the high watermark is beyond what was appended, for `timeout_ms` at most. Where
//!   this broker leads no longer, or again after another one that may have cut it off, it is NOT_LEADER_OR_FOLLOWER at
//!   once; where too few replicas are in sync by then, NOT_ENOUGH_REPLICAS_AFTER_APPEND.
//! - From v10 on NOT_LEADER_OR_FOLLOWER comes with the leader, and where it can be reached (KIP-951).
//! - Transactional batches need the right to write under their transactional id, or the whole request is
//!   TRANSACTIONAL_ID_AUTHORIZATION_FAILED. Whether their transaction is open is for [`crate::admission`] to say, and
//!   the log has the last word. A partition that is no part of the transaction is TRANSACTION_ABORTABLE from v11 on, and
//!   INVALID_TXN_STATE below; from v12 on it becomes part of it.

mod answer;
mod check;
mod plan;
mod replicated;

use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{ProduceRequest, ProduceResponse};
use tokio::time::Instant;

use self::plan::Plan;
use self::replicated::replicated;
use super::{Append, Dispatched, Reply};
use crate::api::responses::Answered;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::metrics::{IS_MEASURED, Stage};

/// The `acks` of a producer that waits for all replicas.
const ALL: i16 = -1;

pub(super) async fn handle(broker: &Arc<Broker>, call: Call, request: ProduceRequest) -> Dispatched {
    let acks = request.acks;
    let wait = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let mut plan = plan(broker, &call, request);
    plan.complete(broker).await;
    plan.admit(broker, &call).await;
    let Some((commands, pending)) = plan.take_commands() else {
        return Dispatched::Now(finish(broker, &call, acks, plan.response));
    };
    let mut submitted = broker.storage.submit(commands).await;
    let (broker, mut response) = (Arc::clone(broker), plan.response);
    Dispatched::Later(Box::pin(async move {
        let outcomes = (&mut submitted).await;
        let taken_at = submitted.taken_at();
        let mut durable_at = None;
        let unreplicated = answer::fill(&mut response, call.version, pending, outcomes);
        if acks == ALL && !unreplicated.is_empty() {
            let begun = broker.clock.monotonic();
            durable_at = Some(begun);
            replicated(&*broker.topics, &mut response, unreplicated, Instant::now() + wait).await;
            let waited = broker.clock.monotonic().saturating_sub(begun);
            broker.metrics.stage(call.api, Stage::Wait, waited);
        }
        let mut reply = finish(&broker, &call, acks, response);
        if IS_MEASURED {
            note_stages(&broker, &call, taken_at, durable_at, &mut reply);
        }
        reply
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

/// Says how long it took until the writer had it, and until it was durable: that is when it is answered, unless it had to
/// wait for replicas.
fn note_stages(
    broker: &Broker,
    call: &Call,
    taken_at: Duration,
    durable_at: Option<Duration>,
    reply: &mut Reply,
) {
    let append = |answered_at: Duration| Append {
        queue: taken_at.saturating_sub(call.received_at),
        sync: durable_at.unwrap_or(answered_at).saturating_sub(taken_at),
    };
    match reply {
        Reply::Send { answering, .. } => answering.append = Some(append(answering.answered_at)),
        Reply::Silence { .. } | Reply::Close(_) => {
            broker.metrics.appended(call.api, append(broker.clock.monotonic()));
        }
    }
}

/// Answers as the producer wants to be answered.
fn finish(broker: &Broker, call: &Call, acks: i16, mut response: ProduceResponse) -> Reply {
    if acks != 0 {
        answer::name_leaders(broker, call, &mut response);
        return call.reply(broker, response);
    }
    response.show_codes(&mut |code, words| call.note_refusal(broker, code, words));
    let silence = call.silence(broker);
    let mut partitions = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    if partitions.any(|partition| partition.error_code != ErrorCode::NONE) {
        return Reply::Close("a producer that wants no answer, and an error");
    }
    silence
}

#[cfg(test)]
mod tests;
