//! The task around a consumer's state: it asks the state what to do, does it, and tells it what came of it.
//!
//! The state stands behind a lock that is held for as long as one call takes, and never across a wait.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strandline_protocol::Text;
use strandline_protocol::apis::fetch::{FetchRequest, FetchResponse};
use strandline_protocol::schema::VersionRange;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Consumer;
use super::config::Settings;
use super::lookup::{self, Doubt, Search};
use super::session::Session;
use super::state::{Key, Orders, Plan, State};
use crate::admin::Isolation;
use crate::cluster::Client;
use crate::errands::{Errands, Refreshing};
use crate::error::Result;
use crate::telemetry;

/// The versions with sessions that name topics; later ones have their ids.
const FETCH_VERSIONS: VersionRange = VersionRange::new(7, 12);
/// How long the task sleeps that has nothing to do.
const IDLE: Duration = Duration::from_secs(60);
/// How often it looks whether there is memory that is not needed any more.
const TRIM_INTERVAL: Duration = Duration::from_secs(2);

/// What a consumer and its task share.
pub(super) struct Shared {
    pub(super) client: Client,
    state: Mutex<State>,
    /// There is something new to be done.
    pub(super) wake: Notify,
    /// There is something new to be read.
    pub(super) arrived: Notify,
    pub(super) is_abandoned: AtomicBool,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn start(client: Client, settings: Settings) -> Consumer {
    let shared = Arc::new(Shared {
        client,
        state: Mutex::new(State::new(settings.clone())),
        wake: Notify::new(),
        arrived: Notify::new(),
        is_abandoned: AtomicBool::new(false),
    });
    tokio::spawn(Driver::new(shared.clone(), settings.clone()).run());
    Consumer::new(shared, &settings)
}

/// What comes back to the driver.
enum Event {
    Fetched(Plan, Box<Result<FetchResponse>>),
    Found(Vec<(Key, u64, Result<i64>)>),
    Validated(Vec<(Key, u64, Result<i64>)>),
    Refreshed,
}

struct Driver {
    shared: Arc<Shared>,
    settings: Settings,
    sessions: HashMap<i32, Session>,
    // Holds no more than one word of each errand, of which there are as many as brokers.
    errands: Errands<Event>,
    refreshing: Refreshing,
    trim_at: Instant,
}

impl Driver {
    fn new(shared: Arc<Shared>, settings: Settings) -> Self {
        let refreshing = Refreshing::new(&shared.client);
        Self {
            shared,
            settings,
            sessions: HashMap::new(),
            errands: Errands::new(),
            refreshing,
            trim_at: Instant::now(),
        }
    }

    /// Until nobody has the consumer any more.
    async fn run(mut self) {
        while !self.shared.is_abandoned.load(Ordering::Acquire) {
            let metadata = self.shared.client.metadata();
            let orders = self.shared.state().plan(&metadata, Instant::now());
            let wake_at = self.carry_out(orders);
            self.trim();
            for event in self.errands.wait(&self.shared.wake, wake_at).await {
                self.take(event);
            }
        }
    }

    /// Gives up memory of answers while few come, and tells how much is held.
    fn trim(&mut self) {
        let now = Instant::now();
        if now < self.trim_at {
            return;
        }
        self.trim_at = now + TRIM_INTERVAL;
        let buffers = &self.shared.client.config().buffers;
        buffers.trim();
        telemetry::held(self.shared.state().held_bytes(), buffers.kept_bytes());
    }

    /// Returns when to look again, should nothing happen before.
    fn carry_out(&mut self, orders: Orders) -> Instant {
        let now = Instant::now();
        for plan in orders.plans {
            self.fetch(plan);
        }
        for (_, wanted) in orders.searches {
            let (client, events, isolation) =
                (self.shared.client.clone(), self.errands.reply(), self.settings.isolation);
            tokio::spawn(async move {
                let found = lookup::search(&client, Search { wanted, isolation }).await;
                // The driver may have ended, here as below.
                let _ = events.send(Event::Found(found));
            });
        }
        for (leader, doubts) in orders.validations {
            let (client, events) = (self.shared.client.clone(), self.errands.reply());
            tokio::spawn(async move {
                let ends = lookup::validate(&client, Doubt { leader, doubts }).await;
                let _ = events.send(Event::Validated(ends));
            });
        }
        let refresh_at = self.refreshing.due_at();
        if orders.is_outdated || refresh_at <= now {
            self.refresh();
        }
        orders.wake_at.unwrap_or(now + IDLE).min(refresh_at.max(now + Duration::from_secs(1)))
    }

    fn fetch(&mut self, plan: Plan) {
        let isolation_level = match self.settings.isolation {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        };
        let mut request = FetchRequest {
            max_wait_ms: i32::try_from(self.settings.wait.as_millis()).unwrap_or(i32::MAX),
            min_bytes: i32::try_from(self.settings.fetch_bytes_min).unwrap_or(i32::MAX),
            max_bytes: i32::try_from(plan.bytes_max).unwrap_or(i32::MAX),
            isolation_level,
            rack_id: Text::from(self.settings.rack.as_str()),
            ..Default::default()
        };
        self.sessions.entry(plan.broker).or_default().fill(&plan.asks, &mut request);
        let (client, events) = (self.shared.client.clone(), self.errands.reply());
        tokio::spawn(async move {
            let response = ask(&client, plan.broker, &request).await;
            let _ = events.send(Event::Fetched(plan, Box::new(response)));
        });
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Fetched(plan, response) => self.fetched(&plan, *response),
            Event::Found(found) => {
                let mut state = self.shared.state();
                for (key, generation, offset) in found {
                    state.found(&key, generation, offset, Instant::now());
                }
            }
            Event::Validated(ends) => {
                let mut state = self.shared.state();
                for (key, generation, end) in ends {
                    state.validated(&key, generation, end, Instant::now());
                }
            }
            Event::Refreshed => self.refreshing.ended(),
        }
        self.shared.arrived.notify_one();
    }

    fn fetched(&mut self, plan: &Plan, response: Result<FetchResponse>) {
        let now = Instant::now();
        let session = self.sessions.entry(plan.broker).or_default();
        let mut state = self.shared.state();
        state.plan_ended(plan);
        let is_outdated = match response {
            Ok(response) if session.answered(response.error_code, response.session_id) => {
                state.answered(plan, response, now)
            }
            // What the broker forgot is told anew at once.
            Ok(_) => false,
            Err(error) => {
                session.lost();
                state.unanswered(plan, &error, now);
                true
            }
        };
        drop(state);
        if is_outdated {
            self.refresh();
        }
    }

    /// Looks at the cluster anew, unless somebody is about it already.
    fn refresh(&mut self) {
        let Some(wait) = self.refreshing.begin() else { return };
        let (shared, events) = (self.shared.clone(), self.errands.reply());
        tokio::spawn(async move {
            tokio::time::sleep(wait).await;
            let names: BTreeMap<Text, ()> =
                shared.state().partitions.keys().map(|(topic, _)| (topic.clone(), ())).collect();
            let names: Vec<&str> = names.keys().map(Text::as_str).collect();
            // Where this fails, whoever needs it finds it as old as it was, and asks again.
            let _ = shared.client.refresh(&names).await;
            let _ = events.send(Event::Refreshed);
        });
    }
}

async fn ask(client: &Client, broker: i32, request: &FetchRequest) -> Result<FetchResponse> {
    client.waiting_broker(broker).await?.submit(request, FETCH_VERSIONS).await?.await
}
