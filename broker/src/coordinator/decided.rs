//! What coordinators decide by themselves, in the log: about whom, and why.
//!
//! What requests ask for is not told of here, and nothing is that a heartbeat brings. What clients call themselves, their
//! groups and their transactions is their own choice: it is written so that it cannot end a line.

use strandline_state::groups::Event as GroupEvent;
use strandline_state::transactions::{EndedBy, Event as TransactionEvent};

/// The part that is turned up for transactions.
const TRANSACTIONS: &str = "strandline_broker::transactions";

/// Tells of groups.
pub(super) fn log_group(event: &GroupEvent) {
    match event {
        GroupEvent::MemberExpired { group, member, why, .. } => {
            let reason = why.reason();
            tracing::info!(?group, ?member, reason, "a member is thrown out of its group");
        }
        GroupEvent::OffsetsExpired { group, count, is_group_gone } => {
            let reason =
                "the group had no use for them for offsets.retention.minutes, or for as long as it said";
            tracing::info!(?group, count, is_group_gone, reason, "committed offsets are forgotten");
        }
        GroupEvent::OffsetsOfTopicsGone(count @ 1..) => {
            tracing::debug!(count, reason = "their topics were deleted", "committed offsets are forgotten");
        }
        // What somebody asked for, or nothing.
        GroupEvent::Rebalanced(_)
        | GroupEvent::OffsetsCommitted(_)
        | GroupEvent::OffsetsDeleted(_)
        | GroupEvent::OffsetsOfTopicsGone(0) => {}
    }
}

/// Tells of transactions.
pub fn log_transaction(event: &TransactionEvent) {
    match event {
        TransactionEvent::Ended { by: EndedBy::Timeout, transactional_id, timeout_ms, .. } => {
            let reason = "it was open for longer than its producer's transaction.timeout.ms";
            tracing::info!(target: TRANSACTIONS, ?transactional_id, timeout_ms, reason, "a transaction is aborted");
        }
        TransactionEvent::Ended { by: EndedBy::Successor, transactional_id, .. } => {
            let reason = "another producer came with its id, or an operator fenced the one before";
            tracing::debug!(target: TRANSACTIONS, ?transactional_id, reason, "a transaction is aborted");
        }
        TransactionEvent::Forgotten(transactional_id) => {
            let reason = "nobody used it for transactional.id.expiration.ms";
            tracing::debug!(target: TRANSACTIONS, ?transactional_id, reason, "a transactional id is forgotten");
        }
        TransactionEvent::Begun
        | TransactionEvent::Ended { by: EndedBy::Producer, .. }
        | TransactionEvent::Completed
        | TransactionEvent::Fenced => {}
    }
}

#[cfg(test)]
mod tests {
    use strandline_state::groups::{Kind, Missed};

    use super::*;
    use crate::tests::lines::Lines;

    #[test]
    fn each_decision_has_its_line_and_what_was_asked_for_has_none() {
        let lines = Lines::begin();
        let out = |why| GroupEvent::MemberExpired {
            kind: Kind::Classic,
            group: "g\n".into(),
            member: "m".into(),
            why,
        };
        let who = r#"INFO strandline_broker::coordinator::decided: a member is thrown out of its group group="g\n" member="m" reason="#;
        for (why, reason) in [
            (Missed::Heartbeat, "it was silent for longer than its session timeout"),
            (Missed::Join, "it did not join the rebalance in time"),
            (Missed::Sync, "it did not ask for its assignment in time"),
            (Missed::Revocation, "it did not give up its partitions within its rebalance timeout"),
        ] {
            log_group(&out(why));
            assert_eq!(lines.only(), format!("{who}{reason:?}"));
        }
        log_group(&GroupEvent::OffsetsExpired { group: "g".into(), count: 3, is_group_gone: false });
        let line = lines.only();
        assert!(line.contains(r#"group="g" count=3 is_group_gone=false reason="#), "{line}");
        log_group(&GroupEvent::OffsetsOfTopicsGone(2));
        assert!(lines.only().contains(r#"count=2 reason="their topics were deleted""#));
        for event in [
            GroupEvent::Rebalanced(Kind::Consumer),
            GroupEvent::OffsetsCommitted(1),
            GroupEvent::OffsetsDeleted(1),
            GroupEvent::OffsetsOfTopicsGone(0),
        ] {
            log_group(&event);
        }
        assert_eq!(lines.take(), [""; 0]);
    }

    #[test]
    fn ends_of_transactions_that_no_producer_asked_for_are_told() {
        let lines = Lines::begin();
        let ended = |by| TransactionEvent::Ended {
            is_commit: false,
            by,
            transactional_id: "tx".into(),
            timeout_ms: 7,
        };
        for (event, level, parts) in [
            (
                ended(EndedBy::Timeout),
                "INFO",
                ["transactional_id=\"tx\" timeout_ms=7", "transaction.timeout.ms"],
            ),
            (ended(EndedBy::Successor), "DEBUG", ["transactional_id=\"tx\"", "another producer came"]),
            (
                TransactionEvent::Forgotten("tx".into()),
                "DEBUG",
                ["transactional_id=\"tx\"", "id.expiration.ms"],
            ),
        ] {
            log_transaction(&event);
            let line = lines.only();
            let start = format!("{level} strandline_broker::transactions: ");
            assert!(line.starts_with(&start) && parts.iter().all(|part| line.contains(part)), "{line}");
        }
        for event in [ended(EndedBy::Producer), TransactionEvent::Begun, TransactionEvent::Completed] {
            log_transaction(&event);
        }
        assert_eq!(lines.take(), [""; 0]);
    }
}
