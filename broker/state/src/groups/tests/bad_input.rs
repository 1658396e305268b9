//! Bad input to groups: each gets Kafka's own code, and changes nothing, no timer either. (`tests/conformance/answers`
//! asks Kafka the same.)

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use strandline_protocol::apis::offset_fetch::OffsetFetchRequestGroup;

use super::super::classic::Join;
use super::super::{Groups, Reply, Request};
use super::driver::{Driver, joining, leaving, protocols, settings, syncing};

const ORDERS: (&str, i32) = ("orders", 0);

/// What is done, in words, how, and what comes back.
type Case = (&'static str, Box<dyn Fn(&mut Driver) -> ErrorCode>, ErrorCode);

fn case(words: &'static str, code: ErrorCode, done: impl Fn(&mut Driver) -> ErrorCode + 'static) -> Case {
    (words, Box::new(done), code)
}

fn join(change: impl Fn(&mut Join)) -> impl Fn(&mut Driver) -> ErrorCode {
    move |driver| {
        let mut join = joining("g", "");
        change(&mut join);
        let ticket = driver.join(join);
        driver.joined(ticket).error_code
    }
}

fn sync(member_id: &str, generation_id: i32) -> impl Fn(&mut Driver) -> ErrorCode + use<> {
    let member_id = member_id.to_owned();
    move |driver| {
        let member_id = member_id.as_str().into();
        let joined = JoinGroupResponse { generation_id, member_id, ..Default::default() };
        match driver.call(Request::SyncGroup(syncing("g", &joined, &[]))) {
            Reply::SyncGroup(response) => response.error_code,
            other => panic!("{other:?}"),
        }
    }
}

fn beat(group: &'static str, member_id: &'static str, epoch: i32) -> impl Fn(&mut Driver) -> ErrorCode {
    move |driver| {
        let request = ConsumerGroupHeartbeatRequest {
            group_id: group.into(),
            member_id: member_id.into(),
            member_epoch: epoch,
            ..Default::default()
        };
        let new_member_id = "made".into();
        match driver.call(Request::ConsumerGroupHeartbeat { request, version: 1, new_member_id }) {
            Reply::ConsumerGroupHeartbeat(response) => response.error_code,
            other => panic!("{other:?}"),
        }
    }
}

fn delete(group: &'static str) -> impl Fn(&mut Driver) -> ErrorCode {
    move |driver| match driver.call(Request::DeleteGroup(group.into())) {
        Reply::DeleteGroup(result) => result.error_code,
        other => panic!("{other:?}"),
    }
}

fn delete_offsets(driver: &mut Driver) -> ErrorCode {
    let partitions = vec![OffsetDeleteRequestPartition { partition_index: 0 }];
    let topics = vec![OffsetDeleteRequestTopic { name: "orders".into(), partitions }];
    let request = OffsetDeleteRequest { group_id: "none".into(), topics };
    match driver.call(Request::OffsetDelete(request)) {
        Reply::OffsetDelete(response) => response.error_code,
        other => panic!("{other:?}"),
    }
}

fn fetch(member_id: &'static str, member_epoch: i32) -> impl Fn(&mut Driver) -> ErrorCode {
    move |driver| {
        let request = OffsetFetchRequestGroup {
            group_id: "c".into(),
            member_id: Some(member_id.into()),
            member_epoch,
            ..Default::default()
        };
        match driver.call(Request::OffsetFetch { request, require_stable: false }) {
            Reply::OffsetFetch(response) => response.error_code,
            other => panic!("{other:?}"),
        }
    }
}

fn check(driver: &mut Driver, cases: &[Case]) {
    let shown = |groups: &Groups| format!("{groups:?}");
    for (words, done, code) in cases {
        let before = (shown(&driver.groups), driver.log.len(), driver.timers.clone());
        assert_eq!(done(driver), *code, "{words}");
        assert_eq!((shown(&driver.groups), driver.log.len(), driver.timers.clone()), before, "{words}");
        let replayed = driver.replayed(driver.log.len());
        assert_eq!(format!("{:?}", replayed.offsets()), format!("{:?}", driver.groups.offsets()), "{words}");
    }
}

#[test]
fn a_classic_group_refuses_it_and_is_what_it_was() {
    let mut driver = Driver::new(settings(), &["orders"]);
    let member: &'static str = String::from(driver.stable("g", 1).remove(0)).leak();
    assert_eq!(driver.commit("g", (member, 1), ORDERS, 7), ErrorCode::NONE);
    let heartbeat = |id, generation| move |driver: &mut Driver| driver.heartbeat("g", id, generation);
    let commit = |id, generation| move |driver: &mut Driver| driver.commit("g", (id, generation), ORDERS, 9);
    let in_transaction = |id, generation| {
        move |driver: &mut Driver| driver.commit_in_transaction(5, "g", (id, generation), ORDERS, 9)
    };
    let leave = |id: &'static str| {
        move |driver: &mut Driver| driver.leave("g", vec![leaving(id)]).members[0].error_code
    };
    let (unknown, old) = (ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::ILLEGAL_GENERATION);
    let inconsistent = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
    let cases = [
        case("a heartbeat of a stranger", unknown, heartbeat("stranger", 1)),
        case("a heartbeat of the generation before", old, heartbeat(member, 0)),
        case("a heartbeat of one to come", old, heartbeat(member, 2)),
        case("a sync of a stranger", unknown, sync("stranger", 1)),
        case("a sync of the generation before", old, sync(member, 0)),
        case("a sync of one to come", old, sync(member, 2)),
        case("a commit of a stranger", unknown, commit("stranger", 1)),
        case("a commit of nobody", unknown, commit("", -1)),
        case("a commit of the generation before", old, commit(member, 0)),
        case("a commit of one to come", old, commit(member, 2)),
        case("the same in a transaction, of a stranger", unknown, in_transaction("stranger", 1)),
        case("the same in a transaction, of the generation before", old, in_transaction(member, 0)),
        case("a stranger leaves", unknown, leave("stranger")),
        case("a stranger joins by an id", unknown, join(|join| join.request.member_id = "stranger".into())),
        case(
            "a session that is too short",
            ErrorCode::INVALID_SESSION_TIMEOUT,
            join(|join| join.request.session_timeout_ms = 5),
        ),
        case(
            "a session that is too long",
            ErrorCode::INVALID_SESSION_TIMEOUT,
            join(|join| join.request.session_timeout_ms = i32::MAX),
        ),
        case("another type", inconsistent, join(|join| join.request.protocol_type = "connect".into())),
        case("no protocol", inconsistent, join(|join| join.request.protocols.clear())),
        case("no common one", inconsistent, join(|join| join.request.protocols = protocols(&["other"]))),
        case("it has members and is to go", ErrorCode::NON_EMPTY_GROUP, delete("g")),
        case("a group that is not there is to go", ErrorCode::GROUP_ID_NOT_FOUND, delete("none")),
        case("and its offsets", ErrorCode::GROUP_ID_NOT_FOUND, delete_offsets),
        case("a member of the other protocol stays", ErrorCode::GROUP_ID_NOT_FOUND, beat("g", member, 1)),
    ];
    check(&mut driver, &cases);
    assert_eq!(driver.offset("g", ORDERS), 7);
}

/// What a member said of itself is kept as long as the group is: it has a bound.
#[test]
fn a_member_that_says_too_much_of_itself_is_refused() {
    let mut driver = Driver::new(settings(), &["orders"]);
    driver.stable("g", 1);
    let large = join(|join| {
        let metadata = vec![0; 10 << 20];
        join.needs_member_id = false;
        join.request.protocols[0].metadata = metadata.into();
    });
    check(&mut driver, &[case("10 MiB of metadata", ErrorCode::GROUP_MAX_SIZE_REACHED, large)]);
}

#[test]
fn a_consumer_group_refuses_it_and_is_what_it_was() {
    let mut driver = Driver::new(settings(), &["orders"]);
    let joining = ConsumerGroupHeartbeatRequest {
        group_id: "c".into(),
        member_id: "m".into(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["orders".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    };
    let request = Request::ConsumerGroupHeartbeat { request: joining, version: 1, new_member_id: "x".into() };
    driver.call(request);
    driver.pass_ms(0);
    let epoch = driver.groups.consumer_group("c").unwrap().member("m").unwrap().epoch;
    assert_eq!(driver.commit("c", ("m", epoch), ORDERS, 7), ErrorCode::NONE);
    let (unknown, fenced, stale) =
        (ErrorCode::UNKNOWN_MEMBER_ID, ErrorCode::FENCED_MEMBER_EPOCH, ErrorCode::STALE_MEMBER_EPOCH);
    let commit = |id, epoch| move |driver: &mut Driver| driver.commit("c", (id, epoch), ORDERS, 9);
    let commit_in =
        |version| move |driver: &mut Driver| driver.commit_in(version, "c", ("m", epoch), ORDERS, 9);
    let cases = [
        case("a stranger stays", unknown, beat("c", "stranger", 1)),
        case("an epoch to come", fenced, beat("c", "m", epoch + 5)),
        case("an epoch that is none", ErrorCode::INVALID_REQUEST, beat("c", "m", -3)),
        case("a stranger leaves", unknown, beat("c", "stranger", -1)),
        case("a group that is not there", ErrorCode::GROUP_ID_NOT_FOUND, beat("none", "m", 1)),
        case("a commit of a stranger", unknown, commit("stranger", 1)),
        case("a commit of nobody", unknown, commit("", -1)),
        case("a commit of an epoch to come", stale, commit("m", epoch + 1)),
        case("a commit in an old version", ErrorCode::UNSUPPORTED_VERSION, commit_in(8)),
        case("a fetch of a stranger", unknown, fetch("stranger", 1)),
        case("a fetch of an epoch to come", stale, fetch("m", epoch + 1)),
        case("a heartbeat of the other protocol", unknown, move |driver| driver.heartbeat("c", "m", epoch)),
        case("it has members and is to go", ErrorCode::NON_EMPTY_GROUP, delete("c")),
    ];
    check(&mut driver, &cases);
    assert_eq!(driver.offset("c", ORDERS), 7);
}
