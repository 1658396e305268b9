//! The network: listeners, connections, and what they may take.
//!
//! It knows frames and the order of answers, and nothing of what a request asks: a [`Service`] does. It owns the
//! sockets and every byte that is read or waits to be written, each under a bound. It never decides anything about
//! topics or logs.
//!
//! ```no_run
//! # async fn start(service: std::sync::Arc<dyn strandline_broker::net::Service>) {
//! use strandline_broker::net::{Bound, NetOptions};
//!
//! let bound = Bound::new(NetOptions::default()).unwrap();
//! println!("clients are told {:?}", bound.endpoints());
//! let server = bound.serve(service);
//! // Later: nothing new is taken in, what is in flight is answered.
//! server.shutdown().await;
//! # }
//! ```

mod accept;
mod budget;
mod closed;
mod connection;
mod counters;
mod inbound;
mod listener;
mod options;
mod outbound;
mod pipeline;
mod registry;
mod server;
mod service;
mod shared;
mod timing;
mod transport;

pub use self::counters::Counters;
pub use self::listener::BindError;
pub(crate) use self::listener::remedy;
pub use self::options::{ListenerOptions, NetOptions};
pub use self::registry::Limits;
pub use self::server::{Bound, Server};
pub use self::service::{Append, Dispatching, Service, Times, Together};
pub use self::transport::{Acceptor, Transport};

#[cfg(test)]
mod tests;
