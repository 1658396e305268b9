//! Mistakes that the simulation must notice.

use super::simulation::{Plant, run};

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
    ] {
        assert!(is_noticed(plant), "{plant:?}");
    }
}
