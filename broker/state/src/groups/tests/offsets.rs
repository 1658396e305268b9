//! What groups commit, in transactions and without, and when it goes.

use std::sync::Arc;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::offset_commit::OffsetCommitRequestPartition;
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::super::{Ask, Caller, Command, Decision, Event, GroupSettings, Reply, Request, Timer};
use super::driver::{Driver, committing, image, joining, leaving, settings, topic_id};
use crate::coordinator::{Machine, Ticket};

const NOBODY: (&str, i32) = ("", -1);
const ORDERS: (&str, i32) = ("orders", 0);
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

fn driver() -> Driver {
    Driver::new(settings(), &["orders", "others"])
}

#[test]
fn a_commit_of_nobody_makes_a_group_and_one_of_a_member_does_not() {
    let mut driver = driver();
    assert_eq!(driver.commit_in(9, "g", ("m", 1), ORDERS, 1), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(driver.commit_in(8, "g", ("m", 1), ORDERS, 1), ErrorCode::ILLEGAL_GENERATION);
    assert!(driver.groups.group("g").is_none() && driver.log.is_empty());
    assert_eq!(driver.commit("g", NOBODY, ORDERS, 1), ErrorCode::NONE);
    assert_eq!(driver.groups.group("g").map(|group| group.state_name()), Some("Empty"));
    assert_eq!(driver.offset("g", ORDERS), 1);
}

#[test]
fn members_commit_in_their_generation_and_nobody_else_does() {
    let mut driver = driver();
    let members = driver.stable("g", 1);
    let member = members[0].as_str();
    assert_eq!(driver.commit("g", (member, 1), ORDERS, 1), ErrorCode::NONE);
    assert_eq!(driver.commit("g", (member, 0), ORDERS, 2), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(driver.commit("g", ("x", 1), ORDERS, 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(driver.commit("g", NOBODY, ORDERS, 2), ErrorCode::UNKNOWN_MEMBER_ID);
    assert_eq!(driver.offset("g", ORDERS), 1);
    // A rebalance is being prepared: it commits what it has still.
    driver.enter("g");
    assert_eq!(driver.commit("g", (member, 1), ORDERS, 3), ErrorCode::NONE);
    driver.join(joining("g", member));
    // The generation has begun, and nobody knows what to read in it.
    assert_eq!(driver.commit("g", (member, 1), ORDERS, 4), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(driver.commit("g", (member, 2), ORDERS, 4), ErrorCode::REBALANCE_IN_PROGRESS);
    assert_eq!(driver.offset("g", ORDERS), 3);
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let mut driver = driver();
    let members = driver.stable("g", 1);
    for offset in 0..5 {
        driver.pass_ms(9_000);
        assert_eq!(driver.commit("g", (&members[0], 1), ORDERS, offset), ErrorCode::NONE);
    }
}

#[test]
fn a_note_that_is_too_long_is_refused_in_javas_measure() {
    let mut driver = Driver::new(GroupSettings { offset_metadata_max: 4, ..settings() }, &["orders"]);
    for (note, code) in
        [("𝄞𝄞", ErrorCode::NONE), ("𝄞𝄞x", ErrorCode::OFFSET_METADATA_TOO_LARGE), ("ääää", ErrorCode::NONE)]
    {
        let mut request = committing("g", NOBODY, ORDERS, 1);
        request.topics[0].partitions[0].committed_metadata = Some(note.into());
        let Reply::OffsetCommit(response) = driver.call(Request::OffsetCommit { request, version: 9 }) else {
            panic!()
        };
        assert_eq!(response.topics[0].partitions[0].error_code, code, "{note}");
    }
    assert_eq!(driver.fetch("g", ORDERS, false).metadata.as_deref(), Some("ääää"));
}

#[test]
fn what_is_committed_in_a_transaction_counts_once_that_is_committed() {
    let mut driver = driver();
    driver.commit("g", NOBODY, ORDERS, 1);
    for (producer, is_commit, expected) in [(7, false, 1), (8, true, 5)] {
        assert_eq!(driver.commit_in_transaction(producer, "g", NOBODY, ORDERS, 5), ErrorCode::NONE);
        assert_eq!(driver.offset("g", ORDERS), 1);
        let unstable = driver.fetch("g", ORDERS, true);
        assert_eq!((unstable.error_code, unstable.committed_offset), (ErrorCode::UNSTABLE_OFFSET_COMMIT, -1));
        assert_eq!(driver.fetch("g", ("orders", 1), true).error_code, ErrorCode::NONE);
        driver.restart();
        assert_eq!(driver.fetch("g", ORDERS, true).error_code, ErrorCode::UNSTABLE_OFFSET_COMMIT);
        driver.end(producer, is_commit);
        let stable = driver.fetch("g", ORDERS, true);
        assert_eq!((stable.error_code, stable.committed_offset), (ErrorCode::NONE, expected));
        driver.restart();
        assert_eq!(driver.offset("g", ORDERS), expected);
    }
}

#[test]
fn a_later_commit_counts_more_than_a_transaction_that_ends_after_it() {
    let mut driver = driver();
    driver.commit_in_transaction(7, "g", NOBODY, ORDERS, 5);
    driver.commit("g", NOBODY, ORDERS, 9);
    driver.end(7, true);
    assert_eq!(driver.offset("g", ORDERS), 9);
    driver.restart();
    assert_eq!(driver.offset("g", ORDERS), 9);
}

#[test]
fn transactions_are_fenced_by_member_and_generation_if_they_name_any() {
    let mut driver = driver();
    let members = driver.stable("g", 1);
    let member = members[0].as_str();
    assert_eq!(driver.commit_in_transaction(7, "g", (member, 1), ORDERS, 5), ErrorCode::NONE);
    assert_eq!(driver.commit_in_transaction(7, "g", (member, 0), ORDERS, 5), ErrorCode::ILLEGAL_GENERATION);
    assert_eq!(driver.commit_in_transaction(7, "g", ("x", 1), ORDERS, 5), ErrorCode::UNKNOWN_MEMBER_ID);
    // Old clients name none.
    assert_eq!(driver.commit_in_transaction(7, "g", NOBODY, ORDERS, 5), ErrorCode::NONE);
    assert_eq!(driver.commit_in_transaction(7, "h", (member, 1), ORDERS, 5), ErrorCode::ILLEGAL_GENERATION);
}

fn delete(driver: &mut Driver, group: &str, topic: &str) -> (ErrorCode, Vec<ErrorCode>) {
    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 0 }];
    let topics = vec![OffsetDeleteRequestTopic { name: topic.into(), partitions }];
    let request = OffsetDeleteRequest { group_id: group.into(), topics };
    let Reply::OffsetDelete(response) = driver.call(Request::OffsetDelete(request)) else { panic!() };
    let codes = response.topics.iter().flat_map(|topic| &topic.partitions);
    (response.error_code, codes.map(|partition| partition.error_code).collect())
}

#[test]
fn offsets_are_deleted_that_nobody_reads() {
    let mut driver = driver();
    assert_eq!(delete(&mut driver, "g", "orders"), (ErrorCode::GROUP_ID_NOT_FOUND, vec![]));
    driver.commit("g", NOBODY, ORDERS, 1);
    driver.commit_in_transaction(7, "g", NOBODY, ("others", 0), 1);
    assert_eq!(delete(&mut driver, "g", "orders"), (ErrorCode::NONE, vec![ErrorCode::NONE]));
    assert_eq!(delete(&mut driver, "g", "others"), (ErrorCode::NONE, vec![ErrorCode::NONE]));
    driver.end(7, true);
    assert_eq!([driver.offset("g", ORDERS), driver.offset("g", ("others", 0))], [-1, -1]);
    // Members that do not say what they read may read anything.
    driver.stable("h", 1);
    assert_eq!(
        delete(&mut driver, "h", "orders"),
        (ErrorCode::NONE, vec![ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC])
    );
    let mut join = joining("c", "");
    (join.needs_member_id, join.request.protocol_type) = (false, "connect".into());
    driver.join(join);
    driver.pass_ms(0);
    assert_eq!(delete(&mut driver, "c", "orders"), (ErrorCode::NON_EMPTY_GROUP, vec![]));
}

#[test]
fn offsets_of_a_simple_group_expire_by_their_own_age_and_the_group_with_them() {
    let mut driver = driver();
    driver.restart();
    driver.commit("g", NOBODY, ORDERS, 1);
    driver.pass_ms(4 * DAY_MS);
    driver.commit("g", NOBODY, ("orders", 1), 2);
    driver.pass_ms(3 * DAY_MS + 600_000);
    assert_eq!([driver.offset("g", ORDERS), driver.offset("g", ("orders", 1))], [-1, 2]);
    driver.pass_ms(4 * DAY_MS);
    assert!(driver.groups.group("g").is_none());
    let told = [false, true].map(|is_group_gone| Event::OffsetsExpired {
        group: "g".into(),
        count: 1,
        is_group_gone,
    });
    assert_eq!(driver.told, told);
    driver.restart();
    assert!(driver.groups.group("g").is_none() && driver.groups.offsets().count() == 0);
}

#[test]
fn offsets_of_a_group_that_had_members_expire_from_when_it_became_empty() {
    let mut driver = driver();
    driver.restart();
    let members = driver.stable("g", 1);
    driver.commit("g", (&members[0], 1), ORDERS, 1);
    for _ in 0..20 {
        driver.pass_ms(5_000);
        driver.heartbeat("g", &members[0], 1);
    }
    driver.leave("g", vec![leaving(&members[0])]);
    driver.pass_ms(7 * DAY_MS - 700_000);
    assert_eq!(driver.offset("g", ORDERS), 1);
    driver.pass_ms(1_400_000);
    assert!(driver.groups.group("g").is_none());
}

#[test]
fn nothing_expires_that_a_transaction_may_replace() {
    let mut driver = driver();
    driver.restart();
    driver.commit("g", NOBODY, ORDERS, 1);
    driver.commit_in_transaction(7, "g", NOBODY, ORDERS, 2);
    driver.pass_ms(9 * DAY_MS);
    assert_eq!(driver.offset("g", ORDERS), 1);
    driver.end(7, false);
    driver.pass_ms(DAY_MS);
    assert!(driver.groups.group("g").is_none());
}

#[test]
fn a_clock_that_is_set_back_deletes_nothing_early() {
    let mut driver = driver();
    driver.restart();
    driver.commit("g", NOBODY, ORDERS, 1);
    driver.now_ms -= 10 * DAY_MS;
    driver.command(Command::Due(Timer::Expire));
    assert_eq!(driver.offset("g", ORDERS), 1);
}

#[test]
fn old_clients_say_how_long_to_keep_an_offset() {
    let mut driver = driver();
    driver.restart();
    let request = strandline_protocol::apis::offset_commit::OffsetCommitRequest {
        retention_time_ms: 3_600_000,
        ..committing("g", NOBODY, ORDERS, 1)
    };
    driver.call(Request::OffsetCommit { request, version: 4 });
    driver.restart();
    driver.pass_ms(3_000_000);
    assert_eq!(driver.offset("g", ORDERS), 1);
    driver.pass_ms(1_300_000);
    assert_eq!(driver.offset("g", ORDERS), -1);
}

#[test]
fn offsets_go_with_their_topic_many_at_a_time() {
    let mut driver = driver();
    for partition in 0..25_000 {
        driver.commit("g", NOBODY, ("orders", partition), 1);
    }
    driver.commit("g", NOBODY, ("others", 0), 2);
    let deleted = vec![(topic_id(0), "orders".into())];
    let before = driver.log.len();
    driver.command(Command::MetadataChanged { image: image(&[]), changed: Vec::new(), deleted });
    let at_once = driver.log.len() - before;
    assert!(at_once <= 10_000, "{at_once}");
    driver.pass_ms(0);
    assert_eq!((driver.groups.offsets().count(), driver.offset("g", ("others", 0))), (1, 2));
}

#[test]
fn topics_that_went_while_nobody_looked_are_seen_to_after_loading() {
    let mut driver = driver();
    driver.commit("g", NOBODY, ORDERS, 1);
    driver.commit("g", NOBODY, ("others", 0), 2);
    driver.groups = super::super::Groups::new(Arc::new(settings()), image(&["others"]));
    driver.restart();
    assert_eq!([driver.offset("g", ORDERS), driver.offset("g", ("others", 0))], [-1, 2]);
    let replayed = driver.replayed(driver.log.len());
    assert_eq!(replayed.offsets(), driver.groups.offsets());
    let _ = replayed.loaded(0);
}

#[test]
fn a_deletion_of_which_a_part_came_to_be_is_finished_by_the_next() {
    let mut driver = driver();
    for group in ["g", "other"] {
        let mut request = committing(group, NOBODY, ORDERS, 7);
        let one = request.topics[0].partitions[0].clone();
        request.topics[0].partitions = (0..50)
            .map(|partition_index| OffsetCommitRequestPartition { partition_index, ..one.clone() })
            .collect();
        driver.call(Request::OffsetCommit { request, version: 9 });
    }
    let delete = || Request::DeleteGroup("g".into());
    let ask = Ask { ticket: Ticket(1), caller: Caller::default(), request: delete() };
    let decision = driver.groups.decide(driver.now_ms, Command::Ask(Box::new(ask)));
    assert_eq!((decision.divisible, decision.records.len()), (50, 51), "its own record goes with the last");
    for count in [0, 1, 30, 50] {
        let mut cut = self::driver();
        cut.log = driver.log.clone();
        cut.restart();
        let records = decision.records.iter().take(count).cloned().collect();
        cut.carry_out(Decision { records, ..Decision::default() });
        cut.restart();
        let deleted = |driver: &mut Driver| match driver.call(delete()) {
            Reply::DeleteGroup(result) => result.error_code,
            other => panic!("{other:?}"),
        };
        assert_eq!(deleted(&mut cut), ErrorCode::NONE, "after {count}");
        assert!(cut.groups.group("g").is_none() && cut.groups.offsets().of_group("g").is_none());
        assert_eq!(deleted(&mut cut), ErrorCode::GROUP_ID_NOT_FOUND);
        cut.restart();
        assert!(cut.groups.group("g").is_none());
        assert_eq!(cut.groups.offsets().count(), 50, "of another");
    }
}
