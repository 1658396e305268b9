//! What a client is told before it starts.

use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::frame::FrameBuffers;

use crate::address::BrokerAddress;
use crate::backoff::Backoff;
use crate::connection::Transport;
use crate::error::Result;

/// How a [`Client`](crate::Client) finds its cluster, and how patient it is.
///
/// ```
/// use std::time::Duration;
/// use strandline_client::ClientConfig;
///
/// let config = ClientConfig::new("broker-1:9092,broker-2:9092")?
///     .client_id("billing")
///     .request_timeout(Duration::from_secs(10));
/// assert_eq!(config.bootstrap().len(), 2);
/// # Ok::<(), strandline_client::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientConfig {
    bootstrap: Vec<BrokerAddress>,
    pub(crate) client_id: String,
    pub(crate) request_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) rebootstrap_after: Duration,
    pub(crate) backoff_least: Duration,
    pub(crate) backoff_greatest: Duration,
    pub(crate) in_flight_max: usize,
    pub(crate) frame_bytes_max: usize,
    pub(crate) buffers: FrameBuffers,
    pub(crate) transport: Option<Arc<dyn Transport>>,
}

impl ClientConfig {
    /// A configuration of defaults, with the addresses of one or more brokers, separated by commas.
    ///
    /// ```
    /// assert!(strandline_client::ClientConfig::new("broker-1:9092,[::1]:9092").is_ok());
    /// assert!(strandline_client::ClientConfig::new("").is_err());
    /// ```
    pub fn new(bootstrap: &str) -> Result<Self> {
        Ok(Self {
            bootstrap: BrokerAddress::parse_list(bootstrap)?,
            client_id: "strandline".to_owned(),
            request_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            rebootstrap_after: Duration::from_secs(300),
            backoff_least: Duration::from_millis(50),
            backoff_greatest: Duration::from_secs(1),
            in_flight_max: 64,
            frame_bytes_max: 100 << 20,
            buffers: FrameBuffers::new(16 << 20),
            transport: None,
        })
    }

    /// The addresses that were given.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// assert_eq!(ClientConfig::new("a:1").unwrap().bootstrap()[0].port(), 1);
    /// ```
    pub fn bootstrap(&self) -> &[BrokerAddress] {
        &self.bootstrap
    }

    /// What brokers call this client in logs, metrics and quotas.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.client_id("billing");
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = client_id.into();
        self
    }

    /// How long a request may take, from when it is handed over to when its answer has come whole.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.request_timeout(std::time::Duration::from_secs(5));
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn request_timeout(mut self, timeout: Duration) -> Self {
        self.request_timeout = timeout;
        self
    }

    /// How long a request may take.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// assert!(ClientConfig::new("a").unwrap().request_timeout_value().as_secs() > 0);
    /// ```
    pub const fn request_timeout_value(&self) -> Duration {
        self.request_timeout
    }

    /// How long one attempt at one address may take, name and first exchange included.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.connect_timeout(std::time::Duration::from_secs(2));
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// After how long without an answer from any broker that is known the addresses that were given are asked before
    /// all of them again: 5 minutes unless told otherwise, as Kafka's `metadata.recovery.rebootstrap.trigger.ms`. They are
    /// asked before that, too, once every known broker has failed, and at once where a broker says to begin again.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.rebootstrap_after(std::time::Duration::from_secs(60));
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn rebootstrap_after(mut self, after: Duration) -> Self {
        self.rebootstrap_after = after;
        self
    }

    /// The least and the greatest wait between two attempts; see [`Backoff`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.backoff(Duration::from_millis(10), Duration::from_secs(2));
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn backoff(mut self, least: Duration, greatest: Duration) -> Self {
        self.backoff_least = least;
        self.backoff_greatest = greatest;
        self
    }

    /// How many requests one connection carries at a time, at least 1; whoever comes next waits.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.in_flight_max(5);
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn in_flight_max(mut self, in_flight_max: usize) -> Self {
        self.in_flight_max = if in_flight_max == 0 { 1 } else { in_flight_max };
        self
    }

    /// The longest answer that is read. A longer one closes the connection.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.frame_bytes_max(8 << 20);
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub const fn frame_bytes_max(mut self, frame_bytes_max: usize) -> Self {
        self.frame_bytes_max = frame_bytes_max;
        self
    }

    /// How much memory of long answers is kept for the next ones, once nobody reads them any more; 0 keeps none. It comes
    /// on top of what a consumer may fetch ahead, and is given up while nothing is read.
    ///
    /// ```
    /// # use strandline_client::ClientConfig;
    /// let config = ClientConfig::new("a")?.kept_bytes_max(4 << 20);
    /// # Ok::<(), strandline_client::Error>(())
    /// ```
    #[must_use]
    pub fn kept_bytes_max(mut self, bytes: usize) -> Self {
        self.buffers = FrameBuffers::new(bytes);
        self
    }

    /// What opens the ways to brokers, where it is not plain TCP.
    ///
    /// ```
    /// # async fn example(brokers: &str) -> Result<(), strandline_client::Error> {
    /// use strandline_client::{BrokerAddress, Client, ClientConfig, Connecting, Transport, TransportStream};
    ///
    /// #[derive(Debug)]
    /// struct Loud;
    ///
    /// impl Transport for Loud {
    ///     fn connect<'a>(&'a self, address: &'a BrokerAddress) -> Connecting<'a> {
    ///         println!("on the way to {address}");
    ///         Box::pin(async move {
    ///             let stream = tokio::net::TcpStream::connect((address.host(), address.port())).await?;
    ///             Ok(Box::new(stream) as Box<dyn TransportStream>)
    ///         })
    ///     }
    /// }
    ///
    /// let client = Client::connect(ClientConfig::new(brokers)?.transport(Loud)).await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.brokers()).await);
    /// ```
    #[must_use]
    pub fn transport(mut self, transport: impl Transport + 'static) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    pub(crate) fn new_backoff(&self) -> Backoff {
        Backoff::new(self.backoff_least, self.backoff_greatest)
    }
}
