//! A broker that has no descriptors left goes on, and takes in who comes when there are some again. A process of
//! its own: its limit is lowered.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rustix::time::{ClockId, clock_gettime};
use strandline_broker::api::{Dispatched, Reply};
use strandline_broker::context::Connection;
use strandline_broker::net::{Bound, Dispatching, ListenerOptions, NetOptions, Service};
use strandline_protocol::apis::api_versions::ApiVersionsResponse;
use strandline_protocol::frame::OutboundFrame;

use crate::limit::{Lowered, one_at_a_time};

struct Answering;

impl Service for Answering {
    fn dispatch(&self, _: &Arc<Connection>, _: Bytes, _: Duration) -> Dispatching {
        let frame = OutboundFrame::response(0, 7, &ApiVersionsResponse::default()).unwrap();
        Dispatching::done(Dispatched::Now(Reply::plain(frame, Duration::ZERO)))
    }
}

fn ask(client: &mut TcpStream) {
    client.write_all(&[0, 0, 0, 4, 0, 0, 0, 0]).unwrap();
    client.read_exact(&mut [0; 4]).unwrap();
    while client.read(&mut [0; 64]).unwrap() == 64 {}
}

/// The processor time that this process has used. It takes no descriptor to find out.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap()
}

#[test]
fn without_descriptors_it_neither_spins_nor_dies() {
    let _alone = one_at_a_time();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let guard = runtime.enter();
    let listeners = vec![ListenerOptions::new("TEST", "127.0.0.1", 0)];
    let bound = Bound::new(NetOptions { listeners, ..NetOptions::default() }).unwrap();
    let address = bound.addresses()[0];
    let server = bound.serve(Arc::new(Answering));
    drop(guard);
    let counters = server.counters();
    let mut first = TcpStream::connect(address).unwrap();
    ask(&mut first);

    let _lowered = Lowered::to_leave(20);
    // The descriptors on this side count too: it ends with a client that is connected, and not accepted.
    let mut clients = Vec::new();
    while let Ok(client) = TcpStream::connect(address) {
        clients.push(client);
    }
    let failures = || counters.accept_failures.load(Ordering::Relaxed);
    let start = Instant::now();
    while failures() == 0 {
        assert!(start.elapsed() < Duration::from_secs(60), "no accept has failed");
        std::thread::sleep(Duration::from_millis(5));
    }
    let (processor_before, failures_before) = (processor_time(), failures());
    std::thread::sleep(Duration::from_millis(500));
    let processor_used = processor_time() - processor_before;
    assert!(processor_used < Duration::from_millis(250), "it spins: {processor_used:?}");
    assert!(failures() - failures_before < 15, "it spins: {} failures", failures() - failures_before);
    ask(&mut first);

    // Every second one goes; the others are taken in.
    let mut stays = false;
    clients.retain(|_| {
        stays = !stays;
        stays
    });
    clients.iter_mut().for_each(ask);
    runtime.block_on(server.shutdown());
}
