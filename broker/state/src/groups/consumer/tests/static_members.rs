use strandline_protocol::ErrorCode;

use super::world::{assigned, partitions};
use super::*;
use crate::groups::consumer::MemberState;

fn two_members() -> World {
    let mut world = World::new(&[("orders", 4)]);
    world.beat(Beat::join("a1", &["orders"]).named("a")).unwrap();
    world.beat(Beat::join("b1", &["orders"]).named("b")).unwrap();
    world.beat(Beat::stay("a1", 2)).unwrap();
    world.beat(Beat::stay("a1", 2).owning(&[("orders", &[0, 1])])).unwrap();
    world.beat(Beat::stay("b1", 3)).unwrap();
    world
}

#[test]
fn who_goes_for_a_while_finds_its_place_again_under_another_id() {
    let mut world = two_members();
    let response = world.beat(Beat::stay("a1", -2).named("a")).unwrap();
    assert_eq!((response.member_epoch, response.member_id.as_deref()), (-2, Some("a1")));
    let batches = world.log.len();
    assert_eq!(assigned(&world.beat(Beat::stay("b1", 3)).unwrap()), None, "nothing moves meanwhile");
    assert_eq!(world.log.len(), batches);
    world.advance(30_000);
    let back = world.beat(Beat::join("a2", &["orders"]).named("a")).unwrap();
    assert_eq!((back.member_epoch, assigned(&back)), (3, partitions(&[("orders", &[0, 1])])));
    assert!(world.group().member("a1").is_none());
    assert_eq!((world.group().epoch(), world.group().member_count()), (3, 2), "no rebalance");
    assert_eq!(world.beat(Beat::stay("a1", 3)), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert_eq!(world.beat(Beat::stay("a1", 3).named("a")), Err(ErrorCode::FENCED_INSTANCE_ID));
}

#[test]
fn who_does_not_come_back_in_time_is_gone() {
    let mut world = two_members();
    world.beat(Beat::stay("a1", -2).named("a")).unwrap();
    for _ in 0..8 {
        world.advance(5_000);
        world.beat(Beat::stay("b1", 3)).unwrap();
    }
    assert!(world.group().member("a1").is_some());
    world.advance(5_000);
    assert!(world.group().member("a1").is_none());
    let got = world.beat(Beat::stay("b1", 3)).unwrap();
    assert_eq!(assigned(&got), partitions(&[("orders", &[0, 1, 2, 3])]));
}

#[test]
fn a_name_that_is_in_use_is_not_given_to_another() {
    let mut world = two_members();
    for beat in [Beat::join("a2", &["orders"]).named("a"), Beat::join("a1", &["orders"]).named("a")] {
        assert_eq!(world.beat(beat), Err(ErrorCode::UNRELEASED_INSTANCE_ID));
    }
    world.beat(Beat::stay("a1", -1).named("a")).unwrap();
    assert!(world.beat(Beat::join("a2", &["orders"]).named("a")).is_ok());
}

#[test]
fn a_name_that_nobody_has_is_not_known() {
    let mut world = two_members();
    for epoch in [3, -1, -2] {
        let beat = Beat::stay("a1", epoch).named("nobody");
        assert_eq!(world.beat(beat), Err(ErrorCode::UNKNOWN_MEMBER_ID), "{epoch}");
        let beat = Beat::stay("other", epoch).named("a");
        assert_eq!(world.beat(beat), Err(ErrorCode::FENCED_INSTANCE_ID), "{epoch}");
    }
}

#[test]
fn who_goes_while_it_has_to_give_up_has_given_up() {
    let mut world = two_members();
    world.beat(Beat::join("c", &["orders"])).unwrap();
    world.beat(Beat::stay("b1", 3)).unwrap();
    assert_eq!(world.group().member("b1").unwrap().state, MemberState::Unrevoked);
    world.beat(Beat::stay("b1", -2).named("b")).unwrap();
    let got = world.beat(Beat::stay("c", 4)).unwrap();
    assert_eq!(assigned(&got), partitions(&[("orders", &[3])]));
    // The timer for what it had to give up means nothing any more.
    world.timers.retain(|timer, _| !format!("{timer:?}").contains("Session"));
    world.advance(120_000);
    assert_eq!(world.group().member_count(), 3);
    let back = world.beat(Beat::join("b2", &["orders"]).named("b")).unwrap();
    assert_eq!((back.member_epoch, assigned(&back)), (4, partitions(&[("orders", &[2])])));
}

#[test]
fn what_the_one_before_commits_counts_for_nothing() {
    let mut world = two_members();
    assert_eq!(world.commit("a1", 3, "orders", 0), ErrorCode::NONE);
    world.beat(Beat::stay("a1", -2).named("a")).unwrap();
    assert_eq!(world.commit("a1", 3, "orders", 0), ErrorCode::STALE_MEMBER_EPOCH);
    world.beat(Beat::join("a2", &["orders"]).named("a")).unwrap();
    assert_eq!(world.commit("a1", 3, "orders", 0), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(world.commit("a2", 3, "orders", 0), ErrorCode::NONE);
}
