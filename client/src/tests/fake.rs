//! A broker that does what a test says, over a pipe in memory or a socket.

use std::collections::HashMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::{fmt, io};

use bytes::{BufMut, Bytes, BytesMut};
use strandline_protocol::apis::API_KEYS;
use strandline_protocol::apis::api_versions::{ApiVersion, ApiVersionsResponse, FinalizedFeatureKey};
use strandline_protocol::apis::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use strandline_protocol::frame::{FrameAssembler, OutboundFrame};
use strandline_protocol::headers::RequestHeader;
use strandline_protocol::{Piece, Reader, Request, Response};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::{TcpListener, TcpStream};

use crate::{BrokerAddress, ClientConfig, Connecting, Transport, TransportStream};

/// The broker's end of a connection.
pub(crate) struct Peer<T> {
    transport: T,
    assembler: FrameAssembler,
}

/// A request that came.
pub(crate) struct Asked {
    pub(crate) header: RequestHeader,
    pub(crate) body: Bytes,
}

impl Asked {
    pub(crate) fn is<R: Request>(&self) -> bool {
        self.header.request_api_key == i16::from(R::KEY)
    }

    pub(crate) fn decode<R: Request>(&self) -> R {
        assert!(self.is::<R>(), "asked for API {}", self.header.request_api_key);
        R::from_bytes(self.body.clone(), self.header.request_api_version).unwrap()
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Peer<T> {
    pub(crate) fn new(transport: T) -> Self {
        Self { transport, assembler: FrameAssembler::new(1 << 24) }
    }

    /// The next request, or none once the client has gone.
    pub(crate) async fn next(&mut self) -> Option<Asked> {
        loop {
            if let Some(content) = self.assembler.next_frame().unwrap() {
                let mut reader = Reader::new(content.clone());
                let (_, header) = RequestHeader::read_with_api(&mut reader).unwrap();
                let body = content.slice(content.len() - reader.remaining()..);
                return Some(Asked { header, body });
            }
            match self.transport.read_buf(self.assembler.room()).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn answer<R: Response>(&mut self, asked: &Asked, response: &R) {
        self.send(&frame(asked, response)).await;
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        // The client may have gone, and a test about that looks at the client.
        let _ = self.transport.write_all(bytes).await;
    }

    /// Answers the first request of a connection: everything is served that the codec knows.
    pub(crate) async fn greet(&mut self) {
        let asked = self.next().await.unwrap();
        self.answer(&asked, &everything()).await;
    }
}

/// A response as bytes.
pub(crate) fn frame<R: Response>(asked: &Asked, response: &R) -> Bytes {
    let header = &asked.header;
    let frame = OutboundFrame::response(header.request_api_version, header.correlation_id, response).unwrap();
    let mut bytes = BytesMut::new();
    for piece in frame.into_pieces() {
        match piece {
            Piece::Slice(slice) => bytes.put_slice(&slice),
            Piece::External(_) => panic!("not in memory"),
        }
    }
    bytes.freeze()
}

/// Every API in every stable version.
pub(crate) fn everything() -> ApiVersionsResponse {
    let version = |range: strandline_protocol::schema::VersionRange, key: i16| ApiVersion {
        api_key: key,
        min_version: range.first,
        max_version: range.last,
        ..Default::default()
    };
    let api_keys = API_KEYS.iter().map(|key| version(key.api().stable_versions(), i16::from(*key))).collect();
    ApiVersionsResponse { api_keys, ..Default::default() }
}

/// The same, of a cluster whose `transaction.version` is at this level, if that is not 0.
pub(crate) fn everything_at(level: i16) -> ApiVersionsResponse {
    let name = "transaction.version".into();
    let feature = FinalizedFeatureKey {
        name,
        max_version_level: level,
        min_version_level: level,
        ..Default::default()
    };
    let finalized_features = if level > 0 { vec![feature] } else { Vec::new() };
    ApiVersionsResponse { finalized_features, ..everything() }
}

/// A broker on a socket: each connection, numbered from 0, is served by what `serve` returns.
pub(crate) async fn listen<F, W>(serve: F) -> SocketAddr
where
    F: Fn(usize, Peer<TcpStream>, SocketAddr) -> W + Send + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(serve(number, Peer::new(stream), address));
        }
    });
    address
}

/// An address where nobody listens.
pub(crate) async fn deserted() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    listener.local_addr().unwrap()
}

/// A cluster of one broker of id 1, with one topic of one partition, `orders`.
pub(crate) fn metadata(address: SocketAddr) -> MetadataResponse {
    let broker = MetadataResponseBroker {
        node_id: 1,
        host: address.ip().to_string().as_str().into(),
        port: i32::from(address.port()),
        ..Default::default()
    };
    let partition = MetadataResponsePartition {
        leader_id: 1,
        leader_epoch: 3,
        replica_nodes: vec![1],
        isr_nodes: vec![1],
        ..Default::default()
    };
    let topic = MetadataResponseTopic {
        name: Some("orders".into()),
        partitions: vec![partition],
        ..Default::default()
    };
    MetadataResponse {
        brokers: vec![broker],
        cluster_id: Some("a cluster".into()),
        controller_id: 1,
        topics: vec![topic],
        ..Default::default()
    }
}

/// A cluster of these brokers in memory, by id, and no topic.
pub(crate) fn members(names: &[(i32, &str)]) -> MetadataResponse {
    let broker = |(id, name): &(i32, &str)| MetadataResponseBroker {
        node_id: *id,
        host: (*name).into(),
        port: 9092,
        ..Default::default()
    };
    MetadataResponse { brokers: names.iter().map(broker).collect(), ..Default::default() }
}

/// What a broker in memory does with a connection.
pub(crate) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Brokers in memory, for tests whose time is paused: each attempt to connect is served by what the function returns
/// for the host's name and the number of the attempt at it, or refused where that is none. A host whose name begins
/// with `hole` swallows everything.
pub(crate) struct Net<F> {
    serve: F,
    attempts: Arc<Mutex<HashMap<String, usize>>>,
}

impl<F: Fn(&str, usize, Peer<DuplexStream>) -> Option<Serving>> Net<F> {
    pub(crate) fn new(serve: F) -> Self {
        Self { serve, attempts: Arc::default() }
    }

    /// A configuration of these addresses over it, and how often it was tried to connect to whom.
    pub(crate) fn config(self, bootstrap: &str) -> (ClientConfig, Attempts)
    where
        F: Send + Sync + 'static,
    {
        let attempts = Attempts(self.attempts.clone());
        (ClientConfig::new(bootstrap).unwrap().transport(self), attempts)
    }
}

/// How often it was tried to connect to whom.
pub(crate) struct Attempts(Arc<Mutex<HashMap<String, usize>>>);

impl Attempts {
    pub(crate) fn at(&self, host: &str) -> usize {
        self.0.lock().unwrap().get(host).copied().unwrap_or(0)
    }
}

impl<F> fmt::Debug for Net<F> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Net")
    }
}

impl<F: Fn(&str, usize, Peer<DuplexStream>) -> Option<Serving> + Send + Sync> Transport for Net<F> {
    fn connect<'a>(&'a self, address: &'a BrokerAddress) -> Connecting<'a> {
        Box::pin(async move {
            let host = address.host();
            let number = {
                let mut attempts = self.attempts.lock().unwrap();
                let count = attempts.entry(host.to_owned()).or_default();
                *count += 1;
                *count - 1
            };
            if host.starts_with("hole") {
                std::future::pending::<()>().await;
            }
            let (ours, theirs) = tokio::io::duplex(1 << 16);
            let serving = (self.serve)(host, number, Peer::new(theirs));
            tokio::spawn(serving.ok_or(io::ErrorKind::ConnectionRefused)?);
            Ok(Box::new(ours) as Box<dyn TransportStream>)
        })
    }
}
