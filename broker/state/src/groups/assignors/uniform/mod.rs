//! `uniform`: as even as can be over all topics together, and no partition moves that need not.
//!
//! Three steps. Each member keeps what it shall own and is still subscribed to. What is free then goes to whoever has
//! least of those who are subscribed. And as long as someone has at least two more than another who could take one off
//! him, perhaps by way of others who pass on one of their own, that is done, by the shortest way. When no such way is
//! left, no assignment is more even: the sum of the squares of all loads is the least there is.
//!
//! Where all are subscribed to the same, each way has one step, and as few partitions move as can. A group in which each
//! has subscriptions of his own is balanced up to [`STEPS_MAX`] looks at a topic; then it is left as it is.

mod ways;

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::Uuid;

use super::{MemberSpec, PartitionCounts};
use crate::groups::partitions::Partitions;

/// So many looks at a topic balancing may take.
const STEPS_MAX: usize = 4_000_000;

/// Members that are subscribed to the same.
#[derive(Default)]
struct Class {
    /// By load, then by number.
    members: BTreeSet<(usize, usize)>,
    /// Who of them has partitions of a topic.
    holders: BTreeMap<usize, BTreeSet<usize>>,
}

/// A member, as it comes to be.
#[derive(Default)]
struct Member {
    class: usize,
    load: usize,
    /// By topic.
    held: BTreeMap<usize, BTreeSet<i32>>,
}

/// A topic that somebody is subscribed to.
struct Topic {
    id: Uuid,
    partitions: i32,
    /// The classes that are subscribed to it.
    classes: Vec<usize>,
    subscribers: usize,
}

/// An assignment in the making. Topics, classes and members go by their numbers.
struct Builder<'a> {
    specs: &'a [MemberSpec],
    topics: Vec<Topic>,
    classes: Vec<Class>,
    members: Vec<Member>,
}

/// Gives out all partitions of the topics that members are subscribed to.
pub(super) fn assign(specs: &[MemberSpec], partition_counts: &PartitionCounts) -> Vec<Partitions> {
    let mut builder = Builder::new(specs, partition_counts);
    let free = builder.keep();
    builder.give_out(free);
    builder.balance(STEPS_MAX);
    builder.finish()
}

impl<'a> Builder<'a> {
    fn new(specs: &'a [MemberSpec], partition_counts: &PartitionCounts) -> Self {
        let mut by_topics: BTreeMap<&[Uuid], Vec<usize>> = BTreeMap::new();
        for (number, spec) in specs.iter().enumerate() {
            by_topics.entry(&spec.topics).or_default().push(number);
        }
        let mut members: Vec<Member> = specs.iter().map(|_| Member::default()).collect();
        let mut classes = Vec::with_capacity(by_topics.len());
        let mut subscribed: BTreeMap<Uuid, (Vec<usize>, usize)> = BTreeMap::new();
        for (number, (topic_ids, of_class)) in by_topics.into_iter().enumerate() {
            for topic_id in topic_ids {
                let (in_classes, subscribers) = subscribed.entry(*topic_id).or_default();
                in_classes.push(number);
                *subscribers += of_class.len();
            }
            for member in &of_class {
                if let Some(member) = members.get_mut(*member) {
                    member.class = number;
                }
            }
            let by_load = of_class.into_iter().map(|member| (0, member)).collect();
            classes.push(Class { members: by_load, holders: BTreeMap::new() });
        }
        let topics = subscribed.into_iter().filter_map(|(id, (classes, subscribers))| {
            let partitions = partition_counts.get(&id).copied()?;
            Some(Topic { id, partitions, classes, subscribers })
        });
        Self { specs, topics: topics.collect(), classes, members }
    }

    /// Leaves to each member what it shall own so far, and says what nobody has.
    fn keep(&mut self) -> Vec<(usize, Vec<i32>)> {
        let mut taken: Vec<BTreeSet<i32>> = self.topics.iter().map(|_| BTreeSet::new()).collect();
        for (number, spec) in self.specs.iter().enumerate() {
            for (topic_id, partitions) in spec.current.topics() {
                if !spec.is_subscribed(topic_id) {
                    continue;
                }
                let Ok(topic) = self.topics.binary_search_by_key(&topic_id, |topic| topic.id) else {
                    continue;
                };
                let count = self.topics.get(topic).map_or(0, |topic| topic.partitions);
                let Some(taken) = taken.get_mut(topic) else { continue };
                for partition in partitions.iter().filter(|partition| (0..count).contains(*partition)) {
                    if taken.insert(*partition) {
                        self.add(number, topic, *partition);
                    }
                }
            }
        }
        let mut free = Vec::new();
        for (number, (topic, taken)) in self.topics.iter().zip(&taken).enumerate() {
            let left: Vec<i32> =
                (0..topic.partitions).filter(|partition| !taken.contains(partition)).collect();
            if !left.is_empty() {
                free.push((number, left));
            }
        }
        free
    }

    /// Gives what nobody has to whoever has least. Topics that few are subscribed to go first: the others can make up
    /// for them.
    fn give_out(&mut self, mut free: Vec<(usize, Vec<i32>)>) {
        free.sort_by_key(|(number, _)| self.topics.get(*number).map(|topic| topic.subscribers));
        for (topic, partitions) in free {
            for partition in partitions {
                if let Some(member) = self.least_loaded_of(topic) {
                    self.add(member, topic, partition);
                }
            }
        }
    }

    fn least_loaded_of(&self, topic: usize) -> Option<usize> {
        let classes = &self.topics.get(topic)?.classes;
        let least = classes.iter().filter_map(|class| self.least_loaded(*class)).min()?;
        Some(least.1)
    }

    /// The load and the number of who has least in a class.
    fn least_loaded(&self, class: usize) -> Option<(usize, usize)> {
        self.classes.get(class)?.members.first().copied()
    }

    fn add(&mut self, number: usize, topic: usize, partition: i32) {
        let Some(member) = self.members.get_mut(number) else { return };
        let Some(class) = self.classes.get_mut(member.class) else { return };
        if member.held.entry(topic).or_default().insert(partition) {
            class.members.remove(&(member.load, number));
            member.load += 1;
            class.members.insert((member.load, number));
            class.holders.entry(topic).or_default().insert(number);
        }
    }

    fn remove(&mut self, number: usize, topic: usize, partition: i32) {
        let Some(member) = self.members.get_mut(number) else { return };
        let Some(class) = self.classes.get_mut(member.class) else { return };
        let Some(held) = member.held.get_mut(&topic) else { return };
        if !held.remove(&partition) {
            return;
        }
        let is_last = held.is_empty();
        class.members.remove(&(member.load, number));
        member.load = member.load.saturating_sub(1);
        class.members.insert((member.load, number));
        if is_last {
            member.held.remove(&topic);
            if let Some(holders) = class.holders.get_mut(&topic) {
                holders.remove(&number);
                if holders.is_empty() {
                    class.holders.remove(&topic);
                }
            }
        }
    }

    fn finish(self) -> Vec<Partitions> {
        let id_of = |topic: usize| self.topics.get(topic).map(|topic| topic.id);
        let of_member = |member: &Member| {
            let held = member.held.iter().filter_map(|(topic, held)| Some((id_of(*topic)?, held)));
            held.flat_map(|(id, held)| held.iter().map(move |partition| (id, *partition))).collect()
        };
        self.members.iter().map(of_member).collect()
    }
}
