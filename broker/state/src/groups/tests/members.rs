//! Who may join, and what members are told.

use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::{Bytes, ErrorCode};

use super::super::classic::State;
use super::super::{GroupSettings, Request, Timer};
use super::driver::{Driver, joining, leaving, protocols, settings, syncing};

fn driver() -> Driver {
    Driver::new(settings(), &["orders"])
}

fn code(response: &JoinGroupResponse) -> ErrorCode {
    response.error_code
}

#[test]
fn a_newcomer_is_given_an_id_first_and_comes_in_with_it() {
    let mut driver = driver();
    let ticket = driver.join(joining("g", ""));
    let response = driver.joined(ticket);
    assert_eq!(code(&response), ErrorCode::MEMBER_ID_REQUIRED);
    assert!(response.member_id.starts_with("client-") && response.member_id.len() == 7 + 36);
    let ticket = driver.join(joining("g", &response.member_id));
    driver.pass_ms(0);
    let joined = driver.joined(ticket);
    assert_eq!(
        (code(&joined), joined.generation_id, &joined.leader),
        (ErrorCode::NONE, 1, &response.member_id)
    );
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));
    assert_eq!(joined.members[0].metadata, Bytes::from_static(b"of range"));
}

#[test]
fn an_old_newcomer_comes_in_at_once() {
    let mut driver = driver();
    let ticket = driver.join(Join { needs_member_id: false, ..joining("g", "") });
    driver.pass_ms(0);
    assert_eq!(code(&driver.joined(ticket)), ErrorCode::NONE);
}

use super::super::classic::Join;

#[test]
fn an_id_that_nobody_comes_back_with_is_forgotten() {
    let mut driver = driver();
    let ticket = driver.join(joining("g", ""));
    let id = driver.joined(ticket).member_id;
    driver.pass_ms(10_000);
    let ticket = driver.join(joining("g", &id));
    assert_eq!(code(&driver.joined(ticket)), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn a_bad_request_is_refused_and_changes_nothing() {
    let mut driver = driver();
    let mut refused = |change: &dyn Fn(&mut Join)| {
        let mut join = joining("g", "");
        change(&mut join);
        let ticket = driver.join(join);
        let code = code(&driver.joined(ticket));
        assert!(driver.groups.group("g").is_none() && driver.log.is_empty() && driver.timers.is_empty());
        code
    };
    assert_eq!(refused(&|join| join.request.session_timeout_ms = 5_999), ErrorCode::INVALID_SESSION_TIMEOUT);
    assert_eq!(
        refused(&|join| join.request.session_timeout_ms = 1_800_001),
        ErrorCode::INVALID_SESSION_TIMEOUT
    );
    assert_eq!(refused(&|join| join.request.member_id = "x".into()), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(refused(&|join| join.request.protocols.clear()), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(
        refused(&|join| join.request.protocol_type = "".into()),
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );
    let large = Bytes::from(vec![0; 9 << 20]);
    assert_eq!(
        refused(&|join| join.request.protocols[0].metadata = large.clone()),
        ErrorCode::GROUP_MAX_SIZE_REACHED
    );
}

#[test]
fn protocols_have_to_suit_everybody() {
    let mut driver = driver();
    driver.stable("g", 2);
    for (kind, names) in [("connect", ["range"]), ("consumer", ["sticky"])] {
        let mut join = joining("g", "");
        join.request.protocol_type = kind.into();
        join.request.protocols = protocols(&names);
        let ticket = driver.join(join);
        assert_eq!(code(&driver.joined(ticket)), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    assert_eq!(driver.group("g").state(), State::Stable);
}

#[test]
fn the_protocol_that_most_like_best_is_chosen() {
    let mut driver = driver();
    let mut tickets = Vec::new();
    for names in [["sticky", "range", "robin"], ["range", "sticky", "robin"], ["range", "robin", "sticky"]] {
        let mut join = Join { needs_member_id: false, ..joining("g", "") };
        join.request.protocols = protocols(&names);
        tickets.push(driver.join(join));
    }
    driver.pass_ms(0);
    for ticket in tickets {
        assert_eq!(driver.joined(ticket).protocol_name.as_deref(), Some("range"));
    }
    assert_eq!(driver.group("g").protocol().map(|name| name.as_str()), Some("range"));
}

#[test]
fn a_group_has_no_more_members_than_are_allowed() {
    let mut driver = Driver::new(GroupSettings { members_max: 2, ..settings() }, &[]);
    let members = driver.stable("g", 2);
    let ticket = driver.join(joining("g", ""));
    let refused = driver.joined(ticket);
    assert_eq!((code(&refused), refused.member_id.as_str()), (ErrorCode::GROUP_MAX_SIZE_REACHED, ""));
    // Those that are in may come again.
    let ticket = driver.join(joining("g", &members[0]));
    assert!(driver.take(ticket).is_none() || driver.group("g").state() == State::Stable);
}

#[test]
fn signs_of_life_keep_a_member_and_silence_ends_it() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    for _ in 0..5 {
        driver.pass_ms(9_000);
        assert_eq!(
            driver.heartbeat("g", &members[0], 1),
            if driver.group("g").state() == State::Stable {
                ErrorCode::NONE
            } else {
                ErrorCode::REBALANCE_IN_PROGRESS
            }
        );
    }
    assert_eq!(driver.heartbeat("g", &members[1], 1), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
    assert_eq!(driver.heartbeat("g", &members[0], 0), ErrorCode::ILLEGAL_GENERATION);
    // It has not joined in its time: the group is empty, and says so in the log.
    driver.pass_ms(60_000);
    assert_eq!(driver.group("g").state(), State::Empty);
    assert_eq!(driver.replayed(driver.log.len()).group("g").unwrap().state_name(), "Empty");
}

#[test]
fn a_member_is_missed_a_session_after_it_was_heard_of_last_however_that_was() {
    // Every other heartbeat is heeded and not decided on: the last one of them, or the one before.
    for first in 0..2 {
        let mut driver = driver();
        let members = driver.stable("g", 1);
        for _ in 0..first {
            driver.heartbeat("nobody", "", 0);
        }
        for _ in 0..4 {
            driver.pass_ms(7_000);
            assert_eq!(driver.heartbeat("g", &members[0], 1), ErrorCode::NONE);
        }
        driver.pass_ms(9_999);
        assert_eq!(driver.group("g").state(), State::Stable);
        driver.pass_ms(1);
        assert_eq!(driver.group("g").state(), State::Empty);
    }
}

#[test]
fn leaving_takes_members_out_each_by_itself() {
    let mut driver = driver();
    let members = driver.stable("g", 3);
    let response = driver.leave("g", vec![leaving(&members[0]), leaving("nobody"), leaving(&members[1])]);
    let codes: Vec<_> = response.members.iter().map(|member| member.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::NONE]);
    assert_eq!(driver.group("g").state(), State::PreparingRebalance);
    assert!(!driver.timers.contains_key(&Timer::Session { group: "g".into(), member: members[0].clone() }));
    driver.leave("g", vec![leaving(&members[2])]);
    assert_eq!((driver.group("g").state(), driver.group("g").generation()), (State::Empty, 2));
    let response = driver.leave("none", vec![leaving("x")]);
    assert_eq!(response.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn one_that_waits_and_is_taken_out_is_told_so() {
    let mut driver = driver();
    let members = driver.stable("g", 2);
    let ticket = driver.join(joining("g", &members[1]));
    driver.leave("g", vec![leaving(&members[1])]);
    // The first had not joined: it is waited for.
    if let Some(super::super::Reply::JoinGroup(told)) = driver.take(ticket) {
        assert!(matches!(code(&told), ErrorCode::UNKNOWN_MEMBER_ID | ErrorCode::NONE));
    }
    assert!(!driver.group("g").members().any(|(id, _)| *id == members[1]));
}

#[test]
fn a_sync_is_held_against_the_generation_and_the_protocol() {
    let mut driver = driver();
    let (_, ticket) = driver.enter("g");
    driver.pass_ms(0);
    let joined = driver.joined(ticket);
    let mut refused = |change: &dyn Fn(&mut strandline_protocol::apis::sync_group::SyncGroupRequest)| {
        let mut request = syncing("g", &joined, &[]);
        change(&mut request);
        let ticket = driver.ask(Request::SyncGroup(request));
        driver.synced(ticket).error_code
    };
    assert_eq!(refused(&|request| request.generation_id = 0), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(refused(&|request| request.member_id = "x".into()), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(
        refused(&|request| request.group_instance_id = Some("x".into())),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(refused(&|request| request.group_id = "h".into()), ErrorCode::UNKNOWN_MEMBER_ID);
    let other = || Some("other".into());
    assert_eq!(refused(&|request| request.protocol_type = other()), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(refused(&|request| request.protocol_name = other()), ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    assert_eq!(driver.group("g").state(), State::CompletingRebalance);
}
