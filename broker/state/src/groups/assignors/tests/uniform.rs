use super::*;

fn loads(given: &[Partitions]) -> Vec<usize> {
    given.iter().map(Partitions::len).collect()
}

/// The least number of partitions that must move where all are subscribed to the same: whoever has most keeps one more,
/// where it does not come out even.
fn moves_min(specs: &[MemberSpec], counts: &PartitionCounts) -> usize {
    let kept = |spec: &MemberSpec| {
        let is_there = |topic_id: Uuid, partition: i32| {
            spec.topics.contains(&topic_id) && partition < counts.get(&topic_id).copied().unwrap_or(0)
        };
        spec.current.iter().filter(|(topic_id, partition)| is_there(*topic_id, *partition)).count()
    };
    let topics = specs.first().map(|spec| spec.topics.to_vec()).unwrap_or_default();
    let total: i32 = topics.iter().filter_map(|topic_id| counts.get(topic_id)).sum();
    let total = usize::try_from(total).unwrap();
    let (quota, longer) = (total / specs.len(), total % specs.len());
    let mut kept: Vec<usize> = specs.iter().map(kept).collect();
    kept.sort_unstable_by(|left, right| right.cmp(left));
    let of_rank = |rank: usize| quota + usize::from(rank < longer);
    kept.iter().enumerate().map(|(rank, kept)| kept.saturating_sub(of_rank(rank))).sum()
}

/// Whether someone could pass on a partition, perhaps by way of others, to someone who has two less.
fn can_be_evener(specs: &[MemberSpec], given: &[Partitions]) -> bool {
    let gives_to = |from: usize, to: usize| {
        given[from].topics().any(|(topic_id, _)| specs[to].topics.contains(&topic_id))
    };
    (0..specs.len()).any(|start| {
        let (mut reached, mut open) = (BTreeSet::from([start]), vec![start]);
        while let Some(from) = open.pop() {
            for to in (0..specs.len()).filter(|to| gives_to(from, *to)) {
                if reached.insert(to) {
                    open.push(to);
                }
            }
        }
        reached.iter().any(|end| given[*end].len() + 2 <= given[start].len())
    })
}

proptest! {
    #[test]
    fn loads_differ_by_one_at_most_where_all_read_the_same(before in drawn(true), after in drawn(true)) {
        let given = Assignor::Uniform.assign(&before.specs(), &before.counts());
        let mut specs = after.specs();
        for (spec, given) in specs.iter_mut().zip(&given) {
            spec.current = given.clone();
        }
        let counts = after.counts();
        let given = Assignor::Uniform.assign(&specs, &counts);
        let loads = loads(&given);
        let (least, most) = (loads.iter().min().unwrap(), loads.iter().max().unwrap());
        prop_assert!(most - least <= 1, "{:?}", loads);
        prop_assert_eq!(moves(&specs, &counts, &given), moves_min(&specs, &counts), "no more moves than must be");
    }

    #[test]
    fn nothing_is_evener_where_members_read_different_topics(before in drawn(false), after in drawn(false)) {
        let given = Assignor::Uniform.assign(&before.specs(), &before.counts());
        let mut specs = after.specs();
        for (spec, given) in specs.iter_mut().zip(&given) {
            spec.current = given.clone();
        }
        let counts = after.counts();
        let given = Assignor::Uniform.assign(&specs, &counts);
        prop_assert!(!can_be_evener(&specs, &given), "{:?}", loads(&given));
    }

    #[test]
    fn who_comes_or_goes_moves_few(drawn in drawn(false), place in 0_usize..8) {
        let (specs, counts) = (drawn.specs(), drawn.counts());
        let place = place % specs.len();
        let classes = specs.iter().map(|spec| spec.topics.clone()).collect::<BTreeSet<_>>().len();
        // Each partition of the one who goes, or comes, starts one chain of moves at most, and no chain is longer than
        // there are kinds of subscription.
        let whole = Assignor::Uniform.assign(&specs, &counts);
        let mut rest = with_current(&specs, &whole);
        let gone = rest.remove(place);
        let without = Assignor::Uniform.assign(&rest, &counts);
        prop_assert!(moves(&rest, &counts, &without) <= gone.current.len() * classes);
        let mut back = with_current(&rest, &without);
        back.insert(place, MemberSpec { current: Partitions::default(), ..gone });
        let again = Assignor::Uniform.assign(&back, &counts);
        prop_assert!(moves(&back, &counts, &again) <= again[place].len() * classes);
    }
}

#[test]
fn a_way_by_others_is_found() {
    // One reads both topics; he has to pass on of the one so that he can take of the other.
    let spec = |name: &str, topics: &[usize], current: &[(usize, i32)]| MemberSpec {
        member_id: Text::from(name),
        instance_id: None,
        topics: topics.iter().map(|number| topic(*number)).collect(),
        current: current.iter().map(|(number, partition)| (topic(*number), *partition)).collect(),
    };
    let counts = PartitionCounts::from([(topic(0), 6), (topic(1), 4)]);
    let specs = [
        spec("left", &[0], &[(0, 0), (0, 1), (0, 2), (0, 3)]),
        spec("both", &[0, 1], &[(0, 4), (0, 5), (1, 0)]),
        spec("right", &[1], &[(1, 1), (1, 2)]),
    ];
    let given = Assignor::Uniform.assign(&specs, &counts);
    check_complete_and_disjoint(&specs, &counts, &given);
    assert!(!can_be_evener(&specs, &given), "{given:?}");
    let mut sorted = loads(&given);
    sorted.sort_unstable();
    assert_eq!(sorted, [3, 3, 4]);
}

#[test]
fn a_large_group_is_given_out_at_once() {
    // 500 members and 20,000 partitions; then a tenth of the members goes and comes back.
    let topics: Arc<[Uuid]> = (0..200).map(topic).collect();
    let counts: PartitionCounts = topics.iter().map(|topic_id| (*topic_id, 100)).collect();
    let spec = |number: usize| MemberSpec {
        member_id: Text::from(format!("member-{number:04}")),
        instance_id: None,
        topics: Arc::clone(&topics),
        current: Partitions::default(),
    };
    let specs: Vec<_> = (0..500).map(spec).collect();
    let given = Assignor::Uniform.assign(&specs, &counts);
    assert_eq!(loads(&given), [40; 500]);
    let fewer = &with_current(&specs, &given)[..450];
    let given = Assignor::Uniform.assign(fewer, &counts);
    assert_eq!(moves(fewer, &counts, &given), 0);
    let back: Vec<_> = with_current(fewer, &given).into_iter().chain((450..500).map(spec)).collect();
    let given = Assignor::Uniform.assign(&back, &counts);
    assert_eq!(loads(&given), [40; 500]);
    assert_eq!(moves(&back, &counts, &given), 2_000);
}
