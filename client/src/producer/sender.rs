//! The tasks around the accumulator: one that asks it what to do, and one for each broker, which builds the batches
//! and sends them in order.
//!
//! The accumulator stands behind a lock that is held for as long as one call takes, and never across a wait.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_protocol::apis::init_producer_id::InitProducerIdRequest;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::Instant;

use super::accumulator::{Accumulator, Orders, Placed, Shipment};
use super::config::Settings;
use super::delivery::Written;
use super::queue::{Identity, Numbering};
use super::transaction::Coordination;
use super::{Producer, shipping};
use crate::cluster::Client;
use crate::errands::{Errands, Refreshing};
use crate::error::{Error, Result};

/// How long the task sleeps that has nothing to do.
const IDLE: Duration = Duration::from_secs(60);

/// What a producer's handles and its tasks share.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) settings: Settings,
    accumulator: Mutex<Accumulator>,
    pub(super) wake: Notify,
    pub(super) room: Arc<Semaphore>,
    pub(super) is_abandoned: AtomicBool,
    /// Of a producer that writes transactions.
    pub(super) coordination: Option<Arc<Coordination>>,
}

impl Shared {
    pub(super) fn accumulator(&self) -> MutexGuard<'_, Accumulator> {
        self.accumulator.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn start(client: Client, settings: Settings) -> Producer {
    start_with(client, settings, None)
}

/// The same, of a producer whose numbers come from a coordinator of transactions.
pub(super) fn start_with(
    client: Client,
    settings: Settings,
    coordination: Option<Arc<Coordination>>,
) -> Producer {
    let shared = Arc::new(Shared {
        accumulator: Mutex::new(Accumulator::new(settings.clone())),
        wake: Notify::new(),
        room: Arc::new(Semaphore::new(settings.memory_bytes_max.min(Semaphore::MAX_PERMITS))),
        is_abandoned: AtomicBool::new(false),
        coordination,
        client,
        settings,
    });
    tokio::spawn(Driver::new(shared.clone()).run());
    Producer::new(shared)
}

/// What comes back to the driver.
pub(super) enum Event {
    Answered { broker: i32, results: Vec<(Placed, Result<Written>)> },
    Refreshed { has_worked: bool },
    Identified(Result<Identity>),
}

struct Driver {
    shared: Arc<Shared>,
    // One for each broker that was ever sent something.
    brokers: HashMap<i32, mpsc::UnboundedSender<Shipment>>,
    // Holds no more than what is in flight, and one word of each errand.
    errands: Errands<Event>,
    refreshing: Refreshing,
    is_identifying: bool,
}

impl Driver {
    fn new(shared: Arc<Shared>) -> Self {
        let refreshing = Refreshing::new(&shared.client);
        Self { shared, brokers: HashMap::new(), errands: Errands::new(), refreshing, is_identifying: false }
    }

    /// Until nobody has the producer any more, and everything has been delivered or given up.
    async fn run(mut self) {
        if self.shared.settings.is_idempotent && self.shared.coordination.is_none() {
            self.identify();
        }
        loop {
            let orders = self.shared.accumulator().drain(Instant::now());
            let wake_at = self.carry_out(orders);
            let is_abandoned = self.shared.is_abandoned.load(Ordering::Acquire);
            if is_abandoned && self.shared.accumulator().is_empty() {
                return;
            }
            for event in self.errands.wait(&self.shared.wake, wake_at).await {
                self.take(event);
            }
        }
    }

    /// Returns when to look again, should nothing happen before.
    fn carry_out(&mut self, orders: Orders) -> Instant {
        let now = Instant::now();
        for shipment in orders.shipments {
            self.ship(shipment);
        }
        let refresh_at = self.refreshing.due_at();
        if orders.is_leaderless || refresh_at <= now {
            self.refresh();
        }
        orders.wake_at.unwrap_or(now + IDLE).min(refresh_at.max(now + Duration::from_secs(1)))
    }

    fn ship(&mut self, shipment: Shipment) {
        let broker = shipment.broker;
        let courier = self.brokers.entry(broker).or_insert_with(|| {
            let (courier, shipments) = mpsc::unbounded_channel();
            tokio::spawn(shipping::ship_all(self.shared.clone(), broker, shipments, self.errands.reply()));
            courier
        });
        // A courier ends only with the driver.
        let _ = courier.send(shipment);
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Answered { broker, results } => {
                let wishes = self.shared.accumulator().answered(broker, results, Instant::now());
                if wishes.metadata {
                    self.refresh();
                }
                if wishes.identity {
                    self.shared.accumulator().set_numbering(Numbering::Awaited);
                    self.identify();
                }
            }
            Event::Refreshed { has_worked } => {
                self.refreshing.ended();
                if has_worked {
                    let metadata = self.shared.client.metadata();
                    self.shared.accumulator().update(&metadata);
                }
            }
            Event::Identified(Ok(identity)) => {
                self.is_identifying = false;
                self.shared.accumulator().set_numbering(Numbering::By(identity));
            }
            Event::Identified(Err(error)) => self.shared.accumulator().fail(&error),
        }
    }

    /// Looks at the cluster anew, unless somebody is about it already.
    fn refresh(&mut self) {
        let Some(wait) = self.refreshing.begin() else { return };
        let (shared, events) = (self.shared.clone(), self.errands.reply());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let names = shared.accumulator().topic_names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let has_worked = shared.client.refresh(&names).await.is_ok();
            // The driver may have ended.
            let _ = events.send(Event::Refreshed { has_worked });
        });
    }

    /// Asks for an identity, until there is one or there can be none.
    fn identify(&mut self) {
        if std::mem::replace(&mut self.is_identifying, true) {
            return;
        }
        let (client, events) = (self.shared.client.clone(), self.errands.reply());
        tokio::spawn(async move {
            let mut backoff = client.config().new_backoff();
            let identified = loop {
                match identity(&client).await {
                    // Nobody waits any longer once the driver has ended.
                    Err(error) if error.is_retriable() && !events.is_closed() => {
                        tokio::time::sleep(backoff.next_wait()).await;
                    }
                    result => break result,
                }
            };
            let _ = events.send(Event::Identified(identified));
        });
    }
}

async fn identity(client: &Client) -> Result<Identity> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        // It means nothing without transactions; brokers want it above zero.
        transaction_timeout_ms: i32::MAX,
        ..Default::default()
    };
    let response = client.ask_any(&request).await?;
    Error::check(response.error_code, || "a producer id".to_owned(), None)?;
    if response.producer_id < 0 || response.producer_epoch < 0 {
        return Err(Error::Missing("a producer id".to_owned()));
    }
    Ok(Identity { producer_id: response.producer_id, epoch: response.producer_epoch })
}
