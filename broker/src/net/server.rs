//! The server: from listeners that are bound to the last connection that is closed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::accept::{Source, accept_all};
use super::counters::Counters;
use super::listener::{BindError, BoundListener};
use super::options::NetOptions;
use super::registry::{Limits, Order};
use super::service::Service;
use super::shared::Shared;
use super::transport::Acceptor;
use crate::context::Endpoint;

/// Connections that are told to end at once do so at their next turn, which nothing holds up but a handler that
/// blocks.
const CLOSING_MAX: Duration = Duration::from_secs(5);

/// Listeners that are bound and wait to be served. Clients that come meanwhile wait too.
#[derive(Debug)]
pub struct Bound {
    options: NetOptions,
    listeners: Vec<BoundListener>,
}

impl Bound {
    /// Binds the listeners. To be called where tokio runs.
    pub fn new(options: NetOptions) -> Result<Self, BindError> {
        let mut names = BTreeSet::new();
        let twice = options.listeners.iter().find(|listener| !names.insert(&listener.name));
        if let Some(listener) = twice {
            return Err(BindError::Twice(listener.name.clone()));
        }
        let listeners = options.listeners.iter();
        let listeners = listeners.map(|listener| BoundListener::bind(listener, options.backlog));
        let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
        if listeners.is_empty() {
            return Err(BindError::None);
        }
        Ok(Self { options, listeners })
    }

    /// What clients are told, in the order of the options.
    pub fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.listeners.iter().map(|listener| Arc::clone(&listener.endpoint)).collect()
    }

    /// What is listened at, in the order of the options.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.listeners.iter().map(|listener| listener.address).collect()
    }

    /// Serves clients from now on.
    pub fn serve(self, service: Arc<dyn Service>) -> Server {
        let server = Server::new(self.options, service);
        for bound in self.listeners {
            server.accept_as(bound.listener, bound.endpoint, bound.is_protected);
        }
        server
    }
}

/// Serves clients until it is shut down. Dropping it closes everything at once.
#[derive(Debug)]
pub struct Server {
    pub(super) shared: Arc<Shared>,
    service: ServiceBox,
    tasks: Mutex<Tasks>,
}

struct ServiceBox(Arc<dyn Service>);

impl std::fmt::Debug for ServiceBox {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Service")
    }
}

#[derive(Debug, Default)]
struct Tasks {
    accepting: Vec<JoinHandle<()>>,
    sweeping: Option<JoinHandle<()>>,
    is_asked_to_end: bool,
}

impl Server {
    /// A server that takes no connections in yet.
    pub fn new(options: NetOptions, service: Arc<dyn Service>) -> Self {
        let shared = Arc::new(Shared::new(options));
        let sweeping = Some(tokio::spawn(Arc::clone(&shared).sweep()));
        let tasks = Mutex::new(Tasks { sweeping, ..Tasks::default() });
        Self { shared, service: ServiceBox(service), tasks }
    }

    fn tasks(&self) -> std::sync::MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes connections in from here too; their answers name this endpoint.
    pub fn accept<A: Acceptor>(&self, acceptor: A, endpoint: Arc<Endpoint>) {
        self.accept_as(acceptor, endpoint, false);
    }

    fn accept_as<A: Acceptor>(&self, acceptor: A, endpoint: Arc<Endpoint>, is_protected: bool) {
        let from = Source { endpoint, is_protected };
        let service = Arc::clone(&self.service.0);
        let task = accept_all(acceptor, from, service, Arc::clone(&self.shared));
        self.tasks().accepting.push(tokio::spawn(task));
    }

    /// How many connections there may be, to be changed while it serves.
    pub fn limits(&self) -> Limits {
        Limits(Arc::clone(&self.shared.registry))
    }

    /// What happened so far.
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.shared.counters)
    }

    /// Takes nothing new in, answers what is in flight, and returns when every connection is closed. What takes
    /// longer than the options allow is cut off; and everything at once when this is called a second time.
    pub async fn shutdown(&self) {
        let accepting = {
            let mut tasks = self.tasks();
            let is_second = std::mem::replace(&mut tasks.is_asked_to_end, true);
            if is_second {
                self.shared.registry.close(Order::Close);
            }
            std::mem::take(&mut tasks.accepting)
        };
        for task in accepting {
            task.abort();
            // The listener is closed when its task has ended, however that was.
            let _ = task.await;
        }
        let registry = &self.shared.registry;
        registry.close(Order::Drain);
        if timeout(self.shared.options.shutdown_max, registry.wait_until_empty()).await.is_err() {
            tracing::warn!("answers took too long: closing connections without them");
            registry.close(Order::Close);
            if timeout(CLOSING_MAX, registry.wait_until_empty()).await.is_err() {
                tracing::error!("connections do not close");
            }
        }
        let sweeping = self.tasks().sweeping.take();
        if let Some(sweeping) = sweeping {
            sweeping.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let tasks = std::mem::take(&mut *self.tasks());
        tasks.accepting.iter().chain(&tasks.sweeping).for_each(JoinHandle::abort);
        self.shared.registry.close(Order::Close);
    }
}
