//! Which rules a command is held against.

use std::sync::Arc;
use std::time::Duration;

use strandline_protocol::apis::delete_groups::DeletableGroupResult;
use strandline_protocol::apis::describe_groups::DescribedGroup;
use strandline_protocol::apis::leave_group::LeaveGroupResponse;
use strandline_protocol::apis::sync_group::SyncGroupResponse;
use strandline_protocol::{ErrorCode, Text, Uuid};

use super::{
    Ask, Command, Decision, Event, Group, Groups, Passing, Reply, Request, Sign, Timer, classic, consumer,
    offsets,
};
use crate::coordinator::{Heeded, Ticket};

/// So many offsets of topics that are gone one batch takes away at most.
const SWEPT_MAX: usize = 10_000;

/// What a command comes to.
pub(super) fn decide(groups: &Groups, now_ms: i64, command: Command) -> Decision {
    match command {
        Command::Ask(ask) => answer(groups, now_ms, *ask),
        Command::Due(timer) => due(groups, now_ms, &timer),
        Command::MetadataChanged { image, changed: _, deleted } => {
            let passing = vec![Passing::Metadata(image)];
            if deleted.is_empty() {
                return Decision { passing, ..Decision::default() };
            }
            let gone = deleted.into_iter().map(|(topic_id, name)| (name, topic_id)).collect();
            sweep(groups, now_ms, gone, passing)
        }
        Command::SettingsChanged(settings) => {
            Decision { passing: vec![Passing::Settings(settings)], ..Decision::default() }
        }
    }
}

/// What a sign of life comes to, where nothing else is to be done.
pub(super) fn heed(
    groups: &mut Groups,
    now: Duration,
    now_ms: i64,
    sign: Sign<'_>,
) -> Option<Heeded<Groups>> {
    match sign {
        Sign::Classic(request) => match groups.groups.get_mut(&request.group_id)? {
            Group::Classic(group) => classic::heed(now, Arc::make_mut(group), request),
            Group::Consumer(_) => None,
        },
        Sign::Consumer(request, caller) => match groups.groups.get(&request.group_id)? {
            Group::Consumer(group) => consumer::heed(groups, now_ms, group, (request, caller)),
            Group::Classic(_) => None,
        },
    }
}

/// What there is to do after replay. Topics may have gone without anybody having seen to their offsets.
pub(super) fn loaded(groups: &Groups, now_ms: i64) -> Decision {
    let gone = offsets::missing_topics(groups);
    let check_ms = now_ms.saturating_add(groups.settings.offsets_retention_check_ms);
    let mut decision = sweep(groups, now_ms, gone, Vec::new());
    decision.timers.push((Timer::Expire, Some(check_ms)));
    decision.timers.extend(consumer::timers(groups, now_ms));
    for (id, group) in groups.groups() {
        if let Group::Classic(group) = group {
            decision.timers.extend(classic::sessions_after_replay(now_ms, id, group));
        }
    }
    decision
}

fn answer(groups: &Groups, now_ms: i64, ask: Ask) -> Decision {
    let Ask { ticket, caller, request } = ask;
    if let Some(decision) = consumer::decide_classic(groups, now_ms, ticket, &caller, &request) {
        return decision;
    }
    match request {
        Request::JoinGroup(join) => classic::decide_join(groups, now_ms, ticket, &caller, &join),
        Request::SyncGroup(request) => match groups.classic(&request.group_id) {
            Ok(group) => classic::decide_sync(groups, now_ms, ticket, &request, group),
            Err(error_code) => {
                let response = SyncGroupResponse { error_code, ..Default::default() };
                Decision::reply(ticket, Reply::SyncGroup(response))
            }
        },
        Request::Heartbeat(request) => match groups.classic(&request.group_id) {
            Ok(group) => classic::decide_heartbeat(now_ms, ticket, &request, group),
            Err(error_code) => Decision::reply(ticket, Reply::Heartbeat(error_code)),
        },
        Request::LeaveGroup(request) => match groups.classic(&request.group_id) {
            Ok(group) => classic::decide_leave(groups, now_ms, ticket, &request, group),
            Err(error_code) => {
                let response = LeaveGroupResponse { error_code, ..Default::default() };
                Decision::reply(ticket, Reply::LeaveGroup(response))
            }
        },
        Request::DescribeGroup(id) => Decision::reply(ticket, Reply::DescribeGroup(describe(groups, id))),
        Request::OffsetCommit { request, version } => {
            offsets::decide_commit(groups, now_ms, ticket, &request, version)
        }
        Request::TxnOffsetCommit(request) => {
            offsets::decide_commit_in_transaction(groups, now_ms, ticket, &request)
        }
        Request::OffsetFetch { request, require_stable } => {
            offsets::decide_fetch(groups, ticket, &request, require_stable)
        }
        Request::OffsetDelete(request) => offsets::decide_delete(groups, ticket, &request),
        Request::ListGroups { states, types } => {
            let is_wanted = |group: &super::Group| {
                let is_of_type = types.iter().any(|name| name.eq_ignore_ascii_case(group.type_name()));
                (types.is_empty() || is_of_type) && (states.is_empty() || group.is_in_states(&states))
            };
            let listed = groups.groups().filter(|(_, group)| is_wanted(group));
            Decision::reply(ticket, Reply::ListGroups(listed.map(|(id, group)| group.listed(id)).collect()))
        }
        Request::DeleteGroup(id) => delete(groups, ticket, id),
        Request::ConsumerGroupHeartbeat { request, version, new_member_id } => {
            let asked = (&request, version, &new_member_id);
            consumer::decide_heartbeat(groups, now_ms, ticket, &caller, asked)
        }
        Request::ConsumerGroupDescribe(id) => consumer::decide_describe(groups, now_ms, ticket, &id),
    }
}

/// A group that is not there, or not a classic one, is Dead as far as this answer goes.
fn describe(groups: &Groups, group_id: Text) -> DescribedGroup {
    match groups.classic(&group_id) {
        Ok(group) => group.described(&group_id),
        Err(_) => DescribedGroup {
            error_code: ErrorCode::GROUP_ID_NOT_FOUND,
            error_message: Some(Text::from(format!("Group {group_id} not found."))),
            group_id,
            group_state: Text::from_static("Dead"),
            ..Default::default()
        },
    }
}

fn due(groups: &Groups, now_ms: i64, timer: &Timer) -> Decision {
    let classic = |id: &Text| groups.classic(id).ok();
    let nothing = Decision::default();
    match timer {
        Timer::Session { group: id, member } => {
            classic(id).map_or(nothing, |group| classic::session_over(groups, now_ms, id, group, member))
        }
        Timer::Join(id) => classic(id).map_or(nothing, |group| classic::join_over(groups, now_ms, id, group)),
        Timer::Sync(id) => classic(id).map_or(nothing, |group| classic::sync_over(groups, now_ms, id, group)),
        Timer::Expire => offsets::expire(groups, now_ms),
        Timer::Sweep => sweep(groups, now_ms, Vec::new(), Vec::new()),
        Timer::Consumer(timer) => consumer::decide_due(groups, now_ms, timer),
    }
}

/// Takes away offsets of topics that are gone: some now, and others after that where there are many.
fn sweep(groups: &Groups, now_ms: i64, more: Vec<(Text, Uuid)>, mut passing: Vec<Passing>) -> Decision {
    let mut gone = groups.gone.clone();
    gone.extend(more.iter().cloned());
    let (records, is_cut) = offsets::delete_for_topics(groups, &gone, SWEPT_MAX);
    let mut timers = Vec::new();
    if is_cut {
        passing.push(Passing::TopicsGone(more));
        timers.push((Timer::Sweep, Some(now_ms)));
    } else {
        passing.push(Passing::TopicsSeenTo);
    }
    let events = vec![Event::OffsetsOfTopicsGone(records.len())];
    Decision { records, passing, timers, events, ..Decision::default() }
}

fn delete(groups: &Groups, ticket: Ticket, group_id: Text) -> Decision {
    let Some(group) = groups.group(&group_id) else {
        return Decision::reply(ticket, deleted(group_id, ErrorCode::GROUP_ID_NOT_FOUND));
    };
    if let Err(code) = group.check_delete() {
        return Decision::reply(ticket, deleted(group_id, code));
    }
    let mut records = groups.offsets.tombstones_of_group(&group_id);
    // The group itself goes last, and at once: as long as it is there, what is left can be deleted again.
    let divisible = records.len();
    let events = vec![Event::OffsetsDeleted(records.len())];
    group.tombstones(&group_id, &mut records);
    Decision { records, divisible, events, ..Decision::reply(ticket, deleted(group_id, ErrorCode::NONE)) }
}

fn deleted(group_id: Text, error_code: ErrorCode) -> Reply {
    Reply::DeleteGroup(DeletableGroupResult { group_id, error_code, ..Default::default() })
}
