//! How bytes get to a broker: TCP, or what a program brings along.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::address::BrokerAddress;

/// A way of bytes to a broker and back that is open.
///
/// ```
/// fn is_one(_: impl strandline_client::TransportStream + 'static) {}
/// is_one(tokio::io::duplex(64).0);
/// ```
pub trait TransportStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> TransportStream for T {}

/// A way of bytes that is being opened: what [`Transport::connect`] returns.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use strandline_client::{Connecting, TransportStream};
///
/// let (ours, theirs) = tokio::io::duplex(1 << 16);
/// let connecting: Connecting<'static> = Box::pin(async { Ok(Box::new(ours) as Box<dyn TransportStream>) });
/// assert!(connecting.await.is_ok());
/// # });
/// ```
pub type Connecting<'a> = Pin<Box<dyn Future<Output = io::Result<Box<dyn TransportStream>>> + Send + 'a>>;

/// What opens ways to brokers, where it is not plain TCP: an encrypted one, one through a proxy, one in memory.
///
/// Each attempt is given [`ClientConfig::connect_timeout`](crate::ClientConfig::connect_timeout), and is dropped when
/// that is over.
///
/// ```
/// use strandline_client::{BrokerAddress, ClientConfig, Connecting, Transport, TransportStream};
///
/// #[derive(Debug)]
/// struct ThroughProxy;
///
/// impl Transport for ThroughProxy {
///     fn connect<'a>(&'a self, address: &'a BrokerAddress) -> Connecting<'a> {
///         Box::pin(async move {
///             let stream = tokio::net::TcpStream::connect("proxy.example:1080").await?;
///             println!("on to {address}");
///             Ok(Box::new(stream) as Box<dyn TransportStream>)
///         })
///     }
/// }
///
/// let config = ClientConfig::new("broker-1:9092")?.transport(ThroughProxy);
/// # Ok::<(), strandline_client::Error>(())
/// ```
pub trait Transport: fmt::Debug + Send + Sync {
    /// Opens a way to this address.
    ///
    /// ```
    /// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
    /// use std::io;
    /// use strandline_client::{BrokerAddress, Connecting, Transport};
    ///
    /// /// For a test of what a program does without its cluster.
    /// #[derive(Debug)]
    /// struct Unplugged;
    ///
    /// impl Transport for Unplugged {
    ///     fn connect<'a>(&'a self, _address: &'a BrokerAddress) -> Connecting<'a> {
    ///         Box::pin(async { Err(io::ErrorKind::NetworkUnreachable.into()) })
    ///     }
    /// }
    ///
    /// assert!(Unplugged.connect(&BrokerAddress::new("broker-1", 9092)).await.is_err());
    /// # });
    /// ```
    fn connect<'a>(&'a self, address: &'a BrokerAddress) -> Connecting<'a>;
}
