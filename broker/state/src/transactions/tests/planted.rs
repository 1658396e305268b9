//! Mistakes that the simulation must notice.

use super::simulation::run;

/// A mistake, to see that it is noticed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Plant {
    /// The worker says of a partition that it has its marker, and it has not.
    MarkerLost,
    /// Answers leave before what they say is durable.
    EarlyAnswers,
    /// A partition takes records that nobody has verified since its last marker.
    GuardOff,
    /// The coordinator takes every epoch for the present one.
    EpochUncheckedByCoordinator,
    /// Markers do not say that their epoch is above that of the records.
    MarkersOfOldEpochs,
    /// A decision to commit is made an abort by the restart.
    DecisionForgotten,
    /// Nobody asks whether a partition is part of the transaction.
    Unverified,
    /// Nothing happens when a transaction has been open for too long.
    TimeoutForgotten,
    /// A decision is acted upon and not written.
    RecordForgotten,
    /// A marker that failed is never tried again.
    MarkerNotTriedAgain,
    /// Compaction takes the last record of an id.
    RecordCompactedAway,
}

fn is_noticed(plant: Plant) -> bool {
    // A violation that panics is one as well.
    (0..200).any(|seed| std::panic::catch_unwind(|| run(seed, Some(plant)).is_err()).unwrap_or(true))
}

#[test]
fn planted_mistakes_are_noticed() {
    for plant in [
        Plant::MarkerLost,
        Plant::EarlyAnswers,
        Plant::GuardOff,
        Plant::EpochUncheckedByCoordinator,
        Plant::MarkersOfOldEpochs,
        Plant::DecisionForgotten,
        Plant::Unverified,
        Plant::TimeoutForgotten,
        Plant::RecordForgotten,
        Plant::MarkerNotTriedAgain,
        Plant::RecordCompactedAway,
    ] {
        assert!(is_noticed(plant), "{plant:?}");
    }
}
