//! What must hold of a group's life, whatever happens.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::apis::join_group::JoinGroupResponse;

use super::super::compacted::{Compaction, compacted};
use super::plants::Plant;
use super::{Checked, Client, GROUP, Life, PARTITIONS, ensure, place_of, read};
use crate::groups::classic::{ClassicGroup, State};
use crate::groups::{Group, Groups};

impl Life {
    /// What the log has of a stable group is what the leader of its generation said.
    pub(super) fn check_assigned(&self) -> Checked {
        let Some(group) = self.classic() else { return Ok(()) };
        let Some(said) = self.assigned.get(&group.generation()) else { return Ok(()) };
        for (id, member) in group.members() {
            let mine = said.get(&place_of(id)).cloned().unwrap_or_default();
            ensure(read(&member.assignment) == mine, || {
                format!("{id} has {:?} of {said:?}", member.assignment)
            })?;
        }
        Ok(())
    }

    pub(super) fn check(&mut self) -> Checked {
        for (partition, offset) in self.committed.clone() {
            let found = self.driver.offset(GROUP, ("t", partition));
            ensure(found == offset, || {
                format!("partition {partition} is at {found}, and was committed at {offset}")
            })?;
        }
        let mut by_generation: BTreeMap<i32, BTreeSet<i32>> = BTreeMap::new();
        let newest = self.classic().map_or(0, ClassicGroup::generation);
        let mut seen = BTreeSet::new();
        for client in &self.clients {
            let Client::In(joined, mine) = client else { continue };
            // One whose name another has taken is told so with whatever it asks next.
            let is_replaced =
                place_of(&joined.member_id) != joined.member_id && !self.is_member(&joined.member_id);
            if joined.generation_id != newest || is_replaced || !seen.insert(joined.member_id.clone()) {
                continue;
            }
            let taken = by_generation.entry(joined.generation_id).or_default();
            for partition in mine {
                ensure(taken.insert(*partition), || format!("partition {partition} belongs to two members"))?;
            }
        }
        self.check_names()?;
        for parts in self.assigned.values() {
            let all: Vec<i32> = parts.values().flatten().copied().collect();
            let is_whole = all.is_empty() || all.len() == usize::try_from(PARTITIONS).unwrap();
            ensure(is_whole, || format!("{parts:?} is not each partition once"))?;
        }
        let entries = self.driver.log.len();
        self.check_replayed(&self.driver.replayed(entries))?;
        // Any prefix is a state too, and the same with what compaction leaves of it. Not each time: it takes long.
        let prefix = self.numbers.below(entries + 1);
        if self.step.is_multiple_of(4) {
            self.check_compacted(prefix)?;
            self.check_compacted(entries)?;
        }
        Ok(())
    }

    fn check_compacted(&self, entries: usize) -> Checked {
        let whole = self.driver.replayed(entries);
        let how = match self.plant {
            Plant::OldestKept => [Compaction::KeepingTheOldest; 2],
            _ => [Compaction::Keeping, Compaction::WithoutTombstones],
        };
        for how in how {
            let left = compacted(&self.driver.log[..entries], how);
            let replayed = self.driver.replay(left.iter().map(|(offset, entry)| (*offset, entry)));
            let (offsets, group) = (whole.offsets(), whole.group(GROUP));
            ensure(replayed.offsets() == offsets, || {
                format!(
                    "{how:?} {entries} entries leaves other offsets: {:?}, not {offsets:?}",
                    replayed.offsets()
                )
            })?;
            let (left, right) = (format!("{:?}", replayed.group(GROUP)), format!("{group:?}"));
            ensure(left == right, || format!("{how:?} {entries} entries leaves {left}, not {right}"))?;
        }
        Ok(())
    }

    fn check_names(&self) -> Checked {
        let members = self.classic().into_iter().flat_map(ClassicGroup::members);
        let mut names = members.filter_map(|(_, member)| member.instance_id.as_ref());
        let mut taken = BTreeSet::new();
        ensure(names.all(|name| taken.insert(name)), || "a name belongs to two members".to_owned())
    }

    fn check_replayed(&self, replayed: &Groups) -> Checked {
        ensure(replayed.offsets() == self.driver.groups.offsets(), || "replay has other offsets".to_owned())?;
        let Some(live) = self.classic() else { return Ok(()) };
        if !matches!(live.state(), State::Stable | State::Empty) {
            return Ok(());
        }
        let Some(Group::Classic(other)) = replayed.group(GROUP) else {
            return Err("replay has no group".to_owned());
        };
        let part = |group: &ClassicGroup| {
            let members = group.members();
            let members = members.map(|(id, member)| (id.clone(), member.assignment.clone()));
            (group.state(), group.generation(), group.protocol().cloned(), members.collect::<Vec<_>>())
        };
        ensure(part(live) == part(other), || format!("{:?} is replayed as {:?}", part(live), part(other)))
    }

    /// Nobody does anything any more: then nobody waits, and the group is empty.
    pub(super) fn settle(&mut self) -> Checked {
        self.driver.pass_ms(3_600_000);
        for client in &self.clients {
            if let Client::Joining(id, ticket)
            | Client::Syncing(JoinGroupResponse { member_id: id, .. }, ticket) = client
            {
                ensure(self.driver.replies.contains_key(ticket), || format!("{id} waits for ever"))?;
            }
        }
        let state = self.state();
        ensure(matches!(state, None | Some(State::Empty)), || format!("the group is left {state:?}"))?;
        self.check()
    }
}
