//! Connections are taken in whatever goes wrong with some of them.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::support::{Ask, Client, Rig, frame, options, wait_until};
use crate::context::Endpoint;
use crate::net::listener::BoundListener;
use crate::net::{Acceptor, BindError, Bound, ListenerOptions, NetOptions};

/// Fails as often as it is told, and then accepts.
struct Failing {
    failures: VecDeque<io::Error>,
    listener: TcpListener,
}

impl Acceptor for Failing {
    type Transport = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        match self.failures.pop_front() {
            Some(error) => Err(error),
            None => Acceptor::accept(&mut self.listener).await,
        }
    }
}

#[test]
fn failures_are_waited_out_and_not_spun_on() {
    let rig = Rig::new(options());
    let listener = rig.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    // EMFILE, ENFILE, ENOMEM, and one that is gone before it is accepted.
    let failures = [24, 23, 12, 103].map(io::Error::from_raw_os_error).into();
    let endpoint = Endpoint { listener: "FAILING".into(), host: "localhost".into(), port: address.port() };
    let _guard = rig.runtime.enter();
    let start = std::time::Instant::now();
    rig.server.accept(Failing { failures, listener }, Arc::new(endpoint));
    let mut client = Client(std::net::TcpStream::connect(address).unwrap());
    client.send(&frame(Ask::Now, 1, 0));
    assert_eq!(client.answered(), Some(1));
    // 20, 40 and 80 milliseconds, and nothing for the fourth.
    assert!(start.elapsed() >= Duration::from_millis(130), "{:?}", start.elapsed());
    assert_eq!(rig.counters().accept_failures.load(Ordering::Relaxed), 4);
}

fn bind(listeners: Vec<ListenerOptions>) -> Result<Bound, BindError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { Bound::new(NetOptions { listeners, ..options() }) })
}

fn advertised(bind_host: &str, told: Option<(&str, u16)>) -> Result<(String, u16, u16), BindError> {
    let advertised = told.map(|(host, port)| (host.to_owned(), port));
    let bound = bind(vec![ListenerOptions { advertised, ..ListenerOptions::new("A", bind_host, 0) }])?;
    let endpoint = Arc::clone(&bound.endpoints()[0]);
    Ok((endpoint.host.to_string(), endpoint.port, bound.addresses()[0].port()))
}

#[test]
fn what_is_advertised_can_be_connected_to() {
    let (host, port, bound_port) = advertised("127.0.0.1", None).unwrap();
    assert_eq!((host.as_str(), port), ("127.0.0.1", bound_port));
    let (host, port, bound_port) = advertised("localhost", None).unwrap();
    assert_eq!((host.as_str(), port), ("localhost", bound_port));
    let (host, port, bound_port) = advertised("0.0.0.0", Some(("broker.example", 0))).unwrap();
    assert_eq!((host.as_str(), port), ("broker.example", bound_port));
    assert_eq!(advertised("127.0.0.1", Some(("broker.example", 77))).unwrap().1, 77);
    for wildcard in ["0.0.0.0", ""] {
        let (host, port, bound_port) = advertised(wildcard, None).unwrap();
        assert!(!host.is_empty() && host != "0.0.0.0", "{host}");
        assert_eq!(port, bound_port);
    }
}

#[test]
fn what_cannot_be_advertised_or_bound_is_refused() {
    for wildcard in ["0.0.0.0", "::", "[::]", ""] {
        let refused = advertised("127.0.0.1", Some((wildcard, 9092)));
        assert!(matches!(refused, Err(BindError::Wildcard { .. })), "{wildcard}: {refused:?}");
    }
    let one = || ListenerOptions::new("A", "127.0.0.1", 0);
    assert!(matches!(bind(vec![one(), one()]), Err(BindError::Twice(name)) if name == "A"));
    assert!(matches!(bind(Vec::new()), Err(BindError::None)));
    let nowhere = bind(vec![ListenerOptions::new("A", "192.0.2.1", 0)]);
    assert!(matches!(&nowhere, Err(BindError::Bind { .. })), "{nowhere:?}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    assert!(matches!(bind(vec![ListenerOptions::new("A", "127.0.0.1", port)]), Err(BindError::Bind { .. })));
}

#[test]
fn a_client_whose_machine_is_gone_is_noticed() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut bound = BoundListener::bind(&ListenerOptions::new("A", "127.0.0.1", 0), 8).unwrap();
        let _client = TcpStream::connect(bound.address).await.unwrap();
        let (stream, _) = Acceptor::accept(&mut bound.listener).await.unwrap();
        assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap());
    });
}

#[test]
fn several_listeners_serve_side_by_side() {
    let listeners =
        vec![ListenerOptions::new("ONE", "127.0.0.1", 0), ListenerOptions::new("TWO", "127.0.0.1", 0)];
    let rig = Rig::new(NetOptions { listeners, ..options() });
    for (number, address) in (0..).zip(rig.addresses.clone()) {
        let mut client = Client(std::net::TcpStream::connect(address).unwrap());
        client.send(&frame(Ask::Now, number, 0));
        assert_eq!(client.answered(), Some(number));
    }
    wait_until("both have left", || rig.counters().open() == 0);
}
