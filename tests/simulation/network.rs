//! A network in memory: connections with delays, in pieces, that are held up and reset.
//!
//! Bytes arrive in order and whole, or the connection is reset: then any of what was under way has arrived, from
//! the front, and the rest never will.

mod acceptor;
mod endpoint;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::world::World;

pub(crate) use self::acceptor::SimulatedAcceptor;
pub(crate) use self::endpoint::Endpoint;
use self::endpoint::Line;

/// How long a connection is waited for.
const CONNECT_MAX: Duration = Duration::from_secs(1);

/// All connections to the one broker.
#[derive(Debug)]
pub(crate) struct Network {
    world: Arc<World>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: BTreeMap<u64, Weak<Line>>,
    last_line: u64,
    is_listening: bool,
    /// Connections that are not accepted.
    waiting: VecDeque<Endpoint>,
    acceptor: Option<Waker>,
    /// Clients that no byte reaches or leaves.
    held: BTreeSet<usize>,
}

impl Network {
    pub(crate) fn new(world: Arc<World>) -> Arc<Self> {
        Arc::new(Self { world, state: Mutex::default() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> Vec<Arc<Line>> {
        let mut state = self.state();
        state.lines.retain(|_, line| line.strong_count() > 0);
        state.lines.values().filter_map(Weak::upgrade).collect()
    }

    /// Lets clients connect.
    pub(crate) fn listen(self: &Arc<Self>) -> SimulatedAcceptor {
        self.state().is_listening = true;
        SimulatedAcceptor(Arc::clone(self))
    }

    /// Nobody listens any more, and all connections are reset.
    pub(crate) fn fall(&self) {
        let waiting = {
            let mut state = self.state();
            state.is_listening = false;
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
        self.lines().iter().for_each(|line| line.reset());
    }

    /// Connects a client.
    pub(crate) async fn connect(self: &Arc<Self>, client: usize) -> io::Result<Endpoint> {
        sleep(self.delay()).await;
        let begin = Instant::now();
        while self.is_held(client) {
            if begin.elapsed() >= CONNECT_MAX {
                return Err(io::ErrorKind::TimedOut.into());
            }
            sleep(Duration::from_millis(20)).await;
        }
        let mut state = self.state();
        if !state.is_listening {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        state.last_line += 1;
        let number = state.last_line;
        let line = Arc::new(Line::new(number, client, Arc::clone(self)));
        state.lines.insert(number, Arc::downgrade(&line));
        let (near, far) = Endpoint::both(line);
        state.waiting.push_back(far);
        state.acceptor.take().into_iter().for_each(Waker::wake);
        Ok(near)
    }

    /// Cuts a client off, without its noticing.
    pub(crate) fn hold(&self, client: usize) {
        self.state().held.insert(client);
    }

    /// Lets a client's bytes through again, and all that were held up.
    pub(crate) fn release(&self, client: usize) {
        self.state().held.remove(&client);
        self.lines().iter().filter(|line| line.client == client).for_each(|line| line.wake());
    }

    fn is_held(&self, client: usize) -> bool {
        self.state().held.contains(&client)
    }

    /// Resets any connection; false if there is none.
    pub(crate) fn reset_any(&self) -> bool {
        let lines = self.lines();
        if lines.is_empty() {
            return false;
        }
        let place = self.world.below(lines.len() as u64);
        lines[usize::try_from(place).unwrap()].reset();
        true
    }

    /// How long a byte is under way.
    fn delay(&self) -> Duration {
        match self.world.below(64) {
            0..=39 => Duration::ZERO,
            40..=60 => self.world.between_ms(1, 6),
            61..=62 => self.world.between_ms(6, 40),
            _ => self.world.between_ms(40, 300),
        }
    }
}
