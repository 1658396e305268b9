//! One connection to one broker: requests go out in the order in which they were handed over, many at a time, and
//! each answer finds its request by the correlation id.
//!
//! A task owns the socket ([`driver`]); the handles to it are cheap to clone. The connection ends when the last
//! handle is gone and nothing is in flight, when either side fails, or when a request is overdue: behind an answer
//! that does not come, no other one can. It never comes back by itself; whoever wants another opens one.
//!
//! Record bytes are not copied: requests go out as pieces by vectored writes, and answers are slices of the frame
//! that they came in.

use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use strandline_protocol::frame::{OutboundFrame, read_response};
use strandline_protocol::schema::VersionRange;
use strandline_protocol::{Piece, Request, Text};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::address::BrokerAddress;
use crate::config::ClientConfig;
use crate::error::{CloseReason, Error, Result};

mod driver;
mod open;
mod throttle;
mod transport;
mod versions;

use driver::Driver;
use throttle::Throttle;
pub use transport::{Connecting, Transport, TransportStream};
pub use versions::BrokerVersions;

/// A handle to a connection. See the [crate] for what may be dropped when.
///
/// ```
/// use strandline_client::{ClientConfig, Connection};
/// use strandline_protocol::apis::metadata::MetadataRequest;
///
/// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
/// let address = brokers.parse()?;
/// let connection = Connection::open(&address, &ClientConfig::new(brokers)?).await?;
/// let metadata = connection.request(&MetadataRequest::default()).await?;
/// println!("{} brokers", metadata.brokers.len());
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
/// ```
#[derive(Clone, Debug)]
pub struct Connection {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    broker: Arc<str>,
    client_id: Text,
    request_timeout: Duration,
    outbound: mpsc::Sender<Outbound>,
    correlation_id: AtomicI32,
    versions: OnceLock<BrokerVersions>,
    throttle: Throttle,
    // Set by the driver before it lets go of its end of `outbound`.
    closed: Arc<OnceLock<Error>>,
}

/// A request on its way to the driver.
#[derive(Debug)]
struct Outbound {
    pieces: Vec<Piece>,
    correlation_id: i32,
    deadline: Instant,
    // How long the deadline was away when the request was handed over, for the error that says so.
    patience: Duration,
    // Nobody answers a produce request of `acks` 0.
    answer: Option<oneshot::Sender<Result<Bytes>>>,
}

impl Connection {
    /// Connects to `address`, by any of its name's addresses, and learns which versions the broker serves.
    ///
    /// ```
    /// # use strandline_client::{ClientConfig, Connection};
    /// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
    /// let config = ClientConfig::new(brokers)?;
    /// let connection = Connection::open(&config.bootstrap()[0], &config).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
    /// ```
    pub async fn open(address: &BrokerAddress, config: &ClientConfig) -> Result<Self> {
        open::open(address, config).await
    }

    /// The same over a transport that is connected already: TLS, a simulated network, a test's own.
    ///
    /// ```
    /// # use strandline_client::{ClientConfig, Connection};
    /// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
    /// let stream = tokio::net::TcpStream::connect(brokers).await.expect("a way to the broker");
    /// let connection = Connection::over(stream, "a test", &ClientConfig::new(brokers)?).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
    /// ```
    pub async fn over<T>(transport: T, broker: &str, config: &ClientConfig) -> Result<Self>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let connection = Self::start(transport, broker, config);
        let versions = open::negotiate(&connection).await?;
        // Nobody else has a handle yet, so it cannot have been set before.
        let _ = connection.shared.versions.set(versions);
        Ok(connection)
    }

    fn start<T>(transport: T, broker: &str, config: &ClientConfig) -> Self
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let broker: Arc<str> = broker.into();
        let closed = Arc::new(OnceLock::new());
        let (outbound, inbox) = mpsc::channel(config.in_flight_max);
        let driver = Driver::new(transport, inbox, broker.clone(), closed.clone(), config);
        tokio::spawn(driver.run());
        let shared = Shared {
            broker,
            client_id: Text::from(config.client_id.as_str()),
            request_timeout: config.request_timeout,
            outbound,
            correlation_id: AtomicI32::new(0),
            versions: OnceLock::new(),
            throttle: Throttle::default(),
            closed,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Who is at the other end, for messages.
    ///
    /// ```
    /// # fn example(connection: &strandline_client::Connection) {
    /// eprintln!("asking {}", connection.broker());
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.connection().await?); Ok(()) });
    /// ```
    pub fn broker(&self) -> &str {
        &self.shared.broker
    }

    /// What the broker serves.
    ///
    /// ```
    /// # fn example(connection: &strandline_client::Connection) {
    /// use strandline_protocol::apis::fetch::FetchRequest;
    /// println!("fetches by topic id: {}", connection.versions().highest::<FetchRequest>() >= Some(13));
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.connection().await?); Ok(()) });
    /// ```
    pub fn versions(&self) -> &BrokerVersions {
        self.shared.versions.get().unwrap_or(BrokerVersions::NONE)
    }

    /// Whether the connection has ended. It may end at any moment after it was asked.
    ///
    /// ```
    /// # fn example(connection: &strandline_client::Connection) {
    /// if connection.is_closed() {
    ///     eprintln!("lost {}", connection.broker());
    /// }
    /// # }
    /// # strandline_client_stage::play(async |stage| { example(&stage.connection().await?); Ok(()) });
    /// ```
    pub fn is_closed(&self) -> bool {
        self.shared.outbound.is_closed()
    }

    /// Asks, in the highest version that both sides know, and waits for the answer.
    ///
    /// ```
    /// # async fn example(connection: &strandline_client::Connection) -> Result<(), strandline_client::Error> {
    /// use strandline_protocol::apis::describe_cluster::DescribeClusterRequest;
    /// let cluster = connection.request(&DescribeClusterRequest::default()).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.connection().await?).await);
    /// ```
    pub async fn request<R: Request>(&self, request: &R) -> Result<R::Response> {
        self.submit(request, R::KEY.api().stable_versions()).await?.await
    }

    /// Hands a request over, to be written behind those handed over before it, and returns what its answer can be
    /// awaited by. Waits only while the connection has as many requests in flight as it may.
    ///
    /// `versions` limits the choice, for requests whose older versions cannot say the same.
    ///
    /// ```
    /// # async fn example(connection: &strandline_client::Connection) -> Result<(), strandline_client::Error> {
    /// use strandline_protocol::apis::metadata::MetadataRequest;
    /// use strandline_protocol::schema::VersionRange;
    ///
    /// // Both are on their way before the first one is answered.
    /// let by_name = VersionRange::new(1, 9);
    /// let first = connection.submit(&MetadataRequest::default(), by_name).await?;
    /// let second = connection.submit(&MetadataRequest::default(), by_name).await?;
    /// println!("{} {}", first.await?.controller_id, second.await?.controller_id);
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.connection().await?).await);
    /// ```
    pub async fn submit<R: Request>(&self, request: &R, versions: VersionRange) -> Result<Answer<R>> {
        let version = self.version::<R>(versions)?;
        self.submit_in(request, version).await
    }

    /// Hands over a request that the broker does not answer: Produce with `acks` 0. That it was written is not
    /// known either; an error only says that it was not.
    ///
    /// ```
    /// # async fn example(connection: &strandline_client::Connection) -> Result<(), strandline_client::Error> {
    /// use strandline_protocol::apis::produce::ProduceRequest;
    /// connection.submit_unanswered(&ProduceRequest { acks: 0, ..Default::default() }).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.connection().await?).await);
    /// ```
    pub async fn submit_unanswered<R: Request>(&self, request: &R) -> Result<()> {
        self.submit_unanswered_in(request, R::KEY.api().stable_versions()).await
    }

    /// The same in one of these versions.
    pub(crate) async fn submit_unanswered_in<R: Request>(
        &self,
        request: &R,
        versions: VersionRange,
    ) -> Result<()> {
        let version = self.version::<R>(versions)?;
        self.hand_over(request, version, None).await
    }

    fn version<R: Request>(&self, versions: VersionRange) -> Result<i16> {
        let api = R::KEY.api();
        let ours = versions.intersection(api.stable_versions());
        let theirs = self.versions().of(R::KEY);
        let both = ours.intersection(theirs);
        if both.is_empty() {
            let broker = self.shared.broker.clone();
            return Err(Error::Unsupported { broker, api: api.name, ours, theirs });
        }
        Ok(both.last)
    }

    async fn submit_in<R: Request>(&self, request: &R, version: i16) -> Result<Answer<R>> {
        let (sender, receiver) = oneshot::channel();
        self.hand_over(request, version, Some(sender)).await?;
        let asked_at = Instant::now();
        Ok(Answer { receiver, shared: self.shared.clone(), version, asked_at, request: PhantomData })
    }

    /// Takes in what an answer says only at its end: that the broker wants to be left alone.
    pub(crate) fn throttled(&self, wait_ms: i32) {
        self.shared.throttled(wait_ms);
    }

    async fn hand_over<R: Request>(
        &self,
        request: &R,
        version: i16,
        answer: Option<oneshot::Sender<Result<Bytes>>>,
    ) -> Result<()> {
        let shared = &self.shared;
        shared.throttle.rest().await;
        let correlation_id = shared.correlation_id.fetch_add(1, Ordering::Relaxed);
        let client_id = Some(shared.client_id.clone());
        let frame = OutboundFrame::request(version, correlation_id, client_id, request)?;
        let patience = shared.request_timeout;
        let deadline = Instant::now() + patience;
        let outbound = Outbound { pieces: frame.into_pieces(), correlation_id, deadline, patience, answer };
        match shared.outbound.try_send(outbound) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(shared.why_closed()),
            Err(mpsc::error::TrySendError::Full(outbound)) => {
                match tokio::time::timeout_at(deadline, shared.outbound.send(outbound)).await {
                    Ok(sent) => sent.map_err(|_| shared.why_closed()),
                    Err(_) => Err(Error::Timeout { broker: shared.broker.clone(), after: patience }),
                }
            }
        }
    }
}

impl Shared {
    fn throttled(&self, wait_ms: i32) {
        self.throttle.note(wait_ms, self.request_timeout);
    }

    fn why_closed(&self) -> Error {
        // Without a word from the driver, it was dropped together with its runtime.
        let ended = || Error::Closed { broker: self.broker.clone(), reason: CloseReason::Runtime };
        self.closed.get().cloned().unwrap_or_else(ended)
    }
}

/// The answer to a request that was handed over.
///
/// ```
/// # async fn example(connection: &strandline_client::Connection) -> Result<(), strandline_client::Error> {
/// use strandline_client::Answer;
/// use strandline_protocol::Request;
/// use strandline_protocol::apis::metadata::MetadataRequest;
///
/// let versions = MetadataRequest::KEY.api().stable_versions();
/// let answer: Answer<MetadataRequest> = connection.submit(&MetadataRequest::default(), versions).await?;
/// assert_eq!(answer.await?.brokers.len(), 1);
/// # Ok(())
/// # }
/// # strandline_client_stage::play(async |stage| example(&stage.connection().await?).await);
/// ```
#[derive(Debug)]
#[must_use = "the request has been sent; its answer says whether it succeeded"]
pub struct Answer<R> {
    receiver: oneshot::Receiver<Result<Bytes>>,
    shared: Arc<Shared>,
    version: i16,
    asked_at: Instant,
    request: PhantomData<fn() -> R>,
}

impl<R> Answer<R> {
    /// The version in which the request was written, and in which the answer is.
    ///
    /// ```
    /// # async fn example(connection: &strandline_client::Connection) -> Result<(), strandline_client::Error> {
    /// use strandline_protocol::apis::metadata::MetadataRequest;
    /// use strandline_protocol::schema::VersionRange;
    ///
    /// let answer = connection.submit(&MetadataRequest::default(), VersionRange::new(1, 9)).await?;
    /// assert_eq!(answer.version(), 9);
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&stage.connection().await?).await);
    /// ```
    pub const fn version(&self) -> i16 {
        self.version
    }

    /// The frame's content as it came, not yet decoded.
    fn poll_content(&mut self, context: &mut Context<'_>) -> Poll<Result<Bytes>> {
        Pin::new(&mut self.receiver)
            .poll(context)
            .map(|content| content.unwrap_or_else(|_| Err(self.shared.why_closed())))
    }
}

impl<R: Request> Future for Answer<R> {
    type Output = Result<R::Response>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let content = std::task::ready!(self.poll_content(context))?;
        crate::telemetry::answered(R::KEY.api().name, self.asked_at.elapsed());
        self.shared.throttled(throttle::said_first::<R>(&content, self.version));
        let decoded = read_response::<R>(content, self.version);
        Poll::Ready(match decoded {
            Ok((_, response)) => Ok(response),
            Err(source) => Err(Error::Decode { broker: self.shared.broker.clone(), source }),
        })
    }
}

fn io_closed(broker: &Arc<str>, error: io::Error) -> Error {
    let reason = match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => CloseReason::ByBroker,
        _ => CloseReason::Io(Arc::new(error)),
    };
    Error::Closed { broker: broker.clone(), reason }
}
