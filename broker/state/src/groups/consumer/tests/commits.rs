use strandline_protocol::ErrorCode;

use super::*;

/// One member with two partitions of four since epoch 3, another with the others.
fn two_members() -> World {
    let mut world = World::new(&[("orders", 4)]);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    world.beat(Beat::join("b", &["orders"])).unwrap();
    world.beat(Beat::stay("a", 2)).unwrap();
    world.beat(Beat::stay("a", 2).owning(&[("orders", &[0, 1])])).unwrap();
    world.beat(Beat::stay("b", 3)).unwrap();
    world
}

#[test]
fn members_commit_in_their_epoch_or_in_one_since_which_they_have_the_partition() {
    let mut world = two_members();
    for (member_id, epoch, partition, expected) in [
        ("a", 3, 0, ErrorCode::NONE),
        ("a", 2, 0, ErrorCode::NONE),
        ("a", 1, 0, ErrorCode::STALE_MEMBER_EPOCH),
        ("a", 4, 0, ErrorCode::STALE_MEMBER_EPOCH),
        ("a", 2, 2, ErrorCode::STALE_MEMBER_EPOCH),
        ("b", 3, 2, ErrorCode::NONE),
        ("b", 2, 2, ErrorCode::STALE_MEMBER_EPOCH),
        ("c", 3, 2, ErrorCode::UNKNOWN_MEMBER_ID),
        ("", -1, 2, ErrorCode::UNKNOWN_MEMBER_ID),
    ] {
        let found = world.commit(member_id, epoch, "orders", partition);
        assert_eq!(found, expected, "{member_id} {epoch} {partition}");
    }
}

#[test]
fn who_has_to_give_up_a_partition_commits_what_it_read() {
    let mut world = two_members();
    world.beat(Beat::join("c", &["orders"])).unwrap();
    world.beat(Beat::stay("b", 3)).unwrap();
    assert_eq!(world.commit("b", 3, "orders", 3), ErrorCode::NONE);
    world.beat(Beat::stay("b", 3).owning(&[("orders", &[2])])).unwrap();
    assert_eq!(world.commit("b", 3, "orders", 3), ErrorCode::STALE_MEMBER_EPOCH);
    assert_eq!(world.commit("b", 3, "orders", 2), ErrorCode::NONE);
}

#[test]
fn without_members_anybody_commits() {
    let mut world = two_members();
    world.beat(Beat::stay("a", -1)).unwrap();
    world.beat(Beat::stay("b", -1)).unwrap();
    assert_eq!(world.commit("", -1, "orders", 2), ErrorCode::NONE);
    assert_eq!(world.commit("a", 3, "orders", 2), ErrorCode::UNKNOWN_MEMBER_ID);
}

#[test]
fn offsets_that_were_there_before_the_group_do_not_stand_in_its_way() {
    let mut world = World::new(&[("orders", 1)]);
    assert_eq!(world.commit("", -1, "orders", 0), ErrorCode::NONE);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    assert_eq!(world.group().member_count(), 1);
    assert_eq!(world.replayed(world.log.len()).consumer_group(world::GROUP), Some(world.group()));
    assert!(world.groups.offsets().get(world::GROUP, "orders", 0).is_some());
}
