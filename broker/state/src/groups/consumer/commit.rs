//! Who may commit and fetch the offsets of a consumer group.

use strandline_protocol::{ErrorCode, Text, Uuid};

use super::ConsumerGroup;
use super::member::Member;

/// The first version of OffsetCommit for members of the new protocol.
const COMMIT_VERSION_OF_MEMBERS: i16 = 9;

/// Who commits, as far as the group checks it.
#[derive(Clone, Copy, Debug)]
pub struct Committer<'a> {
    /// The member's id; empty = none.
    pub member_id: &'a str,
    /// The configured name of a static member.
    pub instance_id: Option<&'a Text>,
    /// The member's epoch; negative = none.
    pub epoch: i32,
    /// Whether the offsets are part of a transaction.
    pub is_transactional: bool,
    /// The version of OffsetCommit; of no interest if they are.
    pub version: i16,
}

/// Which partitions a committer may commit.
#[derive(Clone, Copy, Debug)]
pub enum CommitCheck<'a> {
    /// All.
    All,
    /// Those that the member has, and got no later than in the epoch that it names.
    OwnedSince(&'a Member, i32),
}

impl CommitCheck<'_> {
    /// Whether a partition may be committed.
    ///
    /// # Errors
    /// The member does not have it, or got it later. Then nothing of the request may be committed.
    pub fn check(&self, topic_id: Uuid, partition: i32) -> Result<(), ErrorCode> {
        let Self::OwnedSince(member, epoch) = self else { return Ok(()) };
        let got = member.assigned.epoch_of(topic_id, partition);
        match got.or_else(|| member.revoking.epoch_of(topic_id, partition)) {
            Some(got) if got <= *epoch => Ok(()),
            _ => Err(stale(member)),
        }
    }
}

/// How a member is told that its epoch is another.
fn stale(member: &Member) -> ErrorCode {
    if member.is_classic() { ErrorCode::ILLEGAL_GENERATION } else { ErrorCode::STALE_MEMBER_EPOCH }
}

impl ConsumerGroup {
    /// What this one may commit for the group.
    ///
    /// # Errors
    /// Nothing: it is no member, or names an epoch that is to come.
    pub fn check_commit(&self, committer: Committer<'_>) -> Result<CommitCheck<'_>, ErrorCode> {
        let Committer { member_id, instance_id, epoch, is_transactional, version } = committer;
        // Tools, and consumers that assign themselves, commit for groups that have no members.
        if epoch < 0 && self.is_empty() {
            return Ok(CommitCheck::All);
        }
        // Old clients do not say in transactions who they are.
        if is_transactional && epoch == -1 && member_id.is_empty() && instance_id.is_none() {
            return Ok(CommitCheck::All);
        }
        let member = self.member(member_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        if !is_transactional && !member.is_classic() && version < COMMIT_VERSION_OF_MEMBERS {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        if epoch > member.epoch {
            return Err(stale(member));
        }
        Ok(if epoch == member.epoch { CommitCheck::All } else { CommitCheck::OwnedSince(member, epoch) })
    }

    /// Whether this one may fetch the group's offsets; who does not say who it is may.
    ///
    /// # Errors
    /// It is no member, or in another epoch.
    pub fn check_fetch(&self, member_id: Option<&Text>, epoch: i32) -> Result<(), ErrorCode> {
        let member_id = match member_id {
            None if epoch < 0 => return Ok(()),
            None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
            Some(member_id) => member_id,
        };
        let member = self.member(member_id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        if epoch == member.epoch { Ok(()) } else { Err(stale(member)) }
    }
}
