//! A consumer as a member of a group: subscribing, committing, and what the group asks for in between.

use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};
use tokio::time::Instant;

use super::group::{
    self, GroupOffsets, GroupProtocol, GroupSettings, GroupSide, Key, Notice, Polling, Progress,
    RebalanceListener, Subscription, Task,
};
use super::{Consumer, ConsumerRecord};
use crate::error::{Error, Result};

impl Consumer {
    /// Reads these topics as a member of the group of [`ConsumerBuilder::group`](crate::ConsumerBuilder::group): the
    /// group gives each member some of the partitions. The membership is kept up by a task; what comes and goes is
    /// attended to within [`Consumer::next`] and [`Consumer::poll`], so that nothing is taken away that is being
    /// worked on.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// use strandline_client::OffsetReset;
    ///
    /// let mut consumer = client.consumer().group("billing").offset_reset(OffsetReset::Earliest).start()?;
    /// consumer.subscribe(&["orders"])?;
    /// loop {
    ///     let record = consumer.next().await?;
    ///     // This one is committed once it has been processed: with a later call.
    ///     println!("{:?}", record.value);
    /// #   if record.offset == 4 { break }
    /// }
    /// consumer.close().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| { stage.orders().await?; example(&stage.client).await });
    /// ```
    pub fn subscribe(&mut self, topics: &[&str]) -> Result<()> {
        self.subscribe_with(topics, None)
    }

    /// The same, and tells somebody what comes and goes.
    ///
    /// ```
    /// # async fn example(client: &strandline_client::Client) -> Result<(), strandline_client::Error> {
    /// use strandline_client::{OffsetReset, RebalanceListener};
    ///
    /// struct Told;
    ///
    /// // What it has to say of what comes and goes stands at `RebalanceListener`.
    /// impl RebalanceListener for Told {}
    ///
    /// let mut consumer = client.consumer().group("billing").offset_reset(OffsetReset::Earliest).start()?;
    /// consumer.subscribe_with(&["orders"], Some(Box::new(Told)))?;
    /// assert_eq!(consumer.next().await?.topic, "orders");
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| { stage.orders().await?; example(&stage.client).await });
    /// ```
    pub fn subscribe_with(
        &mut self,
        topics: &[&str],
        listener: Option<Box<dyn RebalanceListener>>,
    ) -> Result<()> {
        let topics = topics.iter().map(|topic| Text::from(*topic)).collect();
        self.join(Subscription::Topics(topics), listener)
    }

    /// Reads every topic whose whole name matches a regular expression, those that come later too. It takes
    /// [`GroupProtocol::Consumer`], since it is the coordinator that matches; the syntax is that of RE2.
    ///
    /// ```
    /// # fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.subscribe_pattern("orders-.*", None)?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.idle_member()?));
    /// ```
    pub fn subscribe_pattern(
        &mut self,
        pattern: &str,
        listener: Option<Box<dyn RebalanceListener>>,
    ) -> Result<()> {
        let is_known = |group: &GroupSettings| group.protocol == GroupProtocol::Consumer;
        if self.group_settings.as_ref().is_some_and(|group| !is_known(group)) {
            return Err(Error::Settings("the classic protocol knows no patterns of topics".to_owned()));
        }
        self.join(Subscription::Pattern(pattern.into()), listener)
    }

    fn join(
        &mut self,
        subscription: Subscription,
        listener: Option<Box<dyn RebalanceListener>>,
    ) -> Result<()> {
        let missing = || Error::Settings("this consumer has been given no group".to_owned());
        let settings = self.group_settings.clone().ok_or_else(missing)?;
        self.put_down();
        self.shared.state().assign(&[]);
        let shared = self.shared.clone();
        let wake = Arc::new(move || shared.arrived.notify_one());
        self.group = Some(Task::start(self.shared.client.clone(), settings, subscription, listener, wake));
        Ok(())
    }

    /// How far it has read since it was last asked, for a transaction that writes what came of it. What is taken is not
    /// committed by itself any more: if the transaction is aborted, [`Consumer::seek_to_committed`] goes back.
    ///
    /// ```
    /// # async fn example(
    /// #     consumer: &mut strandline_client::Consumer,
    /// #     producer: &mut strandline_client::TransactionalProducer,
    /// # ) -> Result<(), strandline_client::Error> {
    /// use strandline_client::ProducerRecord;
    ///
    /// let records = consumer.poll(500).await?;
    /// let transaction = producer.begin().await?;
    /// for record in &records {
    ///     let value = record.value.as_deref().unwrap_or_default();
    ///     transaction.send(ProducerRecord::to("invoices").value(value)).await?;
    /// }
    /// transaction.send_offsets(&consumer.take_offsets()?).await?;
    /// transaction.commit().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.member().await?, &mut stage.transactions().await?).await);
    /// ```
    pub fn take_offsets(&mut self) -> Result<GroupOffsets> {
        let Some(group) = &mut self.group else {
            return Err(Error::Settings("this consumer is no member of a group".to_owned()));
        };
        let settings = &group.shared.settings;
        if settings.auto_commit.is_some() {
            let text = "what a transaction commits must not be committed by itself: auto_commit(None)";
            return Err(Error::Settings(text.to_owned()));
        }
        let identity = group.shared.current_identity()?;
        let offsets = group.dirty.all();
        group.dirty.committed(&offsets);
        Ok(GroupOffsets::by(&settings.name, settings.instance.as_deref(), identity, offsets))
    }

    /// Goes back to where its group has got to, in each of the partitions that it has.
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.seek_to_committed().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.member().await?).await);
    /// ```
    pub async fn seek_to_committed(&mut self) -> Result<()> {
        let keys: Vec<Key> = self.shared.state().partitions.keys().cloned().collect();
        let found = self.progress(&keys).await?;
        self.put_down();
        if let Some(group) = &mut self.group {
            group.dirty.forget(&keys);
        }
        let mut state = self.shared.state();
        // Meanwhile nothing can have come or gone: that happens within calls of this one's user.
        state.remove(&keys);
        for (key, offset) in found {
            state.add(&key, offset);
        }
        drop(state);
        self.shared.wake.notify_one();
        Ok(())
    }

    async fn progress(&self, keys: &[Key]) -> Result<Progress> {
        match &self.group {
            Some(group) => group::progress(&self.shared.client, &group.shared, keys).await,
            None => Err(Error::Settings("this consumer is no member of a group".to_owned())),
        }
    }

    /// Commits everything that has been returned: call it once that has been processed.
    ///
    /// An error that says that the group has changed means that others read some of it again.
    ///
    /// ```
    /// # async fn example(consumer: &mut strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// for record in consumer.poll(500).await? {
    ///     println!("{:?}", record.value);
    /// }
    /// consumer.commit().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(&mut stage.member().await?).await);
    /// ```
    pub async fn commit(&mut self) -> Result<()> {
        let Some(group) = &mut self.group else {
            return Err(Error::Settings("this consumer is no member of a group".to_owned()));
        };
        if group.dirty.is_empty() {
            return Ok(());
        }
        let offsets = group.dirty.all();
        group::commit(&self.shared.client, &group.shared, &offsets).await?;
        group.dirty.committed(&offsets);
        Ok(())
    }

    /// Commits what has been returned, if that is automatic, leaves the group, and waits until it has. A consumer
    /// that is dropped leaves as well, and commits nothing.
    ///
    /// ```
    /// # async fn example(consumer: strandline_client::Consumer) -> Result<(), strandline_client::Error> {
    /// consumer.close().await?;
    /// # Ok(())
    /// # }
    /// # strandline_client_stage::play(async |stage| example(stage.member().await?).await);
    /// ```
    pub async fn close(mut self) -> Result<()> {
        let Some(group) = &self.group else { return Ok(()) };
        let is_automatic = group.shared.settings.auto_commit.is_some();
        let committed = if is_automatic { self.commit().await } else { Ok(()) };
        if let Some(group) = &mut self.group {
            drop(group.stop.take());
            // Nothing is to be done about a task that was taken down with its runtime.
            let _ = (&mut group.ended).await;
        }
        committed
    }

    /// The next record if it can be had without waiting, and the group wants nothing.
    pub(super) fn next_at_hand(&mut self) -> Result<Option<ConsumerRecord>> {
        if let Some(group) = &self.group {
            let is_quiet = group.pending.is_none() && group.notices.is_empty();
            let is_due = group.shared.settings.auto_commit.is_some() && group.commit_at <= Instant::now();
            if !is_quiet || is_due {
                return Ok(None);
            }
            drop(Polling::new(group.shared.clone()));
        }
        self.try_next()
    }

    /// Does what the group asks for, and commits what has been processed if it is time. Everything that was returned
    /// before counts as processed: whoever asks for more is done with it.
    pub(super) async fn attend(&mut self) -> Result<()> {
        loop {
            let Some(group) = &mut self.group else { return Ok(()) };
            if group.pending.is_none() {
                group.pending = group.notices.try_recv().ok();
            }
            if group.pending.is_none() {
                return self.commit_if_due().await;
            }
            // It stays pending until it is done: this may be dropped at any wait.
            self.attend_to_pending().await?;
        }
    }

    async fn attend_to_pending(&mut self) -> Result<()> {
        let Some(pending) = self.group.as_ref().and_then(|group| group.pending.as_ref()) else {
            return Ok(());
        };
        match pending {
            Notice::Assigned { .. } => self.begin().await?,
            Notice::Revoked { keys, is_lost, .. } => {
                let (keys, is_lost) = (keys.clone(), *is_lost);
                self.let_go(&keys, is_lost).await;
            }
            Notice::Failed(_) => {}
        }
        let done = self.group.as_mut().and_then(|group| group.pending.take());
        self.shared.wake.notify_one();
        match done {
            Some(Notice::Failed(error)) => Err(error),
            Some(Notice::Revoked { done: Some(done), .. }) => {
                // The membership may have ended meanwhile.
                let _ = done.send(());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Begins with what is being assigned.
    async fn begin(&mut self) -> Result<()> {
        let Some(group) = &mut self.group else { return Ok(()) };
        let GroupSide { pending: Some(Notice::Assigned { keys, lookup }), shared, listener, .. } = group
        else {
            return Ok(());
        };
        let is_new = |key: &&Key| !self.shared.state().partitions.contains_key(*key);
        // What an earlier call has begun with, which was dropped while the listener was told, may have been read since.
        let new: Vec<Key> = keys.iter().filter(is_new).cloned().collect();
        if !new.is_empty() {
            let found = lookup.of(&self.shared.client, shared, &new).await?;
            let mut state = self.shared.state();
            for (key, offset) in found {
                state.add(&key, offset);
            }
        }
        if let Some(listener) = listener {
            listener.assigned(&named(keys)).await;
        }
        Ok(())
    }

    async fn let_go(&mut self, keys: &[Key], is_lost: bool) {
        self.put_down();
        let is_automatic =
            self.group.as_ref().is_some_and(|group| group.shared.settings.auto_commit.is_some());
        if is_automatic && !is_lost {
            // Where this fails, somebody reads a little of it again.
            let _ = self.commit().await;
        }
        let Some(group) = &mut self.group else { return };
        if let Some(listener) = &mut group.listener {
            let named = named(keys);
            if is_lost { listener.lost(&named).await } else { listener.revoked(&named).await }
        }
        group.dirty.forget(keys);
        self.shared.state().remove(keys);
    }

    async fn commit_if_due(&mut self) -> Result<()> {
        let Some(group) = &mut self.group else { return Ok(()) };
        let Some(interval) = group.shared.settings.auto_commit else { return Ok(()) };
        if group.commit_at > Instant::now() || group.dirty.is_empty() {
            return Ok(());
        }
        group.commit_at = Instant::now() + interval;
        match self.commit().await {
            // The group is changing, which is told by itself; or it passes, and the next commit has it all.
            Err(error) if error.is_retriable() || is_of_membership(&error) => Ok(()),
            result => result,
        }
    }
}

fn is_of_membership(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            ErrorCode::REBALANCE_IN_PROGRESS
                | ErrorCode::ILLEGAL_GENERATION
                | ErrorCode::UNKNOWN_MEMBER_ID
                | ErrorCode::STALE_MEMBER_EPOCH
                | ErrorCode::FENCED_MEMBER_EPOCH
        )
    )
}

fn named(keys: &[Key]) -> Vec<(String, i32)> {
    keys.iter().map(|(topic, partition)| (topic.as_str().to_owned(), *partition)).collect()
}
