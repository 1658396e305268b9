//! Those who do what the machines want done: one for each partition of the internal topic.

use std::sync::{Arc, Weak};
use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_state::transactions::{Command, Reply, Request, Work, Written};

use super::TransactionCoordinator;
use super::markers::{Marked, Wanted};

/// So long a worker waits at first, and at most, before it asks again a machine that is not there.
const WAIT_MIN: Duration = Duration::from_millis(20);
const WAIT_MAX: Duration = Duration::from_secs(1);

/// The workers that there are.
#[derive(Debug, Default)]
pub(super) struct Workers {
    count: i32,
}

impl Workers {
    /// Starts those that are missing.
    pub(super) fn start(&mut self, transactions: &Arc<TransactionCoordinator>) {
        let count = i32::try_from(transactions.coordinator.partition_count()).unwrap_or(i32::MAX);
        for partition in self.count..count {
            tokio::spawn(run(Arc::downgrade(transactions), partition));
        }
        self.count = self.count.max(count);
    }
}

/// Works for one partition as long as there is a broker. Meanwhile it keeps nothing alive.
async fn run(transactions: Weak<TransactionCoordinator>, partition: i32) {
    let (mut written, mut wait) = (Vec::new(), WAIT_MIN);
    loop {
        let answer = {
            let Some(transactions) = transactions.upgrade() else { return };
            let request = Request::Work(std::mem::take(&mut written));
            transactions.coordinator.ask_partition(partition, |ticket| Command::Ask(ticket, request)).await
        };
        match answer.get().await {
            Ok(Reply::Work(work)) => {
                wait = WAIT_MIN;
                let Some(transactions) = transactions.upgrade() else { return };
                written = transactions.carry_out(partition, work).await;
            }
            // What was written and could not be said is written again: it changes nothing.
            Ok(_) | Err(_) => {
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(WAIT_MAX);
            }
        }
    }
}

impl TransactionCoordinator {
    /// Does what is to be done, all of it together, and says what is done.
    async fn carry_out(&self, partition: i32, work: Vec<Work>) -> Vec<Written> {
        let coordinator_epoch = self.markers.coordinator_epoch(partition);
        let mut wanted = Vec::new();
        let mut owners = Vec::new();
        for work in work {
            match work {
                Work::Markers(markers) => {
                    wanted.push(Wanted {
                        producer_id: markers.producer_id,
                        producer_epoch: markers.producer_epoch,
                        is_commit: markers.is_commit,
                        version: markers.version,
                        coordinator_epoch,
                        partitions: markers.partitions,
                    });
                    owners.push(markers.transactional_id);
                }
                Work::ProducerId(overdue) => {
                    // If there is none, the machine asks again.
                    let Ok(fresh_producer_id) = self.producer_ids.next().await else { continue };
                    let request = Request::Abort { overdue, fresh_producer_id };
                    let ask = |ticket| Command::Ask(ticket, request);
                    drop(self.coordinator.ask_partition(partition, ask).await);
                }
            }
        }
        let identities: Vec<_> =
            wanted.iter().map(|wanted| (wanted.producer_id, wanted.producer_epoch)).collect();
        let begun = self.clock.monotonic();
        let marked = self.markers.write(wanted).await;
        if !marked.is_empty() {
            self.metrics.marked(self.clock.monotonic().saturating_sub(begun));
        }
        for (topic, index, code) in marked.iter().flat_map(Marked::codes) {
            if code != ErrorCode::NONE {
                tracing::warn!(%topic, index, %code, "a marker of a transaction is not taken");
            }
        }
        marked.iter().flat_map(Marked::fates).for_each(|fate| self.metrics.marker(fate));
        let done = owners.into_iter().zip(identities).zip(marked);
        let mut written = Vec::with_capacity(done.len());
        for ((transactional_id, (producer_id, producer_epoch)), marked) in done {
            let is_fenced = marked.is_fenced() && !self.markers.outbid(producer_id, &marked).await;
            let partitions = marked.settled();
            written.push(Written { transactional_id, producer_id, producer_epoch, is_fenced, partitions });
        }
        written
    }
}
