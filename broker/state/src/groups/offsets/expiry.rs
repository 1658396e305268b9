//! Offsets that nobody needs any more, and groups without any.
//!
//! Kafka's rules: an offset is kept as long as its group reads the topic, or may be about to; from then on for the
//! retention. What counts from which moment on is the group's affair ([`Group::retention_base_ms`]). An offset with a
//! time of its own goes at that time. Nothing goes that a transaction may be about to replace.

use strandline_protocol::Text;

use super::super::{Decision, Event, Group, GroupRecord, Groups, Timer};
use super::CommittedOffset;
use super::commit::tombstone;

/// So many records one batch takes away at most; there is another one right after it.
const RECORDS_MAX: usize = 10_000;

/// What has expired by now. The look after this one comes at once where there is more.
pub(in super::super) fn expire(groups: &Groups, now_ms: i64) -> Decision {
    let mut records = Vec::new();
    let mut events = Vec::new();
    for (id, group) in groups.groups() {
        let before = records.len();
        let goes = expire_of_group(groups, now_ms, id, group, &mut records);
        let count = records.len() - before;
        let is_group_gone = goes && group.is_empty() && group.goes_when_empty();
        if is_group_gone {
            group.tombstones(id, &mut records);
        }
        if records.len() > before {
            events.push(Event::OffsetsExpired { group: id.clone(), count, is_group_gone });
        }
        if records.len() >= RECORDS_MAX {
            return expired(records, events, now_ms);
        }
    }
    expired(records, events, now_ms.saturating_add(groups.settings.offsets_retention_check_ms))
}

fn expired(records: Vec<GroupRecord>, events: Vec<Event>, next_ms: i64) -> Decision {
    let timers = vec![(Timer::Expire, Some(next_ms))];
    Decision { records, timers, events, ..Decision::default() }
}

/// Whether nothing is left of a group's offsets then.
fn expire_of_group(
    groups: &Groups,
    now_ms: i64,
    id: &Text,
    group: &Group,
    records: &mut Vec<GroupRecord>,
) -> bool {
    let mut goes = !groups.offsets.has_open_transaction(id);
    for (topic, partitions) in groups.offsets.of_group(id).into_iter().flatten() {
        if group.is_subscribed_to(topic) {
            return false;
        }
        for (partition, offset) in partitions {
            let is_expired = is_expired(groups, now_ms, group, offset);
            if is_expired && !groups.offsets.is_pending(id, topic, *partition) && records.len() < RECORDS_MAX
            {
                records.push(tombstone(id, topic, *partition));
            } else {
                goes = false;
            }
        }
    }
    goes
}

fn is_expired(groups: &Groups, now_ms: i64, group: &Group, offset: &CommittedOffset) -> bool {
    let Some(base_ms) = group.retention_base_ms(offset) else { return false };
    if offset.expire_ms != -1 {
        return now_ms >= offset.expire_ms;
    }
    now_ms.saturating_sub(base_ms) >= groups.settings.offsets_retention_ms
}
