//! Groups that move from one protocol to the other while their members live.

use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity};
use strandline_protocol::apis::sync_group::SyncGroupRequestAssignment;
use strandline_protocol::embedded::consumer::{AssignedPartitions, ConsumerProtocolAssignment};
use strandline_protocol::{Bytes, ErrorCode};

use super::classic_member::Classic;
use super::world::{GROUP, assigned};
use super::*;
use crate::groups::classic::{ClassicGroup, State};
use crate::groups::{Group, GroupSettings, Reply, Request};
use crate::settings::MigrationPolicy;

fn assignment(partitions: &[i32]) -> Bytes {
    let assigned = AssignedPartitions { topic: "orders".into(), partitions: partitions.to_vec() };
    let assignment = ConsumerProtocolAssignment { assigned_partitions: vec![assigned], ..Default::default() };
    assignment.to_member_bytes(1).unwrap()
}

fn world(change: impl FnOnce(&mut GroupSettings)) -> World {
    World::with_settings(&[("orders", 4)], change)
}

/// A classic group of one member, which is its leader and has everything.
fn classic_group(world: &mut World) -> Classic {
    let mut member = Classic::new();
    let ticket = world.ask_and_wait(member.join_request());
    world.advance(3_000);
    let reply = world.later.remove(&ticket).unwrap();
    let response = member.joined(reply);
    assert_eq!(response.leader, response.member_id);
    let all = SyncGroupRequestAssignment {
        member_id: member.id.clone(),
        assignment: assignment(&[0, 1, 2, 3]),
        ..Default::default()
    };
    let reply = world.ask(member.sync_request(vec![all]));
    member.synced(reply).unwrap();
    member
}

fn classic(world: &World) -> &ClassicGroup {
    match world.groups.group(GROUP) {
        Some(Group::Classic(group)) => group,
        other => panic!("{other:?}"),
    }
}

/// A member of the new protocol and one of the classic one, who share what there is.
fn both() -> (World, Classic) {
    let mut world = world(|_| {});
    let mut old = classic_group(&mut world);
    let mut new = world.beat(Beat::join("new", &["orders"])).unwrap();
    for _ in 0..3 {
        old.live(&mut world);
        let told = world.beat(Beat::stay("new", new.member_epoch)).unwrap();
        new.member_epoch = told.member_epoch;
    }
    (world, old)
}

#[test]
fn a_classic_group_goes_on_as_a_new_one_and_nobody_loses_what_it_has_before_it_is_asked() {
    let mut world = world(|_| {});
    let mut old = classic_group(&mut world);
    let generation = old.generation;
    let first = world.beat(Beat::join("new", &["orders"])).unwrap();
    assert_eq!(first.member_epoch, generation + 1);
    assert_eq!(assigned(&first), super::world::partitions(&[]), "all is in other hands");
    assert_eq!(world.group().member_count(), 2);
    assert_eq!(world.replayed(world.log.len()).consumer_group(GROUP), Some(world.group()));
    // It learns of it by its heartbeat, says what it has, and is given less.
    assert_eq!(old.heartbeat(&mut world), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(old.join(&mut world).generation_id, generation);
    old.sync(&mut world).unwrap();
    assert_eq!(old.partitions(), [0, 1].into());
    // It has to come again to say that it gave them up.
    assert_eq!(assigned(&world.beat(Beat::stay("new", first.member_epoch)).unwrap()), None);
    assert_eq!(old.heartbeat(&mut world), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(old.join(&mut world).generation_id, generation + 1);
    old.sync(&mut world).unwrap();
    assert_eq!(old.heartbeat(&mut world), ErrorCode::NONE);
    let got = world.beat(Beat::stay("new", first.member_epoch)).unwrap();
    assert_eq!(assigned(&got), super::world::partitions(&[("orders", &[2, 3])]));
    let described = world.describe();
    assert_eq!(described.group_state, "Stable");
    let types: Vec<_> = described.members.iter().map(|member| member.member_type).collect();
    assert_eq!(types, [0, 1]);
}

#[test]
fn whoever_waits_in_the_classic_group_is_told_to_come_again() {
    let mut world = world(|_| {});
    let mut old = classic_group(&mut world);
    let mut second = Classic::new();
    let waits = world.ask_and_wait(second.join_request());
    assert!(!world.later.contains_key(&waits));
    world.beat(Beat::join("new", &["orders"])).unwrap();
    let reply = world.later.remove(&waits).unwrap();
    assert_eq!(second.joined(reply).error_code, ErrorCode::REBALANCE_IN_PROGRESS);
    old.live(&mut world);
    assert_eq!(second.join(&mut world).error_code, ErrorCode::NONE);
    second.sync(&mut world).unwrap();
    let names: Vec<_> = world.timers.keys().map(|timer| format!("{timer:?}")).collect();
    assert!(names.iter().all(|name| name.contains("Consumer") || name == "Expire"), "{names:?}");
}

#[test]
fn a_group_goes_back_when_the_last_of_the_new_protocol_leaves() {
    let (mut world, mut old) = both();
    assert_eq!(old.partitions(), [0, 1].into());
    world.beat(Beat::stay("new", -1)).unwrap();
    assert_eq!(classic(&world).state(), State::PreparingRebalance);
    let replayed = world.replayed(world.log.len());
    let Some(Group::Classic(replayed)) = replayed.group(GROUP) else { panic!("a classic group") };
    assert_eq!((replayed.generation(), replayed.members().count()), (classic(&world).generation(), 1));
    assert_eq!(old.heartbeat(&mut world), ErrorCode::REBALANCE_IN_PROGRESS);
    let generation = old.generation;
    let response = old.join(&mut world);
    assert_eq!(response.leader, old.id, "it assigns again");
    assert_eq!(response.generation_id, generation + 1);
    let names: Vec<_> = world.timers.keys().map(|timer| format!("{timer:?}")).collect();
    assert!(names.iter().all(|name| !name.contains("Consumer")), "{names:?}");
}

#[test]
fn a_group_goes_back_when_the_last_of_the_new_protocol_is_silent() {
    let (mut world, old) = both();
    for _ in 0..9 {
        world.advance(5_000);
        let _ = old.heartbeat(&mut world);
    }
    assert_eq!(classic(&world).members().count(), 1);
}

#[test]
fn a_static_member_that_returns_with_the_classic_protocol_takes_its_group_with_it() {
    let mut world = world(|_| {});
    world.beat(Beat::join("new", &["orders"]).named("instance")).unwrap();
    let mut old = Classic::named("instance");
    assert_eq!(old.join(&mut world).error_code, ErrorCode::NONE);
    assert_eq!(classic(&world).state(), State::Stable, "nothing has changed but the protocol");
    old.sync(&mut world).unwrap();
    assert_eq!(old.partitions(), [0, 1, 2, 3].into());
    assert_eq!(old.heartbeat(&mut world), ErrorCode::NONE);
}

#[test]
fn who_does_not_come_when_it_is_told_to_is_thrown_out() {
    let (mut world, old) = both();
    let mut epoch = world.beat(Beat::join("third", &["orders"])).unwrap().member_epoch;
    // It has 30 seconds from the first time that it was told.
    for _ in 0..6 {
        assert_eq!(old.heartbeat(&mut world), ErrorCode::REBALANCE_IN_PROGRESS);
        world.advance(5_000);
        epoch = world.beat(Beat::stay("third", epoch)).unwrap().member_epoch;
    }
    assert_eq!(old.heartbeat(&mut world), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn who_does_not_fetch_what_it_was_given_is_thrown_out() {
    let (mut world, mut old) = both();
    assert_eq!(old.join(&mut world).error_code, ErrorCode::NONE);
    for _ in 0..6 {
        assert_eq!(old.heartbeat(&mut world), ErrorCode::NONE);
        world.advance(5_000);
    }
    assert_eq!(old.heartbeat(&mut world), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn old_generations_and_other_protocols_are_refused() {
    let (mut world, old) = both();
    let with = |change: &dyn Fn(&mut Classic)| {
        let mut other = old.clone();
        change(&mut other);
        other
    };
    let late = with(&|other| other.generation -= 1);
    assert_eq!(late.heartbeat(&mut world), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(late.clone().sync(&mut world), Err(ErrorCode::ILLEGAL_GENERATION));
    let stranger = with(&|other| other.id = "stranger".into());
    assert_eq!(stranger.heartbeat(&mut world), ErrorCode::UNKNOWN_MEMBER_ID);
    let new = with(&|other| other.id = "new".into());
    assert_eq!(new.heartbeat(&mut world), ErrorCode::UNKNOWN_MEMBER_ID, "it speaks the other protocol");
    let Request::SyncGroup(mut request) = old.sync_request(Vec::new()) else { panic!() };
    request.protocol_name = Some("other".into());
    let Reply::SyncGroup(response) = world.ask(Request::SyncGroup(request)) else { panic!() };
    assert_eq!(response.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let Request::JoinGroup(mut join) = Classic::new().join_request() else { panic!() };
    join.request.protocol_type = "connect".into();
    let Reply::JoinGroup(response) = world.ask(Request::JoinGroup(join)) else { panic!() };
    assert_eq!(response.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(world.commit(&old.id, old.generation + 1, "orders", 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(world.commit(&old.id, old.generation, "orders", 0), ErrorCode::NONE);
}

#[test]
fn a_policy_says_which_groups_may_move() {
    let policy = |policy| move |settings: &mut GroupSettings| settings.consumer.migration_policy = policy;
    for refusing in [MigrationPolicy::Downgrade, MigrationPolicy::Disabled] {
        let mut world = world(policy(refusing));
        let old = classic_group(&mut world);
        assert_eq!(world.beat(Beat::join("new", &["orders"])), Err(ErrorCode::GROUP_ID_NOT_FOUND));
        assert_eq!(old.heartbeat(&mut world), ErrorCode::NONE);
    }
    let mut disabled = world(policy(MigrationPolicy::Disabled));
    disabled.beat(Beat::join("new", &["orders"])).unwrap();
    let refused = Classic::new().join(&mut disabled).error_code;
    assert_eq!(refused, ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    let mut upgrade = world(policy(MigrationPolicy::Upgrade));
    let mut old = classic_group(&mut upgrade);
    let new = upgrade.beat(Beat::join("new", &["orders"])).unwrap();
    for _ in 0..3 {
        old.live(&mut upgrade);
        upgrade.beat(Beat::stay("new", new.member_epoch)).unwrap();
    }
    assert_eq!(old.partitions(), [0, 1].into());
    upgrade.beat(Beat::stay("new", -1)).unwrap();
    assert_eq!(upgrade.group().member_count(), 1, "it stays a group of the new protocol");
    // Nobody is left whose heartbeat would compute what it shall have now.
    upgrade.advance(0);
    old.live(&mut upgrade);
    assert_eq!(old.partitions(), [0, 1, 2, 3].into());
    assert_eq!(old.heartbeat(&mut upgrade), ErrorCode::NONE);
}

#[test]
fn what_an_assignor_of_its_own_noted_is_not_lost() {
    let mut world = world(|_| {});
    let mut member = Classic::new();
    let ticket = world.ask_and_wait(member.join_request());
    world.advance(3_000);
    let reply = world.later.remove(&ticket).unwrap();
    member.joined(reply);
    let noted =
        ConsumerProtocolAssignment { user_data: Some(Bytes::from_static(b"note")), ..Default::default() };
    let entry = SyncGroupRequestAssignment {
        member_id: member.id.clone(),
        assignment: noted.to_member_bytes(1).unwrap(),
        ..Default::default()
    };
    world.ask(member.sync_request(vec![entry]));
    assert_eq!(world.beat(Beat::join("new", &["orders"])), Err(ErrorCode::GROUP_ID_NOT_FOUND));
    assert_eq!(member.heartbeat(&mut world), ErrorCode::NONE);
}

#[test]
fn an_empty_group_makes_room_for_one_of_the_other_kind() {
    let mut world = world(|_| {});
    world.beat(Beat::join("new", &["orders"])).unwrap();
    world.beat(Beat::stay("new", -1)).unwrap();
    let old = classic_group(&mut world);
    assert!(matches!(world.replayed(world.log.len()).group(GROUP), Some(Group::Classic(_))));
    let leave = LeaveGroupRequest {
        group_id: GROUP.into(),
        members: vec![MemberIdentity { member_id: old.id.clone(), ..Default::default() }],
        ..Default::default()
    };
    world.ask(Request::LeaveGroup(leave));
    assert_eq!(classic(&world).state(), State::Empty);
    assert!(world.beat(Beat::join("new", &["orders"])).is_ok());
    assert_eq!(world.replayed(world.log.len()).consumer_group(GROUP), Some(world.group()));
}

#[test]
fn members_are_taken_out_by_their_names_and_each_has_its_result() {
    let mut world = world(|_| {});
    world.beat(Beat::join("a", &["orders"]).named("first")).unwrap();
    world.beat(Beat::join("b", &["orders"])).unwrap();
    let identity = |member_id: &str, instance_id: Option<&str>| MemberIdentity {
        member_id: member_id.into(),
        group_instance_id: instance_id.map(Into::into),
        ..Default::default()
    };
    let members = vec![
        identity("", Some("first")),
        identity("c", None),
        identity("b", Some("first")),
        identity("", Some("nobody")),
    ];
    let request = LeaveGroupRequest { group_id: GROUP.into(), members, ..Default::default() };
    let Reply::LeaveGroup(response) = world.ask(Request::LeaveGroup(request)) else { panic!() };
    let codes: Vec<_> = response.members.iter().map(|member| member.error_code).collect();
    let expected = [
        ErrorCode::NONE,
        ErrorCode::UNKNOWN_MEMBER_ID,
        ErrorCode::FENCED_INSTANCE_ID,
        ErrorCode::UNKNOWN_MEMBER_ID,
    ];
    assert_eq!(codes, expected);
    assert_eq!(world.group().member_count(), 1);
}
