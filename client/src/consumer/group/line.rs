//! What a membership has of either protocol: its connection to the coordinator, and its word to the consumer.

use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::Text;
use tokio::sync::{mpsc, oneshot};

use super::{GroupSettings, GroupShared, Identity, Key, Notice};
use crate::backoff::Backoff;
use crate::cluster::{Client, Coordinated};
use crate::connection::Connection;
use crate::error::Result;
use crate::telemetry;

pub(super) struct Line {
    pub(super) client: Client,
    pub(super) shared: Arc<GroupShared>,
    pub(super) backoff: Backoff,
    notices: mpsc::UnboundedSender<Notice>,
    wake: Arc<dyn Fn() + Send + Sync>,
    connection: Option<Connection>,
}

impl Line {
    pub(super) fn new(
        client: Client,
        shared: Arc<GroupShared>,
        notices: mpsc::UnboundedSender<Notice>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let backoff = client.config().new_backoff();
        Self { client, shared, backoff, notices, wake, connection: None }
    }

    pub(super) fn settings(&self) -> &GroupSettings {
        &self.shared.settings
    }

    /// The connection to the coordinator, which nobody else's requests wait behind.
    pub(super) async fn connect(&mut self, patience: Duration) -> Result<Connection> {
        if let Some(connection) = self.connection.clone().filter(|connection| !connection.is_closed()) {
            return Ok(connection);
        }
        let address = self.client.coordinator_address(Coordinated::Group, &self.settings().name).await?;
        let config = self.client.config().clone().request_timeout(patience);
        let connection = Connection::open(&address, &config).await?;
        self.connection = Some(connection.clone());
        Ok(connection)
    }

    /// The connection as it is, if there is one.
    pub(super) fn connection(&self) -> Option<Connection> {
        self.connection.clone()
    }

    /// The coordinator may be another one the next time.
    pub(super) fn hang_up(&mut self) {
        self.connection = None;
    }

    pub(super) async fn rest(&mut self) {
        self.hang_up();
        tokio::time::sleep(self.backoff.next_wait()).await;
    }

    pub(super) fn tell(&self, notice: Notice) {
        let group = &self.settings().name;
        match &notice {
            Notice::Assigned { keys, .. } => {
                telemetry::rebalanced();
                tracing::info!(%group, partitions = keys.len(), "partitions are assigned");
            }
            Notice::Revoked { keys, is_lost, .. } => {
                telemetry::rebalanced();
                tracing::info!(%group, partitions = keys.len(), is_lost, "partitions are let go of");
            }
            Notice::Failed(error) => tracing::warn!(%group, %error, "a membership ends"),
        }
        // Nobody listens only when the consumer has gone, which ends all this.
        let _ = self.notices.send(notice);
        (self.wake)();
    }

    /// Asks for these to be let go of, and returns what tells when they have been.
    pub(super) fn ask_back(&self, keys: Vec<Key>, is_lost: bool) -> oneshot::Receiver<()> {
        let (done, is_done) = oneshot::channel();
        self.tell(Notice::Revoked { keys, is_lost, done: Some(done) });
        is_done
    }

    /// Nobody in the group is us any longer.
    pub(super) fn forget_identity(&self) {
        *self.shared.identity() = Identity { member: Text::new(), generation: -1 };
    }
}
