//! Whom to ask what any broker knows: whoever is connected and answers, and each of the others before one is asked twice.
//!
//! A broker that opens a connection and then does not answer, hangs up or answers nonsense holds nobody up for longer
//! than its own request: it is passed over, and comes behind the others from then on until it has answered.

use std::future::Future;
use std::sync::Arc;

use strandline_protocol::{ErrorCode, Request};

use super::Client;
use super::pool::{Lane, Slot};
use crate::address::BrokerAddress;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// One after the other until one answers.
struct Round<'a> {
    client: &'a Client,
    passed_over: Vec<BrokerAddress>,
    // Those whose old connection had ended, and which are called once more for that.
    called_again: Vec<BrokerAddress>,
    has_unreached: bool,
    last: Option<Error>,
}

/// Who is asked now.
struct Asked {
    slot: Arc<Slot>,
    connection: Connection,
    was_open: bool,
}

impl Client {
    /// A connection to whichever broker can be reached: one that is connected already, one that is known, one of
    /// the addresses that were given. Each is tried once, for no longer than an attempt at it and the rest before
    /// it may take.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// let connection = client.any_broker().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.client).await);
    /// ```
    pub async fn any_broker(&self) -> Result<Connection> {
        Ok(Round::new(self).next().await?.connection)
    }

    /// Asks whichever broker answers what any of them knows.
    pub(crate) async fn ask_any<R: Request>(&self, request: &R) -> Result<R::Response> {
        self.ask_each(|connection| async move { connection.request(request).await }).await
    }

    /// The same in several steps. What may not be done twice is not for this.
    pub(crate) async fn ask_each<T, F>(&self, ask: impl Fn(Connection) -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        self.ask_each_but(is_no_answer, ask).await
    }

    /// The same, where `is_in_vain` finds the errors after which the next one is asked.
    pub(super) async fn ask_each_but<T, F>(
        &self,
        is_in_vain: impl Fn(&Error) -> bool,
        ask: impl Fn(Connection) -> F,
    ) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut round = Round::new(self);
        loop {
            let asked = round.next().await?;
            match ask(asked.connection.clone()).await {
                Err(error) if is_in_vain(&error) => round.pass_over(&asked, error),
                Err(error) => {
                    // Whoever sends everyone away is not where to begin again.
                    if is_rebootstrap(&error) {
                        asked.slot.has_not_answered();
                    }
                    return Err(error);
                }
                answer => {
                    asked.slot.has_answered();
                    return answer;
                }
            }
        }
    }
}

impl<'a> Round<'a> {
    const fn new(client: &'a Client) -> Self {
        Self { client, passed_over: Vec::new(), called_again: Vec::new(), has_unreached: false, last: None }
    }

    /// The next one that can be reached. An error once all have been tried.
    async fn next(&mut self) -> Result<Asked> {
        while let Some(slot) = self.best() {
            let was_open = slot.is_open();
            match slot.connection().await {
                Ok(connection) => return Ok(Asked { slot, connection, was_open }),
                Err(error) => {
                    self.has_unreached = true;
                    self.note(error);
                    self.passed_over.push(slot.address().clone());
                }
            }
        }
        let last = self.last.take().unwrap_or_else(|| Error::Missing("an address".to_owned()));
        // Whoever could not be reached may answer another time, whatever the others said.
        let nobody = |last| Error::NoBroker { tried: self.passed_over.len(), last: Box::new(last) };
        Err(if self.has_unreached { nobody(last) } else { last })
    }

    /// Of those that are left, the one that is asked most readily.
    fn best(&self) -> Option<Arc<Slot>> {
        let metadata = self.client.metadata();
        let known = metadata.brokers.iter().map(|broker| &broker.address);
        let given = self.client.inner.config.bootstrap();
        let is_lost = self.client.is_lost();
        let left = known.chain(given).filter(|address| !self.passed_over.contains(address));
        let slots = left.map(|address| self.client.inner.pool.slot(address, Lane::Quick));
        slots.min_by_key(|slot| (is_lost && !given.contains(slot.address()), slot.reluctance()))
    }

    fn pass_over(&mut self, asked: &Asked, error: Error) {
        let address = asked.slot.address();
        let has_ended = matches!(error, Error::Closed { .. });
        // It may have ended long ago, and says nothing of whether the broker answers.
        if has_ended && asked.was_open && !self.called_again.contains(address) {
            self.called_again.push(address.clone());
            return;
        }
        // What it does not serve, another one may.
        if !matches!(error, Error::Unsupported { .. }) {
            asked.slot.has_not_answered();
            tracing::debug!(broker = %address, %error, "passed over");
        }
        self.passed_over.push(address.clone());
        self.note(error);
    }

    /// Keeps what may pass before what will not: it decides whether another round makes sense.
    fn note(&mut self, error: Error) {
        if error.is_retriable() || self.last.as_ref().is_none_or(|last| !last.is_retriable()) {
            self.last = Some(error);
        }
    }
}

/// Whether it came to no answer, or to one that makes no sense, so that another broker may do better.
pub(super) const fn is_no_answer(error: &Error) -> bool {
    matches!(
        error,
        Error::Connect { .. }
            | Error::Closed { .. }
            | Error::Timeout { .. }
            | Error::Unsupported { .. }
            | Error::Decode { .. }
            | Error::Missing(_)
    )
}

/// Whether a broker says that the client has to begin again at the addresses that it was given.
pub(super) fn is_rebootstrap(error: &Error) -> bool {
    error.code() == Some(ErrorCode::REBOOTSTRAP_REQUIRED)
}
