use super::*;

fn member(id: &str, topics: &[&str]) -> Member {
    Member {
        id: id.into(),
        topics: topics.iter().map(|topic| Text::from(*topic)).collect(),
        generation: -1,
        ..Default::default()
    }
}

fn topics(topics: &[(&str, i32)]) -> BTreeMap<Text, i32> {
    topics.iter().map(|(topic, count)| (Text::from(*topic), *count)).collect()
}

fn text(given: &BTreeMap<Text, Vec<Key>>) -> Vec<String> {
    let keys = |keys: &[Key]| {
        keys.iter().map(|(topic, number)| format!("{topic}{number}")).collect::<Vec<_>>().join(" ")
    };
    given.iter().map(|(id, given)| format!("{id}: {}", keys(given))).collect()
}

#[test]
fn range_gives_neighbours_of_each_topic() {
    let members = [member("b", &["t", "u"]), member("a", &["t", "u"])];
    let given = Assignor::Range.assign(&members, &topics(&[("t", 3), ("u", 3)]));
    assert_eq!(text(&given), ["a: t0 t1 u0 u1", "b: t2 u2"]);
    let named = Member { instance: Some("1".into()), ..member("z", &["t"]) };
    let given = Assignor::Range.assign(&[member("a", &["t"]), named], &topics(&[("t", 3)]));
    assert_eq!(text(&given), ["a: t2", "z: t0 t1"]);
}

#[test]
fn round_robin_deals_one_by_one() {
    let members = [member("a", &["t", "u"]), member("b", &["t"])];
    let given = Assignor::RoundRobin.assign(&members, &topics(&[("t", 3), ("u", 2)]));
    assert_eq!(text(&given), ["a: t0 t2 u0 u1", "b: t1"]);
    let given = Assignor::RoundRobin.assign(&[member("a", &["nowhere"])], &topics(&[("t", 3)]));
    assert_eq!(text(&given), ["a: "]);
}

/// Plays a group through members that come and go: everything is given out once, evenly, and little moves.
#[test]
fn sticky_is_even_and_moves_little() {
    let all = topics(&[("t", 10), ("u", 7)]);
    let mut state = 7u64;
    let mut members: Vec<Member> = vec![member("m0", &["t", "u"])];
    for round in 1..200 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        if members.len() > 1 && state.is_multiple_of(3) {
            members.remove(usize::try_from(state >> 40).unwrap() % members.len());
        } else if members.len() < 8 {
            members.push(member(&format!("m{round}"), &["t", "u"]));
        }
        let given = Assignor::Sticky.assign(&members, &all);
        let mut seen: Vec<&Key> = given.values().flatten().collect();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), given.values().map(Vec::len).sum::<usize>()), (17, 17));
        let loads: Vec<usize> = given.values().map(Vec::len).collect();
        assert!(loads.iter().max().unwrap() - loads.iter().min().unwrap() <= 1, "{loads:?}");
        // No more has been taken from a member than makes it even.
        for member in &members {
            let kept = member.owned.iter().filter(|key| given[&member.id].contains(key)).count();
            let fair = 17usize.div_ceil(members.len());
            assert!(kept >= member.owned.len().min(fair - 1), "{kept} of {}", member.owned.len());
        }
        for member in &mut members {
            member.owned.clone_from(&given[&member.id]);
            member.generation = round;
        }
    }
}

#[test]
fn sticky_uses_what_only_some_can_read() {
    let members = [member("a", &["t", "u"]), member("b", &["u"])];
    let given = Assignor::Sticky.assign(&members, &topics(&[("t", 2), ("u", 2)]));
    assert_eq!(text(&given), ["a: t0 t1", "b: u0 u1"]);
}

#[test]
fn of_two_who_hold_the_same_the_later_one_is_right() {
    let old = Member { owned: vec![("t".into(), 0), ("t".into(), 1)], generation: 3, ..member("a", &["t"]) };
    let new = Member { owned: vec![("t".into(), 0)], generation: 4, ..member("b", &["t"]) };
    let given = Assignor::Sticky.assign(&[old, new], &topics(&[("t", 2)]));
    assert_eq!(text(&given), ["a: t1", "b: t0"]);
}

#[test]
fn cooperating_members_let_go_before_another_gets() {
    let held = (0..4).map(|partition| (Text::from("t"), partition)).collect();
    let old = Member { owned: held, generation: 5, ..member("a", &["t"]) };
    let members = [old, member("b", &["t"])];
    let given = Assignor::CooperativeSticky.assign(&members, &topics(&[("t", 4)]));
    assert_eq!((given["a"].len(), given["b"].len()), (2, 0), "two are let go, and given out the next time");
    let kept = Member { owned: given["a"].clone(), generation: 6, ..member("a", &["t"]) };
    let joined = Member { generation: 6, ..member("b", &["t"]) };
    let given = Assignor::CooperativeSticky.assign(&[kept, joined], &topics(&[("t", 4)]));
    assert_eq!((given["a"].len(), given["b"].len()), (2, 2));
}

#[test]
fn names_are_those_of_kafka() {
    for name in ["range", "roundrobin", "sticky", "cooperative-sticky"] {
        assert_eq!(Assignor::of_name(name).unwrap().name(), name);
    }
    assert_eq!(Assignor::of_name("uniform"), None);
}
