use strandline_protocol::ErrorCode;

use super::world::{assigned, partitions};
use super::*;
use crate::groups::Sight;

fn by_pattern(member_id: &str, pattern: &str) -> Beat {
    Beat::join(member_id, &[]).with(|request| {
        request.subscribed_topic_names = None;
        request.subscribed_topic_regex = Some(pattern.into());
    })
}

#[test]
fn a_pattern_stands_for_all_topics_that_match_as_a_whole() {
    let mut world = World::new(&[("orders-1", 1), ("orders-2", 1), ("my-orders-3", 1)]);
    let response = world.beat(by_pattern("a", "orders-.*")).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-1", &[0]), ("orders-2", &[0])]));
    assert_eq!(&*world.group().resolved("orders-.*").unwrap().topics, ["orders-1", "orders-2"]);
}

#[test]
fn topics_that_come_and_go_are_found_but_not_all_the_time() {
    let mut world = World::new(&[("orders-1", 1)]);
    world.beat(by_pattern("a", "orders-.*")).unwrap();
    world.put_topic("orders-2", 1);
    world.advance(5_000);
    assert_eq!(assigned(&world.beat(Beat::stay("a", 2)).unwrap()), None, "held against them a moment ago");
    world.advance(5_000);
    let response = world.beat(Beat::stay("a", 2)).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-1", &[0]), ("orders-2", &[0])]));
    // A change that concerns others is none.
    world.put_topic("payments", 1);
    world.advance(10_000);
    let batches = world.log.len();
    world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(world.log.len(), batches);
    world.delete_topic("orders-1");
    world.advance(10_000);
    let response = world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-2", &[0])]));
}

#[test]
fn names_and_a_pattern_add_up() {
    let mut world = World::new(&[("orders-1", 1), ("payments", 1)]);
    let both = by_pattern("a", "orders-.*").with(|request| {
        request.subscribed_topic_names = Some(vec!["payments".into(), "orders-1".into()]);
    });
    let response = world.beat(both).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-1", &[0]), ("payments", &[0])]));
}

#[test]
fn a_pattern_is_forgotten_with_its_last_reader() {
    let mut world = World::new(&[("orders-1", 2)]);
    world.beat(by_pattern("a", "orders-.*")).unwrap();
    world.beat(by_pattern("b", "orders-.*")).unwrap();
    world.beat(Beat::stay("b", -1)).unwrap();
    assert!(world.group().resolved("orders-.*").is_some());
    let none = Beat::stay("a", 2).with(|request| request.subscribed_topic_regex = Some("".into()));
    let told = world.beat(none).unwrap();
    assert_eq!(assigned(&told), partitions(&[]), "and so are its topics");
    assert!(world.group().resolved("orders-.*").is_none());
    world.beat(by_pattern("c", "orders-.*")).unwrap();
    world.beat(Beat::stay("c", -1)).unwrap();
    assert!(world.group().resolved("orders-.*").is_none());
}

#[test]
fn what_is_no_pattern_is_refused_and_changes_nothing() {
    let mut world = World::new(&[("orders-1", 2)]);
    world.beat(by_pattern("a", "orders-.*")).unwrap();
    let batches = world.log.len();
    for pattern in ["orders-(", "[z-a]", "a**", r"(a)\1"] {
        assert_eq!(world.beat(by_pattern("b", pattern)), Err(ErrorCode::INVALID_REGULAR_EXPRESSION));
        let other = Beat::stay("a", 2).with(|request| request.subscribed_topic_regex = Some(pattern.into()));
        assert_eq!(world.beat(other), Err(ErrorCode::INVALID_REGULAR_EXPRESSION));
    }
    assert_eq!(world.log.len(), batches);
    assert_eq!(world.group().member_count(), 1);
}

#[test]
fn what_explodes_elsewhere_is_a_pattern_like_others() {
    let mut world = World::new(&[("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1)]);
    assert_eq!(assigned(&world.beat(by_pattern("a", "(a+)+b")).unwrap()), partitions(&[]));
}

#[test]
fn a_pattern_finds_what_its_reader_may_see_and_is_held_against_that_again() {
    let mut world = World::new(&[("orders-1", 1), ("orders-2", 1)]);
    world.sight = Sight::of(|topic| topic != "orders-2");
    let response = world.beat(by_pattern("a", "orders-.*")).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-1", &[0])]));
    // It may see more now. No record says so, and it is asked in ten minutes.
    world.sight = Sight::default();
    for _ in 1..20 {
        world.advance(30_000);
        assert_eq!(assigned(&world.beat(Beat::stay("a", 2)).unwrap()), None);
    }
    assert_eq!(world.heeded, 19, "nothing is to be done until then");
    world.advance(30_000);
    let response = world.beat(Beat::stay("a", 2)).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders-1", &[0]), ("orders-2", &[0])]));
    // The same the other way round, when the topics are others by then.
    world.sight = Sight::of(|topic| topic != "orders-1");
    world.put_topic("payments", 1);
    world.advance(10_000);
    let told = world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(assigned(&told), partitions(&[("orders-2", &[0])]));
}
