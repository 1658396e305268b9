//! A consumer group becomes a classic one, when the last member of the new protocol goes.

use std::sync::Arc;

use strandline_protocol::{Bytes, Text};

use super::super::draft::{Context, Draft};
use super::super::member::Member;
use super::super::{ConsumerGroup, TimerKind, leave, records};
use super::{assignment, metadata};

/// The classic group that a consumer group becomes.
#[derive(Debug, PartialEq)]
pub struct Downgrade {
    /// Its generation.
    pub generation: i32,
    /// Its members.
    pub members: Vec<DowngradedMember>,
    /// Whether they have to join anew.
    pub needs_rebalance: bool,
}

/// A member of the classic group that a consumer group becomes.
#[derive(Debug, PartialEq)]
pub struct DowngradedMember {
    /// Who it is.
    pub member: Arc<Member>,
    /// What it is assigned, in the bytes that it reads.
    pub assignment: Bytes,
}

/// Whether a group is to become a classic one when these members go: there are others, and all of these speak the
/// classic protocol.
pub(in super::super) fn may_downgrade(
    context: Context<'_>,
    group: &ConsumerGroup,
    is_leaving: impl Fn(&Member) -> bool,
) -> bool {
    let mut left = 0;
    for member in group.members().filter(|member| !is_leaving(member)) {
        if !member.is_classic() {
            return false;
        }
        left += 1;
    }
    left > 0
        && context.settings.migration_policy.allows_downgrade()
        && left <= context.settings.classic_members_max
}

/// Ends the group as a consumer group, and says what it is as a classic one. Each member is assigned what it shall have.
pub(in super::super) fn downgrade(
    context: Context<'_>,
    draft: &mut Draft<'_>,
    is_leaving: impl Fn(&Member) -> bool,
    needs_rebalance: bool,
) {
    let staying = draft.members.iter().map(|(_, member)| member).filter(|member| !is_leaving(member));
    let members = staying.map(|member| DowngradedMember {
        member: Arc::clone(member),
        assignment: assignment(
            draft.target(&member.id).into_iter().flat_map(|target| target.iter()),
            metadata(member),
            context.image,
        ),
    });
    let downgrade = Downgrade { generation: draft.epoch, members: members.collect(), needs_rebalance };
    let ids: Vec<Text> = draft.members().map(|member| member.id.clone()).collect();
    ids.iter().for_each(|id| leave::stop_timers(draft, id));
    draft.stop_timer(TimerKind::Assign, &Text::new());
    draft.end(records::no_group(draft), downgrade);
}
