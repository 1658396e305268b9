//! What must hold of a group, whatever its members speak.

use std::collections::{BTreeMap, BTreeSet};

use super::super::world::{GROUP, topic_id};
use super::client::{Client, Protocol};
use super::{Run, TOPIC, Violation};
use crate::groups::Group;
use crate::groups::classic::{ClassicGroup, State};
use crate::groups::consumer;

/// After so many seconds without faults the dead are thrown out, and all is settled.
const SECONDS_MAX: usize = 150;

impl Run {
    pub(super) fn check(&self) -> Result<(), Violation> {
        self.check_readers()?;
        // A replay costs as much as all that was before.
        if !self.world.log.len().is_multiple_of(11) {
            return Ok(());
        }
        match self.world.groups.group(GROUP) {
            Some(Group::Consumer(group)) => {
                let replayed = self.world.replayed(self.world.log.len());
                if replayed.consumer_group(GROUP) == Some(group) {
                    return Ok(());
                }
                Err("replay comes to another consumer group".to_owned())
            }
            Some(Group::Classic(group)) if group.state() == State::Stable => self.check_classic(group),
            _ => Ok(()),
        }
    }

    /// The last complete generation of a classic group is what the log has.
    fn check_classic(&self, group: &ClassicGroup) -> Result<(), Violation> {
        let replayed = self.world.replayed(self.world.log.len());
        let Some(Group::Classic(replayed)) = replayed.group(GROUP) else {
            return Err("replay comes to no classic group".to_owned());
        };
        let of = |group: &ClassicGroup| {
            let members = group.members().map(|(id, member)| (id.clone(), member.assignment.clone()));
            (group.generation(), members.collect::<BTreeMap<_, _>>())
        };
        if of(group) == of(replayed) { Ok(()) } else { Err("replay comes to another generation".to_owned()) }
    }

    /// No two read from one partition, of those who are members as they believe.
    fn check_readers(&self) -> Result<(), Violation> {
        let mut readers: BTreeMap<i32, &Client> = BTreeMap::new();
        for client in self.clients.iter().chain(&self.ghosts).filter(|client| self.is_member(client)) {
            for partition in client.owned.keys() {
                if let Some(other) = readers.insert(*partition, client) {
                    return Err(format!("{other:?} and {client:?} read from {partition}"));
                }
            }
        }
        Ok(())
    }

    /// Whether a client is what it thinks: a member, of this generation. Who is not finds out with its next request, and
    /// nothing that it commits until then counts.
    fn is_member(&self, client: &Client) -> bool {
        match self.world.groups.group(GROUP) {
            Some(Group::Consumer(group)) => group
                .member(&client.id)
                .is_some_and(|member| member.epoch >= 0 && client.has_epoch_of(member)),
            Some(Group::Classic(group)) => {
                let is_known = group.members().any(|(id, _)| *id == client.id);
                is_known && client.is_in() && client.epoch == group.generation()
            }
            None => false,
        }
    }

    /// Nothing fails any more. With a protocol, every client comes back as one that speaks it, one after the other.
    pub(super) fn settle(&mut self, protocol: Option<Protocol>) -> Result<(), Violation> {
        self.ghosts.clear();
        for place in 0..self.clients.len() {
            self.clients[place].is_stalled = false;
            if protocol.is_some() {
                self.clients[place].restart(protocol, &mut self.random);
                for _ in 0..3 {
                    self.round()?;
                }
            }
        }
        let mut why = None;
        for _ in 0..SECONDS_MAX {
            self.round()?;
            why = self.unsettled(protocol);
            if why.is_none() {
                return Ok(());
            }
        }
        Err(format!("not settled: {}", why.unwrap_or_default()))
    }

    fn round(&mut self) -> Result<(), Violation> {
        for place in 0..self.clients.len() {
            self.act(place, false);
            self.check()?;
            self.work(place)?;
        }
        self.world.advance(1_000);
        self.check()
    }

    /// What is not as it shall be, if anything is not.
    fn unsettled(&self, protocol: Option<Protocol>) -> Option<String> {
        let is_consumer = match self.world.groups.group(GROUP)? {
            Group::Consumer(group) if group.state() != consumer::State::Stable => {
                return Some(format!("the group is {:?}", group.state()));
            }
            Group::Consumer(group) if group.member_count() != self.clients.len() => {
                return Some(format!("there are {} members", group.member_count()));
            }
            Group::Classic(group) if group.state() != State::Stable => {
                return Some(format!("the group is {:?}", group.state()));
            }
            Group::Classic(group) if group.members().count() != self.clients.len() => {
                return Some(format!("there are {} members", group.members().count()));
            }
            group => matches!(group, Group::Consumer(_)),
        };
        if protocol.is_some_and(|protocol| is_consumer != (protocol == Protocol::New)) {
            return Some("the group speaks the other protocol".to_owned());
        }
        if let Some(client) = self.clients.iter().find(|client| !client.is_in()) {
            return Some(format!("{client:?} is not there"));
        }
        let read: BTreeSet<i32> =
            self.clients.iter().flat_map(|client| client.owned.keys().copied()).collect();
        let wanted: BTreeSet<i32> = (0..self.partition_count()).collect();
        if read != wanted {
            return Some(format!("{read:?} are read, of {wanted:?}"));
        }
        let loads = self.clients.iter().map(|client| client.owned.len());
        let (least, most) = (loads.clone().min()?, loads.max()?);
        (most > least + 1).then(|| format!("one has {most} partitions, another {least}"))
    }

    /// Whatever was so after a batch is what replay makes of the log up to there.
    pub(super) fn check_replay(&self) -> Result<(), Violation> {
        for (batches, group) in &self.snapshots {
            if self.world.replayed(*batches).consumer_group(GROUP) != group.as_ref() {
                return Err(format!("replay of {batches} batches comes to something else"));
            }
        }
        for cleaned in [self.world.log.len(), self.world.log.len() / 2, self.world.log.len() / 3] {
            let compacted = self.world.compacted(cleaned);
            let same = match (compacted.group(GROUP), self.world.groups.group(GROUP)) {
                (Some(Group::Consumer(one)), Some(Group::Consumer(other))) => one == other,
                (Some(Group::Classic(one)), Some(Group::Classic(other))) => {
                    one.generation() == other.generation()
                }
                (one, other) => one.is_none() && other.is_none(),
            };
            if !same {
                return Err(format!("a log that was compacted up to {cleaned} comes to something else"));
            }
        }
        for (partition, offset) in &self.committed {
            let known = self.world.groups.offsets().get(GROUP, TOPIC, *partition);
            if known.map(|known| known.offset) != Some(*offset) {
                return Err(format!("{offset} was committed for {partition}, and {known:?} is there"));
            }
        }
        debug_assert!(self.world.image.topic_by_id(topic_id(TOPIC)).is_some());
        Ok(())
    }
}
