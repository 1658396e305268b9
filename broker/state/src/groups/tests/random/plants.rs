//! Mistakes that are planted, and that must be noticed.

/// A mistake that somebody might make.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Plant {
    None,
    /// A member commits in a generation that is over, and is let.
    OldGenerationCommits,
    /// A record is taken in and never written.
    RecordLost,
    /// The end of a transaction is taken in and never written.
    MarkerLost,
    /// What was pending counts although its transaction was aborted.
    AbortCounts,
    /// Two members are told that they have the same.
    AssignedTwice,
    /// A generation's number comes twice.
    GenerationRepeats,
    /// What a member was told it has is not what is written.
    AssignmentForgotten,
    /// A commit is answered and not done.
    CommitIgnored,
    /// What is answered is what another member was assigned.
    AnswersSwapped,
    /// A later commit is taken back by an earlier one of a transaction.
    OffsetGoesBack,
    /// A member whose place another process has taken commits, and is let.
    ReplacedCommits,
    /// Compaction leaves the first record of each key, and not the last.
    OldestKept,
}

pub(super) const PLANTS: [Plant; 12] = [
    Plant::OldGenerationCommits,
    Plant::RecordLost,
    Plant::MarkerLost,
    Plant::AbortCounts,
    Plant::AssignedTwice,
    Plant::GenerationRepeats,
    Plant::AssignmentForgotten,
    Plant::CommitIgnored,
    Plant::AnswersSwapped,
    Plant::OffsetGoesBack,
    Plant::ReplacedCommits,
    Plant::OldestKept,
];
