//! What happens when nothing does: members that are not heard of, and rebalances that have waited.

use strandline_protocol::Text;

use super::super::{Decision, Groups, Missed, Timer};
use super::edit::Edit;
use super::{ClassicGroup, State};

/// A member was not heard of for its session, or did not come back with the id that it was given.
pub(in super::super) fn session_over(
    groups: &Groups,
    now_ms: i64,
    id: &Text,
    group: &ClassicGroup,
    member_id: &Text,
) -> Decision {
    let is_pending = group.pending_joins.contains(member_id);
    // Who waits for an answer cannot give signs of life, and needs none. A new one that waits may be gone.
    let is_excused = group
        .members
        .get(member_id)
        .is_none_or(|member| !member.is_new && (member.joining.is_some() || member.syncing.is_some()));
    if !is_pending && is_excused {
        return Decision::default();
    }
    let mut edit = Edit::new(groups, now_ms, id.clone(), group);
    edit.remove_member(member_id);
    match edit.group.state {
        State::Stable | State::CompletingRebalance if !is_pending => edit.prepare_rebalance(),
        State::PreparingRebalance if edit.group.have_all_joined() => edit.complete_join(),
        _ => {}
    }
    edit.note_expired(group, Missed::Heartbeat);
    edit.finish()
}

/// A rebalance has waited for members to join.
pub(in super::super) fn join_over(groups: &Groups, now_ms: i64, id: &Text, group: &ClassicGroup) -> Decision {
    if group.state != State::PreparingRebalance {
        return Decision::default();
    }
    let mut edit = Edit::new(groups, now_ms, id.clone(), group);
    edit.complete_or_put_off();
    edit.note_expired(group, Missed::Join);
    edit.finish()
}

/// A rebalance has waited for members to fetch their assignments: those that have not are out.
pub(in super::super) fn sync_over(groups: &Groups, now_ms: i64, id: &Text, group: &ClassicGroup) -> Decision {
    let has_waited = matches!(group.state, State::CompletingRebalance | State::Stable);
    if !has_waited || group.pending_syncs.is_empty() {
        return Decision::default();
    }
    let mut edit = Edit::new(groups, now_ms, id.clone(), group);
    for member_id in &group.pending_syncs {
        edit.remove_member(member_id);
        edit.end_session(member_id);
    }
    edit.prepare_rebalance();
    edit.note_expired(group, Missed::Sync);
    edit.finish()
}

/// The timers of a group that was replayed: everybody gets a session, as if it had been heard of just now.
pub(in super::super) fn sessions_after_replay(
    now_ms: i64,
    id: &Text,
    group: &ClassicGroup,
) -> Vec<(Timer, Option<i64>)> {
    let sessions = group.members.iter().map(|(member_id, member)| {
        let due_ms = now_ms.saturating_add(member.session_timeout_ms.into());
        (Timer::Session { group: id.clone(), member: member_id.clone() }, Some(due_ms))
    });
    sessions.collect()
}
