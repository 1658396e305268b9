//! One connection for each address that is asked something, opened anew when it is lost, and a second one where it is
//! asked to wait: brokers answer in order, and nothing shall be answered late because a fetch waits for records.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use super::ClusterMetadata;
use crate::address::BrokerAddress;
use crate::backoff::Backoff;
use crate::config::ClientConfig;
use crate::connection::Connection;
use crate::error::{Error, Result};

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
    config: ClientConfig,
    // Two at the most for each of the brokers and of the addresses that were given.
    slots: Mutex<HashMap<(BrokerAddress, Lane), Arc<Slot>>>,
}

/// The place of one connection. Whoever needs it while it is being opened waits for that.
#[derive(Debug)]
struct Slot {
    state: tokio::sync::Mutex<SlotState>,
}

#[derive(Debug)]
struct SlotState {
    connection: Option<Connection>,
    backoff: Backoff,
    // Not called again before that.
    rest_until: Option<Instant>,
}

impl Pool {
    pub(super) fn new(config: ClientConfig) -> Self {
        Self { config, slots: Mutex::default() }
    }

    fn slot(&self, address: &BrokerAddress, lane: Lane) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry((address.clone(), lane)).or_insert_with(|| Arc::new(Slot::new(&self.config))).clone()
    }

    /// The connection to this address, once it is open. After a failure the next attempt waits.
    pub(super) async fn connection(&self, address: &BrokerAddress, lane: Lane) -> Result<Connection> {
        self.slot(address, lane).connection(address, &self.config).await
    }

    /// A connection to any of these addresses: an open one if there is one, or else the first that can be opened.
    /// None is waited for that failed a moment ago, unless all did.
    pub(super) async fn any(&self, addresses: &[&BrokerAddress]) -> Result<Connection> {
        let slots: Vec<_> =
            addresses.iter().map(|address| (*address, self.slot(address, Lane::Quick))).collect();
        if let Some(open) = slots.iter().find_map(|(_, slot)| slot.open_now()) {
            return Ok(open);
        }
        let (rested, resting): (Vec<_>, Vec<_>) = slots.iter().partition(|(_, slot)| slot.has_rested());
        let mut last = None;
        for (address, slot) in rested.into_iter().chain(resting) {
            match slot.connection(address, &self.config).await {
                Ok(connection) => return Ok(connection),
                Err(error) => last = Some(error),
            }
        }
        let last = last.unwrap_or_else(|| Error::Missing("an address".to_owned()));
        Err(Error::NoBroker { tried: addresses.len(), last: Box::new(last) })
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
    fn new(config: &ClientConfig) -> Self {
        let state = SlotState { connection: None, backoff: config.new_backoff(), rest_until: None };
        Self { state: tokio::sync::Mutex::new(state) }
    }

    fn open_now(&self) -> Option<Connection> {
        self.state.try_lock().ok()?.connection.clone().filter(|connection| !connection.is_closed())
    }

    fn has_rested(&self) -> bool {
        let rest_until = self.state.try_lock().ok().and_then(|state| state.rest_until);
        rest_until.is_none_or(|rest_until| rest_until <= Instant::now())
    }

    async fn connection(&self, address: &BrokerAddress, config: &ClientConfig) -> Result<Connection> {
        let mut state = self.state.lock().await;
        if let Some(connection) = state.connection.clone().filter(|connection| !connection.is_closed()) {
            return Ok(connection);
        }
        state.connection = None;
        if let Some(rest_until) = state.rest_until {
            tokio::time::sleep_until(rest_until).await;
        }
        match Connection::open(address, config).await {
            Ok(connection) => {
                state.backoff.reset();
                state.rest_until = None;
                state.connection = Some(connection.clone());
                Ok(connection)
            }
            Err(error) => {
                state.rest_until = Some(Instant::now() + state.backoff.next_wait());
                Err(error)
            }
        }
    }
}
