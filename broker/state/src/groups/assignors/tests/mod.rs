//! What every assignor owes its members: complete, disjoint, balanced, sticky.

mod range;
mod uniform;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;
use strandline_protocol::{Text, Uuid};

use super::*;

/// A group as it may be drawn: how many partitions topics have, and which topics each member is subscribed to.
#[derive(Clone, Debug)]
struct Drawn {
    counts: Vec<i32>,
    members: Vec<BTreeSet<usize>>,
}

fn topic(number: usize) -> Uuid {
    Uuid::from(number as u128 + 1)
}

impl Drawn {
    fn counts(&self) -> PartitionCounts {
        (0..).map(topic).zip(self.counts.iter().copied()).collect()
    }

    fn specs(&self) -> Vec<MemberSpec> {
        let specs = self.members.iter().enumerate().map(|(number, topics)| MemberSpec {
            member_id: Text::from(format!("member-{number:02}")),
            instance_id: None,
            topics: topics.iter().map(|number| topic(*number)).collect(),
            current: Partitions::default(),
        });
        specs.collect()
    }
}

/// Groups in which all are subscribed to the same, or each to something of his own.
fn drawn(is_alike: bool) -> impl Strategy<Value = Drawn> {
    (1_usize..6).prop_flat_map(move |topics| {
        let subscription = || prop::collection::btree_set(0..topics, 0..=topics);
        let members = if is_alike {
            (subscription(), 1_usize..8).prop_map(|(topics, count)| vec![topics; count]).boxed()
        } else {
            prop::collection::vec(subscription(), 1..8).boxed()
        };
        (prop::collection::vec(0_i32..12, topics), members)
            .prop_map(|(counts, members)| Drawn { counts, members })
    })
}

fn any_drawn() -> impl Strategy<Value = Drawn> {
    any::<bool>().prop_flat_map(drawn)
}

/// The members with what they were given as what they shall own.
fn with_current(specs: &[MemberSpec], given: &[Partitions]) -> Vec<MemberSpec> {
    let pairs = specs.iter().zip(given);
    pairs.map(|(spec, given)| MemberSpec { current: given.clone(), ..spec.clone() }).collect()
}

/// Each partition that anybody is subscribed to has one owner, who is.
fn check_complete_and_disjoint(specs: &[MemberSpec], counts: &PartitionCounts, given: &[Partitions]) {
    assert_eq!(specs.len(), given.len());
    let mut owners = BTreeMap::new();
    for (spec, given) in specs.iter().zip(given) {
        for (topic_id, partition) in given.iter() {
            assert!(spec.topics.contains(&topic_id), "{} is not subscribed", spec.member_id);
            let before = owners.insert((topic_id, partition), &spec.member_id);
            assert_eq!(before, None, "two own {topic_id}-{partition}");
        }
    }
    let subscribed: BTreeSet<_> = specs.iter().flat_map(|spec| spec.topics.iter().copied()).collect();
    let wanted: BTreeSet<_> = subscribed
        .into_iter()
        .flat_map(|topic_id| (0..counts.get(&topic_id).copied().unwrap_or(0)).map(move |one| (topic_id, one)))
        .collect();
    assert_eq!(owners.keys().copied().collect::<BTreeSet<_>>(), wanted);
}

/// How many partitions changed from one member who is still there, and still subscribed, to another.
fn moves(specs: &[MemberSpec], counts: &PartitionCounts, given: &[Partitions]) -> usize {
    let kept = |spec: &MemberSpec, (topic_id, partition): (Uuid, i32)| {
        spec.topics.contains(&topic_id) && partition < counts.get(&topic_id).copied().unwrap_or(0)
    };
    let pairs = specs.iter().zip(given);
    pairs
        .flat_map(|(spec, given)| spec.current.iter().map(move |one| (spec, given, one)))
        .filter(|(spec, given, one)| kept(spec, *one) && !given.contains(one.0, one.1))
        .count()
}

proptest! {
    #[test]
    fn every_partition_has_one_owner_who_is_subscribed(drawn in any_drawn()) {
        for assignor in Assignor::ALL {
            let (specs, counts) = (drawn.specs(), drawn.counts());
            check_complete_and_disjoint(&specs, &counts, &assignor.assign(&specs, &counts));
        }
    }

    #[test]
    fn so_it_is_after_any_change_and_nothing_changes_without_one(before in any_drawn(), after in any_drawn()) {
        for assignor in Assignor::ALL {
            let given = assignor.assign(&before.specs(), &before.counts());
            let mut specs = after.specs();
            for (spec, given) in specs.iter_mut().zip(&given) {
                spec.current = given.clone();
            }
            let counts = after.counts();
            let given = assignor.assign(&specs, &counts);
            check_complete_and_disjoint(&specs, &counts, &given);
            let again = assignor.assign(&with_current(&specs, &given), &counts);
            prop_assert_eq!(given, again, "{}", assignor.name());
        }
    }

    #[test]
    fn what_members_say_twice_counts_once(drawn in any_drawn()) {
        // Nobody should, but a log may say it.
        let (mut specs, counts) = (drawn.specs(), drawn.counts());
        let everything: Partitions =
            counts.iter().flat_map(|(topic_id, count)| (0..count + 3).map(|one| (*topic_id, one))).collect();
        specs.iter_mut().for_each(|spec| spec.current = everything.clone());
        for assignor in Assignor::ALL {
            check_complete_and_disjoint(&specs, &counts, &assignor.assign(&specs, &counts));
        }
    }
}

#[test]
fn assignors_have_kafkas_names() {
    assert_eq!(Assignor::ALL.iter().map(|one| one.name()).collect::<Vec<_>>(), ["uniform", "range"]);
    for assignor in Assignor::ALL {
        assert_eq!(Assignor::of_name(assignor.name()), Some(*assignor));
    }
    assert_eq!(Assignor::of_name("sticky"), None);
}

#[test]
fn nobody_gets_nothing() {
    for assignor in Assignor::ALL {
        assert_eq!(assignor.assign(&[], &PartitionCounts::new()), []);
        let gone = MemberSpec {
            member_id: Text::from("a"),
            instance_id: None,
            topics: Arc::from([topic(9)]),
            current: [(topic(9), 0)].into_iter().collect(),
        };
        assert_eq!(assignor.assign(&[gone], &PartitionCounts::new()), [Partitions::default()]);
    }
}
