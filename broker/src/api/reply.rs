//! How requests are answered, and the one place where answers are charged.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::{EncodeError, ErrorCode, Text};

use super::produce::Produced;
use super::responses::Answered;
use crate::broker::Broker;
use crate::context::Call;
use crate::quota::Charge;

/// What is sent back.
#[derive(Debug)]
pub enum Reply {
    /// An answer, and for how long nothing more is read from the connection after it.
    Send {
        /// The answer.
        frame: OutboundFrame,
        /// For how long.
        throttle: Duration,
        /// When it was there.
        answering: Answering,
    },
    /// No answer: the request wants none.
    Silence {
        /// For how long nothing more is read from the connection.
        throttle: Duration,
    },
    /// Nothing, ever again.
    Close(&'static str),
}

/// When an answer was there, by the broker's monotonic clock, and what came before that.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Answering {
    /// When it was there.
    pub answered_at: Duration,
    /// For what is appended: how long that took.
    pub append: Option<Append>,
}

/// How long what is appended was in which stage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Append {
    /// From when the request came until the log's writer took it.
    pub queue: Duration,
    /// From then until it was durable.
    pub sync: Duration,
}

impl Reply {
    /// An answer of which nothing more is known.
    pub fn plain(frame: OutboundFrame, throttle: Duration) -> Self {
        Self::Send { frame, throttle, answering: Answering::default() }
    }
}

/// An answer that comes later.
#[must_use]
pub struct LaterReply(Later);

enum Later {
    /// What there is most of, in memory that is used again.
    Produced(Produced),
    Other(Pin<Box<dyn Future<Output = Reply> + Send>>),
}

impl LaterReply {
    /// It comes when this is done.
    pub fn other(reply: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self(Later::Other(Box::pin(reply)))
    }
}

impl fmt::Debug for LaterReply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Later")
    }
}

impl Future for LaterReply {
    type Output = Reply;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Reply> {
        loop {
            match &mut self.0 {
                Later::Produced(produced) => match ready!(produced.poll(context)) {
                    Ok(reply) => return Poll::Ready(reply),
                    Err(rest) => self.0 = rest.0,
                },
                Later::Other(future) => return future.as_mut().poll(context),
            }
        }
    }
}

impl From<Produced> for LaterReply {
    fn from(produced: Produced) -> Self {
        Self(Later::Produced(produced))
    }
}

/// How far a request got.
#[derive(Debug)]
pub enum Dispatched {
    /// It is answered.
    Now(Reply),
    /// It will be; meanwhile the next one can begin.
    Later(LaterReply),
}

impl Dispatched {
    /// It will be answered when this is.
    pub fn later(reply: impl Future<Output = Reply> + Send + 'static) -> Self {
        Self::Later(LaterReply::other(reply))
    }
}

/// A request that is being dispatched.
#[must_use]
pub struct Dispatching(Stage);

enum Stage {
    /// Nothing was to be waited for.
    Done(Option<Dispatched>),
    Going(Pin<Box<dyn Future<Output = Dispatched> + Send>>),
}

impl Dispatching {
    /// It is dispatched already.
    pub fn done(dispatched: Dispatched) -> Self {
        Self(Stage::Done(Some(dispatched)))
    }

    /// How far the request got, if nothing is to be waited for.
    ///
    /// # Errors
    /// Something is.
    pub fn into_dispatched(self) -> Result<Dispatched, Self> {
        match self.0 {
            Stage::Done(Some(dispatched)) => Ok(dispatched),
            stage => Err(Self(stage)),
        }
    }

    /// It is when this is.
    pub fn going(future: impl Future<Output = Dispatched> + Send + 'static) -> Self {
        Self(Stage::Going(Box::pin(future)))
    }
}

impl fmt::Debug for Dispatching {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Stage::Done(dispatched) => dispatched.fmt(formatter),
            Stage::Going(_) => formatter.write_str("Dispatching"),
        }
    }
}

impl Future for Dispatching {
    type Output = Dispatched;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Dispatched> {
        match &mut self.0 {
            // As any other future, it is done once.
            Stage::Done(dispatched) => dispatched.take().map_or(Poll::Pending, Poll::Ready),
            Stage::Going(future) => future.as_mut().poll(context),
        }
    }
}

impl Call {
    /// The answer to this call, charged.
    pub fn reply<R: Answered>(&self, broker: &Broker, response: R) -> Reply {
        self.reply_in(broker, self.version, response)
    }

    /// The same, in a version that is not the one asked for.
    pub fn reply_in<R: Answered>(&self, broker: &Broker, version: i16, mut response: R) -> Reply {
        response.show_codes(&mut |code, words| self.note_refusal(broker, code, words));
        let encoded = OutboundFrame::response(version, self.correlation_id, &response);
        let Ok(frame) = encoded.inspect_err(|error| tracing::error!(%error, "an answer cannot be written"))
        else {
            return Reply::Close("an answer that cannot be written");
        };
        self.charged(broker, frame, broker.clock.monotonic(), |throttle_time_ms| {
            response.set_throttle_time_ms(throttle_time_ms);
            OutboundFrame::response(version, self.correlation_id, &response)
        })
    }

    /// The answer to this call, which was there at this time, charged. Where its client is to be held back, `again` gives
    /// the answer that says so.
    pub(super) fn charged(
        &self,
        broker: &Broker,
        frame: OutboundFrame,
        answered_at: Duration,
        again: impl FnOnce(i32) -> Result<OutboundFrame, Box<EncodeError>>,
    ) -> Reply {
        let answering = Answering { answered_at, append: None };
        let throttle = self.charge(broker, answered_at, frame.len());
        if throttle.is_zero() {
            return Reply::Send { frame, throttle, answering };
        }
        match again(i32::try_from(throttle.as_millis()).unwrap_or(i32::MAX)) {
            Ok(frame) => Reply::Send { frame, throttle, answering },
            Err(_) => Reply::Close("an answer that cannot be written"),
        }
    }

    /// Silence where no answer is wanted, charged as an answer is.
    pub(super) fn silence(&self, broker: &Broker) -> Reply {
        Reply::Silence { throttle: self.charge(broker, broker.clock.monotonic(), 0) }
    }

    fn charge(&self, broker: &Broker, answered_at: Duration, response_bytes: usize) -> Duration {
        let worked = answered_at.saturating_sub(self.received_at);
        broker.quotas.charge(self, Charge { request_bytes: self.request_bytes, response_bytes, worked })
    }

    /// Counts what is no success, and notes it with the words that the client gets, if any.
    pub(super) fn note_refusal(&self, broker: &Broker, code: ErrorCode, words: Option<&Text>) {
        if code != ErrorCode::NONE {
            broker.metrics.refused(self.api, code);
            // What a client calls itself is its own choice, and the words may repeat what it sent: both are written so
            // that they cannot end a line.
            let (peer, client, version) = (self.connection.peer, self.client_id.as_deref(), self.version);
            let reason = words.map(tracing::field::debug);
            tracing::debug!(%peer, ?client, api = %self.api, version, error = %code, reason, "refused");
        }
    }

    /// The answer to this call, at once.
    pub fn now<R: Answered>(&self, broker: &Broker, response: R) -> Dispatched {
        Dispatched::Now(self.reply(broker, response))
    }

    /// The answer to this call, when `response` has it.
    pub fn later<R: Answered>(
        self,
        broker: &Arc<Broker>,
        response: impl Future<Output = R> + Send + 'static,
    ) -> Dispatched {
        let broker = Arc::clone(broker);
        Dispatched::later(async move {
            let response = response.await;
            self.reply(&broker, response)
        })
    }
}
