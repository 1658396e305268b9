//! What compaction leaves of the coordinator's log, and that it says the same.

use super::*;

impl World {
    /// What compaction leaves says the same.
    pub(super) fn check_compacted(&self) {
        let mut left = compacted(&self.rig.log);
        if self.has(Plant::RecordCompactedAway) {
            left.pop();
        }
        let (whole, left) = (replayed(&self.rig.log), replayed(&left));
        let states = |machine: &Transactions| format!("{:?}", machine.states().collect::<BTreeMap<_, _>>());
        assert_eq!(states(&left), states(&whole), "compaction leaves something else");
    }
}

/// What compaction leaves of a log, tombstones taken away as well: the last record of each id.
fn compacted(log: &[TransactionRecord]) -> Vec<TransactionRecord> {
    let mut ids = BTreeSet::new();
    let last = log.iter().rev().filter(|record| ids.insert(record.transactional_id.clone()));
    let mut left: Vec<_> = last.filter(|record| record.state.is_some()).cloned().collect();
    left.reverse();
    left
}
