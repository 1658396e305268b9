//! What the coordinator promised.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::{ErrorCode, Uuid};

use super::super::world::GROUP;
use super::{Planted, Run, Violation};
use crate::groups::consumer::State;

/// After so many rounds of heartbeats without faults the dead are thrown out, and all is settled.
const ROUNDS_MAX: usize = 26;

impl Run {
    pub(super) fn check(&self) -> Result<(), Violation> {
        self.check_owners()?;
        self.check_use()
    }

    /// No partition is with two members by what these acknowledged; and what is found by partition is what members have.
    fn check_owners(&self) -> Result<(), Violation> {
        let Some(group) = self.world.groups.consumer_group(GROUP) else { return Ok(()) };
        let mut owners = BTreeMap::new();
        for member in group.members() {
            for (topic_id, partition, _) in member.assigned.iter().chain(member.revoking.iter()) {
                if let Some(other) = owners.insert((topic_id, partition), &member.id) {
                    return Err(format!("{other} and {} have {topic_id}-{partition}", member.id));
                }
                if group.owner(topic_id, partition) != Some(&member.id) {
                    return Err(format!("{topic_id}-{partition} is not found with {}", member.id));
                }
            }
        }
        if owners.len() != group.owners.len() {
            return Err("a partition has an owner who does not have it".to_owned());
        }
        Ok(())
    }

    /// No two consumers read from one partition, as long as they are members.
    fn check_use(&self) -> Result<(), Violation> {
        let Some(group) = self.world.groups.consumer_group(GROUP) else { return Ok(()) };
        let mut readers: BTreeMap<(Uuid, i32), &str> = BTreeMap::new();
        for client in &self.clients {
            let is_member = group.member(&client.id).is_some_and(|member| member.epoch >= 0);
            if !is_member || client.epoch == 0 {
                continue;
            }
            for (topic_id, partition) in &client.owned {
                if let Some(other) = readers.insert((*topic_id, *partition), &client.id) {
                    return Err(format!("{other} and {} read from {topic_id}-{partition}", client.id));
                }
            }
        }
        Ok(())
    }

    /// A consumer commits; if that is accepted, the partition is its own.
    pub(super) fn try_commit(&mut self, place: usize) -> Result<(), Violation> {
        let client = &self.clients[place];
        let owned: Vec<_> = client.owned.iter().copied().collect();
        let Some((topic_id, partition)) = owned.first().copied().filter(|_| client.epoch > 0) else {
            return Ok(());
        };
        let Some(topic) = self.world.image.topic_by_id(topic_id).cloned() else { return Ok(()) };
        let mut epoch = client.epoch;
        let id = client.id.clone();
        if self.planted == Some(Planted::CommitsNotChecked) {
            let owner =
                self.world.groups.consumer_group(GROUP).and_then(|group| group.owner(topic_id, partition));
            let owner = owner.cloned().unwrap_or_default();
            epoch = self
                .world
                .groups
                .consumer_group(GROUP)
                .map_or(0, |group| group.member(&owner).map_or(epoch, |member| member.epoch));
            let code = self.world.commit(&owner, epoch, topic.name(), partition);
            return self.judge_commit(code, &id, topic_id, partition);
        }
        let code = self.world.commit(&id, epoch, topic.name(), partition);
        self.judge_commit(code, &id, topic_id, partition)
    }

    fn judge_commit(
        &mut self,
        code: ErrorCode,
        id: &str,
        topic_id: Uuid,
        partition: i32,
    ) -> Result<(), Violation> {
        if code != ErrorCode::NONE {
            self.seen.refused_commits += 1;
            return Ok(());
        }
        let owner = self.world.group().owner(topic_id, partition);
        match owner {
            Some(owner) if *owner != id => {
                Err(format!("{id} committed {topic_id}-{partition}, which is {owner}'s"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing fails any more: within some rounds of heartbeats each has what it shall have.
    pub(super) fn settle(&mut self) -> Result<(), Violation> {
        for client in &mut self.clients {
            (client.is_stalled, client.is_slow) = (false, false);
        }
        let mut state = String::new();
        for _ in 0..ROUNDS_MAX {
            for place in 0..self.clients.len() {
                self.heartbeat(place, false);
                self.check()?;
            }
            self.advance(5_000);
            self.check()?;
            match self.unsettled() {
                None => {
                    self.seen.settled += 1;
                    return Ok(());
                }
                Some(why) => state = why,
            }
        }
        Err(format!("not settled: {state}"))
    }

    /// What is not as it shall be, if anything is not.
    fn unsettled(&self) -> Option<String> {
        let group = self.world.groups.consumer_group(GROUP)?;
        if group.state() != State::Stable {
            return Some(format!("the group is {:?}", group.state()));
        }
        if let Some(client) = self.clients.iter().find(|client| !client.is_at_rest()) {
            return Some(format!("{} is not there", client.id));
        }
        let known: BTreeSet<&str> = self.clients.iter().map(|client| client.id.as_str()).collect();
        if let Some(member) = group.members().find(|member| !known.contains(member.id.as_str())) {
            return Some(format!("{} is dead", member.id));
        }
        let mut wanted = BTreeSet::new();
        for member in group.members() {
            for topic in group.names_of(member).filter_map(|name| self.world.image.topic(name)) {
                wanted.extend(topic.partitions().map(|(index, _)| (topic.id(), index)));
            }
        }
        let read: BTreeSet<_> = self.clients.iter().flat_map(|client| client.owned.iter().copied()).collect();
        (read != wanted).then(|| format!("{} partitions are read, {} shall be", read.len(), wanted.len()))
    }

    /// Whatever was in force after a batch is what replay makes of the log up to there, compacted or not.
    pub(super) fn check_replay(&self) -> Result<(), Violation> {
        for (batches, group) in &self.snapshots {
            let replayed = self.world.replayed(*batches);
            if replayed.consumer_group(GROUP) != group.as_ref() {
                return Err(format!("replay of {batches} batches comes to something else"));
            }
        }
        let whole = self.world.groups.consumer_group(GROUP);
        for cleaned in [self.world.log.len(), self.world.log.len() / 2, self.world.log.len() / 3] {
            if self.world.compacted(cleaned).consumer_group(GROUP) != whole {
                return Err(format!("a log that was compacted up to {cleaned} comes to something else"));
            }
        }
        Ok(())
    }
}
