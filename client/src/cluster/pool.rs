//! One connection for each address that is asked something, opened anew when it is lost, and a second one where it is
//! asked to wait: brokers answer in order, and nothing shall be answered late because a fetch waits for records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;
use tokio::time::Instant;

use super::ClusterMetadata;
use crate::address::BrokerAddress;
use crate::backoff::Backoff;
use crate::config::ClientConfig;
use crate::connection::Connection;
use crate::error::{CloseReason, Error, Result};

/// What a connection is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Lane {
    /// What is answered at once.
    Quick,
    /// What waits for records.
    Waiting,
}

#[derive(Debug)]
pub(super) struct Pool {
    config: Arc<ClientConfig>,
    // Two at the most for each of the brokers and of the addresses that were given.
    slots: Mutex<HashMap<(BrokerAddress, Lane), Arc<Slot>>>,
}

/// What an attempt came to, once it has come to something.
type Outcome = watch::Receiver<Option<Result<Connection>>>;

/// The place of one connection. Whoever needs it while it is being opened waits for that attempt, and shares what it
/// comes to.
#[derive(Debug)]
pub(super) struct Slot {
    address: BrokerAddress,
    config: Arc<ClientConfig>,
    state: Mutex<SlotState>,
}

#[derive(Debug)]
struct SlotState {
    connection: Option<Connection>,
    attempt: Option<Outcome>,
    backoff: Backoff,
    // Not called again before that.
    rest_until: Option<Instant>,
    // How often it could not be reached since it last could, and how often it was asked in vain since it last answered.
    unreached: u32,
    unanswered: u32,
}

impl Pool {
    pub(super) fn new(config: ClientConfig) -> Self {
        Self { config: Arc::new(config), slots: Mutex::default() }
    }

    pub(super) fn slot(&self, address: &BrokerAddress, lane: Lane) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Slot::new(address.clone(), self.config.clone()));
        slots.entry((address.clone(), lane)).or_insert_with(new).clone()
    }

    /// The connection to this address, once it is open. After a failure the next attempt waits.
    pub(super) async fn connection(&self, address: &BrokerAddress, lane: Lane) -> Result<Connection> {
        self.slot(address, lane).connection().await
    }

    /// Lets go of brokers that are no longer there.
    pub(super) fn keep_only(&self, metadata: &ClusterMetadata) {
        let is_known = |address: &BrokerAddress| {
            self.config.bootstrap().contains(address)
                || metadata.brokers.iter().any(|broker| broker.address == *address)
        };
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|(address, _), _| is_known(address));
    }
}

impl Slot {
    fn new(address: BrokerAddress, config: Arc<ClientConfig>) -> Self {
        let state = SlotState {
            connection: None,
            attempt: None,
            backoff: config.new_backoff(),
            rest_until: None,
            unreached: 0,
            unanswered: 0,
        };
        Self { address, config, state: Mutex::new(state) }
    }

    pub(super) const fn address(&self) -> &BrokerAddress {
        &self.address
    }

    fn state(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().open().is_some()
    }

    /// How little it should be asked: least where there is an open connection and nothing was the matter; more the
    /// oftener it failed; most of all where that was a moment ago.
    pub(super) fn reluctance(&self) -> (bool, bool, u32) {
        let state = self.state();
        let failures = state.unreached.saturating_add(state.unanswered);
        let is_ready = failures == 0 && state.open().is_some();
        let is_resting = state.rest_until.is_some_and(|rest_until| rest_until > Instant::now());
        (!is_ready, is_resting, failures)
    }

    /// It answered as it ought to.
    pub(super) fn has_answered(&self) {
        let mut state = self.state();
        state.unanswered = 0;
        state.has_done_well();
    }

    /// It was asked, and what came was no answer.
    pub(super) fn has_not_answered(&self) {
        let mut state = self.state();
        state.unanswered = state.unanswered.saturating_add(1);
        state.rest();
    }

    pub(super) async fn connection(self: &Arc<Self>) -> Result<Connection> {
        let mut attempt = {
            let mut state = self.state();
            if let Some(connection) = state.open() {
                return Ok(connection);
            }
            state.connection = None;
            // One that nobody makes any longer was lost with the runtime that it was made on.
            match state.attempt.clone().filter(|attempt| attempt.has_changed().is_ok()) {
                Some(attempt) => attempt,
                None => {
                    let (tell, attempt) = watch::channel(None);
                    state.attempt = Some(attempt.clone());
                    tokio::spawn(self.clone().attempt(tell));
                    attempt
                }
            }
        };
        let broker = || self.address.to_string().into();
        // It has a deadline of its own, which is kept only where its runtime goes on.
        let after = self.config.connect_timeout + self.config.backoff_greatest;
        let waited = tokio::time::timeout(after, attempt.wait_for(Option::is_some)).await;
        let outcome = waited.map_err(|_| Error::Timeout { broker: broker(), after })?;
        let ended = || Error::Closed { broker: broker(), reason: CloseReason::Runtime };
        outcome.ok().and_then(|outcome| outcome.clone()).unwrap_or_else(|| Err(ended()))
    }

    /// One attempt, on a task of its own: who first wanted it may have gone before it ends.
    async fn attempt(self: Arc<Self>, tell: watch::Sender<Option<Result<Connection>>>) {
        let rest_until = self.state().rest_until;
        if let Some(rest_until) = rest_until {
            tokio::time::sleep_until(rest_until).await;
        }
        let opened = Connection::open(&self.address, &self.config).await;
        let mut state = self.state();
        state.attempt = None;
        match &opened {
            Ok(connection) => {
                state.unreached = 0;
                state.has_done_well();
                state.connection = Some(connection.clone());
            }
            Err(_) => {
                state.unreached = state.unreached.saturating_add(1);
                state.rest();
            }
        }
        tell.send_replace(Some(opened));
    }
}

impl SlotState {
    fn open(&self) -> Option<Connection> {
        self.connection.clone().filter(|connection| !connection.is_closed())
    }

    /// Who opens only to be silent or to hang up is not called oftener for that.
    fn has_done_well(&mut self) {
        if self.unanswered == 0 {
            self.backoff.reset();
            self.rest_until = None;
        }
    }

    fn rest(&mut self) {
        self.rest_until = Some(Instant::now() + self.backoff.next_wait());
    }
}
