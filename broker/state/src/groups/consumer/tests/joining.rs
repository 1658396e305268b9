use strandline_protocol::ErrorCode;

use super::world::{assigned, partitions};
use super::*;

#[test]
fn the_first_member_gets_everything_at_once() {
    let mut world = World::new(&[("orders", 3), ("other", 2)]);
    let response = world.beat(Beat::join("a", &["orders"])).unwrap();
    assert_eq!(response.member_id.as_deref(), Some("a"));
    assert_eq!((response.member_epoch, response.heartbeat_interval_ms), (2, 5_000));
    assert_eq!(assigned(&response), partitions(&[("orders", &[0, 1, 2])]));
    let written: Vec<_> = world.last_batch();
    let expected = [
        "MemberMetadata",
        "Metadata",
        "TargetAssignmentMember",
        "TargetAssignmentMetadata",
        "CurrentMemberAssignment",
    ];
    assert_eq!(written, expected.map(|name| (name.to_owned(), true)), "as Kafka orders them");
}

#[test]
fn nothing_new_is_not_told_again_and_writes_nothing() {
    let mut world = World::new(&[("orders", 3)]);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    let batches = world.log.len();
    let response = world.beat(Beat::stay("a", 2)).unwrap();
    assert_eq!((response.member_epoch, assigned(&response)), (2, None));
    assert_eq!(world.log.len(), batches);
    // Who says everything has lost an answer, and is told everything.
    let whole = Beat::join("a", &["orders"]).owning(&[]).with(|request| request.member_epoch = 2);
    assert_eq!(assigned(&world.beat(whole).unwrap()), partitions(&[("orders", &[0, 1, 2])]));
    assert_eq!(world.log.len(), batches);
}

#[test]
fn before_version_1_the_coordinator_makes_the_id() {
    let mut world = World::new(&[("orders", 1)]);
    let response = world.beat_in_version(Beat::join("", &["orders"]), 0).unwrap();
    assert_eq!(response.member_id.as_deref(), Some("made-1"));
    assert!(world.group().member("made-1").is_some());
    assert_eq!(world.beat_in_version(Beat::join("", &["orders"]), 1), Err(ErrorCode::INVALID_REQUEST));
}

#[test]
fn a_join_that_is_repeated_makes_no_second_member() {
    let mut world = World::new(&[("orders", 2)]);
    let first = world.beat(Beat::join("a", &["orders"])).unwrap();
    let second = world.beat(Beat::join("a", &["orders"])).unwrap();
    assert_eq!(assigned(&first), assigned(&second));
    assert_eq!(world.group().member_count(), 1);
}

#[test]
fn who_reads_nothing_is_a_member_all_the_same() {
    let mut world = World::new(&[("orders", 2)]);
    let response = world.beat(Beat::join("a", &[])).unwrap();
    assert_eq!((response.member_epoch, assigned(&response)), (1, partitions(&[])));
    assert_eq!(world.describe().group_state, "Stable");
}

#[test]
fn topics_that_come_grow_and_go_are_noticed_with_the_next_heartbeat() {
    let mut world = World::new(&[]);
    let response = world.beat(Beat::join("a", &["orders"])).unwrap();
    assert_eq!(assigned(&response), partitions(&[]));
    world.put_topic("orders", 1);
    let response = world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders", &[0])]));
    world.put_topic("orders", 2);
    let response = world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(assigned(&response), partitions(&[("orders", &[0, 1])]));
    // One that the group does not read is nothing to it.
    world.put_topic("unread", 1);
    let batches = world.log.len();
    world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!(world.log.len(), batches);
    world.delete_topic("orders");
    let told = world.beat(Beat::stay("a", response.member_epoch)).unwrap();
    assert_eq!((told.member_epoch, assigned(&told)), (response.member_epoch, partitions(&[])));
    let told = world.beat(Beat::stay("a", told.member_epoch).owning(&[])).unwrap();
    assert_eq!(told.member_epoch, response.member_epoch + 1);
}

#[test]
fn a_target_stands_for_a_while() {
    let mut world = World::with_settings(&[("orders", 4)], |settings| {
        settings.consumer.assignment_interval.default_ms = 1_000;
    });
    world.beat(Beat::join("a", &["orders"])).unwrap();
    let response = world.beat(Beat::join("b", &["orders"])).unwrap();
    assert_eq!((response.member_epoch, world.describe().group_state.as_str()), (2, "Assigning"));
    // Nobody has to come by: the target is there when its time has come.
    world.advance(1_000);
    assert_eq!(world.group().target_epoch(), 3);
    let response = world.beat(Beat::stay("a", 2)).unwrap();
    assert_eq!(assigned(&response).unwrap()[&topic_id("orders")].len(), 2);
}

#[test]
fn a_group_may_have_times_of_its_own_within_bounds() {
    let mut world = World::new(&[("orders", 1)]);
    world.configure_group(&[
        ("consumer.heartbeat.interval.ms", "7000"),
        ("consumer.session.timeout.ms", "999999"),
    ]);
    assert_eq!(world.beat(Beat::join("a", &["orders"])).unwrap().heartbeat_interval_ms, 7_000);
    world.advance(59_999);
    assert_eq!(world.group().member_count(), 1);
    world.advance(1);
    assert_eq!(world.group().member_count(), 0, "the longest that is allowed is a minute");
}

#[test]
fn the_assignor_is_the_one_that_most_would_like() {
    let mut world = World::new(&[("left", 2), ("right", 2)]);
    let wish = |member_id: &str, assignor: Option<&str>| {
        Beat::join(member_id, &["left", "right"]).with(|request| {
            request.server_assignor = assignor.map(Into::into);
        })
    };
    world.beat(wish("a", None)).unwrap();
    assert_eq!(world.describe().assignor_name, "uniform");
    world.beat(wish("b", Some("range"))).unwrap();
    assert_eq!(world.describe().assignor_name, "range");
    world.beat(wish("c", Some("uniform"))).unwrap();
    world.beat(wish("d", Some("uniform"))).unwrap();
    assert_eq!(world.describe().assignor_name, "uniform");
}
