//! All connections there are: how many, from where, and the way to tell one of them something.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use tokio::sync::Notify;

/// What a connection is told from outside. A later one is never taken back by an earlier one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Order {
    /// Go on.
    Run = 0,
    /// Read nothing more, answer what is in flight, and end.
    Drain = 1,
    /// Memory has run out, and you hold some without moving: end.
    Stalled = 2,
    /// End now.
    Close = 3,
}

impl Order {
    fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Run,
            1 => Self::Drain,
            2 => Self::Stalled,
            _ => Self::Close,
        }
    }
}

/// What is known of a connection outside of its task.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: u64,
    address: IpAddr,
    order: AtomicU8,
    /// Set to be asked whether it is idle.
    is_asked: AtomicBool,
    /// The tick when something last moved.
    active_at: AtomicU64,
    /// The tick from which on it is to be asked.
    ask_at: AtomicU64,
    /// Whether it keeps memory for a part of a request, or answers that are not sent.
    is_holding: AtomicBool,
    is_protected: bool,
    waker: Mutex<Option<Waker>>,
}

impl Entry {
    fn waker(&self) -> MutexGuard<'_, Option<Waker>> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to wake with an order.
    pub(super) fn set_waker(&self, waker: &Waker) {
        let mut known = self.waker();
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *known = Some(waker.clone());
        }
    }

    pub(super) fn order(&self) -> Order {
        Order::from_u8(self.order.load(Ordering::Acquire))
    }

    pub(super) fn give(&self, order: Order) {
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.wake();
    }

    /// From this tick on it wants to be asked whether its time is over.
    pub(super) fn ask_at(&self, tick: u64) {
        self.ask_at.store(tick, Ordering::Relaxed);
    }

    /// Whether it is time to ask it.
    pub(super) fn is_due(&self, tick: u64) -> bool {
        self.ask_at.load(Ordering::Relaxed) <= tick
    }

    /// Asks it, if it is time to.
    pub(super) fn ask_if_due(&self, tick: u64) {
        if self.is_due(tick) {
            self.is_asked.store(true, Ordering::Release);
            self.wake();
        }
    }

    /// Whether it was asked since the last time.
    pub(super) fn take_question(&self) -> bool {
        self.is_asked.load(Ordering::Acquire) && self.is_asked.swap(false, Ordering::AcqRel)
    }

    pub(super) fn set_active(&self, tick: u64) {
        self.active_at.store(tick, Ordering::Relaxed);
    }

    pub(super) fn active_at(&self) -> u64 {
        self.active_at.load(Ordering::Relaxed)
    }

    pub(super) fn set_holding(&self, is_holding: bool) {
        self.is_holding.store(is_holding, Ordering::Relaxed);
    }

    pub(super) fn is_holding(&self) -> bool {
        self.is_holding.load(Ordering::Relaxed)
    }

    fn wake(&self) {
        let waker = self.waker().clone();
        waker.into_iter().for_each(Waker::wake);
    }
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Refused {
    /// There are too many.
    Total,
    /// There are too many from its address.
    Address,
    /// The broker is shutting down.
    Closing,
}

#[derive(Debug, Default)]
struct Connections {
    // In order of their numbers: a simulation goes through them the same way each time.
    entries: BTreeMap<u64, Arc<Entry>>,
    per_address: HashMap<IpAddr, usize>,
    next_id: u64,
    /// What is told to those that come.
    is_closing: bool,
}

/// All connections there are.
#[derive(Debug)]
pub(super) struct Registry {
    connections: Mutex<Connections>,
    connections_max: AtomicUsize,
    per_address_max: AtomicUsize,
    /// Counts up as time goes by, so that connections need no clock.
    tick: AtomicU64,
    emptied: Notify,
}

/// How many connections there may be.
#[derive(Clone, Debug)]
pub struct Limits(pub(super) Arc<Registry>);

impl Limits {
    /// So many in all and so many from one address, from now on. Those that there are stay.
    pub fn set(&self, (connections_max, per_address_max): (usize, usize)) {
        self.0.connections_max.store(connections_max, Ordering::Relaxed);
        self.0.per_address_max.store(per_address_max, Ordering::Relaxed);
    }
}

/// A place among the connections, given up when it is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) entry: Arc<Entry>,
    registry: Arc<Registry>,
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.registry.remove(&self.entry);
    }
}

impl Connections {
    /// The one that has been idle for the longest time, of those that may be closed for another.
    fn least_active(&self) -> Option<Arc<Entry>> {
        let may_go = |entry: &&Arc<Entry>| !entry.is_protected && entry.order() == Order::Run;
        self.entries.values().filter(may_go).min_by_key(|entry| (entry.active_at(), entry.id)).cloned()
    }
}

impl Registry {
    pub(super) fn new(connections_max: usize, per_address_max: usize) -> Self {
        Self {
            connections: Mutex::default(),
            connections_max: AtomicUsize::new(connections_max),
            per_address_max: AtomicUsize::new(per_address_max),
            tick: AtomicU64::new(0),
            emptied: Notify::new(),
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a connection in, if there are not too many. As in Kafka, for a protected one another is closed then.
    pub(super) fn admit(self: &Arc<Self>, peer: SocketAddr, is_protected: bool) -> Result<Admitted, Refused> {
        let address = peer.ip().to_canonical();
        let mut connections = self.connections();
        if connections.is_closing {
            return Err(Refused::Closing);
        }
        let from_address = connections.per_address.get(&address).copied().unwrap_or(0);
        if from_address >= self.per_address_max.load(Ordering::Relaxed) {
            return Err(Refused::Address);
        }
        if connections.entries.len() >= self.connections_max.load(Ordering::Relaxed) {
            let closed = if is_protected { connections.least_active() } else { None };
            closed.ok_or(Refused::Total)?.give(Order::Close);
        }
        connections.per_address.insert(address, from_address + 1);
        let id = connections.next_id;
        connections.next_id += 1;
        let entry = Arc::new(Entry {
            id,
            address,
            order: AtomicU8::new(Order::Run as u8),
            is_asked: AtomicBool::new(false),
            active_at: AtomicU64::new(self.tick()),
            ask_at: AtomicU64::new(u64::MAX),
            is_holding: AtomicBool::new(false),
            is_protected,
            waker: Mutex::default(),
        });
        connections.entries.insert(id, Arc::clone(&entry));
        Ok(Admitted { entry, registry: Arc::clone(self) })
    }

    fn remove(&self, entry: &Entry) {
        let mut connections = self.connections();
        connections.entries.remove(&entry.id);
        if let Some(count) = connections.per_address.get_mut(&entry.address) {
            *count -= 1;
            if *count == 0 {
                connections.per_address.remove(&entry.address);
            }
        }
        if connections.entries.is_empty() {
            self.emptied.notify_waiters();
        }
    }

    pub(super) fn tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }

    /// Lets time go by.
    pub(super) fn advance(&self) -> u64 {
        self.tick.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Those of them that are as is asked for at this moment.
    pub(super) fn those(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<Arc<Entry>> {
        self.connections().entries.values().filter(|entry| wanted(entry)).cloned().collect()
    }

    /// Takes no more in, and tells all of them something.
    pub(super) fn close(&self, order: Order) {
        self.connections().is_closing = true;
        self.those(|_| true).iter().for_each(|entry| entry.give(order));
    }

    /// Waits until there is none.
    pub(super) async fn wait_until_empty(&self) {
        loop {
            let emptied = self.emptied.notified();
            let mut emptied = std::pin::pin!(emptied);
            emptied.as_mut().enable();
            if self.connections().entries.is_empty() {
                return;
            }
            emptied.await;
        }
    }
}
