//! Who in a group reads what: Kafka's four rules of giving out partitions, which every member has to know, since the
//! one that the coordinator chose as leader gives them out. Pure.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::Text;

/// A topic and one of its partitions.
pub(crate) type Key = (Text, i32);

/// How the partitions of a group are given out.
///
/// ```
/// assert_eq!(strandline_client::Assignor::CooperativeSticky.name(), "cooperative-sticky");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Assignor {
    /// Neighbouring partitions of each topic to one member, so that topics with the same keys stay together.
    Range,
    /// One after the other, of all topics.
    RoundRobin,
    /// Evenly, with as few as possible moved from one member to another.
    Sticky,
    /// The same, and while partitions move, the members go on with those that do not.
    CooperativeSticky,
}

impl Assignor {
    /// Kafka's name for it.
    ///
    /// ```
    /// assert_eq!(strandline_client::Assignor::Range.name(), "range");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
            Self::Sticky => "sticky",
            Self::CooperativeSticky => "cooperative-sticky",
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        let all = [Self::Range, Self::RoundRobin, Self::Sticky, Self::CooperativeSticky];
        all.into_iter().find(|assignor| assignor.name() == name)
    }

    pub(super) const fn is_cooperative(self) -> bool {
        matches!(self, Self::CooperativeSticky)
    }

    /// What each member is to read; every member is named, whatever it gets.
    pub(super) fn assign(self, members: &[Member], topics: &BTreeMap<Text, i32>) -> BTreeMap<Text, Vec<Key>> {
        let mut given: BTreeMap<Text, Vec<Key>> =
            members.iter().map(|member| (member.id.clone(), Vec::new())).collect();
        match self {
            Self::Range => range(members, topics, &mut given),
            Self::RoundRobin => round_robin(members, topics, &mut given),
            Self::Sticky => given = sticky(members, topics),
            Self::CooperativeSticky => {
                given = sticky(members, topics);
                hold_back(members, &mut given);
            }
        }
        given.values_mut().for_each(|keys| keys.sort());
        given
    }
}

/// A member as it described itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Member {
    pub(super) id: Text,
    /// The name that it keeps from one start to the next.
    pub(super) instance: Option<Text>,
    pub(super) topics: BTreeSet<Text>,
    pub(super) owned: Vec<Key>,
    pub(super) generation: i32,
}

/// Members with names of their own first, by these: what they get does not depend on the ids of this time.
fn in_order(members: &[Member]) -> Vec<&Member> {
    let mut ordered: Vec<&Member> = members.iter().collect();
    ordered.sort_by_key(|member| (member.instance.is_none(), member.instance.clone(), member.id.clone()));
    ordered
}

fn range(members: &[Member], topics: &BTreeMap<Text, i32>, given: &mut BTreeMap<Text, Vec<Key>>) {
    for (topic, count) in topics {
        let readers: Vec<_> = in_order(members).into_iter().filter(|it| it.topics.contains(topic)).collect();
        let Ok(number) = i32::try_from(readers.len()) else { continue };
        if number == 0 {
            continue;
        }
        let mut next = 0;
        for (place, reader) in (0..).zip(readers) {
            let share = count / number + i32::from(place < count % number);
            let keys = (next..next + share).map(|partition| (topic.clone(), partition));
            given.entry(reader.id.clone()).or_default().extend(keys);
            next += share;
        }
    }
}

fn round_robin(members: &[Member], topics: &BTreeMap<Text, i32>, given: &mut BTreeMap<Text, Vec<Key>>) {
    let ordered = in_order(members);
    let mut turns = ordered.iter().cycle();
    for (topic, count) in topics {
        for partition in 0..*count {
            let reader = turns.by_ref().take(ordered.len()).find(|member| member.topics.contains(topic));
            if let Some(reader) = reader {
                given.entry(reader.id.clone()).or_default().push((topic.clone(), partition));
            }
        }
    }
}

/// Those who want a topic.
fn readers<'a>(members: &'a [Member], topic: &'a Text) -> impl Iterator<Item = &'a Member> {
    members.iter().filter(move |member| member.topics.contains(topic))
}

/// What members hold by right: partitions that are there, of topics that they still want, and of two who say that
/// they hold one it is the one that says so of a later generation.
fn claims(members: &[Member], topics: &BTreeMap<Text, i32>) -> BTreeMap<Key, Text> {
    let mut claims: BTreeMap<Key, (i32, Option<Text>)> = BTreeMap::new();
    for member in members {
        for key in &member.owned {
            let is_there = topics.get(&key.0).is_some_and(|count| (0..*count).contains(&key.1));
            if !is_there || !member.topics.contains(&key.0) {
                continue;
            }
            let claim = (member.generation, Some(member.id.clone()));
            match claims.get_mut(key) {
                Some(other) if other.0 < member.generation => *other = claim,
                // Both cannot be right, and nobody knows who is.
                Some(other) if other.0 == member.generation => other.1 = None,
                Some(_) => {}
                None => {
                    claims.insert(key.clone(), claim);
                }
            }
        }
    }
    claims.into_iter().filter_map(|(key, (_, id))| Some((key, id?))).collect()
}

fn sticky(members: &[Member], topics: &BTreeMap<Text, i32>) -> BTreeMap<Text, Vec<Key>> {
    let mut given: BTreeMap<Text, BTreeSet<Key>> =
        members.iter().map(|member| (member.id.clone(), BTreeSet::new())).collect();
    let mut held = claims(members, topics);
    for (key, id) in &held {
        given.entry(id.clone()).or_default().insert(key.clone());
    }
    let load = |given: &BTreeMap<Text, BTreeSet<Key>>, id: &Text| given.get(id).map_or(0, BTreeSet::len);
    // Those that few can read first: what is left can still be made even by the others.
    let mut all: Vec<Key> = topics
        .iter()
        .flat_map(|(topic, count)| (0..*count).map(move |partition| (topic.clone(), partition)))
        .collect();
    all.sort_by_key(|key| (readers(members, &key.0).count(), key.clone()));
    for key in &all {
        if !held.contains_key(key)
            && let Some(reader) =
                readers(members, &key.0).min_by_key(|member| (load(&given, &member.id), &member.id))
        {
            given.entry(reader.id.clone()).or_default().insert(key.clone());
            held.insert(key.clone(), reader.id.clone());
        }
    }
    // From those that have most first, so that nobody gives what it is given back. Each move makes the loads more alike,
    // so it ends.
    let mut level = given.values().map(BTreeSet::len).max().unwrap_or(0);
    while level > 1 {
        let mut has_moved = false;
        for key in &all {
            let Some(holder) = held.get(key).cloned() else { continue };
            let least = readers(members, &key.0).min_by_key(|member| (load(&given, &member.id), &member.id));
            let Some(least) = least else { continue };
            let most = load(&given, &holder);
            if most >= level && most > load(&given, &least.id) + 1 {
                given.entry(holder).or_default().remove(key);
                given.entry(least.id.clone()).or_default().insert(key.clone());
                held.insert(key.clone(), least.id.clone());
                has_moved = true;
            }
        }
        if !has_moved {
            level -= 1;
        }
    }
    given.into_iter().map(|(id, keys)| (id, keys.into_iter().collect())).collect()
}

/// Takes out what is still held by another: it has to let go first, and the next round gives it out.
fn hold_back(members: &[Member], given: &mut BTreeMap<Text, Vec<Key>>) {
    let mut holders: BTreeMap<&Key, &Text> = BTreeMap::new();
    let newest = members.iter().map(|member| member.generation).max().unwrap_or(-1);
    for member in members.iter().filter(|member| member.generation == newest) {
        holders.extend(member.owned.iter().map(|key| (key, &member.id)));
    }
    for (id, keys) in given {
        keys.retain(|key| holders.get(key).is_none_or(|holder| *holder == id));
    }
}

#[cfg(test)]
mod tests;
