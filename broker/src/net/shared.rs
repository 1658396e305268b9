//! What all connections share.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::budget::{AnswerBudget, RequestBudget};
use super::closed::Closed;
use super::counters::Counters;
use super::options::NetOptions;
use super::registry::{Entry, Order, Registry};

/// Time in ticks, of which one of the sweeper's rounds is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    pub(super) length: Duration,
    pub(super) idle: u64,
    pub(super) stalled: u64,
    pub(super) half_closed: u64,
}

impl Ticks {
    fn new(options: &NetOptions) -> Self {
        let shortest = options.connections_idle_max.min(options.stalled_max).min(options.half_closed_max);
        let length = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1));
        let ticks = |duration: Duration| {
            // One more: the first of them has begun already.
            u64::try_from(duration.as_millis().div_ceil(length.as_millis())).unwrap_or(u64::MAX / 2) + 1
        };
        Self {
            length,
            idle: ticks(options.connections_idle_max),
            stalled: ticks(options.stalled_max),
            half_closed: ticks(options.half_closed_max),
        }
    }
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) options: NetOptions,
    pub(super) ticks: Ticks,
    pub(super) counters: Arc<Counters>,
    pub(super) registry: Arc<Registry>,
    pub(super) requests: RequestBudget,
    pub(super) answers: Arc<AnswerBudget>,
}

impl Shared {
    pub(super) fn new(options: NetOptions) -> Self {
        let registry = Registry::new(options.connections_max, options.connections_per_address_max);
        Self {
            ticks: Ticks::new(&options),
            counters: Arc::default(),
            registry: Arc::new(registry),
            requests: RequestBudget::new(options.requests_bytes_max),
            answers: Arc::new(AnswerBudget::new(options.answers_bytes_max)),
            options,
        }
    }

    pub(super) fn count_reason(&self, closed: &Closed) {
        let counters = &self.counters;
        let reason = match closed {
            Closed::Idle => &counters.closed_idle,
            Closed::Stalled => &counters.closed_stalled,
            Closed::Invalid(_) | Closed::Answered(_) => &counters.closed_invalid,
            Closed::Left | Closed::Lost(_) | Closed::ShutDown => return,
        };
        reason.fetch_add(1, Ordering::Relaxed);
    }

    /// Looks after all connections for as long as the server runs: the one timer of them all.
    pub(super) async fn sweep(self: Arc<Self>) {
        let mut short_since = None;
        loop {
            tokio::time::sleep(self.ticks.length).await;
            let tick = self.registry.advance();
            let is_short = self.requests.is_short() || self.answers.is_short();
            short_since = if is_short { short_since.or(Some(tick)) } else { None };
            let is_overdue = short_since.is_some_and(|since| tick - since >= self.ticks.stalled);
            let is_stalled = |entry: &Entry| {
                is_overdue && entry.is_holding() && tick - entry.active_at() >= self.ticks.stalled
            };
            // Most need nothing, and are only looked at.
            for entry in self.registry.those(|entry| entry.is_due(tick) || is_stalled(entry)) {
                entry.ask_if_due(tick);
                if is_stalled(&entry) {
                    entry.give(Order::Stalled);
                }
            }
        }
    }
}
