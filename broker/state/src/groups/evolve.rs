//! What a record changes.

use std::sync::Arc;

use strandline_protocol::Text;
use strandline_protocol::group_log::group_metadata::GroupMetadataValue;
use strandline_protocol::group_log::{GroupLogKey, GroupLogValue};

use super::classic::ClassicGroup;
use super::{Group, GroupRecord, Groups, consumer};
use crate::coordinator::Origin;

/// Takes in a record. One of a kind of group that this build does not have changes nothing.
pub(super) fn evolve(groups: &mut Groups, offset: i64, origin: Origin, record: GroupRecord) {
    let GroupRecord { key, value } = record;
    match (&key, &value) {
        (GroupLogKey::OffsetCommit(key), None) => groups.offsets.evolve(offset, origin, key, None),
        (GroupLogKey::OffsetCommit(key), Some(GroupLogValue::OffsetCommit(value))) => {
            // Whoever commits without joining makes a group that has offsets alone.
            if !groups.groups.contains_key(&key.group) {
                groups.groups.insert(key.group.detached(), Group::Classic(Arc::default()));
            }
            groups.offsets.evolve(offset, origin, key, Some(value));
        }
        (GroupLogKey::GroupMetadata(key), None) => evolve_classic(groups, &key.group, None),
        (GroupLogKey::GroupMetadata(key), Some(GroupLogValue::GroupMetadata(value))) => {
            evolve_classic(groups, &key.group, Some(value));
        }
        _ => {
            consumer::evolve(groups, &GroupRecord { key, value });
        }
    }
}

fn evolve_classic(groups: &mut Groups, id: &Text, value: Option<&GroupMetadataValue>) {
    match value {
        Some(value) => {
            let group = Group::Classic(Arc::new(ClassicGroup::from_record(value)));
            groups.groups.insert(id.detached(), group);
        }
        None => {
            // Another kind may have taken the place of the classic group before its tombstone came.
            if matches!(groups.groups.get(id), Some(Group::Classic(_))) {
                groups.groups.remove(id);
            }
        }
    }
}
