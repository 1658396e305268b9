//! What is to be done with each partition of a request: refused on the spot, or sent to the writer.

use std::borrow::Cow;
use std::sync::Arc;

use strandline_log::engine::Command;
use strandline_log::producers::{Guard, Sender};
use strandline_protocol::apis::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use strandline_protocol::batch::{BatchHeader, TimestampType};
use strandline_protocol::{ErrorCode, Records, Text};

use super::answer::Pending;
use super::check::{self, Checked, Fault, Rest};
use super::outline::{Outline, Place, Said};
use crate::admission::Candidate;
use crate::api::topics::{Found, Led, Topic};
use crate::api::turn::Noted;
use crate::authorize::{Operation, Resource};
use crate::broker::Broker;
use crate::context::Call;
use crate::few::Few;

/// The client that may write to internal topics: Kafka's own tools.
const ADMIN_CLIENT_ID: &str = "__admin_client";

/// From this version on topics are named by their ids.
pub(super) const BY_ID_VERSION_MIN: i16 = 13;

/// A request on its way to the writer.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The answer, as far as it is known.
    pub(super) outline: Outline,
    pub(super) accepted: Few<Accepted>,
    /// What the producer calls itself, if it writes transactions.
    transactional_id: Option<Text>,
    /// The time that all of it has.
    now_ms: i64,
}

/// A batch that is to be appended.
#[derive(Debug)]
pub(super) struct Accepted {
    pending: Pending,
    checked: Checked,
    is_transactional: bool,
    /// What it shows to the log, if it begins a transaction.
    guard: Option<Guard>,
}

/// The same for all partitions of a request.
struct Planner<'a> {
    broker: &'a Broker,
    call: &'a Call,
    acks: i16,
    now_ms: i64,
    /// What this turn of the connection has found before.
    last: Option<Arc<Found>>,
}

/// Whether any batch says that it is part of a transaction, whatever else is wrong with it. As in Kafka, what ends before
/// the batch does says nothing.
pub(super) fn has_transactional(request: &ProduceRequest) -> bool {
    let partitions = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    partitions
        .filter_map(|partition| partition.records.as_ref()?.as_slice())
        .filter_map(|bytes| {
            BatchHeader::parse(bytes).ok().filter(|header| header.total_bytes() <= bytes.len())
        })
        .any(|header| header.attributes.is_transactional())
}

impl Plan {
    /// Every partition refused alike.
    pub(super) fn refusal(request: &ProduceRequest, code: ErrorCode) -> Self {
        let mut outline = Outline::default();
        for topic in &request.topic_data {
            outline.begin_topic(topic.name.clone(), topic.topic_id);
            for partition in &topic.partition_data {
                outline.push(partition.index, Said::refused(Fault::of(code)));
            }
        }
        Self { outline, ..Self::default() }
    }

    pub(super) fn new(broker: &Broker, call: &Call, request: ProduceRequest) -> Self {
        let Noted { found: last, now_ms } = call.connection.turn.noted(&*broker.clock);
        let planner = Planner { broker, call, acks: request.acks, now_ms, last };
        let transactional_id = request.transactional_id;
        let mut plan = Self { now_ms, transactional_id, ..Self::default() };
        for data in request.topic_data {
            let last = planner.last_found(&data);
            let topic = match last {
                Some(found) => planner.may_write(&found.topic.name).map(|()| Cow::Borrowed(&found.topic)),
                None => planner.topic(&data).map(Cow::Owned),
            };
            let TopicProduceData { name, topic_id, partition_data, .. } = data;
            plan.outline.begin_topic(name, topic_id);
            for partition in partition_data {
                let index = partition.index;
                let place = plan.outline.next_place();
                let found = topic.as_ref().map_err(|code| Fault::of(*code));
                let said = match found.and_then(|topic| planner.partition(topic, last, partition, place)) {
                    Ok(accepted) => {
                        plan.accepted.push(accepted);
                        Said::Nothing
                    }
                    Err(fault) => Said::refused(fault),
                };
                plan.outline.push(index, said);
            }
        }
        plan
    }

    /// Whether something has to be waited for before it can go to the writer.
    pub(super) fn takes_time(&self) -> bool {
        self.accepted
            .iter()
            .any(|accepted| accepted.checked.verdict.rest.is_some() || accepted.is_transactional)
    }

    /// Does with each batch what takes too long for the connection's task: decompresses much, and compresses anew.
    /// Whoever has to wait until it is their turn takes up no thread.
    pub(super) async fn complete(&mut self, broker: &Broker) {
        if self.accepted.iter().all(|accepted| accepted.checked.verdict.rest.is_none()) {
            return;
        }
        let is_large =
            self.accepted.iter().any(|accepted| accepted.checked.verdict.rest == Some(Rest::Check));
        let turn = broker.turns.take(is_large).await;
        let (accepted, now_ms) = (std::mem::take(&mut self.accepted), self.now_ms);
        let completed = broker.offload.run(move || {
            // To the end of the work, whoever still waits for it.
            let _turn = turn;
            let complete = |accepted: Accepted| {
                let Accepted { pending, checked, is_transactional, guard } = accepted;
                match check::complete(checked, &pending.found.topic.rules, now_ms) {
                    Ok(checked) => Ok(Accepted { pending, checked, is_transactional, guard }),
                    Err(fault) => Err(Box::new((pending, fault))),
                }
            };
            accepted.into_iter().map(complete).collect::<Vec<_>>()
        });
        for completed in completed.await.unwrap_or_default() {
            match completed {
                Ok(accepted) => self.accepted.push(accepted),
                Err(refused) => {
                    let (pending, fault) = *refused;
                    self.refuse(&pending, fault);
                }
            }
        }
    }

    /// Asks whether these batches may go to the writer now. Nobody need be asked about those of no transaction.
    pub(super) async fn admit(&mut self, broker: &Broker, call: &Call) {
        if !self.accepted.iter().any(|accepted| accepted.is_transactional) {
            return;
        }
        let candidates: Vec<_> = self.accepted.iter().map(Accepted::candidate).collect();
        let transactional_id = self.transactional_id.clone();
        let admitted = broker.admission.admit(call, transactional_id.as_ref(), &candidates, self.now_ms);
        let Some(admitted) = admitted else { return };
        let mut admitted = admitted.await.into_iter();
        for mut accepted in std::mem::take(&mut self.accepted) {
            match admitted.next() {
                Some(Err(code)) => self.refuse(&accepted.pending, Fault::of(code)),
                Some(Ok(guard)) => {
                    accepted.guard = guard;
                    self.accepted.push(accepted);
                }
                None => self.accepted.push(accepted),
            }
        }
    }

    /// Where the bytes lie that go to the writer.
    #[cfg(test)]
    pub(super) fn batches(&self) -> impl Iterator<Item = std::ops::Range<*const u8>> {
        self.accepted.iter().map(|accepted| accepted.checked.bytes.as_ptr_range())
    }

    fn refuse(&mut self, pending: &Pending, fault: Fault) {
        let fault = fault.beside(pending.log());
        if let Some(said) = self.outline.said(pending.place) {
            *said = Said::refused(fault);
        }
    }
}

impl Accepted {
    /// What is left for the writer, and where its answer goes.
    pub(super) fn into_command(self) -> (Command, Pending) {
        let Self { pending, checked, guard, .. } = self;
        let batch = check::new_batch(checked).verified(guard);
        let Led { log, leader_epoch, .. } = &pending.found.led;
        let (partition, leader_epoch, sender) = (log.id(), *leader_epoch, Sender::Client);
        (Command::Append { partition, leader_epoch, sender, batch }, pending)
    }

    fn candidate(&self) -> Candidate {
        let Found { topic, led: Led { index, log, .. } } = &*self.pending.found;
        Candidate {
            topic: topic.name.clone(),
            partition: *index,
            log: Arc::clone(log),
            header: self.checked.header,
        }
    }
}

impl Planner<'_> {
    /// The topic, if the one who calls may write to it. By name the right is asked for first; an id says nothing
    /// as long as it is not known whose it is.
    fn topic(&self, data: &TopicProduceData) -> Result<Arc<Topic>, ErrorCode> {
        let Self { broker, call, .. } = self;
        if call.version >= BY_ID_VERSION_MIN {
            let topic = broker.topics.by_id(data.topic_id).ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
            return self.may_write(&topic.name).map(|()| topic);
        }
        self.may_write(&data.name)?;
        broker.topics.by_name(&data.name).ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)
    }

    fn may_write(&self, name: &str) -> Result<(), ErrorCode> {
        let may_write = self.broker.authorizer.authorize(self.call, Operation::Write, Resource::Topic(name));
        if may_write { Ok(()) } else { Err(ErrorCode::TOPIC_AUTHORIZATION_FAILED) }
    }

    /// What this turn of the connection has found before, if it is of this topic.
    fn last_found(&self, data: &TopicProduceData) -> Option<&Arc<Found>> {
        let is_by_id = self.call.version >= BY_ID_VERSION_MIN;
        let is_it = |topic: &Topic| {
            if is_by_id { topic.id == data.topic_id } else { topic.name == data.name }
        };
        self.last.as_ref().filter(|found| is_it(&found.topic))
    }

    /// The partition with this number, if this broker leads it.
    fn find(&self, topic: &Arc<Topic>, index: i32) -> Result<Arc<Found>, ErrorCode> {
        let led = topic.led(self.broker, index)?;
        let found = Arc::new(Found { topic: Arc::clone(topic), led });
        self.call.connection.turn.note_found(&found);
        Ok(found)
    }

    /// A partition's batch, ready for the writer.
    fn partition(
        &self,
        topic: &Arc<Topic>,
        last: Option<&Arc<Found>>,
        data: PartitionProduceData,
        place: Place,
    ) -> Result<Accepted, Fault> {
        let index = data.index;
        topic.leadership(index).map_err(Fault::of)?;
        let bytes = data.records.and_then(Records::into_slice).unwrap_or_default();
        let batch = check::parse(&bytes, self.call.version)?;
        if !matches!(self.acks, -1..=1) {
            return Err(Fault::of(ErrorCode::INVALID_REQUIRED_ACKS));
        }
        if topic.is_internal && self.call.client_id.as_deref() != Some(ADMIN_CLIENT_ID) {
            let message = format!("Cannot append to internal topic {}", topic.name);
            return Err(Fault::new(ErrorCode::INVALID_TOPIC_EXCEPTION, message));
        }
        let found = match last.filter(|found| found.led.index == index) {
            Some(found) => Arc::clone(found),
            None => self.find(topic, index).map_err(Fault::of)?,
        };
        let led = &found.led;
        let in_sync_min = topic.rules.in_sync_replicas_min.min(led.replicas);
        if self.acks == -1 && led.in_sync_replicas < in_sync_min {
            return Err(Fault::of(ErrorCode::NOT_ENOUGH_REPLICAS));
        }
        let verdict = check::check(&batch, &topic.rules, self.now_ms);
        let verdict = verdict.map_err(|fault| fault.beside(&led.log))?;
        let header = *batch.header();
        let log_append_time_ms = match topic.rules.timestamp_type {
            TimestampType::CreateTime => -1,
            TimestampType::LogAppendTime => self.now_ms,
        };
        let pending = Pending {
            place,
            found,
            in_sync_min,
            log_append_time_ms,
            bytes: bytes.len() as u64,
            records: u64::try_from(header.record_count).unwrap_or(0),
        };
        let is_transactional = header.attributes.is_transactional();
        let checked = Checked { bytes, header, verdict };
        Ok(Accepted { pending, checked, is_transactional, guard: None })
    }
}
