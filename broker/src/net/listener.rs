//! Where clients connect: bound first, so that what is advertised is known before anything is served.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};

use super::options::ListenerOptions;
use crate::context::Endpoint;

/// What is wrong with a listener.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Its address cannot be listened at.
    #[error("listener {listener}: cannot listen at {address}: {source}{}", remedy(source))]
    Bind {
        /// Its name.
        listener: String,
        /// The address.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// Clients cannot be told to connect to every address.
    #[error("listener {listener}: {host} cannot be advertised: it is no address that anybody can connect to")]
    Wildcard {
        /// Its name.
        listener: String,
        /// What was to be advertised.
        host: String,
    },
    /// Two listeners have one name.
    #[error("there are two listeners {0}")]
    Twice(String),
    /// There is none.
    #[error("there is no listener")]
    None,
}

/// What would help where an address cannot be listened at, as it stands behind what the system said.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => " (another program listens there: stop it, or choose another port)",
        io::ErrorKind::AddrNotAvailable => {
            " (this machine has no such address: 0.0.0.0 stands for all it has)"
        }
        io::ErrorKind::PermissionDenied => " (ports this low are not for every user: choose a higher one)",
        _ => "",
    }
}

/// A listener that is bound, and what clients are told of it.
#[derive(Debug)]
pub(super) struct BoundListener {
    pub(super) listener: TcpListener,
    pub(super) endpoint: Arc<Endpoint>,
    pub(super) address: SocketAddr,
    pub(super) is_protected: bool,
}

impl BoundListener {
    /// Binds one, and listens.
    pub(super) fn bind(options: &ListenerOptions, backlog: u32) -> Result<Self, BindError> {
        let (host, port) = (options.bind.0.as_str(), options.bind.1);
        let failed = |source| BindError::Bind {
            listener: options.name.clone(),
            address: format!("{host}:{port}"),
            source,
        };
        let listener = listen(host, port, backlog).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (host, port) = match &options.advertised {
            Some((host, port)) if is_wildcard(host) => {
                let _ = port;
                return Err(BindError::Wildcard { listener: options.name.clone(), host: host.clone() });
            }
            Some((host, port)) => (host.clone(), *port),
            None if is_wildcard(host) => (machine_name(), 0),
            None => (host.to_owned(), 0),
        };
        let port = if port == 0 { address.port() } else { port };
        let endpoint = Endpoint { listener: options.name.as_str().into(), host: host.into(), port };
        Ok(Self { listener, endpoint: Arc::new(endpoint), address, is_protected: options.is_protected })
    }
}

/// An empty host listens at every address, as Kafka has it.
fn listen(host: &str, port: u16, backlog: u32) -> io::Result<TcpListener> {
    let host = if host.is_empty() { "0.0.0.0" } else { without_brackets(host) };
    let mut error = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in (host, port).to_socket_addrs()? {
        match listen_at(address, backlog) {
            Ok(listener) => return Ok(listener),
            Err(failed) => error = failed,
        }
    }
    Err(error)
}

fn listen_at(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A restart need not wait for the connections of its predecessor to be forgotten.
    socket.set_reuseaddr(true)?;
    // As in Kafka, so that a client whose machine is gone is noticed. What is accepted has what its listener has.
    socket.set_keepalive(true)?;
    socket.bind(address)?;
    socket.listen(backlog)
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn is_wildcard(host: &str) -> bool {
    let address = without_brackets(host).parse::<IpAddr>();
    host.is_empty() || address.is_ok_and(|address| address.to_canonical().is_unspecified())
}

/// What to tell clients where every address is bound: the machine's name if it can be found by it.
fn machine_name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let is_known = (name.as_str(), 0).to_socket_addrs().is_ok_and(|mut addresses| addresses.next().is_some());
    if is_known { name } else { "localhost".to_owned() }
}
