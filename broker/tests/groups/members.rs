//! Members of classic groups: they join, are assigned, live, leave, and are there after a restart.

use strandline_protocol::apis::describe_groups::DescribeGroupsRequest;
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::leave_group::{LeaveGroupRequest, MemberIdentity};
use strandline_protocol::{ErrorCode, Text};

use crate::requests::{AT_ONCE, find, heartbeat, join_alone, joining, new_member, sync};
use crate::support::{Folder, Running};

/// Two members of a group, the leader first.
async fn two_members(running: &Running, group: &str) -> [JoinGroupResponse; 2] {
    let first = join_alone(running, group).await;
    let assigned = sync(running, group, &first, &[(&first.member_id, b"all")]).await;
    assert_eq!((assigned.error_code, &assigned.assignment[..]), (ErrorCode::NONE, &b"all"[..]));
    let second = new_member(running, group).await;
    let (first_again, second_in) = (joining(group, &first.member_id, b"1"), joining(group, &second, b"2"));
    // The newcomer waits until the other has heard of it.
    let (first, second) = tokio::join!(running.ask(&first_again), running.ask(&second_in));
    assert_eq!([first.error_code, second.error_code], [ErrorCode::NONE; 2]);
    assert_eq!((first.generation_id, second.generation_id), (2, 2));
    if first.leader == first.member_id { [first, second] } else { [second, first] }
}

#[tokio::test]
async fn two_members_share_what_the_leader_says() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    assert_eq!(find(&running, "readers").await.error_code, ErrorCode::NONE);
    let [leader, follower] = two_members(&running, "readers").await;
    assert_eq!(leader.members.len(), 2);
    let metadata: Vec<_> = leader.members.iter().map(|member| &member.metadata[..]).collect();
    assert!(metadata.contains(&&b"1"[..]) && metadata.contains(&&b"2"[..]));
    assert!(follower.members.is_empty());
    let parts: [(&Text, &[u8]); 2] = [(&leader.member_id, b"left"), (&follower.member_id, b"right")];
    let (left, right) =
        tokio::join!(sync(&running, "readers", &leader, &parts), sync(&running, "readers", &follower, &[]));
    assert_eq!((&left.assignment[..], &right.assignment[..]), (&b"left"[..], &b"right"[..]));
    assert_eq!(right.protocol_name.as_deref(), Some("range"));
    for member in [&leader, &follower] {
        assert_eq!(heartbeat(&running, "readers", &member.member_id, 2).await, ErrorCode::NONE);
        assert_eq!(heartbeat(&running, "readers", &member.member_id, 1).await, ErrorCode::ILLEGAL_GENERATION);
    }
    running.stop().await;
}

#[tokio::test]
async fn members_and_their_assignments_are_there_after_a_restart() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    find(&running, "readers").await;
    let [leader, follower] = two_members(&running, "readers").await;
    let parts: [(&Text, &[u8]); 2] = [(&leader.member_id, b"left"), (&follower.member_id, b"right")];
    tokio::join!(sync(&running, "readers", &leader, &parts), sync(&running, "readers", &follower, &[]));
    running.stop().await;

    let running = folder.start(AT_ONCE).await;
    // While the log is being read, every member is told that all is well.
    assert_eq!(heartbeat(&running, "readers", &follower.member_id, 2).await, ErrorCode::NONE);
    let again = loop {
        let again = sync(&running, "readers", &follower, &[]).await;
        if again.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            break again;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((again.error_code, &again.assignment[..]), (ErrorCode::NONE, &b"right"[..]));
    running.stop().await;
}

#[tokio::test]
async fn a_member_that_leaves_makes_the_others_join_again() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    find(&running, "readers").await;
    let [leader, follower] = two_members(&running, "readers").await;
    let parts: [(&Text, &[u8]); 2] = [(&leader.member_id, b"left"), (&follower.member_id, b"right")];
    tokio::join!(sync(&running, "readers", &leader, &parts), sync(&running, "readers", &follower, &[]));
    let gone = MemberIdentity { member_id: follower.member_id.clone(), ..Default::default() };
    let unknown = MemberIdentity { member_id: "nobody".into(), ..Default::default() };
    let request =
        LeaveGroupRequest { group_id: "readers".into(), members: vec![gone, unknown], ..Default::default() };
    let response = running.ask(&request).await;
    let codes: Vec<_> = response.members.iter().map(|member| member.error_code).collect();
    assert_eq!(codes, [ErrorCode::NONE, ErrorCode::UNKNOWN_MEMBER_ID]);
    let told = heartbeat(&running, "readers", &leader.member_id, 2).await;
    assert_eq!(told, ErrorCode::REBALANCE_IN_PROGRESS);
    let told = heartbeat(&running, "readers", &follower.member_id, 2).await;
    assert_eq!(told, ErrorCode::UNKNOWN_MEMBER_ID);
    let alone = running.ask(&joining("readers", &leader.member_id, b"1")).await;
    assert_eq!((alone.generation_id, alone.members.len()), (3, 1));
    // In the versions with one member, its error stands on top.
    let request =
        LeaveGroupRequest { group_id: "readers".into(), member_id: "nobody".into(), ..Default::default() };
    assert_eq!(running.ask_in(2, &request).await.error_code, ErrorCode::UNKNOWN_MEMBER_ID);
    running.stop().await;
}

#[tokio::test]
async fn requests_without_a_group_are_refused() {
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    // Nobody has asked for a coordinator yet.
    assert_eq!(heartbeat(&running, "readers", &Text::new(), 0).await, ErrorCode::NOT_COORDINATOR);
    find(&running, "readers").await;
    assert_eq!(heartbeat(&running, "", &Text::new(), 0).await, ErrorCode::INVALID_GROUP_ID);
    assert_eq!(heartbeat(&running, "readers", &"x".into(), 0).await, ErrorCode::UNKNOWN_MEMBER_ID);
    let response = running.ask(&joining("readers", &"x".into(), b"")).await;
    assert_eq!((response.error_code, response.protocol_name), (ErrorCode::UNKNOWN_MEMBER_ID, None));
    let response = running.ask_in(6, &joining("", &"x".into(), b"")).await;
    assert_eq!(
        (response.error_code, response.protocol_name.as_deref()),
        (ErrorCode::INVALID_GROUP_ID, Some(""))
    );
    running.stop().await;
}

/// A classic group is one record, however many members it has and whatever they say of themselves: more than a client may
/// send at once.
#[tokio::test]
async fn a_group_that_takes_more_than_a_megabyte_is_there_after_a_restart() {
    const BYTES: usize = 800_000;
    let folder = Folder::new();
    let running = folder.start(AT_ONCE).await;
    find(&running, "readers").await;
    let large = |member_id: &Text, letter: u8| {
        let mut request = joining("readers", member_id, b"");
        request.protocols[0].metadata = vec![letter; BYTES].into();
        request
    };
    let first = running.ask(&large(&new_member(&running, "readers").await, b'1')).await;
    sync(&running, "readers", &first, &[(&first.member_id, b"all")]).await;
    let second = new_member(&running, "readers").await;
    let (first_again, second_in) = (large(&first.member_id, b'3'), large(&second, b'2'));
    let (first, second) = tokio::join!(running.ask(&first_again), running.ask(&second_in));
    assert_eq!([first.error_code, second.error_code], [ErrorCode::NONE; 2]);
    let (leader, follower) =
        if first.leader == first.member_id { (&first, &second) } else { (&second, &first) };
    let parts: [(&Text, &[u8]); 2] = [(&leader.member_id, b"left"), (&follower.member_id, b"right")];
    let synced = sync(&running, "readers", leader, &parts).await;
    assert_eq!(synced.error_code, ErrorCode::NONE);
    let log = |running: &Running| {
        let groups = &running.node.broker().groups;
        groups.log(groups.partition_of("readers").unwrap()).unwrap()
    };
    assert!(log(&running).bytes() > 2 * u64::try_from(BYTES).unwrap(), "{}", log(&running).bytes());
    running.stop().await;

    let running = folder.start(AT_ONCE).await;
    let request = DescribeGroupsRequest { groups: vec!["readers".into()], ..Default::default() };
    let group = loop {
        let group = running.ask(&request).await.groups.remove(0);
        if group.error_code != ErrorCode::COORDINATOR_LOAD_IN_PROGRESS {
            break group;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((group.error_code, group.group_state.as_str()), (ErrorCode::NONE, "Stable"));
    let metadata = |wanted: &JoinGroupResponse| {
        let member = group.members.iter().find(|member| member.member_id == wanted.member_id).unwrap();
        (member.member_metadata.to_vec(), member.member_assignment.to_vec())
    };
    assert!(metadata(&first).0 == [b'3'; BYTES] && metadata(&second).0 == [b'2'; BYTES]);
    assert_eq!((metadata(leader).1, metadata(follower).1), (b"left".to_vec(), b"right".to_vec()));
    assert_eq!(heartbeat(&running, "readers", &follower.member_id, 2).await, ErrorCode::NONE);
    running.stop().await;
}
