use strandline_protocol::ErrorCode;
use strandline_protocol::apis::delete_groups::DeletableGroupResult;

use super::*;
use crate::groups::{Reply, Request};

#[test]
fn a_group_is_described_as_it_stands() {
    let mut world = World::new(&[("orders", 2)]);
    assert_eq!(world.describe().error_code, ErrorCode::GROUP_ID_NOT_FOUND);
    let first = Beat::join("a", &["orders"]).named("instance").with(|request| {
        request.rack_id = Some("rack".into());
    });
    world.beat(first).unwrap();
    world.beat(Beat::join("b", &["orders"])).unwrap();
    world.beat(Beat::stay("a", 2)).unwrap();
    let described = world.describe();
    assert_eq!(described.error_code, ErrorCode::NONE);
    assert_eq!(described.group_state, "Reconciling");
    assert_eq!((described.group_epoch, described.assignment_epoch), (3, 3));
    assert_eq!(described.assignor_name, "uniform");
    let [first, second] = described.members.as_slice() else { panic!("{described:?}") };
    assert_eq!((first.member_id.as_str(), first.member_epoch, first.member_type), ("a", 2, 1));
    assert_eq!((first.instance_id.as_deref(), first.rack_id.as_deref()), (Some("instance"), Some("rack")));
    assert_eq!((first.client_id.as_str(), first.client_host.as_str()), ("client", "/127.0.0.1"));
    assert_eq!(first.subscribed_topic_names, ["orders"]);
    assert_eq!(first.subscribed_topic_regex.as_deref(), Some(""));
    // What it has not confirmed to have given up is still its own.
    let owned = &first.assignment.topic_partitions[0];
    assert_eq!((owned.topic_name.as_str(), owned.partitions.as_slice()), ("orders", [0, 1].as_slice()));
    assert_eq!(first.target_assignment.topic_partitions[0].partitions, [0]);
    assert_eq!((second.member_epoch, second.assignment.topic_partitions.len()), (3, 0));
    assert_eq!(second.target_assignment.topic_partitions[0].partitions, [1]);
}

#[test]
fn a_group_is_listed_with_its_kind() {
    let mut world = World::new(&[("orders", 2)]);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    let mut listed = |states: &[&str], types: &[&str]| {
        let texts = |words: &[&str]| words.iter().copied().map(Into::into).collect();
        match world.ask(Request::ListGroups { states: texts(states), types: texts(types) }) {
            Reply::ListGroups(listed) => listed,
            other => panic!("{other:?}"),
        }
    };
    let all = listed(&[], &[]);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].group_type.as_str(), all[0].group_state.as_str()), ("consumer", "Stable"));
    assert_eq!(all[0].protocol_type, "consumer");
    assert_eq!(listed(&["stable"], &["consumer"]).len(), 1);
    assert_eq!(listed(&["empty"], &[]).len(), 0);
    assert_eq!(listed(&[], &["classic"]).len(), 0);
}

#[test]
fn a_group_goes_when_it_has_no_members() {
    let mut world = World::new(&[("orders", 2)]);
    world.beat(Beat::join("a", &["orders"])).unwrap();
    let delete = |world: &mut World| match world.ask(Request::DeleteGroup(world::GROUP.into())) {
        Reply::DeleteGroup(DeletableGroupResult { error_code, .. }) => error_code,
        other => panic!("{other:?}"),
    };
    assert_eq!(delete(&mut world), ErrorCode::NON_EMPTY_GROUP);
    world.beat(Beat::stay("a", -1)).unwrap();
    assert_eq!(delete(&mut world), ErrorCode::NONE);
    assert_eq!(delete(&mut world), ErrorCode::GROUP_ID_NOT_FOUND);
    assert!(world.replayed(world.log.len()).group(world::GROUP).is_none());
    assert!(world.compacted(world.log.len()).group(world::GROUP).is_none());
}
