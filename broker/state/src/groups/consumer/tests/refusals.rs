use strandline_protocol::ErrorCode;

use super::*;
use crate::settings::BrokerSettings;

#[test]
fn malformed_requests_are_refused_whatever_the_group() {
    let mut world = World::new(&[("orders", 1)]);
    let join = || Beat::join("a", &["orders"]);
    let cases = [
        join().with(|request| request.member_id = "".into()),
        join().with(|request| request.member_id = "  ".into()),
        join().with(|request| request.group_id = "".into()),
        join().with(|request| request.instance_id = Some("".into())),
        join().with(|request| request.rack_id = Some("".into())),
        join().with(|request| request.rebalance_timeout_ms = -1),
        join().with(|request| request.topic_partitions = None),
        join().owning(&[("orders", &[0])]),
        join().with(|request| request.subscribed_topic_names = None),
        Beat::stay("a", -2),
        Beat::stay("a", -3),
        Beat::stay("a", i32::MIN),
    ];
    for case in cases {
        assert_eq!(world.beat(case.clone()), Err(ErrorCode::INVALID_REQUEST), "{case:?}");
    }
    for epoch in [5, -1] {
        let without_id = Beat::stay("", epoch);
        assert_eq!(world.beat_in_version(without_id, 0), Err(ErrorCode::INVALID_REQUEST), "{epoch}");
    }
    assert_eq!(world.log, Vec::<Vec<_>>::new());
}

#[test]
fn an_assignor_that_is_not_there_is_refused() {
    let other =
        |request: &mut strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest| {
            request.server_assignor = Some("range".into());
        };
    let mut world = World::new(&[("orders", 1)]);
    assert!(world.beat(Beat::join("a", &["orders"]).with(other)).is_ok());
    let uniform_only = BrokerSettings::from_pairs([("group.consumer.assignors", "uniform")]).unwrap();
    let mut world = World::with_settings(&[("orders", 1)], |settings| {
        settings.consumer = crate::groups::consumer::Settings::of(&uniform_only);
    });
    let refused = Err(ErrorCode::UNSUPPORTED_ASSIGNOR);
    assert_eq!(world.beat(Beat::join("a", &["orders"]).with(other)), refused);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    assert_eq!(world.beat(Beat::stay("a", 2).with(other)), refused);
}

#[test]
fn a_group_that_is_not_there_is_joined_or_refused() {
    let mut world = World::new(&[("orders", 1)]);
    for epoch in [1, -1] {
        assert_eq!(world.beat(Beat::stay("a", epoch)), Err(ErrorCode::GROUP_ID_NOT_FOUND), "{epoch}");
    }
    let gone = Beat::stay("a", -2).named("a");
    assert_eq!(world.beat(gone), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    world.beat(Beat::join("a", &["orders"])).unwrap();
    for epoch in [1, -1] {
        assert_eq!(world.beat(Beat::stay("b", epoch)), Err(ErrorCode::UNKNOWN_MEMBER_ID), "{epoch}");
    }
}

#[test]
fn a_full_group_takes_nobody_else() {
    let mut world = World::with_settings(&[("orders", 1)], |settings| settings.consumer.members_max = 2);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    world.beat(Beat::join("b", &["orders"])).unwrap();
    assert_eq!(world.beat(Beat::join("c", &["orders"])), Err(ErrorCode::GROUP_MAX_SIZE_REACHED));
    let without_id = Beat::join("", &["orders"]);
    assert_eq!(world.beat_in_version(without_id, 0), Err(ErrorCode::GROUP_MAX_SIZE_REACHED));
    assert!(world.beat(Beat::join("a", &["orders"])).is_ok(), "who is in it may come again");
    world.beat(Beat::stay("b", -1)).unwrap();
    assert!(world.beat(Beat::join("c", &["orders"])).is_ok());
}
