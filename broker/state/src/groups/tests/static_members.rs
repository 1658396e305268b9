//! Members with configured names (KIP-345).

use strandline_protocol::apis::leave_group::MemberIdentity;
use strandline_protocol::{Bytes, ErrorCode, Text};

use super::super::classic::{Join, State};
use super::driver::{Driver, joining, protocols, settings};

fn driver() -> Driver {
    Driver::new(settings(), &[])
}

fn named(group: &str, member_id: &str, instance_id: &str) -> Join {
    let mut join = joining(group, member_id);
    join.request.group_instance_id = Some(instance_id.into());
    join
}

/// A stable group of two static members, `a` and `b`: the ids, the leader's first.
fn stable(driver: &mut Driver) -> [(Text, &'static str); 2] {
    let tickets = [driver.join(named("g", "", "a")), driver.join(named("g", "", "b"))];
    driver.pass_ms(0);
    let joined = tickets.map(|ticket| driver.joined(ticket));
    let names = ["a", "b"];
    let mut members: Vec<_> = joined.iter().map(|joined| joined.member_id.clone()).zip(names).collect();
    let leader = joined.iter().find(|joined| !joined.members.is_empty()).unwrap().clone();
    members.sort_by_key(|(id, _)| *id != leader.member_id);
    let parts: Vec<_> = members.iter().map(|(id, name)| (id.clone(), Text::from(*name))).collect();
    for joined in joined.iter().filter(|joined| joined.member_id != leader.member_id) {
        driver.sync("g", joined, &[]);
    }
    driver.sync("g", &leader, &parts);
    driver.replies.clear();
    members.try_into().unwrap()
}

#[test]
fn one_comes_in_at_once_and_its_id_has_its_name() {
    let mut driver = driver();
    let ticket = driver.join(named("g", "", "a"));
    driver.pass_ms(0);
    let joined = driver.joined(ticket);
    assert_eq!(joined.error_code, ErrorCode::NONE);
    assert!(joined.member_id.starts_with("a-"));
    assert_eq!(joined.members[0].group_instance_id.as_deref(), Some("a"));
}

#[test]
fn one_that_comes_back_has_its_assignment_and_the_old_one_is_fenced() {
    let mut driver = driver();
    let [_, (old, name)] = stable(&mut driver);
    let ticket = driver.join(named("g", "", name));
    let joined = driver.joined(ticket);
    assert_eq!(
        (joined.error_code, joined.generation_id, joined.skip_assignment),
        (ErrorCode::NONE, 1, false)
    );
    assert_ne!(joined.member_id, old);
    assert_eq!(driver.group("g").state(), State::Stable);
    let ticket = driver.sync("g", &joined, &[]);
    assert_eq!(driver.synced(ticket).assignment, Bytes::from(name));
    // The old one learns of it at every turn.
    assert_eq!(driver.heartbeat("g", &old, 1), ErrorCode::UNKNOWN_MEMBER_ID);
    let ticket = driver.join(named("g", &old, name));
    assert_eq!(driver.joined(ticket).error_code, ErrorCode::FENCED_INSTANCE_ID);
    driver.restart();
    assert_eq!(driver.heartbeat("g", &joined.member_id, 1), ErrorCode::NONE);
}

#[test]
fn a_leader_that_comes_back_is_not_to_assign() {
    for knows in [true, false] {
        let mut driver = driver();
        let [(old, name), _] = stable(&mut driver);
        let ticket = driver.join(Join { knows_skip_assignment: knows, ..named("g", "", name) });
        let joined = driver.joined(ticket);
        assert_eq!((joined.generation_id, joined.skip_assignment), (1, knows));
        // One that does not know better takes itself for a follower.
        assert_eq!(joined.leader == joined.member_id, knows);
        assert_eq!(joined.leader == old, !knows);
        assert_eq!(joined.members.len(), if knows { 2 } else { 0 });
        assert_eq!(driver.group("g").leader(), Some(&joined.member_id));
    }
}

#[test]
fn one_that_comes_back_with_another_protocol_makes_everybody_join() {
    let mut driver = driver();
    let tickets: Vec<_> = ["a", "b"]
        .iter()
        .map(|name| {
            let mut join = named("g", "", name);
            join.request.protocols = protocols(&["range", "robin"]);
            driver.join(join)
        })
        .collect();
    driver.pass_ms(0);
    let joined: Vec<_> = tickets.into_iter().map(|ticket| driver.joined(ticket)).collect();
    let leader = joined.iter().find(|joined| !joined.members.is_empty()).unwrap();
    driver.sync("g", leader, &[]);
    let mut join = named("g", "", "b");
    join.request.protocols = protocols(&["robin"]);
    driver.join(join);
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
}

#[test]
fn one_that_is_silent_for_a_rebalance_stays_in_until_its_session_ends() {
    let mut driver = driver();
    let [(leader, name), (silent, _)] = stable(&mut driver);
    let waiting = driver.join(named("g", &leader, name));
    // The leader waits; the other's session ends after 10 s, and with that the rebalance.
    driver.pass_ms(9_999);
    assert!(!driver.replies.contains_key(&waiting));
    driver.pass_ms(1);
    assert_eq!(driver.joined(waiting).generation_id, 2);
    assert!(!driver.group("g").members().any(|(id, _)| *id == silent));
}

#[test]
fn an_administrator_takes_one_out_by_its_name() {
    let mut driver = driver();
    let [_, (id, name)] = stable(&mut driver);
    let by_name = |name: &str| MemberIdentity { group_instance_id: Some(name.into()), ..Default::default() };
    let fenced = MemberIdentity { member_id: "other".into(), ..by_name(name) };
    let response = driver.leave("g", vec![by_name("nobody"), fenced, by_name(name)]);
    let codes: Vec<_> = response.members.iter().map(|member| member.error_code).collect();
    assert_eq!(codes, [ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::FENCED_INSTANCE_ID, ErrorCode::NONE]);
    assert!(!driver.group("g").members().any(|(known, _)| *known == id));
}

#[test]
fn two_of_one_name_that_wait_are_one_and_the_first_is_fenced() {
    let mut driver = driver();
    let first = driver.join(named("g", "", "a"));
    let second = driver.join(named("g", "", "a"));
    assert_eq!(driver.joined(first).error_code, ErrorCode::FENCED_INSTANCE_ID);
    driver.pass_ms(0);
    let joined = driver.joined(second);
    assert_eq!((joined.error_code, joined.members.len()), (ErrorCode::NONE, 1));
}
