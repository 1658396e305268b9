//! Who waits for an answer, and what comes of it.

use std::collections::HashMap;

use strandline_protocol::ErrorCode;
use strandline_state::coordinator::Ticket;
use tokio::sync::oneshot;

/// Where an answer goes.
pub(super) type AnswerTo<R> = oneshot::Sender<Result<R, ErrorCode>>;

/// An answer on its way.
#[derive(Debug)]
pub struct Answer<R>(Result<oneshot::Receiver<Result<R, ErrorCode>>, ErrorCode>);

impl<R> Answer<R> {
    pub(crate) fn refused(code: ErrorCode) -> Self {
        Self(Err(code))
    }

    pub(super) fn coming() -> (AnswerTo<R>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(Ok(receiver)))
    }

    /// The answer, when it is there.
    ///
    /// # Errors
    /// There is none from this coordinator; the code is what Kafka says then.
    pub async fn get(self) -> Result<R, ErrorCode> {
        // Whoever should have answered has gone with its shard.
        self.0?.await.unwrap_or(Err(ErrorCode::NOT_COORDINATOR))
    }
}

/// Everybody who waits at one shard.
#[derive(Debug)]
pub(super) struct Waiting<R>(HashMap<Ticket, AnswerTo<R>>);

impl<R> Default for Waiting<R> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<R> Waiting<R> {
    pub(super) fn add(&mut self, ticket: Ticket, to: AnswerTo<R>) {
        self.0.insert(ticket, to);
    }

    /// Answers one who waits. Who does not wait any more, or was answered before, gets nothing.
    pub(super) fn answer(&mut self, ticket: Ticket, answer: Result<R, ErrorCode>) {
        if let Some(to) = self.0.remove(&ticket) {
            let _ = to.send(answer);
        }
    }

    pub(super) fn refuse_all(&mut self, code: ErrorCode) {
        for (_, to) in self.0.drain() {
            let _ = to.send(Err(code));
        }
    }
}
