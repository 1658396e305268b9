//! What is asked of consumer groups, among groups of all kinds.

use std::sync::Arc;

use strandline_protocol::apis::consumer_group_heartbeat::{
    ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
};
use strandline_protocol::apis::join_group::JoinGroupResponse;
use strandline_protocol::apis::leave_group::LeaveGroupResponse;
use strandline_protocol::apis::sync_group::SyncGroupResponse;
use strandline_protocol::group_log::GroupLogKey;
use strandline_protocol::{ErrorCode, Text};

use super::draft::{Context, Draft, Outcome, Refusal};
use super::heartbeat::{Answer, Base, Heartbeat};
use super::{ConsumerGroup, Passing, Timer, classic, describe, group_id, steady};
use crate::coordinator::{Heeded, Ticket};
use crate::groups::{
    self, Caller, Decision, Event, Group, GroupRecord, Groups, Kind, Missed, Reply, Request,
};

impl Groups {
    /// What consumer groups are held against.
    fn consumer_context(&self, now_ms: i64) -> Context<'_> {
        Context { now_ms, image: &self.image, settings: &self.settings.consumer }
    }

    /// The consumer group of this id.
    pub fn consumer_group(&self, id: &str) -> Option<&ConsumerGroup> {
        match self.groups.get(id) {
            Some(Group::Consumer(group)) => Some(group),
            _ => None,
        }
    }
}

/// A heartbeat after which nothing is other than before, but for the member's session.
pub(in crate::groups) fn heed(
    groups: &Groups,
    now_ms: i64,
    group: &ConsumerGroup,
    sign: (&ConsumerGroupHeartbeatRequest, &Caller),
) -> Option<Heeded<Groups>> {
    let (response, timer, at_ms) = steady::heed(groups.consumer_context(now_ms), group, sign)?;
    let timer = Some((groups::Timer::Consumer(timer), at_ms));
    Some(Heeded { reply: Reply::ConsumerGroupHeartbeat(response), timer })
}

/// A member's heartbeat.
pub(in crate::groups) fn decide_heartbeat(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    caller: &Caller,
    (request, version, new_member_id): (&ConsumerGroupHeartbeatRequest, i16, &Text),
) -> Decision {
    let context = groups.consumer_context(now_ms);
    let heartbeat = Heartbeat { request, version, caller, new_member_id };
    let answer = heartbeat.check(context).and_then(|()| answer(groups, context, &heartbeat));
    match answer {
        Ok((outcome, response)) => {
            let mut decision = decision(groups, now_ms, &request.group_id, outcome);
            if let Ok(classic) = groups.classic(&request.group_id) {
                classic.give_up(&request.group_id.detached(), &mut decision);
            }
            decision.replies.push((ticket, Reply::ConsumerGroupHeartbeat(response)));
            decision
        }
        Err(refusal) => Decision::reply(ticket, Reply::ConsumerGroupHeartbeat(refused(&refusal))),
    }
}

fn answer(groups: &Groups, context: Context<'_>, heartbeat: &Heartbeat<'_>) -> Result<Answer, Refusal> {
    let id = &heartbeat.request.group_id;
    let missing = |message: String| Err(Refusal::new(ErrorCode::GROUP_ID_NOT_FOUND, message));
    let base = match groups.groups.get(id) {
        Some(Group::Consumer(group)) => Base::Group(group),
        Some(Group::Classic(group)) if heartbeat.is_join() && !group.is_empty() => Base::Classic(group),
        Some(group) if heartbeat.is_join() => {
            let mut records = Vec::new();
            group.tombstones(id, &mut records);
            Base::New(records)
        }
        Some(_) => return missing(format!("Group {id} is not a consumer group.")),
        None if heartbeat.is_join() => Base::New(Vec::new()),
        None => return missing(format!("Consumer group {id} not found.")),
    };
    heartbeat.decide(context, base)
}

fn refused(refusal: &Refusal) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: refusal.code,
        error_message: Some(Text::from(refusal.message.as_str())),
        ..Default::default()
    }
}

/// A group, described.
pub(in crate::groups) fn decide_describe(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    id: &Text,
) -> Decision {
    let described = describe(groups.consumer_context(now_ms), id, groups.consumer_group(id));
    Decision::reply(ticket, Reply::ConsumerGroupDescribe(described))
}

/// A timer of a consumer group went off.
pub(in crate::groups) fn decide_due(groups: &Groups, now_ms: i64, timer: &Timer) -> Decision {
    let group = groups.consumer_group(&timer.group_id);
    let outcome = group.map(|group| group.due(groups.consumer_context(now_ms), timer));
    let Some(outcome) = outcome else { return Decision::default() };
    let mut decision = decision(groups, now_ms, &timer.group_id, outcome);
    let is_gone = |record: &GroupRecord| {
        record.value.is_none() && matches!(record.key, GroupLogKey::ConsumerGroupMemberMetadata(_))
    };
    // A group that becomes a classic one takes back what all of its members were: one of them has gone.
    if decision.records.iter().any(is_gone) {
        decision.events.push(Event::MemberExpired {
            kind: Kind::Consumer,
            group: timer.group_id.clone(),
            member: timer.member_id.clone(),
            why: Missed::of_timer(timer.kind),
        });
    }
    decision
}

/// The timers of all consumer groups after replay.
pub(in crate::groups) fn timers(groups: &Groups, now_ms: i64) -> Vec<(groups::Timer, Option<i64>)> {
    let context = groups.consumer_context(now_ms);
    let of_consumers = groups.groups().filter_map(|(_, group)| match group {
        Group::Consumer(group) => Some(group),
        Group::Classic(_) => None,
    });
    let timers = of_consumers.flat_map(|group| group.timers(context));
    timers.map(|(timer, at_ms)| (groups::Timer::Consumer(timer), at_ms)).collect()
}

fn decision(groups: &Groups, now_ms: i64, id: &Text, outcome: Outcome) -> Decision {
    let Outcome { records, passing, timers, downgrade } = outcome;
    let has_new_epoch = records
        .iter()
        .any(|record| record.value.is_some() && matches!(record.key, GroupLogKey::ConsumerGroupMetadata(_)));
    let mut decision = Decision {
        events: has_new_epoch.then_some(Event::Rebalanced(Kind::Consumer)).into_iter().collect(),
        records,
        passing: passing.into_iter().map(groups::Passing::Consumer).collect(),
        timers: timers.into_iter().map(|(timer, at_ms)| (groups::Timer::Consumer(timer), at_ms)).collect(),
        ..Decision::default()
    };
    if let Some(downgrade) = downgrade {
        let classic = groups::classic::decide_downgrade(groups, now_ms, &id.detached(), downgrade);
        decision.records.extend(classic.records);
        decision.passing.extend(classic.passing);
        decision.timers.extend(classic.timers);
        decision.replies.extend(classic.replies);
        decision.events.extend(classic.events);
    }
    decision
}

/// The group that a request of the classic protocol is about; none if it is another request.
const fn classic_group_id(request: &Request) -> Option<&Text> {
    Some(match request {
        Request::JoinGroup(join) => &join.request.group_id,
        Request::SyncGroup(sync) => &sync.group_id,
        Request::Heartbeat(heartbeat) => &heartbeat.group_id,
        Request::LeaveGroup(leave) => &leave.group_id,
        _ => return None,
    })
}

/// A request of the classic protocol that a consumer group answers; none if it is not one, or for another group. An empty
/// consumer group makes room for a classic one.
pub(in crate::groups) fn decide_classic(
    groups: &Groups,
    now_ms: i64,
    ticket: Ticket,
    caller: &Caller,
    request: &Request,
) -> Option<Decision> {
    let id = classic_group_id(request)?;
    let group = groups.consumer_group(id)?;
    if let Request::JoinGroup(join) = request
        && group.is_empty()
    {
        let mut decision = groups::classic::decide_join(groups, now_ms, ticket, caller, join);
        if !decision.records.is_empty() {
            decision.records.splice(0..0, group.tombstones());
        }
        return Some(decision);
    }
    let mut draft = Draft::of(group);
    Some(match classic_reply(groups, groups.consumer_context(now_ms), &mut draft, caller, request)? {
        Ok(reply) => {
            let mut decision = decision(groups, now_ms, id, draft.finish());
            decision.replies.insert(0, (ticket, reply));
            decision
        }
        Err(reply) => Decision::reply(ticket, reply),
    })
}

/// What is answered; an error changes nothing.
fn classic_reply(
    groups: &Groups,
    context: Context<'_>,
    draft: &mut Draft<'_>,
    caller: &Caller,
    request: &Request,
) -> Option<Result<Reply, Reply>> {
    Some(match request {
        Request::JoinGroup(join) => {
            let settings = &groups.settings;
            let timeouts = settings.session_timeout_min_ms..=settings.session_timeout_max_ms;
            let joined = if timeouts.contains(&join.request.session_timeout_ms) {
                classic::join(context, draft, caller, join).map_err(|refusal| refusal.code)
            } else {
                Err(ErrorCode::INVALID_SESSION_TIMEOUT)
            };
            joined.map(Reply::JoinGroup).map_err(|error_code| {
                let member_id = join.request.member_id.clone();
                Reply::JoinGroup(JoinGroupResponse { error_code, member_id, ..Default::default() })
            })
        }
        Request::SyncGroup(sync) => classic::sync(context, draft, sync)
            .map(Reply::SyncGroup)
            .map_err(|error_code| Reply::SyncGroup(SyncGroupResponse { error_code, ..Default::default() })),
        Request::Heartbeat(heartbeat) => {
            let code = classic::heartbeat(context, draft, heartbeat).err();
            Ok(Reply::Heartbeat(code.unwrap_or(ErrorCode::NONE)))
        }
        Request::LeaveGroup(leave) => {
            let members = classic::leave(context, draft, leave);
            Ok(Reply::LeaveGroup(LeaveGroupResponse { members, ..Default::default() }))
        }
        _ => return None,
    })
}

/// Takes in a record of a consumer group; says whether it was one.
///
/// A group that has offsets alone gives way, since it has no record of its own. One with members does not: its own
/// tombstone comes first.
pub(in crate::groups) fn evolve(groups: &mut Groups, record: &GroupRecord) -> bool {
    let Some(id) = group_id(&record.key) else { return false };
    let is_there = matches!(groups.groups.get(id), Some(Group::Consumer(_)));
    if !is_there {
        let gives_way = groups.groups.get(id).is_none_or(Group::is_empty);
        if record.value.is_none() || !gives_way {
            return true;
        }
        let id = id.detached();
        groups.groups.insert(id.clone(), Group::Consumer(Arc::new(ConsumerGroup::new(id))));
    }
    let is_gone = match groups.groups.get_mut(id) {
        Some(Group::Consumer(group)) => !Arc::make_mut(group).evolve(record),
        _ => false,
    };
    if is_gone {
        groups.groups.remove(id);
    }
    true
}

/// Takes in what is in memory alone.
pub(in crate::groups) fn pass(groups: &mut Groups, passing: &Passing) {
    if let Some(Group::Consumer(group)) = groups.groups.get_mut(passing.group_id()) {
        Arc::make_mut(group).pass(passing);
    }
}
