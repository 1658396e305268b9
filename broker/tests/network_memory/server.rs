//! A server whose service answers every request with a few bytes.

use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use strandline_broker::api::{Dispatched, Reply};
use strandline_broker::context::Connection;
use strandline_broker::net::{Bound, Counters, Dispatching, ListenerOptions, NetOptions, Server, Service};
use strandline_protocol::apis::api_versions::ApiVersionsResponse;
use strandline_protocol::frame::OutboundFrame;
use tokio::runtime::Runtime;

/// Whoever counts memory is alone.
static TURN: Mutex<()> = Mutex::new(());

struct Answering;

impl Service for Answering {
    fn dispatch(&self, _: &Arc<Connection>, _: Bytes, _: Duration) -> Dispatching {
        let frame = OutboundFrame::response(0, 7, &ApiVersionsResponse::default()).unwrap();
        Dispatching::done(Dispatched::Now(Reply::plain(frame, Duration::ZERO)))
    }
}

pub(crate) struct Rig {
    pub(crate) runtime: Runtime,
    pub(crate) server: Server,
    pub(crate) counters: Arc<Counters>,
    address: SocketAddr,
    _turn: MutexGuard<'static, ()>,
}

impl Rig {
    pub(crate) fn new() -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let guard = runtime.enter();
        let listeners = vec![ListenerOptions::new("TEST", "127.0.0.1", 0)];
        let bound = Bound::new(NetOptions { listeners, ..NetOptions::default() }).unwrap();
        let address = bound.addresses()[0];
        let server = bound.serve(Arc::new(Answering));
        let counters = server.counters();
        drop(guard);
        Self { runtime, server, counters, address, _turn: turn }
    }

    pub(crate) fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect(self.address)
    }

    pub(crate) fn received_bytes(&self) -> u64 {
        self.counters.received_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn closed(&self) -> u64 {
        self.counters.closed.load(Ordering::Relaxed)
    }
}

pub(crate) fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Waits until something is so, however slow the machine.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(120), "waited for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
