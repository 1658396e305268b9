//! Markers on their way into the logs of this broker.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use strandline_log::clock::Clock;
use strandline_log::engine::{Command, Done, NewBatch, Outcome, Refusal};
use strandline_log::producers::Sender;
use strandline_protocol::batch::ControlRecord;
use strandline_protocol::{ErrorCode, Text};
use strandline_state::coordinator::TransactionEnd;
use strandline_state::groups::Groups;
use strandline_state::transactions::Partitions;

use crate::api::topics::{Led, Topics};
use crate::coordinator::{Answer, Coordinator, OFFSETS_TOPIC, TRANSACTIONS_TOPIC};
use crate::few::Few;
use crate::metadata::Metadata;
use crate::metrics::Fate;

/// From this version on a marker has a higher epoch than what it ends.
const RAISING_VERSION: i16 = 2;

/// The markers of one transaction.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its producer.
    pub producer_id: i64,
    /// The epoch that the markers get.
    pub producer_epoch: i16,
    /// Whether it counts.
    pub is_commit: bool,
    /// By which version of transactions it ends.
    pub version: i16,
    /// The epoch of whoever decided it.
    pub coordinator_epoch: i32,
    /// Where to.
    pub partitions: Partitions,
}

/// What became of the markers of one transaction: a code for each partition.
#[derive(Clone, Debug, Default)]
pub struct Marked(Vec<(Text, i32, ErrorCode)>);

impl Marked {
    /// The partitions, with what became of each.
    pub fn codes(&self) -> impl Iterator<Item = (&Text, i32, ErrorCode)> {
        self.0.iter().map(|(topic, index, code)| (topic, *index, *code))
    }

    /// Those that have their marker, or need none.
    pub fn settled(self) -> Partitions {
        let settled = self.0.into_iter().filter(|(.., code)| Fate::of(*code) == Fate::Settled);
        settled.map(|(topic, index, _)| (topic, index)).collect()
    }

    /// What became of each marker, for whoever counts.
    pub(super) fn fates(&self) -> impl Iterator<Item = Fate> {
        self.0.iter().map(|(.., code)| Fate::of(*code))
    }

    /// Whether somewhere a newer coordinator has been.
    pub fn is_fenced(&self) -> bool {
        self.fates().any(|fate| fate == Fate::Fenced)
    }
}

impl Fate {
    /// What becomes of a marker that was answered so: as Kafka's coordinator has it, but where Kafka's forgets a
    /// transaction until it is loaded the next time:
    ///
    /// | code | Kafka | here |
    /// | --- | --- | --- |
    /// | the producer has gone on by an epoch | nothing more is sent for this transaction | this partition needs none: nobody has another epoch there before his transaction is over |
    /// | the batch is wrong, too large, or something that nobody expects | an exception, and nothing more is sent | tried again, so that the id is not lost to its producer |
    pub(super) fn of(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NONE
            // There is no such topic any more: the metadata that says so is this broker's own.
            | ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            | ErrorCode::INVALID_PRODUCER_EPOCH
            // Nothing of a transaction can be there either.
            | ErrorCode::UNSUPPORTED_FOR_MESSAGE_FORMAT
            | ErrorCode::UNSUPPORTED_VERSION => Self::Settled,
            ErrorCode::TRANSACTION_COORDINATOR_FENCED => Self::Fenced,
            _ => Self::Again,
        }
    }
}

/// What writes them.
pub struct MarkerWriter {
    metadata: Arc<Metadata>,
    groups: Arc<Coordinator<Groups>>,
    clock: Arc<dyn Clock>,
    /// The highest epoch that logs know of a coordinator that there is not.
    epoch_min: AtomicI32,
}

impl fmt::Debug for MarkerWriter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("writer of markers")
    }
}

/// A marker on its way, with its place in the answer.
enum Sent {
    ToGroups(usize, usize, Answer<()>),
    ToLog(usize, usize),
}

impl MarkerWriter {
    pub(super) fn new(
        metadata: Arc<Metadata>,
        groups: Arc<Coordinator<Groups>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { metadata, groups, clock, epoch_min: AtomicI32::new(0) }
    }

    /// The epoch of the coordinator that leads this partition of the internal topic, or more where that was not enough.
    pub(super) fn coordinator_epoch(&self, partition: i32) -> i32 {
        let topic = self.metadata.by_name(TRANSACTIONS_TOPIC.name);
        let leadership = topic.and_then(|topic| topic.leadership(partition).ok());
        let epoch = leadership.map_or(0, |leadership| leadership.leader_epoch);
        epoch.max(self.epoch_min.load(Ordering::Acquire))
    }

    /// Has the next markers carry the epoch that these of one producer were fenced by, where it is no coordinator's:
    /// of a broker that is alone nobody but itself is one, and somebody wrote a marker by hand. Without that, a log that has
    /// seen such a marker would never take another, and whoever reads committed records would wait for ever. Whether it is
    /// so, and the fenced ones are to be tried again.
    pub(super) async fn outbid(&self, producer_id: i64, marked: &Marked) -> bool {
        if self.metadata.image().brokers().count() > 1 {
            return false;
        }
        let fenced = marked.codes().filter(|(.., code)| Fate::of(*code) == Fate::Fenced);
        let led = fenced.filter_map(|(topic, index, _)| self.led(topic, index).ok());
        let commands: Vec<_> = led.map(|led| Command::ListProducers { partition: led.log.id() }).collect();
        for outcome in self.metadata.storage().submit(commands).await.await {
            let Ok(Done::Producers(producers)) = outcome else { continue };
            let known = producers.iter().filter(|producer| producer.producer_id == producer_id);
            for epoch in known.map(|producer| producer.coordinator_epoch) {
                self.epoch_min.fetch_max(epoch, Ordering::AcqRel);
            }
        }
        true
    }

    /// Writes markers, all of them together, and says what became of each transaction's.
    pub async fn write(&self, wanted: Vec<Wanted>) -> Vec<Marked> {
        let mut marked = Vec::with_capacity(wanted.len());
        let (mut sent, mut commands) = (Vec::new(), Vec::new());
        for wanted in wanted {
            let mut of_one = Marked::default();
            let batch = self.batch(&wanted);
            for (topic, index) in wanted.partitions.iter() {
                let place = (marked.len(), of_one.0.len());
                let led = self.led(topic, index);
                let code = match (&batch, &led) {
                    (Err(code), _) | (_, Err(code)) => *code,
                    (Ok(batch), Ok(_)) if topic.as_str() == OFFSETS_TOPIC.name => {
                        let end = end_of(&wanted);
                        let answer = self.groups.end_transaction(index, batch.clone(), end).await;
                        sent.push(Sent::ToGroups(place.0, place.1, answer));
                        ErrorCode::NONE
                    }
                    (Ok(batch), Ok(led)) => {
                        sent.push(Sent::ToLog(place.0, place.1));
                        commands.push(append(led, batch.clone()));
                        ErrorCode::NONE
                    }
                };
                of_one.0.push((topic.clone(), index, code));
            }
            marked.push(of_one);
        }
        let storage = self.metadata.storage();
        let outcomes =
            if commands.is_empty() { Few::default() } else { storage.submit(commands).await.await };
        let mut outcomes = outcomes.into_iter();
        for sent in sent {
            let (transaction, partition, code) = match sent {
                Sent::ToGroups(transaction, partition, answer) => {
                    (transaction, partition, answer.get().await.err().map_or(ErrorCode::NONE, of_coordinator))
                }
                Sent::ToLog(transaction, partition) => (transaction, partition, code_of(outcomes.next())),
            };
            let place = marked.get_mut(transaction).and_then(|marked| marked.0.get_mut(partition));
            if let Some((.., place)) = place {
                *place = code;
            }
        }
        marked
    }

    fn batch(&self, wanted: &Wanted) -> Result<NewBatch, ErrorCode> {
        let Wanted { producer_id, producer_epoch, coordinator_epoch, .. } = *wanted;
        if producer_id < 0 || producer_epoch < 0 {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let record = if wanted.is_commit {
            ControlRecord::Commit { coordinator_epoch }
        } else {
            ControlRecord::Abort { coordinator_epoch }
        };
        let batch = record
            .transaction_marker(self.clock.wall_ms(), producer_id, producer_epoch)
            .map_err(|error| error.to_string())
            .and_then(|bytes| NewBatch::validated(bytes).map_err(|error| error.to_string()));
        let batch = batch.map_err(|error| {
            tracing::error!(error, "a marker cannot be made");
            ErrorCode::UNKNOWN_SERVER_ERROR
        })?;
        Ok(if wanted.version >= RAISING_VERSION { batch.raising_epoch() } else { batch })
    }

    fn led(&self, topic: &str, index: i32) -> Result<Led, ErrorCode> {
        let topic = self.metadata.by_name(topic).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        topic.led_by(self.metadata.node_id(), self.metadata.storage(), index)
    }
}

fn end_of(wanted: &Wanted) -> TransactionEnd {
    let Wanted { producer_id, producer_epoch, is_commit, .. } = *wanted;
    TransactionEnd { producer_id, producer_epoch, is_commit }
}

fn append(led: &Led, batch: NewBatch) -> Command {
    let (partition, leader_epoch) = (led.log.id(), led.leader_epoch);
    Command::Append { partition, leader_epoch, sender: Sender::Coordinator, batch }
}

fn code_of(outcome: Option<Outcome>) -> ErrorCode {
    match outcome {
        Some(Ok(Done::Appended { .. })) => ErrorCode::NONE,
        // It is being deleted, or made: the next attempt knows.
        Some(Err(Refusal::UnknownPartition | Refusal::EpochGoesBack { .. })) => {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        }
        Some(Err(refusal)) => refusal.code(),
        Some(Ok(_)) | None => ErrorCode::KAFKA_STORAGE_ERROR,
    }
}

/// What a coordinator of groups says, as a log would.
fn of_coordinator(code: ErrorCode) -> ErrorCode {
    match code {
        ErrorCode::COORDINATOR_NOT_AVAILABLE
        | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS
        | ErrorCode::NOT_COORDINATOR => ErrorCode::NOT_LEADER_OR_FOLLOWER,
        code => code,
    }
}

#[cfg(test)]
mod tests;
