//! What coordinators of groups and of transactions do, counted as it happens, and how transactions stand when somebody
//! asks.

use std::collections::BTreeMap;
use std::time::Duration;

use strandline_state::groups::{Event as GroupEvent, Kind as GroupKind};
use strandline_state::transactions::{EndedBy, Event as TransactionEvent, Status, Tally};
use tokio::runtime::Handle;
use tokio::time::timeout;

use super::handles::{handles, number};
use super::text::{Kind, Text, close_labels, push_label};
use crate::broker::Broker;

/// A scrape does not wait for longer: an answer rests on what is durable.
const TIME_MAX: Duration = Duration::from_secs(1);

/// What became of a batch that may begin a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verification {
    /// It is part of one.
    Verified,
    /// It is not, and its producer is told so.
    Refused,
    /// It is not known yet, and its producer is told to come again.
    Later,
}

/// What becomes of a marker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fate {
    /// It is in its log, or is not needed any more.
    Settled,
    /// It is tried again after a while.
    Again,
    /// Its log knows of a coordinator with a higher epoch, which writes it if there can be one.
    Fenced,
}

handles! {
    /// The handles, made once.
    Coordinators;
    counter "strandline_group_rebalances_total", "Generations of classic groups that were complete, and epochs of consumer groups.":
        rebalances_of_classic {"type" = "classic"},
        rebalances_of_consumers {"type" = "consumer"};
    counter "strandline_group_members_expired_total", "Members of groups that were thrown out, since they were silent for too long or late.":
        expired_of_classic {"type" = "classic"},
        expired_of_consumers {"type" = "consumer"};
    counter "strandline_group_offsets_total", "Offsets that groups committed, in transactions or not, and that went: of age, or because somebody said so or their topic is gone.":
        offsets_committed {"action" = "committed"},
        offsets_expired {"action" = "expired"},
        offsets_deleted {"action" = "deleted"};
    counter "strandline_transactions_begun_total", "Transactions that were opened.": begun;
    counter "strandline_transactions_ended_total", "Transactions whose end was decided, by how and why: their producer said so, they were open for too long, or another producer came with their id.":
        committed {"outcome" = "committed", "by" = "producer"},
        aborted {"outcome" = "aborted", "by" = "producer"},
        timed_out {"outcome" = "aborted", "by" = "timeout"},
        succeeded {"outcome" = "aborted", "by" = "successor"};
    counter "strandline_transactions_completed_total", "Transactions of which each partition has its marker.": completed;
    counter "strandline_transaction_producers_fenced_total", "Requests of producers that were told that another one has their id by now.":
        fenced;
    counter "strandline_transactional_ids_forgotten_total", "Transactional ids that were forgotten, since nobody used them for long.":
        forgotten;
    counter "strandline_transaction_markers_total", "Markers that were sent to the logs of partitions, by what became of them.":
        markers_settled {"outcome" = "settled"},
        markers_failed {"outcome" = "failed"},
        markers_fenced {"outcome" = "fenced"};
    histogram "strandline_transaction_markers_duration_seconds", "How long it took to write the markers that there were at a time.":
        marking;
    counter "strandline_transaction_verifications_total", "Batches that may begin a transaction on a partition, by whether their coordinator knows of it.":
        verified {"outcome" = "verified"},
        refused {"outcome" = "refused"},
        put_off {"outcome" = "later"};
}

impl Coordinators {
    /// Counts what happened to groups.
    pub(super) fn count_group(&self, event: &GroupEvent) {
        let (counter, count) = match event {
            GroupEvent::Rebalanced(GroupKind::Classic) => (&self.rebalances_of_classic, 1),
            GroupEvent::Rebalanced(GroupKind::Consumer) => (&self.rebalances_of_consumers, 1),
            GroupEvent::MemberExpired { kind: GroupKind::Classic, .. } => (&self.expired_of_classic, 1),
            GroupEvent::MemberExpired { kind: GroupKind::Consumer, .. } => (&self.expired_of_consumers, 1),
            GroupEvent::OffsetsCommitted(count) => (&self.offsets_committed, *count),
            GroupEvent::OffsetsExpired { count, .. } => (&self.offsets_expired, *count),
            GroupEvent::OffsetsDeleted(count) | GroupEvent::OffsetsOfTopicsGone(count) => {
                (&self.offsets_deleted, *count)
            }
        };
        counter.increment(number(count));
    }

    /// Counts what happened to transactions.
    pub(super) fn count_transaction(&self, event: &TransactionEvent) {
        let counter = match event {
            TransactionEvent::Begun => &self.begun,
            TransactionEvent::Ended { is_commit: true, .. } => &self.committed,
            TransactionEvent::Ended { by: EndedBy::Producer, .. } => &self.aborted,
            TransactionEvent::Ended { by: EndedBy::Timeout, .. } => &self.timed_out,
            TransactionEvent::Ended { by: EndedBy::Successor, .. } => &self.succeeded,
            TransactionEvent::Completed => &self.completed,
            TransactionEvent::Fenced => &self.fenced,
            TransactionEvent::Forgotten(_) => &self.forgotten,
        };
        counter.increment(1);
    }

    pub(super) fn count_marker(&self, fate: Fate) {
        let counter = match fate {
            Fate::Settled => &self.markers_settled,
            Fate::Again => &self.markers_failed,
            Fate::Fenced => &self.markers_fenced,
        };
        counter.increment(1);
    }

    pub(super) fn marked(&self, took: Duration) {
        self.marking.record(took);
    }

    pub(super) fn count_verification(&self, verification: Verification) {
        let counter = match verification {
            Verification::Verified => &self.verified,
            Verification::Refused => &self.refused,
            Verification::Later => &self.put_off,
        };
        counter.increment(1);
    }
}

/// How transactions stand, asked of their machines whenever somebody scrapes.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    by_status: BTreeMap<Status, usize>,
    oldest_age: Duration,
}

impl Transactions {
    /// To be called where it may be waited; what does not come in time is not there.
    pub(super) fn of(broker: &Broker) -> Self {
        let Ok(runtime) = Handle::try_current() else { return Self::default() };
        let tallied = runtime.block_on(async { timeout(TIME_MAX, broker.transactions.tally()).await });
        let Tally { by_status, oldest_started_ms } = tallied.unwrap_or_default();
        let now_ms = broker.clock.wall_ms();
        let age_ms = oldest_started_ms.map_or(0, |started_ms| now_ms.saturating_sub(started_ms));
        // The clock may have been set back.
        Self { by_status, oldest_age: Duration::from_millis(u64::try_from(age_ms).unwrap_or(0)) }
    }

    pub(super) fn write(&self, text: &mut Text) {
        let help = "Transactional ids whose coordinator this broker is, by where they stand.";
        text.family("strandline_transactional_ids", Kind::Gauge, help);
        for status in Status::ALL {
            let mut labels = String::new();
            push_label(&mut labels, "state", status.name());
            close_labels(&mut labels);
            let count = self.by_status.get(&status).copied().unwrap_or(0);
            text.sample("strandline_transactional_ids", &labels, number(count));
        }
        let help =
            "How long the oldest transaction has been open, or on its way to its end; 0 if there is none.";
        text.family("strandline_transaction_oldest_age_seconds", Kind::Gauge, help);
        text.fraction("strandline_transaction_oldest_age_seconds", "", self.oldest_age.as_secs_f64());
    }
}
