use super::*;

fn spec(member_id: &str, instance_id: Option<&str>, topics: &[usize]) -> MemberSpec {
    MemberSpec {
        member_id: Text::from(member_id),
        instance_id: instance_id.map(Text::from),
        topics: topics.iter().map(|number| topic(*number)).collect(),
        current: Partitions::default(),
    }
}

fn of_topic(given: &Partitions, number: usize) -> Vec<i32> {
    given.iter().filter(|(topic_id, _)| *topic_id == topic(number)).map(|(_, partition)| partition).collect()
}

proptest! {
    #[test]
    fn of_each_topic_runs_are_even_and_in_order(drawn in any_drawn()) {
        let (specs, counts) = (drawn.specs(), drawn.counts());
        let given = Assignor::Range.assign(&specs, &counts);
        for number in 0..drawn.counts.len() {
            let subscribers = specs.iter().zip(&given).filter(|(spec, _)| spec.topics.contains(&topic(number)));
            let runs: Vec<_> = subscribers.map(|(_, given)| of_topic(given, number)).collect();
            let all: Vec<i32> = runs.iter().flatten().copied().collect();
            let count = if runs.is_empty() { 0 } else { drawn.counts[number] };
            prop_assert_eq!(all, (0..count).collect::<Vec<_>>(), "runs in the members' order");
            let lengths: Vec<_> = runs.iter().map(Vec::len).collect();
            prop_assert!(lengths.is_sorted_by(|left, right| left >= right), "the first ones are the longer ones");
            let longest_minus_shortest = lengths.first().zip(lengths.last()).map_or(0, |(first, last)| first - last);
            prop_assert!(longest_minus_shortest <= 1);
        }
    }

    #[test]
    fn topics_of_one_size_are_given_out_alike(members in 1_usize..8, count in 1_i32..20, topics in 2_usize..5) {
        let numbers: Vec<_> = (0..topics).collect();
        let specs: Vec<_> = (0..members).map(|one| spec(&format!("{one}"), None, &numbers)).collect();
        let counts: PartitionCounts = numbers.iter().map(|number| (topic(*number), count)).collect();
        for given in Assignor::Range.assign(&specs, &counts) {
            for number in 1..topics {
                prop_assert_eq!(of_topic(&given, number), of_topic(&given, 0));
            }
        }
    }

    #[test]
    fn a_topic_that_changes_moves_nothing_of_others(drawn in drawn(true), other in 0_i32..20) {
        let (specs, mut counts) = (drawn.specs(), drawn.counts());
        let before = Assignor::Range.assign(&specs, &counts);
        counts.insert(topic(0), other);
        let after = Assignor::Range.assign(&specs, &counts);
        for (before, after) in before.iter().zip(&after) {
            for number in 1..drawn.counts.len() {
                prop_assert_eq!(of_topic(before, number), of_topic(after, number));
            }
        }
    }
}

#[test]
fn static_members_keep_theirs_under_other_ids() {
    let counts = PartitionCounts::from([(topic(0), 5)]);
    let before = [spec("m0", Some("i0"), &[0]), spec("m1", Some("i1"), &[0]), spec("a", None, &[0])];
    let after = [spec("z9", Some("i0"), &[0]), spec("b2", Some("i1"), &[0]), spec("a", None, &[0])];
    let given = Assignor::Range.assign(&before, &counts);
    assert_eq!(given, Assignor::Range.assign(&after, &counts));
    let runs: Vec<_> = given.iter().map(|given| of_topic(given, 0)).collect();
    assert_eq!(runs, [vec![0, 1], vec![2, 3], vec![4]], "static ones first, by their names");
}
