//! A service that is told by each request how to answer it, and a server with it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsResponse};
use strandline_protocol::apis::fetch::{FetchResponse, FetchableTopicResponse, PartitionData};
use strandline_protocol::frame::OutboundFrame;
use strandline_protocol::records::Piece;
use tokio::runtime::Runtime;
use tokio::sync::Notify;

use crate::api::{Dispatched, Reply};
use crate::context::Connection;
use crate::net::{Bound, Counters, Dispatching, ListenerOptions, NetOptions, Server, Service};

/// What a test's request asks for: the first byte of the frame's content. The next four are its number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Ask {
    /// Answer now.
    Now = 1,
    /// Answer later, when the gate opens.
    Gated = 2,
    /// Dispatch when the other gate opens.
    SlowDispatch = 3,
    /// No answer.
    Silence = 4,
    /// Close.
    Close = 5,
    /// Answer with a megabyte of a log.
    Megabyte = 6,
    /// Answer now, and throttle.
    Throttle = 7,
    /// Answer with the pieces that the test left.
    Pieces = 8,
    /// Answer with a megabyte that is the answer's own.
    OwnMegabyte = 9,
    /// No answer, and throttle.
    SilenceAndThrottle = 10,
    /// Answer with those pieces when the answer is looked for, and count it.
    PiecesLater = 11,
}

/// How long a throttled connection is silent.
pub(super) const THROTTLE: Duration = Duration::from_millis(300);

#[derive(Debug, Default)]
pub(super) struct Script {
    /// Numbers of requests in the order of their beginning.
    pub(super) begun: Mutex<Vec<u32>>,
    pub(super) pieces: Mutex<Vec<Piece>>,
    pub(super) gate: Arc<Notify>,
    pub(super) dispatch_gate: Arc<Notify>,
    pub(super) megabytes: AtomicU64,
    pub(super) looked_for: AtomicU64,
}

/// An answer to a request, with records of these pieces.
pub(super) fn answer(number: u32, pieces: Vec<Piece>) -> OutboundFrame {
    let partition = PartitionData { records: Some(pieces.into()), ..Default::default() };
    let topic = FetchableTopicResponse { partitions: vec![partition], ..Default::default() };
    let response = FetchResponse { responses: vec![topic], ..Default::default() };
    OutboundFrame::response(4, i32::try_from(number).unwrap(), &response).unwrap()
}

fn send(number: u32, pieces: Vec<Piece>) -> Reply {
    Reply::plain(answer(number, pieces), Duration::ZERO)
}

#[derive(Debug)]
pub(super) struct ScriptedService(pub(super) Arc<Script>);

impl Service for ScriptedService {
    fn dispatch(&self, _: &Arc<Connection>, frame: Bytes, _: Duration) -> Dispatching {
        let script = Arc::clone(&self.0);
        Dispatching::going(async move {
            let number = u32::from_be_bytes(frame[1..5].try_into().unwrap());
            script.begun.lock().unwrap().push(number);
            let gate = Arc::clone(&script.gate);
            match frame[0] {
                2 => Dispatched::later(async move {
                    gate.notified().await;
                    send(number, Vec::new())
                }),
                3 => {
                    script.dispatch_gate.notified().await;
                    Dispatched::Now(send(number, Vec::new()))
                }
                4 => Dispatched::Now(Reply::Silence { throttle: Duration::ZERO }),
                10 => Dispatched::Now(Reply::Silence { throttle: THROTTLE }),
                5 => Dispatched::Now(Reply::Close("the test wants it")),
                6 => {
                    script.megabytes.fetch_add(1, Ordering::SeqCst);
                    Dispatched::Now(send(number, vec![Piece::Slice(vec![7; 1 << 20].into())]))
                }
                7 => Dispatched::Now(Reply::plain(answer(number, Vec::new()), THROTTLE)),
                9 => {
                    script.megabytes.fetch_add(1, Ordering::SeqCst);
                    let response = ApiVersionsResponse {
                        api_keys: vec![ApiVersion::default(); 175_000],
                        ..Default::default()
                    };
                    let frame =
                        OutboundFrame::response(0, i32::try_from(number).unwrap(), &response).unwrap();
                    Dispatched::Now(Reply::plain(frame, Duration::ZERO))
                }
                8 => Dispatched::Now(send(number, script.pieces.lock().unwrap().clone())),
                11 => Dispatched::later(async move {
                    script.looked_for.fetch_add(1, Ordering::SeqCst);
                    send(number, script.pieces.lock().unwrap().clone())
                }),
                _ => Dispatched::Now(send(number, Vec::new())),
            }
        })
    }
}

/// A server with a scripted service, and the runtime that it lives in.
pub(super) struct Rig {
    pub(super) runtime: Runtime,
    pub(super) script: Arc<Script>,
    pub(super) server: Arc<Server>,
    pub(super) address: SocketAddr,
    pub(super) addresses: Vec<SocketAddr>,
}

pub(super) fn options() -> NetOptions {
    NetOptions { listeners: vec![ListenerOptions::new("TEST", "127.0.0.1", 0)], ..NetOptions::default() }
}

impl Rig {
    pub(super) fn new(options: NetOptions) -> Self {
        let script = Arc::new(Script::default());
        Self::with_service(options, Arc::new(ScriptedService(Arc::clone(&script))), script)
    }

    pub(super) fn with_service(options: NetOptions, service: Arc<dyn Service>, script: Arc<Script>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.unwrap();
        let guard = runtime.enter();
        let bound = Bound::new(options).unwrap();
        let addresses = bound.addresses();
        let server = Arc::new(bound.serve(service));
        drop(guard);
        Self { runtime, script, server, address: addresses[0], addresses }
    }

    pub(super) fn counters(&self) -> Arc<Counters> {
        self.server.counters()
    }

    pub(super) fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client(stream)
    }

    /// Waits until no connection is left, and with them everything that they had taken.
    pub(super) fn wait_for_baseline(&self) {
        let shared = &self.server.shared;
        wait_until("all have left", || self.counters().open() == 0);
        wait_until("requests have given back", || {
            shared.requests.free_bytes() == shared.options.requests_bytes_max
        });
        wait_until("answers have given back", || shared.answers.used_bytes() == 0);
    }

    pub(super) fn begun(&self) -> Vec<u32> {
        self.script.begun.lock().unwrap().clone()
    }
}

/// A client that knows of frames and nothing else.
pub(super) struct Client(pub(super) TcpStream);

/// A frame that asks for something, with so many bytes behind it.
pub(super) fn frame(ask: Ask, number: u32, padding: usize) -> Vec<u8> {
    let mut bytes = u32::try_from(5 + padding).unwrap().to_be_bytes().to_vec();
    bytes.push(ask as u8);
    bytes.extend(number.to_be_bytes());
    bytes.resize(bytes.len() + padding, 0);
    bytes
}

impl Client {
    pub(super) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    /// The next answer's content.
    pub(super) fn answer(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).ok()?;
        let mut content = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        self.0.read_exact(&mut content).unwrap();
        Some(content)
    }

    /// The number of the request that the next answer is for; none if the connection is closed.
    pub(super) fn answered(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.answer()?[..4].try_into().unwrap()))
    }

    /// Whether the other end has closed.
    pub(super) fn is_closed(&mut self) -> bool {
        !matches!(self.0.read(&mut [0]), Ok(1..))
    }
}

/// Waits until something is so, however slow the machine.
pub(super) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "waited for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
