//! A client that makes topics, lets them go, and makes others of the same names; that shortens logs, and looks at
//! what there is. It alone changes its names, one request after the other.

mod growing;

use std::collections::BTreeMap;
use std::sync::Arc;

use strandline_protocol::apis::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use strandline_protocol::apis::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use strandline_protocol::apis::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use strandline_protocol::apis::metadata::{MetadataRequest, MetadataRequestTopic};
use strandline_protocol::{ErrorCode, Text, Uuid};

use crate::kinds::Kind;
use crate::ledger::Name;
use crate::link::{Broken, Link};
use crate::world::World;

/// A client that changes topics.
pub(crate) struct Administrator {
    pub(super) world: Arc<World>,
    pub(super) link: Link,
    names: Vec<Text>,
}

impl Administrator {
    pub(crate) fn new(world: Arc<World>, link: Link, names: &[&'static str]) -> Self {
        let names: Vec<_> = names.iter().map(|name| Text::from_static(name)).collect();
        for name in &names {
            world.ledger().names.insert(name.clone(), Name::none());
        }
        Self { world, link, names }
    }

    pub(crate) async fn run(mut self, rounds: u64) {
        // Without topics the others have nothing to do.
        for name in self.names.clone() {
            let _ = self.create(&name).await;
        }
        for _ in 0..rounds {
            self.world.pause_ms(50, 600).await;
            if self.world.is_broken() {
                return;
            }
            let name = self.world.below(self.names.len() as u64);
            let name = self.names[usize::try_from(name).unwrap()].clone();
            let _ = self.change(name).await;
        }
    }

    pub(super) fn state(&self, name: &Text) -> Name {
        self.world.ledger().names.get(name).cloned().unwrap_or_else(Name::none)
    }

    fn set(&self, name: &Text, state: Name) {
        self.world.note(format_args!("{name}: {state:?}"));
        self.world.ledger().names.insert(name.clone(), state);
    }

    async fn change(&mut self, name: Text) -> Result<(), Broken> {
        let state = self.state(&name);
        match (state.only(), self.world.below(12)) {
            (Some(id), 0) => self.delete(&name, id).await,
            (Some(id), 1) => {
                self.delete(&name, id).await?;
                self.create(&name).await
            }
            (Some(_), 2..=5) => self.shorten(&name).await,
            (Some(id), 6..=7) => self.grow(&name, id).await,
            (None, 0..=4) if !state.ids.is_empty() => {
                // Nobody knows whether it has gone.
                let id = state.ids.first().copied().unwrap();
                self.delete(&name, id).await
            }
            (None, 0..=8) => self.create(&name).await,
            _ => self.look(&name).await,
        }
    }

    async fn create(&mut self, name: &Text) -> Result<(), Broken> {
        let partitions = self.world.any(&[1, 1, 2, 3]);
        let settings = Kind::of(name).settings(&self.world).into_iter();
        let config = |(name, value): (&'static str, &'static str)| CreatableTopicConfig {
            name: name.into(),
            value: Some(value.into()),
            ..Default::default()
        };
        let topic = CreatableTopic {
            name: name.clone(),
            num_partitions: partitions,
            replication_factor: 1,
            configs: settings.map(config).collect(),
            ..Default::default()
        };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let before = self.state(name);
        self.set(name, Name { may_be_new: true, ..before.clone() });
        let (ticket, response) = self.link.call(7, &request).await?;
        let Some(answer) = response.topics.first() else { return Err(Broken) };
        if self.world.ledger().was_offline(ticket.process, ticket.sent_at)
            && answer.error_code == ErrorCode::NONE
        {
            self.world.blame("a topic is made by a broker that has lost its disk");
        }
        match answer.error_code {
            ErrorCode::NONE => {
                self.world.reach("topic made");
                if before.only().is_some() {
                    self.world.blame(format_args!("{name} is made, and was there: {before:?}"));
                }
                before.ids.iter().for_each(|id| self.world.ledger().gone(*id));
                let partitions = usize::try_from(answer.num_partitions).unwrap();
                let verdict = self.world.ledger().add_topic(answer.topic_id, name.clone(), partitions);
                self.world.judge(verdict);
                self.set(name, Name::certain(answer.topic_id));
                Ok(())
            }
            ErrorCode::TOPIC_ALREADY_EXISTS => {
                if before == Name::none() {
                    self.world.blame(format_args!("{name} cannot be there"));
                }
                self.set(name, before);
                self.look(name).await
            }
            ErrorCode::KAFKA_STORAGE_ERROR => Ok(()),
            code => {
                self.world.blame(format_args!("{name} is not made: {code:?}"));
                Ok(())
            }
        }
    }

    async fn delete(&mut self, name: &Text, id: Uuid) -> Result<(), Broken> {
        let topic = DeleteTopicState { name: None, topic_id: id, ..Default::default() };
        let request = DeleteTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        self.world.ledger().ending(id);
        let before = self.state(name);
        self.set(name, Name { may_be_none: true, ..before.clone() });
        let (ticket, response) = self.link.call(6, &request).await?;
        let Some(answer) = response.responses.first() else { return Err(Broken) };
        if self.world.ledger().was_offline(ticket.process, ticket.sent_at)
            && answer.error_code == ErrorCode::NONE
        {
            self.world.blame("a topic is deleted by a broker that has lost its disk");
        }
        match answer.error_code {
            ErrorCode::NONE | ErrorCode::UNKNOWN_TOPIC_ID => {
                self.world.reach("topic deleted");
                if answer.error_code != ErrorCode::NONE && before.only().is_some() {
                    self.world.blame(format_args!("{name} is not there: {before:?}"));
                }
                self.world.ledger().gone(id);
                self.set(name, Name { may_be_new: before.may_be_new, ..Name::none() });
            }
            ErrorCode::KAFKA_STORAGE_ERROR => {}
            code => self.world.blame(format_args!("{name} is not deleted: {code:?}")),
        }
        Ok(())
    }

    /// Lets the beginning of a log go.
    async fn shorten(&mut self, name: &Text) -> Result<(), Broken> {
        let Some(id) = self.state(name).only().filter(|_| Kind::of(name) != Kind::Keyed) else {
            return Ok(());
        };
        let places = self.world.ledger().live_places();
        let places: Vec<_> = places.into_iter().filter(|place| place.topic == id).collect();
        if places.is_empty() {
            return Ok(());
        }
        let place = self.world.any(&places);
        let end = self.world.ledger().end(place);
        let offset = i64::try_from(self.world.below(u64::try_from(end).unwrap() + 1)).unwrap();
        let partition =
            DeleteRecordsPartition { partition_index: place.partition, offset, ..Default::default() };
        let topic =
            DeleteRecordsTopic { name: name.clone(), partitions: vec![partition], ..Default::default() };
        let request = DeleteRecordsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        self.world.judge(self.world.ledger().ask_start(place, offset));
        let known = self.world.ledger().known(place);
        let (ticket, response) = self.link.call(2, &request).await?;
        let answer = response.topics.first().and_then(|topic| topic.partitions.first());
        let Some(answer) = answer else { return Err(Broken) };
        match answer.error_code {
            ErrorCode::NONE => {
                self.world.reach("log shortened");
                self.world.note(format_args!("{place} begins at {}", answer.low_watermark));
                if answer.low_watermark < offset {
                    self.world
                        .blame(format_args!("{place} begins at {} and not {offset}", answer.low_watermark));
                }
                let mut ledger = self.world.ledger();
                let verdict = ledger.told(place, ticket.process, known, None, Some(answer.low_watermark));
                drop(ledger);
                self.world.judge(verdict);
            }
            ErrorCode::KAFKA_STORAGE_ERROR => {}
            ErrorCode::OFFSET_OUT_OF_RANGE if self.world.ledger().was_cut(place) => {}
            code => self.world.blame(format_args!("{place} is not shortened: {code:?}")),
        }
        Ok(())
    }

    /// Looks at what there is.
    pub(crate) async fn look(&mut self, name: &Text) -> Result<(), Broken> {
        let topic = MetadataRequestTopic { name: Some(name.clone()), ..Default::default() };
        let everything = self.world.one_in(2);
        let request = MetadataRequest {
            topics: if everything { None } else { Some(vec![topic]) },
            allow_auto_topic_creation: false,
            ..Default::default()
        };
        let (_, response) = self.link.call(12, &request).await?;
        let mut seen = BTreeMap::new();
        for topic in &response.topics {
            let name = topic.name.clone().unwrap_or_default();
            if !self.world.ledger().names.contains_key(&name) {
                self.world.blame(format_args!("there is a topic {name}, which nobody made"));
            }
            match topic.error_code {
                ErrorCode::NONE => {
                    seen.insert(name, (topic.topic_id, topic.partitions.len()));
                }
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {}
                code => self.world.blame(format_args!("metadata of {name}: {code:?}")),
            }
        }
        let known = self.world.ledger().names.keys().cloned().collect();
        let names = if everything { known } else { vec![name.clone()] };
        for name in names {
            let mut state = self.state(&name);
            let found = seen.get(&name).copied();
            self.world.judge(state.see(found.map(|(id, _)| id)).map_err(|what| format!("{name}: {what}")));
            if let Some((id, partitions)) = found {
                self.world.judge(self.world.ledger().add_topic(id, name.clone(), partitions));
            }
            self.settle(&name, state);
        }
        Ok(())
    }

    /// What is known of a name now. A topic that was asked to go and is seen is asked to go again some time.
    fn settle(&self, name: &Text, state: Name) {
        for id in self.state(name).ids {
            if !state.ids.contains(&id) {
                self.world.ledger().gone(id);
            }
        }
        self.set(name, state);
    }
}
