//! Taking connections in. Whatever goes wrong with one of them, the next one is waited for.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use strandline_protocol::Text;
use tokio::time::{Instant, sleep};

use super::connection::{ConnectionTask, Parts};
use super::registry::Refused;
use super::service::Service;
use super::shared::Shared;
use super::transport::Acceptor;
use crate::api::turn::Turn;
use crate::context::{Connection, Endpoint, ServedBy};

/// It is waited so long after a failure, and twice as long after each further one.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// Failures and refusals are told of so often.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Who everybody is that did not say who they are.
const ANONYMOUS: &str = "User:ANONYMOUS";

/// Tells of something that may happen often: once in a while, with how often it did.
#[derive(Debug, Default)]
struct Reports {
    last: Option<Instant>,
    untold: u64,
}

impl Reports {
    /// How often it happened, if it is time to tell.
    fn add(&mut self) -> Option<u64> {
        self.untold += 1;
        let now = Instant::now();
        if self.last.is_some_and(|last| now.duration_since(last) < REPORT_INTERVAL) {
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

/// Whether the failure is that of one connection, which was gone before it was taken in.
fn is_of_one(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::InvalidInput
    )
}

/// Where connections come in.
#[derive(Debug)]
pub(super) struct Source {
    /// What their answers name.
    pub(super) endpoint: Arc<Endpoint>,
    /// Whether they are taken in although there are as many as there may be.
    pub(super) is_protected: bool,
}

/// Takes connections in for as long as it is let.
pub(super) async fn accept_all<A: Acceptor>(
    mut acceptor: A,
    source: Source,
    service: Arc<dyn Service>,
    shared: Arc<Shared>,
) {
    let principal = Text::from(ANONYMOUS);
    let (mut failures, mut refusals) = (Reports::default(), Reports::default());
    let mut pause = PAUSE_MIN;
    loop {
        let (transport, peer) = match acceptor.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                shared.counters.accept_failures.fetch_add(1, Ordering::Relaxed);
                if is_of_one(&error) {
                    continue;
                }
                // Without descriptors the connection stays in the queue, and would be offered again at once.
                if let Some(times) = failures.add() {
                    tracing::warn!(%error, times, "cannot accept connections: waiting");
                }
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
                continue;
            }
        };
        pause = PAUSE_MIN;
        let admitted = match shared.registry.admit(peer, source.is_protected) {
            Ok(admitted) => admitted,
            Err(refused) => {
                let counter = match refused {
                    Refused::Total => &shared.counters.refused_total,
                    Refused::Address => &shared.counters.refused_address,
                    Refused::Closing => return,
                };
                counter.fetch_add(1, Ordering::Relaxed);
                if let Some(times) = refusals.add() {
                    tracing::warn!(%peer, ?refused, times, "too many connections: refusing");
                }
                continue;
            }
        };
        shared.counters.accepted.fetch_add(1, Ordering::Relaxed);
        let connection = Connection {
            id: admitted.entry.id,
            principal: principal.clone(),
            peer,
            client_host: format!("/{}", peer.ip()).into(),
            endpoint: Arc::clone(&source.endpoint),
            turn: Turn::of_connection(),
            served_by: ServedBy::default(),
        };
        let (service, shared) = (Arc::clone(&service), Arc::clone(&shared));
        let parts = Parts { transport, connection, admitted, service, shared };
        tokio::spawn(ConnectionTask::new(parts));
    }
}
