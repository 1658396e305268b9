//! A membership: joined, kept by heartbeats, joined anew whenever the group changes, and left at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::{ErrorCode, Text};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::assign::{Assignor, Key};
use super::line::Line;
use super::modern::Modern;
use super::{
    Dirty, GroupProtocol, GroupSettings, GroupShared, GroupSide, Identity, Notice, RebalanceListener,
    Subscription, exchange,
};
use crate::cluster::Client;
use crate::connection::Connection;
use crate::error::{Error, Result};

/// How often a leader looks whether topics have got more partitions.
const LOOK_INTERVAL: Duration = Duration::from_secs(30);

pub(crate) struct Task {
    line: Line,
    topics: Vec<Text>,
    owned: Vec<Key>,
    // What it got last, and in which generation: a sticky leader gives it back, though it has been let go of.
    had: (Vec<Key>, i32),
    // As leader: the partitions that were given out.
    counts: Option<BTreeMap<Text, i32>>,
}

impl Task {
    /// Starts a membership, and returns the consumer's side of it.
    pub(crate) fn start(
        client: Client,
        settings: GroupSettings,
        subscription: Subscription,
        listener: Option<Box<dyn RebalanceListener>>,
        wake: Arc<dyn Fn() + Send + Sync>,
    ) -> GroupSide {
        let (notices, received) = mpsc::unbounded_channel();
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::new(GroupShared::new(settings));
        let protocol = shared.settings.protocol;
        let line = Line::new(client, shared.clone(), notices, wake);
        let ended = match (protocol, subscription) {
            (GroupProtocol::Classic, Subscription::Topics(topics)) => tokio::spawn(
                Self { line, topics, owned: Vec::new(), had: (Vec::new(), -1), counts: None }.run(stopped),
            ),
            (_, subscription) => tokio::spawn(Modern::new(line, subscription).run(stopped)),
        };
        GroupSide {
            shared,
            notices: received,
            pending: None,
            listener,
            dirty: Dirty::default(),
            commit_at: Instant::now(),
            stop: Some(stop),
            ended,
        }
    }

    /// Until the consumer lets go of its end, or the group does not want it.
    async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            _ = stopped => {}
            () = self.rounds() => return,
        }
        if let Some(connection) = self.line.connection() {
            let identity = self.line.shared.identity().clone();
            let leave = exchange::leave(&connection, self.settings(), &identity);
            // Where this fails, the coordinator notices by itself, a little later.
            let _ = tokio::time::timeout(Duration::from_secs(5), leave).await;
        }
    }

    async fn rounds(&mut self) {
        loop {
            match self.round().await {
                Ok(()) => self.line.backoff.reset(),
                Err(error) => match error.code() {
                    Some(ErrorCode::REBALANCE_IN_PROGRESS) => {}
                    Some(ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::ILLEGAL_GENERATION) => {
                        self.lose_everything().await;
                    }
                    Some(code) if crate::cluster::is_elsewhere(code) => self.line.rest().await,
                    _ if error.is_retriable() => self.line.rest().await,
                    _ => {
                        // Such as another one of the same name, which has what one had.
                        self.lose_everything().await;
                        self.line.tell(Notice::Failed(error));
                        return;
                    }
                },
            }
        }
    }

    fn settings(&self) -> &GroupSettings {
        self.line.settings()
    }

    /// Once through: joined, told what to read, and kept up until the group changes.
    async fn round(&mut self) -> Result<()> {
        // Joining and syncing wait for the other members.
        let patience = self.settings().poll_interval_max + Duration::from_secs(10);
        let connection = self.line.connect(patience).await?;
        if !self.settings().is_cooperative() {
            let owned = std::mem::take(&mut self.owned);
            self.let_go(owned, false).await;
        }
        let (identity, assignor, given) = self.join(&connection).await?;
        let mine = exchange::sync(&connection, self.settings(), &identity, assignor, given).await?;
        *self.line.shared.identity() = identity;
        let old: BTreeSet<Key> = self.owned.iter().cloned().collect();
        let new: BTreeSet<Key> = mine.iter().cloned().collect();
        let gone: Vec<Key> = old.difference(&new).cloned().collect();
        let must_join_again = !gone.is_empty();
        self.let_go(gone, false).await;
        self.had = (mine.clone(), self.line.shared.identity().generation);
        self.owned = mine;
        self.line.tell(Notice::assigned(new.difference(&old).cloned().collect()));
        self.line.backoff.reset();
        if must_join_again {
            // What was let go of is given out in the next round.
            return Ok(());
        }
        self.keep_up(&connection).await
    }

    async fn join(
        &mut self,
        connection: &Connection,
    ) -> Result<(Identity, Assignor, BTreeMap<Text, Vec<Key>>)> {
        let mut identity = self.line.shared.identity().clone();
        let response = loop {
            let answer =
                exchange::join(connection, self.settings(), &identity, &self.topics, &self.owned, &self.had);
            let response = answer.await?;
            if response.error_code != ErrorCode::MEMBER_ID_REQUIRED {
                break response;
            }
            identity.member = response.member_id.detached();
            self.line.shared.identity().member = identity.member.clone();
        };
        Error::check(response.error_code, || exchange::subject(self.settings()), None)?;
        identity = Identity { member: response.member_id.detached(), generation: response.generation_id };
        let name = response.protocol_name.clone().unwrap_or_default();
        let missing = || Error::Missing(format!("a rule of giving out called {name:?}"));
        let assignor = Assignor::of_name(&name).ok_or_else(missing)?;
        let is_leader = response.leader == identity.member && !response.skip_assignment;
        if !is_leader {
            self.counts = None;
            return Ok((identity, assignor, BTreeMap::new()));
        }
        let members = exchange::members(assignor, response.members);
        let wanted: BTreeSet<&Text> = members.iter().flat_map(|member| &member.topics).collect();
        let counts = self.count(&wanted.into_iter().cloned().collect::<Vec<_>>()).await?;
        let given = assignor.assign(&members, &counts);
        self.counts = Some(counts);
        Ok((identity, assignor, given))
    }

    /// How many partitions these topics have; those that are not there are left out.
    async fn count(&self, topics: &[Text]) -> Result<BTreeMap<Text, i32>> {
        let names: Vec<&str> = topics.iter().map(Text::as_str).collect();
        let metadata = self.line.client.refresh(&names).await?;
        let count = |topic: &Text| {
            let count = metadata.topics.get(topic.as_str())?.partitions.len();
            Some((topic.clone().detached(), i32::try_from(count).ok()?))
        };
        Ok(topics.iter().filter_map(count).collect())
    }

    /// Sends heartbeats until there is a reason to join anew, which is an error where it is one.
    async fn keep_up(&mut self, connection: &Connection) -> Result<()> {
        let identity = self.line.shared.identity().clone();
        let mut look_at = Instant::now() + LOOK_INTERVAL;
        loop {
            tokio::time::sleep(self.settings().heartbeat_interval).await;
            if self.line.shared.is_idle() {
                // Nobody has come for records for too long: let others read them.
                let _ = exchange::leave(connection, self.settings(), &identity).await;
                self.lose_everything().await;
                return Ok(());
            }
            let beat = exchange::heartbeat(connection, self.settings(), &identity);
            match tokio::time::timeout(self.settings().session_timeout, beat).await {
                Ok(answer) => answer?,
                Err(_) => {
                    self.line.hang_up();
                    return Ok(());
                }
            }
            if look_at <= Instant::now()
                && let Some(counts) = self.counts.clone()
            {
                look_at = Instant::now() + LOOK_INTERVAL;
                let topics: Vec<Text> = counts.keys().chain(&self.topics).cloned().collect();
                if self.count(&topics).await.is_ok_and(|now| now != counts) {
                    return Ok(());
                }
            }
        }
    }

    /// Has the consumer let go of partitions, and stays a member meanwhile.
    async fn let_go(&mut self, keys: Vec<Key>, is_lost: bool) {
        if keys.is_empty() {
            return;
        }
        let mut is_done = self.line.ask_back(keys, is_lost);
        let identity = self.line.shared.identity().clone();
        loop {
            tokio::select! {
                _ = &mut is_done => return,
                () = tokio::time::sleep(self.settings().heartbeat_interval) => {}
            }
            if let Some(connection) = self.line.connection().filter(|_| !is_lost) {
                // What it answers is known: the group waits for us.
                let _ = exchange::heartbeat(&connection, self.settings(), &identity).await;
            }
        }
    }

    /// One is no member any more, and somebody else may have what one had.
    async fn lose_everything(&mut self) {
        self.line.forget_identity();
        let owned = std::mem::take(&mut self.owned);
        self.let_go(owned, true).await;
    }
}
