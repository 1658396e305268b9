//! What the answers of brokers mean for what is assigned. Pure.

use std::time::Duration;

use strandline_protocol::ErrorCode;
use strandline_protocol::apis::fetch::{FetchResponse, PartitionData};
use tokio::time::Instant;

use super::chunk::Chunk;
use super::partition::Phase;
use super::state::{Key, Plan, State};
use crate::error::{Error, Result};
use crate::telemetry;

/// How long a nearer replica is believed to be one without asking the leader again.
const PREFERRED_FOR: Duration = Duration::from_secs(300);

impl State {
    /// Takes in the answer to a fetch. Says whether what is known of the cluster is out of date.
    pub(super) fn answered(&mut self, plan: &Plan, response: FetchResponse, now: Instant) -> bool {
        let mut is_outdated = false;
        for topic in response.responses {
            for partition in topic.partitions {
                let key = (topic.topic.clone(), partition.partition_index);
                is_outdated |= self.answered_of(plan, &key, partition, now);
            }
        }
        is_outdated
    }

    fn answered_of(&mut self, plan: &Plan, key: &Key, data: PartitionData, now: Instant) -> bool {
        // The name that was asked for, not the one in the answer: whoever keeps it does not keep the answer with it.
        let Some((key, asked)) = plan.asks.get_key_value(key) else { return false };
        let rest = self.settings.backoff_greatest;
        let Some(partition) = self.current(key, plan).filter(|it| it.next == asked.offset) else {
            return false;
        };
        if data.error_code != ErrorCode::NONE {
            return self.refused(plan, key, data.error_code, now);
        }
        partition.failures = 0;
        partition.high_watermark = Some(data.high_watermark).filter(|offset| *offset >= 0);
        partition.last_stable = Some(data.last_stable_offset).filter(|offset| *offset >= 0);
        let mut is_outdated = false;
        if data.preferred_read_replica >= 0 {
            partition.preferred = Some((data.preferred_read_replica, now + PREFERRED_FOR));
            // Whoever is sent round in circles goes slowly, and looks whether the one that is named is there.
            if partition.redirected_at.replace(now).is_some_and(|at| now < at + rest) {
                partition.rests_until = Some(now + rest);
                is_outdated = true;
            }
        }
        let records = data.records.unwrap_or_default();
        let Some(bytes) = records.as_slice().filter(|bytes| !bytes.is_empty()) else { return is_outdated };
        let aborted = data.aborted_transactions.unwrap_or_default();
        match Chunk::new(key, asked.offset, bytes, aborted) {
            Ok(Some(chunk)) => {
                telemetry::fetched(chunk.bytes());
                self.fetched(key, chunk);
            }
            // Brokers send the first batch whole; this one did not.
            Ok(None) => self.broken(key, Error::Missing(format!("a whole batch of {}-{}", key.0, key.1))),
            Err(source) => {
                let subject = format!("{}-{} at {}", key.0, key.1, asked.offset);
                self.broken(key, Error::Corrupt { subject, source: source.into() });
            }
        }
        is_outdated
    }

    fn refused(&mut self, plan: &Plan, key: &Key, code: ErrorCode, now: Instant) -> bool {
        let reset = self.settings.reset.offset();
        let rest = self.settings.backoff_least;
        let subject = format!("{}-{}", key.0, key.1);
        let Some(partition) = self.current(key, plan) else { return false };
        let was_near = partition.preferred.take().is_some_and(|(id, _)| id == plan.broker);
        let error = Error::broker(code, subject, None);
        if code == ErrorCode::OFFSET_OUT_OF_RANGE {
            if was_near {
                // A follower may be behind; the leader knows.
                return false;
            }
            match reset {
                Some(at) => partition.phase = Phase::Lost(at),
                None => self.broken(key, error),
            }
            return false;
        }
        let is_of_leadership = matches!(
            code,
            ErrorCode::FENCED_LEADER_EPOCH
                | ErrorCode::UNKNOWN_LEADER_EPOCH
                | ErrorCode::OFFSET_NOT_AVAILABLE
        );
        if is_of_leadership || error.is_retriable() {
            let factor = 1 << partition.failures.min(4);
            partition.failures += 1;
            partition.rests_until = Some(now + rest * factor);
            return is_of_leadership || error.needs_metadata();
        }
        self.broken(key, error);
        false
    }

    /// No answer came.
    pub(super) fn unanswered(&mut self, plan: &Plan, error: &Error, now: Instant) {
        let rest = self.settings.backoff_least;
        let is_hopeless = !error.is_retriable();
        for key in plan.asks.keys() {
            let Some(partition) = self.current(key, plan) else { continue };
            // A nearer replica that cannot be reached is not near.
            partition.preferred = None;
            partition.failures += 1;
            partition.rests_until = Some(now + rest * (1 << partition.failures.min(4)));
        }
        if is_hopeless {
            self.errors.push_back(error.clone());
        }
    }

    /// Nothing more comes of this partition until its user seeks.
    fn broken(&mut self, key: &Key, error: Error) {
        if let Some(partition) = self.partitions.get_mut(key) {
            partition.phase = Phase::Broken;
        }
        self.errors.push_back(error);
    }

    /// An offset has been looked for. One that could not be found is looked for again later, unless that is no use.
    pub(super) fn found(&mut self, key: &Key, generation: u64, offset: Result<i64>, now: Instant) {
        let rest = self.settings.backoff_greatest;
        let partition = self.partitions.get_mut(key).filter(|it| it.generation == generation);
        let Some(partition) = partition else { return };
        let Phase::BeingFound(at) = partition.phase else { return };
        match offset {
            Ok(offset) => partition.begin_at(offset),
            Err(error) if error.is_retriable() => {
                partition.phase = Phase::Lost(at);
                partition.rests_until = Some(now + rest);
            }
            Err(error) => self.broken(key, error),
        }
    }

    /// A new leader has said where the records end of the epoch that was read last.
    pub(super) fn validated(&mut self, key: &Key, generation: u64, end: Result<i64>, now: Instant) {
        let reset = self.settings.reset.offset();
        let rest = self.settings.backoff_greatest;
        let next_generation = self.next_generation();
        let partition = self.partitions.get_mut(key).filter(|it| it.generation == generation);
        let Some(partition) = partition else { return };
        if partition.phase != Phase::BeingValidated {
            return;
        }
        let position = partition.next;
        match end {
            Ok(end) if end >= position => partition.phase = Phase::Ready,
            Ok(end_offset) => {
                partition.drop_chunks(next_generation);
                match reset {
                    // It does not know that epoch at all.
                    Some(at) if end_offset < 0 => partition.phase = Phase::Lost(at),
                    Some(_) => partition.begin_at(end_offset),
                    None => {
                        let subject = format!("{}-{}", key.0, key.1);
                        self.broken(key, Error::Truncated { subject, position, end_offset });
                    }
                }
                self.forget_order(key);
            }
            Err(error) if error.is_retriable() => {
                partition.phase = Phase::Doubted;
                partition.rests_until = Some(now + rest);
            }
            // Who cannot say must be believed.
            Err(_) => partition.phase = Phase::Ready,
        }
    }
}
