//! How a rebalance goes, and what ends it.

use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::classic::State;
use super::super::{Event, Group, GroupSettings, Kind, Missed};
use super::driver::{Driver, joining, leaving, settings};

fn driver() -> Driver {
    Driver::new(settings(), &["orders"])
}

/// One that was thrown out of the group.
fn out(member: &Text, why: Missed) -> Event {
    Event::MemberExpired { kind: Kind::Classic, group: "g".into(), member: member.clone(), why }
}

#[test]
fn who_is_thrown_out_for_silence_is_told_of_once_and_who_leaves_is_not() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    driver.leave("g", vec![leaving(&members[1])]);
    assert_eq!(driver.told, []);
    driver.pass_ms(3_600_000);
    assert_eq!(driver.told, [out(&members[0], Missed::Heartbeat)]);
}

#[test]
fn the_first_rebalance_waits_for_more_and_longer_where_some_come() {
    let slow = GroupSettings { initial_rebalance_delay_ms: 3_000, ..settings() };
    let mut driver = Driver::new(slow, &[]);
    let (_, first) = driver.enter("g");
    driver.pass_ms(2_999);
    assert!(!driver.replies.contains_key(&first));
    let (_, second) = driver.enter("g");
    // Somebody came: it is put off once more.
    driver.pass_ms(1);
    assert!(!driver.replies.contains_key(&first));
    driver.pass_ms(3_000);
    let [first, second] = [driver.joined(first), driver.joined(second)];
    assert_eq!([first.generation_id, second.generation_id], [1, 1]);
    assert_eq!(first.members.len() + second.members.len(), 2);
}

#[test]
fn it_is_not_put_off_beyond_the_rebalance_timeout() {
    let slow = GroupSettings { initial_rebalance_delay_ms: 50_000, ..settings() };
    let mut driver = Driver::new(slow, &[]);
    let (_, first) = driver.enter("g");
    for _ in 0..3 {
        driver.pass_ms(20_000);
        driver.enter("g");
    }
    // The timeout of the members is 60 s, and they have waited for 60 s by now.
    driver.pass_ms(0);
    assert_eq!(driver.joined(first).error_code, ErrorCode::NONE);
}

#[test]
fn members_that_do_not_come_are_left_behind() {
    let mut driver = driver();
    let members = driver.stable("g", 3);
    let waiting = driver.join(joining("g", &members[0]));
    let led_by = driver.group("g").leader().cloned();
    if led_by.as_ref() != Some(&members[0]) {
        // A follower that says nothing new is told the same again.
        assert_eq!(driver.joined(waiting).generation_id, 1);
        return;
    }
    driver.pass_ms(9_000);
    for member in &members[1..] {
        assert_eq!(driver.heartbeat("g", member, 1), ErrorCode::REBALANCE_IN_PROGRESS);
    }
    driver.join(joining("g", &members[1]));
    for _ in 0..6 {
        driver.pass_ms(9_000);
        driver.heartbeat("g", &members[2], 1);
    }
    assert_eq!(driver.joined(waiting).generation_id, 2);
    assert_eq!(driver.group("g").members().count(), 2);
    assert_eq!(driver.heartbeat("g", &members[2], 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(driver.told, [out(&members[2], Missed::Join)]);
}

#[test]
fn a_leader_that_joins_again_makes_everybody_join_and_a_follower_does_not() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    let leader = driver.group("g").leader().cloned().unwrap();
    let follower = members.iter().find(|id| **id != leader).unwrap();
    let ticket = driver.join(joining("g", follower));
    assert_eq!(driver.joined(ticket).generation_id, 1);
    assert_eq!(driver.group("g").state(), State::Stable);
    driver.join(joining("g", &leader));
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
    let ticket = driver.join(joining("g", follower));
    assert_eq!(driver.joined(ticket).generation_id, 2);
}

#[test]
fn a_follower_that_says_something_new_makes_everybody_join() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    let leader = driver.group("g").leader().cloned().unwrap();
    let follower = members.iter().find(|id| **id != leader).unwrap();
    let mut join = joining("g", follower);
    join.request.protocols[0].metadata = Bytes::from_static(b"another");
    driver.join(join);
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
}

#[test]
fn who_waits_for_an_assignment_is_sent_back_when_somebody_else_comes() {
    let mut driver = driver();
    let [(_, first), (_, second)] = [driver.enter("g"), driver.enter("g")];
    driver.pass_ms(0);
    let joined = [driver.joined(first), driver.joined(second)];
    let follower = joined.iter().find(|joined| joined.members.is_empty()).unwrap();
    let ticket = driver.sync("g", follower, &[]);
    assert!(!driver.replies.contains_key(&ticket));
    driver.enter("g");
    assert_eq!(driver.synced(ticket).error_code, ErrorCode::REBALANCE_IN_PROGRESS);
}

#[test]
fn members_that_never_ask_for_their_assignment_are_out() {
    let mut driver = driver();
    let [(_, first), (_, second)] = [driver.enter("g"), driver.enter("g")];
    driver.pass_ms(0);
    let joined = [driver.joined(first), driver.joined(second)];
    let leader = joined.iter().find(|joined| !joined.members.is_empty()).unwrap();
    let follower = joined.iter().find(|joined| joined.members.is_empty()).unwrap();
    let mine = [(leader.member_id.clone(), Text::from("all"))];
    let ticket = driver.sync("g", leader, &mine);
    assert_eq!(driver.synced(ticket).assignment, Bytes::from_static(b"all"));
    for _ in 0..7 {
        driver.pass_ms(9_000);
        driver.heartbeat("g", &leader.member_id, 1);
        driver.heartbeat("g", &follower.member_id, 1);
    }
    assert_eq!(driver.heartbeat("g", &follower.member_id, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(driver.heartbeat("g", &leader.member_id, 1), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(driver.told, [out(&follower.member_id, Missed::Sync)]);
}

#[test]
fn a_member_without_an_assignment_gets_an_empty_one_and_the_log_has_it_all() {
    let mut driver = driver();
    let [(_, first), (_, second)] = [driver.enter("g"), driver.enter("g")];
    driver.pass_ms(0);
    let joined = [driver.joined(first), driver.joined(second)];
    let leader = joined.iter().find(|joined| !joined.members.is_empty()).unwrap();
    let follower = joined.iter().find(|joined| joined.members.is_empty()).unwrap();
    let waiting = driver.sync("g", follower, &[]);
    let mine = [(leader.member_id.clone(), Text::from("all")), ("stranger".into(), "x".into())];
    driver.sync("g", leader, &mine);
    assert_eq!((driver.synced(waiting).assignment, driver.group("g").state()), (Bytes::new(), State::Stable));
    driver.restart();
    let Some(Group::Classic(group)) = driver.groups.group("g") else { panic!() };
    assert_eq!((group.state(), group.generation(), group.members().count()), (State::Stable, 1, 2));
    let assigned: Vec<_> = group.members().map(|(id, member)| (id, &member.assignment[..])).collect();
    assert!(assigned.contains(&(&leader.member_id, &b"all"[..])));
    // Everybody has a session afresh.
    driver.pass_ms(9_999);
    assert_eq!(driver.heartbeat("g", &follower.member_id, 1), ErrorCode::NONE);
}

#[test]
fn a_rebalance_that_a_crash_interrupts_begins_anew() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    driver.enter("g");
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
    driver.restart();
    assert_eq!((driver.group("g").state(), driver.group("g").generation()), (State::Stable, 1));
    assert_eq!(driver.heartbeat("g", &members[0], 1), ErrorCode::NONE);
    driver.pass_ms(10_000);
    assert_eq!(driver.heartbeat("g", &members[1], 1), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn generations_go_on_where_they_were_after_a_group_was_empty() {
    let mut driver = driver();
    let members = driver.stable("g", 1);
    driver.leave("g", vec![leaving(&members[0])]);
    driver.restart();
    assert_eq!((driver.group("g").state(), driver.group("g").generation()), (State::Empty, 2));
    let (_, ticket) = driver.enter("g");
    driver.pass_ms(0);
    assert_eq!(driver.joined(ticket).generation_id, 3);
}
