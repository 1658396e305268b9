//! What the APIs of groups share: who asks, and the way to the group's machine.

use std::future::Future;
use std::sync::Arc;

use strandline_log::producers::Guard;
use strandline_protocol::{ErrorCode, Text};
use strandline_state::groups::{Ask, Caller, Command, Reply, Request, Sight};

use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;

/// An answer of the kind that was asked for.
pub(super) type Answered<R> = Result<R, ErrorCode>;

/// Who asks, as Kafka describes members.
pub(super) fn caller(call: &Call) -> Caller {
    Caller {
        client_id: call.client_id.clone().unwrap_or_default(),
        client_host: call.connection.client_host.clone(),
        sight: Sight::default(),
    }
}

/// The same with what it may see, if that matters for what it asks.
fn caller_of(broker: &Broker, call: &Call, request: &Request) -> Caller {
    // These hold patterns against the topics, and all others are spared it.
    if !matches!(request, Request::ConsumerGroupHeartbeat { .. } | Request::JoinGroup(_)) {
        return caller(call);
    }
    let (authorizer, asker) = (Arc::clone(&broker.authorizer), call.clone());
    let sight =
        Sight::of(move |name| authorizer.authorize(&asker, Operation::Describe, Resource::Topic(name)));
    Caller { sight, ..caller(call) }
}

/// Asks the machine of a group. When this returns, the request has its place in order; the answer comes when what it
/// rests on is durable. `pick` takes it out of the machine's reply.
pub(super) async fn ask<R>(
    broker: &Broker,
    call: &Call,
    group: &str,
    request: Request,
    pick: fn(Reply) -> Option<R>,
) -> impl Future<Output = Answered<R>> + Send + use<R> {
    let answer = broker.groups.ask(group, command(broker, call, request)).await;
    async move { picked(answer.get().await, pick) }
}

/// Asks the machine of each group that may be asked about so, the same of all. `served` is whether this is answered at
/// all, for those who may ask.
pub(super) async fn ask_each<R>(
    broker: &Broker,
    call: &Call,
    groups: Vec<Text>,
    (operation, served): (Operation, Answered<()>),
    request: fn(Text) -> Request,
    pick: fn(Reply) -> Option<R>,
) -> Vec<(Text, impl Future<Output = Answered<R>> + Send + use<R>)> {
    let mut answers = Vec::with_capacity(groups.len());
    for group in groups {
        let answer = match check(broker, call, operation, &group).and(served) {
            Ok(()) => Ok(ask(broker, call, &group, request(group.clone()), pick).await),
            Err(code) => Err(code),
        };
        answers.push((group, settled(answer)));
    }
    answers
}

/// What comes of a question, or of none that was asked.
pub(super) async fn settled<R>(answer: Answered<impl Future<Output = Answered<R>>>) -> Answered<R> {
    answer?.await
}

/// The same about something that is part of a transaction: the guard is shown to the log.
pub(super) async fn ask_verified<R>(
    broker: &Broker,
    call: &Call,
    group: &str,
    guard: Option<Guard>,
    request: Request,
    pick: fn(Reply) -> Option<R>,
) -> impl Future<Output = Answered<R>> + Send + use<R> {
    let answer = broker.groups.ask_verified(group, guard, command(broker, call, request)).await;
    async move { picked(answer.get().await, pick) }
}

/// The same of all groups in a partition.
pub(super) async fn ask_partition<R>(
    broker: &Broker,
    call: &Call,
    partition: i32,
    request: Request,
    pick: fn(Reply) -> Option<R>,
) -> impl Future<Output = Answered<R>> + Send + use<R> {
    let answer = broker.groups.ask_partition(partition, command(broker, call, request)).await;
    async move { picked(answer.get().await, pick) }
}

fn command(
    broker: &Broker,
    call: &Call,
    request: Request,
) -> impl FnOnce(strandline_state::coordinator::Ticket) -> Command + use<> {
    let caller = caller_of(broker, call, &request);
    move |ticket| Command::Ask(Box::new(Ask { ticket, caller, request }))
}

fn picked<R>(answer: Result<Reply, ErrorCode>, pick: fn(Reply) -> Option<R>) -> Answered<R> {
    // Each request has one kind of reply.
    answer.and_then(|reply| pick(reply).ok_or(ErrorCode::UNKNOWN_SERVER_ERROR))
}

/// Whether the one who asks may do this to a group that has a name.
pub(super) fn check_named(
    broker: &Broker,
    call: &Call,
    operation: Operation,
    group: &str,
) -> Result<(), ErrorCode> {
    check(broker, call, operation, group)?;
    if group.is_empty() { Err(ErrorCode::INVALID_GROUP_ID) } else { Ok(()) }
}

/// Whether the one who asks may do this to a group. The empty name is one that old clients used.
pub(super) fn check(
    broker: &Broker,
    call: &Call,
    operation: Operation,
    group: &str,
) -> Result<(), ErrorCode> {
    if broker.authorizer.authorize(call, operation, Resource::Group(group)) {
        Ok(())
    } else {
        Err(ErrorCode::GROUP_AUTHORIZATION_FAILED)
    }
}
