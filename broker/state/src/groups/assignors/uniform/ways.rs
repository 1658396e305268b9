//! Balancing: the shortest ways by which a partition's worth of load gets from who has much to who has little.

use std::collections::{BTreeSet, VecDeque};

use super::Builder;

/// So many of the last partitions are looked at for one that is new to who gives it up.
const LOOKS_MAX: usize = 64;

/// Someone gives up a partition of a topic, to make room for what another one gave before.
#[derive(Clone, Copy)]
struct Step {
    giver: usize,
    topic: usize,
    /// The step that this makes room for.
    before: Option<usize>,
}

impl Builder<'_> {
    /// Moves partitions until nobody has two more than another who could take one off him.
    ///
    /// Who has most goes first. Once there is no way from someone to anybody who has two less, there never will be:
    /// whoever can be reached from him has about as much, and later ways cannot touch them.
    pub(super) fn balance(&mut self, mut steps_left: usize) {
        let by_load = self.members.iter().enumerate().map(|(number, member)| (member.load, number));
        let mut open: BTreeSet<(usize, usize)> = by_load.collect();
        while let Some((load, giver)) = open.pop_last() {
            let Some(way) = self.way_from(giver, load, &mut steps_left) else {
                if steps_left == 0 {
                    return;
                }
                continue;
            };
            let receiver = way.last().map_or(giver, |(_, _, receiver)| *receiver);
            let receiver_load = self.members.get(receiver).map_or(0, |member| member.load);
            for (giver, topic, receiver) in way {
                self.pass_on(giver, topic, receiver);
            }
            open.insert((load.saturating_sub(1), giver));
            if open.remove(&(receiver_load, receiver)) {
                open.insert((receiver_load + 1, receiver));
            }
        }
    }

    /// The shortest way from a member to one that has at least two partitions less: who gives what to whom.
    fn way_from(
        &self,
        from: usize,
        load: usize,
        steps_left: &mut usize,
    ) -> Option<Vec<(usize, usize, usize)>> {
        let own_topics = || self.members.get(from).into_iter().flat_map(|member| member.held.keys().copied());
        // The common case needs no search.
        for topic in own_topics() {
            *steps_left = steps_left.checked_sub(1)?;
            if let Some((least, receiver)) = self.least_of_topic(topic)
                && least + 2 <= load
            {
                return Some(vec![(from, topic, receiver)]);
            }
        }
        let mut steps: Vec<Step> =
            own_topics().map(|topic| Step { giver: from, topic, before: None }).collect();
        let mut seen_topics: BTreeSet<usize> = own_topics().collect();
        let mut seen_classes = BTreeSet::new();
        let mut queue: VecDeque<usize> = (0..steps.len()).collect();
        while let Some(place) = queue.pop_front() {
            let topic = self.topics.get(steps.get(place)?.topic)?;
            for class in topic.classes.iter().copied() {
                if !seen_classes.insert(class) {
                    continue;
                }
                if let Some((least, receiver)) = self.least_loaded(class)
                    && least + 2 <= load
                {
                    return Some(way(&steps, place, receiver));
                }
                for (topic, holders) in self.classes.get(class).map(|class| &class.holders)? {
                    *steps_left = steps_left.checked_sub(1)?;
                    if seen_topics.insert(*topic)
                        && let Some(giver) = holders.first()
                    {
                        queue.push_back(steps.len());
                        steps.push(Step { giver: *giver, topic: *topic, before: Some(place) });
                    }
                }
            }
        }
        None
    }

    fn least_of_topic(&self, topic: usize) -> Option<(usize, usize)> {
        let classes = &self.topics.get(topic)?.classes;
        classes.iter().filter_map(|class| self.least_loaded(*class)).min()
    }

    /// Moves one partition: one that is new to the giver, if one of the last ones is, else the last.
    fn pass_on(&mut self, giver: usize, topic: usize, receiver: usize) {
        let Some(topic_id) = self.topics.get(topic).map(|topic| topic.id) else { return };
        let held = self.members.get(giver).and_then(|member| member.held.get(&topic));
        let is_new = |partition: i32| {
            self.specs.get(giver).is_some_and(|spec| !spec.current.contains(topic_id, partition))
        };
        let last = || held.into_iter().flatten().rev().copied();
        let new = last().take(LOOKS_MAX).find(|partition| is_new(*partition));
        let Some(partition) = new.or_else(|| last().next()) else { return };
        self.remove(giver, topic, partition);
        self.add(receiver, topic, partition);
    }
}

/// The way that ends with this step and this receiver, from its beginning on.
fn way(steps: &[Step], last: usize, receiver: usize) -> Vec<(usize, usize, usize)> {
    let mut way = Vec::new();
    let (mut place, mut receiver) = (Some(last), receiver);
    while let Some(step) = place.and_then(|place| steps.get(place)) {
        way.push((step.giver, step.topic, receiver));
        (place, receiver) = (step.before, step.giver);
    }
    way.reverse();
    way
}
