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
mod replicated;

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::produce::ProduceRequest;
use tokio::time::Instant;

use self::answer::Pending;
use self::outline::Outline;
use self::plan::Plan;
use self::replicated::{Unreplicated, replicated};
use super::{Append, Dispatched, Dispatching, Reply};
use crate::api::responses::Answered;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::few::Few;
use crate::metrics::{IS_MEASURED, Stage};
use crate::storage::Gathered;

/// The `acks` of a producer that waits for all replicas.
const ALL: i16 = -1;

/// Who asks, and how the answer is wanted.
struct Asked {
    broker: Arc<Broker>,
    call: Call,
    acks: i16,
    wait: Duration,
}

/// Begins to answer a request: it is dispatched at once where nothing has to be waited for.
pub(super) fn begin(broker: &Arc<Broker>, call: Call, request: ProduceRequest) -> Dispatching {
    let acks = request.acks;
    let wait = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0));
    let mut plan = plan(broker, &call, request);
    let asked = Asked { broker: Arc::clone(broker), call, acks, wait };
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
        let Plan { outline, accepted, .. } = plan;
        if accepted.is_empty() {
            return Dispatching::done(Dispatched::Now(self.finish(outline)));
        }
        let mut pending = Few::default();
        let commands = accepted.into_iter().map(|accepted| {
            let (command, answered_to) = accepted.into_command();
            pending.push(answered_to);
            command
        });
        let (gathered, may_go_on) = self.call.connection.gathering.add(&self.broker.storage, commands);
        if may_go_on {
            return Dispatching::done(self.answered_later(gathered, pending, outline));
        }
        Dispatching::going(async move {
            let (gathering, storage) = (&self.call.connection.gathering, &self.broker.storage);
            poll_fn(|context| gathering.poll_in(storage, context)).await;
            self.answered_later(gathered, pending, outline)
        })
    }

    /// Answers when the writer has, and the replicas that are waited for.
    fn answered_later(self, gathered: Gathered, pending: Few<Pending>, mut outline: Outline) -> Dispatched {
        Dispatched::Later(Box::pin(async move {
            let (gathering, storage) = (&self.call.connection.gathering, &self.broker.storage);
            let outcomes = poll_fn(|context| gathered.poll_answered(gathering, storage, context)).await;
            let taken_at = gathered.taken_at();
            let mut durable_at = None;
            let unreplicated = answer::fill(&mut outline, self.call.version, pending, outcomes);
            if self.acks == ALL && !unreplicated.is_empty() {
                durable_at = Some(self.broker.clock.monotonic());
                // In a box of its own, which few need: the one around it is there for each request.
                Box::pin(self.replicate(&mut outline, unreplicated)).await;
            }
            let mut reply = self.finish(outline);
            if IS_MEASURED {
                note_stages(&self.broker, &self.call, taken_at, durable_at, &mut reply);
            }
            reply
        }))
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
    fn finish(&self, outline: Outline) -> Reply {
        let Self { broker, call, acks, .. } = self;
        let mut response = outline.into_response();
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

#[cfg(test)]
mod tests;
