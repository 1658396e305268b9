//! A request whose batches are on their way to the writer: what it says about them is awaited.

use std::cell::RefCell;
use std::fmt;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::answer::{self, Pending};
use super::outline::Outline;
use super::replicated::Unreplicated;
use super::{ALL, Asked};
use crate::api::{Append, LaterReply, Reply};
use crate::few::Few;
use crate::metrics::IS_MEASURED;
use crate::storage::Gathered;

/// So many pieces of memory are kept for the requests that come next on the same thread.
const KEPT: usize = 1 << 10;

/// Memory for a request, and what is in it.
type Place = Box<Option<Begun>>;

thread_local! {
    /// Memory of requests that are answered. A turn of a connection begins many, and all of them are answered at once: the
    /// allocator has that many pieces of one size not at hand.
    static SPARE: RefCell<Vec<Place>> = const { RefCell::new(Vec::new()) };
}

/// What is there of a request while its batches are made durable.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) asked: Asked,
    pub(super) gathered: Gathered,
    pub(super) pending: Few<Pending>,
    pub(super) outline: Outline,
}

/// The answer to a produce request, when the writer has it.
pub(in crate::api) struct Produced {
    /// There until it is dropped.
    place: Option<Place>,
}

impl fmt::Debug for Produced {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(formatter)
    }
}

impl Drop for Produced {
    fn drop(&mut self) {
        let Some(mut place) = self.place.take() else { return };
        *place = None;
        // A thread that ends keeps nothing.
        let _ = SPARE.try_with(|spare| {
            let mut spare = spare.borrow_mut();
            if spare.len() < KEPT {
                spare.push(place);
            }
        });
    }
}

impl Produced {
    pub(super) fn new(begun: Begun) -> Self {
        let mut place = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
        *place = Some(begun);
        Self { place: Some(place) }
    }

    /// The answer, or who waits for the replicas to give it.
    pub(in crate::api) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Reply, LaterReply>> {
        let Some(begun) = self.place.as_mut().and_then(|place| (**place).as_mut()) else {
            return Poll::Pending;
        };
        let (gathering, storage) = begun.asked.writer();
        let outcomes = ready!(begun.gathered.poll_answered(gathering, storage, context));
        let Begun { asked, gathered, pending, outline } = begun;
        let unreplicated = answer::fill(outline, asked.call.version, std::mem::take(pending), outcomes);
        let durable_at = gathered.answered_at(&*asked.broker.clock);
        let times = AppendTimes { taken_at: gathered.taken_at(), durable_at };
        Poll::Ready(if asked.acks == ALL && !unreplicated.is_empty() {
            Err(asked.clone().replicated_later(std::mem::take(outline), unreplicated, times))
        } else {
            Ok(asked.answer(outline, durable_at, times))
        })
    }
}

/// When what is appended got where.
#[derive(Clone, Copy)]
struct AppendTimes {
    /// To the writer.
    taken_at: Duration,
    /// To the disk.
    durable_at: Duration,
}

impl Asked {
    /// Answers when the replicas have it as well.
    fn replicated_later(
        self,
        mut outline: Outline,
        unreplicated: Vec<Unreplicated>,
        times: AppendTimes,
    ) -> LaterReply {
        LaterReply::other(async move {
            self.replicate(&mut outline, unreplicated).await;
            self.answer(&mut outline, self.broker.clock.monotonic(), times)
        })
    }

    /// Answers, and says how long it took until the writer had it, and until it was durable.
    fn answer(&self, outline: &mut Outline, answered_at: Duration, times: AppendTimes) -> Reply {
        let mut reply = self.finish(outline, answered_at);
        if !IS_MEASURED {
            return reply;
        }
        let Self { broker, call, .. } = self;
        let AppendTimes { taken_at, durable_at } = times;
        let append = Append {
            queue: taken_at.saturating_sub(call.received_at),
            sync: durable_at.saturating_sub(taken_at),
        };
        match &mut reply {
            Reply::Send { answering, .. } => answering.append = Some(append),
            Reply::Silence { .. } | Reply::Close(_) => broker.metrics.appended(call.api, append),
        }
        reply
    }
}
