//! Produce: appends one batch to each partition that is named.
//!
//! Each topic is authorised before it is looked up, each batch is validated here, on the connection's task, and all
//! that may be appended are gathered for the writer, behind what earlier requests of the same turn have for it, to go to it
//! together. That much is dispatching: a connection's batches reach the writer in the order of its requests. One
//! partition's error leaves the others alone.
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
mod outline;
mod plan;
mod produced;
mod replicated;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::{ProduceRequest, ProduceResponse};
use strandline_protocol::frame::OutboundFrame;
use tokio::time::Instant;

pub(super) use self::produced::Produced;

use self::outline::Outline;
use self::plan::Plan;
use self::produced::Begun;
use self::replicated::{Unreplicated, replicated};
use super::{Dispatched, Dispatching, Reply};
use crate::api::responses::Answered;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::{Call, Serving};
use crate::few::Few;
use crate::metrics::Stage;
use crate::storage::{Gathering, Storage};

/// The `acks` of a producer that waits for all replicas.
const ALL: i16 = -1;

/// Who asks, and how the answer is wanted.
#[derive(Clone, Debug)]
struct Asked {
    broker: Arc<Serving>,
    call: Call,
    acks: i16,
    wait: Duration,
}

/// Begins to answer a request: it is dispatched at once where nothing has to be waited for.
pub(super) fn begin(broker: &Arc<Broker>, call: Call, request: ProduceRequest) -> Dispatching {
    let acks = request.acks;
    let wait = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let mut plan = plan(broker, &call, request);
    let serving = call.connection.served_by.broker(broker);
    let asked = Asked { broker: serving, call, acks, wait };
    if !plan.takes_time() {
        return asked.submit(plan);
    }
    Dispatching::going(async move {
        plan.complete(&asked.broker).await;
        plan.admit(&asked.broker, &asked.call).await;
        asked.submit(plan).await
    })
}

impl Asked {
    /// Hands the writer what is for it.
    fn submit(self, plan: Plan) -> Dispatching {
        let Plan { mut outline, accepted, .. } = plan;
        if accepted.is_empty() {
            let now = self.broker.clock.monotonic();
            return Dispatching::done(Dispatched::Now(self.finish(&mut outline, now)));
        }
        let mut pending = Few::default();
        let commands = accepted.into_iter().map(|accepted| {
            let (command, answered_to) = accepted.into_command();
            pending.push(answered_to);
            command
        });
        let (gathered, may_go_on) = self.call.connection.turn.gathering.add(&self.broker.storage, commands);
        let begun = Begun { asked: self, gathered, pending, outline };
        if may_go_on {
            return Dispatching::done(Dispatched::Later(Produced::new(begun).into()));
        }
        Dispatching::going(async move {
            let (gathering, storage) = begun.asked.writer();
            poll_fn(|context| gathering.poll_in(storage, context)).await;
            Dispatched::Later(Produced::new(begun).into())
        })
    }

    /// Who has the batches for the writer, and the writer itself.
    fn writer(&self) -> (&Gathering, &Storage) {
        (&self.call.connection.turn.gathering, &self.broker.storage)
    }

    /// Waits for the replicas.
    async fn replicate(&self, outline: &mut Outline, unreplicated: Vec<Unreplicated>) {
        let clock = &self.broker.clock;
        let begun = clock.monotonic();
        replicated(&*self.broker.topics, outline, unreplicated, Instant::now() + self.wait).await;
        let waited = clock.monotonic().saturating_sub(begun);
        self.broker.metrics.stage(self.call.api, Stage::Wait, waited);
    }

    /// Answers as the producer wants to be answered.
    fn finish(&self, outline: &mut Outline, answered_at: Duration) -> Reply {
        let Self { broker, call, acks, .. } = self;
        if *acks != 0
            && let Some(frame) = outline.frame_of_success(call.version, call.correlation_id)
        {
            return call.charged(broker, frame, answered_at, |throttle_time_ms| {
                let response = std::mem::take(outline).into_response();
                let response = ProduceResponse { throttle_time_ms, ..response };
                OutboundFrame::response(call.version, call.correlation_id, &response)
            });
        }
        let mut response = std::mem::take(outline).into_response();
        if *acks != 0 {
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
}

/// What is to be done with each partition of a request.
fn plan(broker: &Broker, call: &Call, request: ProduceRequest) -> Plan {
    let is_authorized = !plan::has_transactional(&request)
        || request.transactional_id.as_deref().is_some_and(|id| {
            broker.authorizer.authorize(call, Operation::Write, Resource::TransactionalId(id))
        });
    if !is_authorized {
        return Plan::refusal(&request, ErrorCode::TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    }
    Plan::new(broker, call, request)
}

#[cfg(test)]
mod tests;
