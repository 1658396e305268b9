use strandline_protocol::ErrorCode;

use super::world::{assigned, partitions};
use super::*;
use crate::groups::Missed;
use crate::groups::consumer::MemberState;

/// One member that has four partitions, and one that has just come.
fn two_members() -> World {
    let mut world = World::new(&[("orders", 4)]);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    let response = world.beat(Beat::join("b", &["orders"])).unwrap();
    assert_eq!((response.member_epoch, assigned(&response)), (3, partitions(&[])), "nothing is free yet");
    assert_eq!(world.group().member("b").unwrap().state, MemberState::Unreleased);
    world
}

#[test]
fn a_partition_goes_to_its_new_owner_when_the_old_one_has_given_it_up() {
    let mut world = two_members();
    let told = world.beat(Beat::stay("a", 2)).unwrap();
    assert_eq!((told.member_epoch, assigned(&told)), (2, partitions(&[("orders", &[0, 1])])));
    assert_eq!(world.group().member("a").unwrap().state, MemberState::Unrevoked);
    // Neither silence nor a list in which they still stand is a confirmation.
    for beat in [Beat::stay("a", 2), Beat::stay("a", 2).owning(&[("orders", &[0, 1, 3])])] {
        assert_eq!(world.beat(beat).unwrap().member_epoch, 2);
        assert_eq!(assigned(&world.beat(Beat::stay("b", 3)).unwrap()), None);
    }
    let done = world.beat(Beat::stay("a", 2).owning(&[("orders", &[0, 1])])).unwrap();
    assert_eq!((done.member_epoch, assigned(&done)), (3, None));
    let got = world.beat(Beat::stay("b", 3)).unwrap();
    assert_eq!((got.member_epoch, assigned(&got)), (3, partitions(&[("orders", &[2, 3])])));
    assert_eq!(world.describe().group_state, "Stable");
}

#[test]
fn who_does_not_give_up_in_time_is_thrown_out() {
    let mut world = two_members();
    world.beat(Beat::stay("a", 2).with(|request| request.rebalance_timeout_ms = 30_000)).unwrap();
    for _ in 0..5 {
        world.advance(5_000);
        world.beat(Beat::stay("a", 2)).unwrap();
        world.beat(Beat::stay("b", 3)).unwrap();
    }
    assert!(world.group().member("a").is_some());
    world.advance(5_000);
    assert!(world.group().member("a").is_none());
    assert_eq!(world.out, [("a".into(), Missed::Revocation)]);
    assert_eq!(world.beat(Beat::stay("a", 2)), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    let got = world.beat(Beat::stay("b", 3)).unwrap();
    assert_eq!(assigned(&got), partitions(&[("orders", &[0, 1, 2, 3])]));
}

#[test]
fn who_gave_up_in_time_stays() {
    let mut world = two_members();
    world.beat(Beat::stay("a", 2)).unwrap();
    world.beat(Beat::stay("a", 2).owning(&[("orders", &[0, 1])])).unwrap();
    for _ in 0..20 {
        world.advance(5_000);
        world.beat(Beat::stay("a", 3)).unwrap();
        world.beat(Beat::stay("b", 3)).unwrap();
    }
    assert_eq!(world.group().member_count(), 2);
}

#[test]
fn who_is_silent_too_long_is_thrown_out_and_its_partitions_go_to_others() {
    let mut world = two_members();
    world.advance(44_999);
    world.beat(Beat::stay("b", 3)).unwrap();
    assert!(world.group().member("a").is_some());
    world.advance(1);
    assert!(world.group().member("a").is_none());
    assert_eq!(world.out, [("a".into(), Missed::Heartbeat)]);
    let expected = [
        ("CurrentMemberAssignment", false),
        ("TargetAssignmentMember", false),
        ("MemberMetadata", false),
        ("Metadata", true),
    ];
    assert_eq!(world.last_batch(), expected.map(|(name, is_value)| (name.to_owned(), is_value)));
    let got = world.beat(Beat::stay("b", 3)).unwrap();
    assert_eq!((got.member_epoch, assigned(&got)), (4, partitions(&[("orders", &[0, 1, 2, 3])])));
}

#[test]
fn an_answer_that_was_lost_is_no_reason_to_be_thrown_out() {
    let mut world = two_members();
    world.beat(Beat::stay("a", 2)).unwrap();
    let done = || Beat::stay("a", 2).owning(&[("orders", &[0, 1])]);
    assert_eq!(world.beat(done()).unwrap().member_epoch, 3);
    assert_eq!(world.beat(done()).unwrap().member_epoch, 3, "once more with the epoch before");
    // With partitions that it has no right to, or without saying, or from further back.
    for late in [
        Beat::stay("a", 2).owning(&[("orders", &[0, 1, 2])]),
        Beat::stay("a", 2),
        Beat::stay("a", 1).owning(&[]),
        Beat::stay("a", 4),
    ] {
        assert_eq!(world.beat(late), Err(ErrorCode::FENCED_MEMBER_EPOCH));
    }
}

#[test]
fn who_was_thrown_out_begins_anew_with_the_same_id() {
    let mut world = two_members();
    world.advance(45_000);
    assert_eq!(world.beat(Beat::stay("a", 2)), Err(ErrorCode::UNKNOWN_MEMBER_ID));
    assert!(world.beat(Beat::join("a", &["orders"])).is_ok());
}

#[test]
fn who_leaves_is_gone_at_once() {
    let mut world = two_members();
    let response = world.beat(Beat::stay("a", -1)).unwrap();
    assert_eq!((response.member_epoch, response.member_id.as_deref()), (-1, Some("a")));
    let got = world.beat(Beat::stay("b", 3)).unwrap();
    assert_eq!(assigned(&got), partitions(&[("orders", &[0, 1, 2, 3])]));
    world.beat(Beat::stay("b", -1)).unwrap();
    assert_eq!(world.describe().group_state, "Empty");
    assert!(world.timers.keys().all(|timer| !format!("{timer:?}").contains("Session")), "no timer is left");
}

#[test]
fn what_is_not_read_any_more_is_given_up_before_there_is_a_new_target() {
    let mut world = World::with_settings(&[("left", 2), ("right", 2)], |settings| {
        settings.consumer.assignment_interval.default_ms = 10_000;
    });
    world.beat(Beat::join("a", &["left", "right"])).unwrap();
    let less = Beat::stay("a", 2).with(|request| {
        request.subscribed_topic_names = Some(vec!["left".into()]);
    });
    let told = world.beat(less).unwrap();
    assert_eq!((told.member_epoch, assigned(&told)), (2, partitions(&[("left", &[0, 1])])));
    assert_eq!(world.group().member("a").unwrap().state, MemberState::Unrevoked);
}

#[test]
fn a_state_that_is_not_known_begins_anew() {
    let mut world = two_members();
    let mut member = world.group().member("a").unwrap().clone();
    member.state = MemberState::Unknown;
    let record = crate::groups::consumer::records::current(&world::GROUP.into(), &member);
    let decision = crate::groups::Decision { records: vec![record], ..Default::default() };
    world.apply(decision);
    assert_eq!(world.beat(Beat::stay("a", 2)), Err(ErrorCode::FENCED_MEMBER_EPOCH));
    assert_eq!(world.beat(Beat::stay("a", 2).owning(&[])).unwrap().member_epoch, 3);
}
