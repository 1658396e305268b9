//! A classic group that was one of consumers, or becomes one.

use std::sync::Arc;

use strandline_protocol::{ErrorCode, Text};

use super::super::consumer::{Downgrade, DowngradedMember};
use super::super::{Decision, Groups, Reply, Timer};
use super::edit::{Edit, join_refused, sync_refused};
use super::{CONSUMER_PROTOCOL_TYPE, ClassicGroup, Member, State};
use crate::coordinator::Ticket;

impl ClassicGroup {
    /// Tells whoever waits that it has to join anew, and ends all timers: the group goes on as another.
    pub(in super::super) fn give_up(&self, id: &Text, decision: &mut Decision) {
        let code = ErrorCode::REBALANCE_IN_PROGRESS;
        let mut reply = |ticket: Option<Ticket>, reply: Reply| {
            decision.replies.extend(ticket.map(|ticket| (ticket, reply)));
        };
        for (member_id, member) in &self.members {
            reply(member.joining, Reply::JoinGroup(join_refused(member_id.clone(), code)));
            reply(member.syncing, Reply::SyncGroup(sync_refused(code)));
        }
        let sessions = self.members.keys().chain(&self.pending_joins);
        let sessions = sessions.map(|member| Timer::Session { group: id.clone(), member: member.clone() });
        let timers = sessions.chain([Timer::Join(id.clone()), Timer::Sync(id.clone())]);
        decision.timers.extend(timers.map(|timer| (timer, None)));
    }
}

/// The classic group that a consumer group becomes, and what follows: sessions, and a rebalance if one is due.
pub(in super::super) fn decide_downgrade(
    groups: &Groups,
    now_ms: i64,
    id: &Text,
    downgrade: Downgrade,
) -> Decision {
    let mut group = ClassicGroup {
        state: State::Stable,
        state_since_ms: Some(now_ms),
        generation: downgrade.generation,
        protocol_type: Some(Text::from_static(CONSUMER_PROTOCOL_TYPE)),
        ..ClassicGroup::default()
    };
    for downgraded in downgrade.members {
        let (id, member) = classic_member(downgraded);
        if let Some(instance_id) = &member.instance_id {
            group.static_members.insert(instance_id.clone(), id.clone());
        }
        group.members.insert(id, Arc::new(member));
    }
    group.leader = group.members.keys().next().cloned();
    group.protocol = group.select_protocol();
    group.subscribed = group.compute_subscribed();
    let mut edit = Edit::new(groups, now_ms, id.clone(), &group);
    edit.record();
    for member in group.members.keys() {
        edit.renew_session(member);
    }
    if downgrade.needs_rebalance {
        edit.prepare_rebalance();
    }
    edit.finish()
}

fn classic_member(downgraded: DowngradedMember) -> (Text, Member) {
    let DowngradedMember { member, assignment } = downgraded;
    let classic = member.classic.clone().unwrap_or_default();
    let protocols = classic.supported_protocols.into_iter();
    let classic_member = Member {
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        rebalance_timeout_ms: member.rebalance_timeout_ms,
        session_timeout_ms: classic.session_timeout_ms,
        protocol_type: Text::from_static(CONSUMER_PROTOCOL_TYPE),
        protocols: Arc::new(protocols.map(|protocol| (protocol.name, protocol.metadata)).collect()),
        assignment,
        ..Member::default()
    };
    (member.id.clone(), classic_member)
}
