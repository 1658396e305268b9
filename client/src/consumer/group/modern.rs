//! A membership by the consumer protocol (KIP-848): the coordinator decides who reads what, and says so in its answers
//! to heartbeats; a member says in its own what it has let go of and taken up.
//!
//! What has been said need not be said again, so all of it is said after anything that makes it uncertain that it was
//! heard: the answer to that has the whole assignment in it.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use strandline_protocol::apis::ApiKey;
use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, RequestTopicPartitions,
};
use strandline_protocol::{ErrorCode, Text, Uuid};
use tokio::sync::oneshot;

use super::line::Line;
use super::{Identity, Key, Notice, Subscription, exchange};
use crate::connection::Connection;
use crate::error::{Error, Result};

/// The epochs of a member that joins, of one that leaves, and of one that is expected back.
const JOINS: i32 = 0;
const LEAVES: i32 = -1;
const LEAVES_FOR_NOW: i32 = -2;
/// The first version in which members choose their ids, and patterns can be subscribed to.
const OWN_ID_FIRST: i16 = 1;
/// Until the coordinator has said how often.
const INTERVAL_FIRST: Duration = Duration::from_secs(3);
/// Nobody is to be asked more often, whatever the coordinator says.
const INTERVAL_LEAST: Duration = Duration::from_millis(50);

pub(super) struct Modern {
    line: Line,
    subscription: Subscription,
    member: Text,
    epoch: i32,
    owned: Vec<(Uuid, Key)>,
    interval: Duration,
    must_say_all: bool,
    must_say_owned: bool,
}

impl Modern {
    pub(super) fn new(line: Line, subscription: Subscription) -> Self {
        Self {
            line,
            subscription,
            member: Text::new(),
            epoch: JOINS,
            owned: Vec::new(),
            interval: INTERVAL_FIRST,
            must_say_all: true,
            must_say_owned: false,
        }
    }

    /// Until it is stopped, or nothing more can be done; then it leaves.
    pub(super) async fn run(mut self, stopped: oneshot::Receiver<()>) {
        tokio::select! {
            _ = stopped => {}
            () = self.rounds() => return,
        }
        // Where this fails, the coordinator notices by itself, a little later.
        let _ = tokio::time::timeout(Duration::from_secs(5), self.leave()).await;
    }

    async fn rounds(&mut self) {
        loop {
            let Err(error) = self.round().await else {
                self.line.backoff.reset();
                continue;
            };
            // What was said may not have been heard.
            self.must_say_all = true;
            match error.code() {
                Some(ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::FENCED_MEMBER_EPOCH) => {
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
            }
        }
    }

    async fn round(&mut self) -> Result<()> {
        if self.line.shared.is_idle() {
            // Nobody has come for records for too long: let others read them.
            self.leave().await?;
            self.lose_everything().await;
            while self.line.shared.is_idle() {
                tokio::time::sleep(self.interval).await;
            }
        }
        let connection = self.line.connect(self.line.client.config().request_timeout).await?;
        self.choose_id(&connection)?;
        let answer = self.beat(&connection).await?;
        if let Some(assignment) = answer.assignment {
            let topics = assignment.topic_partitions.into_iter();
            let assigned: Vec<(Uuid, i32)> = topics
                .flat_map(|topic| topic.partitions.into_iter().map(move |number| (topic.topic_id, number)))
                .collect();
            self.reconcile(&assigned).await?;
        }
        if !self.must_say_owned && !self.must_say_all {
            tokio::time::sleep(self.interval).await;
        }
        Ok(())
    }

    fn choose_id(&mut self, connection: &Connection) -> Result<()> {
        let versions = connection.versions().of(ApiKey::ConsumerGroupHeartbeat);
        let has_own_id = versions.last >= OWN_ID_FIRST;
        if !has_own_id && matches!(self.subscription, Subscription::Pattern(_)) {
            return Err(Error::Settings("this broker knows no patterns of topics".to_owned()));
        }
        if has_own_id && self.member.is_empty() {
            let half = || u128::from(RandomState::new().hash_one(0u8));
            self.member = Uuid::from(half() << 64 | half()).to_string().into();
        }
        Ok(())
    }

    async fn beat(&mut self, connection: &Connection) -> Result<ConsumerGroupHeartbeatResponse> {
        let request = self.request();
        let answer = connection.request(&request).await?;
        let message = answer.error_message.clone().map(String::from);
        Error::check(answer.error_code, || exchange::subject(self.line.settings()), message)?;
        self.must_say_all = false;
        self.must_say_owned = false;
        if let Some(member) = &answer.member_id {
            self.member = member.clone().detached();
        }
        self.epoch = answer.member_epoch;
        let interval = Duration::from_millis(u64::try_from(answer.heartbeat_interval_ms).unwrap_or(0));
        self.interval = interval.max(INTERVAL_LEAST);
        *self.line.shared.identity() = Identity { member: self.member.clone(), generation: self.epoch };
        Ok(answer)
    }

    fn request(&self) -> ConsumerGroupHeartbeatRequest {
        let settings = self.line.settings();
        let mut request = ConsumerGroupHeartbeatRequest {
            group_id: settings.name.as_str().into(),
            member_id: self.member.clone(),
            member_epoch: self.epoch,
            instance_id: settings.instance.as_deref().map(Text::from),
            ..Default::default()
        };
        if self.must_say_all {
            request.rack_id = settings.rack.as_deref().map(Text::from);
            request.rebalance_timeout_ms = exchange::timeout_ms(settings.poll_interval_max);
            request.server_assignor = settings.server_assignor.as_deref().map(Text::from);
            match &self.subscription {
                Subscription::Topics(topics) => request.subscribed_topic_names = Some(topics.clone()),
                Subscription::Pattern(pattern) => request.subscribed_topic_regex = Some(pattern.clone()),
            }
        }
        if self.must_say_all || self.must_say_owned {
            request.topic_partitions = Some(self.owned_by_topic());
        }
        request
    }

    fn owned_by_topic(&self) -> Vec<RequestTopicPartitions> {
        let mut topics: Vec<RequestTopicPartitions> = Vec::new();
        for (topic_id, (_, partition)) in &self.owned {
            match topics.iter_mut().find(|topic| topic.topic_id == *topic_id) {
                Some(topic) => topic.partitions.push(*partition),
                None => topics.push(RequestTopicPartitions {
                    topic_id: *topic_id,
                    partitions: vec![*partition],
                    ..Default::default()
                }),
            }
        }
        topics
    }

    /// Lets go of what is not in the assignment, and takes up what is new in it.
    async fn reconcile(&mut self, assigned: &[(Uuid, i32)]) -> Result<()> {
        let mine = self.named(assigned).await?;
        let old: BTreeSet<Key> = self.owned.iter().map(|(_, key)| key.clone()).collect();
        let new: BTreeSet<Key> = mine.iter().map(|(_, key)| key.clone()).collect();
        if old == new {
            return Ok(());
        }
        self.let_go(old.difference(&new).cloned().collect()).await;
        self.owned = mine;
        self.must_say_owned = true;
        self.line.tell(Notice::assigned(new.difference(&old).cloned().collect()));
        Ok(())
    }

    /// The coordinator calls topics by their ids.
    async fn named(&self, assigned: &[(Uuid, i32)]) -> Result<Vec<(Uuid, Key)>> {
        let ids: BTreeSet<Uuid> = assigned.iter().map(|(id, _)| *id).collect();
        let names = self.line.client.names_of_topics(&ids).await?;
        let named = assigned.iter().map(|(id, partition)| {
            let name = names.get(id);
            // The coordinator may know of a topic before this broker does.
            let unknown = || Error::broker(ErrorCode::UNKNOWN_TOPIC_ID, id.to_string(), None);
            Ok((*id, (name.ok_or_else(unknown)?.clone(), *partition)))
        });
        named.collect()
    }

    /// Has the consumer let go of partitions, and stays a member meanwhile.
    async fn let_go(&mut self, keys: Vec<Key>) {
        if keys.is_empty() {
            return;
        }
        let mut is_done = self.line.ask_back(keys, false);
        loop {
            tokio::select! {
                _ = &mut is_done => return,
                () = tokio::time::sleep(self.interval) => {}
            }
            if let Some(connection) = self.line.connection() {
                // What it answers comes again, since everything is said again.
                let _ = self.beat(&connection).await;
                self.must_say_all = true;
            }
        }
    }

    async fn lose_everything(&mut self) {
        self.epoch = JOINS;
        self.must_say_all = true;
        self.line.forget_identity();
        let keys: Vec<Key> = std::mem::take(&mut self.owned).into_iter().map(|(_, key)| key).collect();
        if !keys.is_empty() {
            let _ = self.line.ask_back(keys, true).await;
        }
    }

    /// Goes, and says so. Who has a name of its own says that it will be back.
    async fn leave(&mut self) -> Result<()> {
        let Some(connection) = self.line.connection().filter(|_| self.epoch > JOINS) else { return Ok(()) };
        let settings = self.line.settings();
        let request = ConsumerGroupHeartbeatRequest {
            group_id: settings.name.as_str().into(),
            member_id: self.member.clone(),
            member_epoch: if settings.instance.is_some() { LEAVES_FOR_NOW } else { LEAVES },
            instance_id: settings.instance.as_deref().map(Text::from),
            ..Default::default()
        };
        let answer = connection.request(&request).await?;
        Error::check(answer.error_code, || exchange::subject(settings), None)
    }
}
