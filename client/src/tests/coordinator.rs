//! The coordinator of transactions of a troubled cluster: it moves, it is slow in ending, and it fences, as Kafka's does,
//! in either way of KIP-890.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use strandline_protocol::apis::add_offsets_to_txn::{AddOffsetsToTxnRequest, AddOffsetsToTxnResponse};
use strandline_protocol::apis::add_partitions_to_txn::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    AddPartitionsToTxnTopicResult,
};
use strandline_protocol::apis::end_txn::{EndTxnRequest, EndTxnResponse};
use strandline_protocol::apis::find_coordinator::{
    Coordinator as Found, FindCoordinatorRequest, FindCoordinatorResponse,
};
use strandline_protocol::apis::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use strandline_protocol::apis::txn_offset_commit::{
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
};
use strandline_protocol::batch::{BatchHeader, ControlRecord};
use strandline_protocol::{ErrorCode, Text};

use super::fake::{Asked, frame};
use super::troubled::Inner;

/// What is known of the one transactional id, and where its group has got to.
#[derive(Default)]
pub(crate) struct Coordinator {
    /// The broker that it is on.
    pub(super) broker: usize,
    /// The level of `transaction.version`.
    pub(crate) level: i16,
    producer_id: i64,
    epoch: i16,
    partitions: BTreeSet<usize>,
    has_offsets: bool,
    is_open: bool,
    // The epoch that was last ended, and how.
    last_end: Option<(i16, bool)>,
    pending: BTreeMap<i32, i64>,
    pub(crate) committed: BTreeMap<i32, i64>,
}

impl Coordinator {
    fn check(&self, producer_id: i64, epoch: i16) -> Result<(), ErrorCode> {
        if producer_id != self.producer_id {
            return Err(ErrorCode::INVALID_PRODUCER_ID_MAPPING);
        }
        if epoch == self.epoch { Ok(()) } else { Err(ErrorCode::PRODUCER_FENCED) }
    }

    /// Whether a batch belongs to the transaction; in the second way it comes to belong to it.
    pub(super) fn take_part(&mut self, header: &BatchHeader, partition: usize) -> Result<(), ErrorCode> {
        if !header.attributes.is_transactional() {
            return Ok(());
        }
        if header.producer_epoch != self.epoch {
            return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
        }
        if self.level >= 2 {
            self.is_open = true;
            self.partitions.insert(partition);
        }
        if self.partitions.contains(&partition) { Ok(()) } else { Err(ErrorCode::INVALID_TXN_STATE) }
    }
}

fn code(result: Result<(), ErrorCode>) -> ErrorCode {
    result.err().unwrap_or(ErrorCode::NONE)
}

impl Inner {
    /// The answer to what a coordinator is asked; none if it is none of that.
    pub(super) fn coordinate(&mut self, broker: usize, asked: &Asked) -> Option<Bytes> {
        if asked.is::<FindCoordinatorRequest>() {
            return Some(frame(asked, &self.find(&asked.decode())));
        }
        if asked.is::<InitProducerIdRequest>() {
            let request: InitProducerIdRequest = asked.decode();
            return request
                .transactional_id
                .is_some()
                .then(|| frame(asked, &self.identify(broker, &request)));
        }
        if asked.is::<AddPartitionsToTxnRequest>() {
            return Some(frame(asked, &self.add_partitions(broker, &asked.decode())));
        }
        if asked.is::<AddOffsetsToTxnRequest>() {
            return Some(frame(asked, &self.add_offsets(broker, &asked.decode())));
        }
        if asked.is::<TxnOffsetCommitRequest>() {
            return Some(frame(asked, &self.commit_offsets(broker, &asked.decode())));
        }
        asked.is::<EndTxnRequest>().then(|| frame(asked, &self.end(broker, &asked.decode())))
    }

    fn find(&mut self, request: &FindCoordinatorRequest) -> FindCoordinatorResponse {
        if self.is_trouble() {
            let brokers = u64::try_from(self.addresses.len()).unwrap();
            self.coordinator.broker = usize::try_from(self.below(brokers)).unwrap();
        }
        let broker = self.coordinator.broker;
        let address = self.addresses[broker];
        let found = |key: &Text| Found {
            key: key.clone(),
            node_id: i32::try_from(broker).unwrap(),
            host: address.ip().to_string().as_str().into(),
            port: i32::from(address.port()),
            ..Default::default()
        };
        let coordinators = request.coordinator_keys.iter().map(found).collect();
        FindCoordinatorResponse { coordinators, ..Default::default() }
    }

    fn of_coordinator(&mut self, broker: usize) -> Result<(), ErrorCode> {
        if self.coordinator.broker != broker {
            return Err(ErrorCode::NOT_COORDINATOR);
        }
        let codes = [ErrorCode::COORDINATOR_LOAD_IN_PROGRESS, ErrorCode::CONCURRENT_TRANSACTIONS];
        let index = usize::try_from(self.below(2)).unwrap();
        if self.is_trouble() { Err(codes[index]) } else { Ok(()) }
    }

    fn identify(&mut self, broker: usize, request: &InitProducerIdRequest) -> InitProducerIdResponse {
        let known = (self.coordinator.producer_id, self.coordinator.epoch);
        let asked = (request.producer_id, request.producer_epoch);
        // It asks again for what it has got already: an answer got lost.
        let is_repeated = asked.0 >= 0 && (asked.0, asked.1 + 1) == known;
        let is_known = asked.0 < 0 || asked == known || is_repeated;
        let checked = self.of_coordinator(broker);
        let checked = checked.and(if is_known { Ok(()) } else { Err(ErrorCode::PRODUCER_FENCED) });
        if checked.is_ok() && !is_repeated {
            if self.coordinator.is_open {
                self.finish(false, self.coordinator.epoch);
            }
            self.coordinator.producer_id = 500;
            self.coordinator.epoch += 1;
            self.coordinator.last_end = None;
        }
        InitProducerIdResponse {
            error_code: code(checked),
            producer_id: self.coordinator.producer_id,
            producer_epoch: self.coordinator.epoch,
            ..Default::default()
        }
    }

    fn add_partitions(
        &mut self,
        broker: usize,
        request: &AddPartitionsToTxnRequest,
    ) -> AddPartitionsToTxnResponse {
        let (id, epoch) = (request.v3_and_below_producer_id, request.v3_and_below_producer_epoch);
        let checked = self.of_coordinator(broker).and_then(|()| self.coordinator.check(id, epoch));
        let mut topics = Vec::new();
        for topic in &request.v3_and_below_topics {
            let mut results = Vec::new();
            for partition in &topic.partitions {
                if checked.is_ok() {
                    self.coordinator.is_open = true;
                    self.coordinator.partitions.insert(usize::try_from(*partition).unwrap());
                }
                let (partition_index, partition_error_code) = (*partition, code(checked));
                results.push(AddPartitionsToTxnPartitionResult {
                    partition_index,
                    partition_error_code,
                    ..Default::default()
                });
            }
            topics.push(AddPartitionsToTxnTopicResult {
                name: topic.name.clone(),
                results_by_partition: results,
                ..Default::default()
            });
        }
        AddPartitionsToTxnResponse { results_by_topic_v3_and_below: topics, ..Default::default() }
    }

    fn add_offsets(&mut self, broker: usize, request: &AddOffsetsToTxnRequest) -> AddOffsetsToTxnResponse {
        assert!(self.coordinator.level < 2, "in the second way the group's coordinator does that");
        let checked = self.of_coordinator(broker);
        let checked = checked
            .and_then(|()| self.coordinator.check(request.producer_id, request.producer_epoch))
            .map(|()| {
                self.coordinator.is_open = true;
                self.coordinator.has_offsets = true;
            });
        AddOffsetsToTxnResponse { error_code: code(checked), ..Default::default() }
    }

    fn commit_offsets(&mut self, broker: usize, request: &TxnOffsetCommitRequest) -> TxnOffsetCommitResponse {
        let checked = self
            .of_coordinator(broker)
            .and_then(|()| self.coordinator.check(request.producer_id, request.producer_epoch));
        if checked.is_ok() && self.coordinator.level >= 2 {
            self.coordinator.is_open = true;
            self.coordinator.has_offsets = true;
        }
        let checked = checked.and(if self.coordinator.has_offsets {
            Ok(())
        } else {
            Err(ErrorCode::INVALID_TXN_STATE)
        });
        let mut topics = Vec::new();
        for topic in &request.topics {
            let mut partitions = Vec::new();
            for partition in &topic.partitions {
                if checked.is_ok() {
                    self.coordinator.pending.insert(partition.partition_index, partition.committed_offset);
                }
                partitions.push(TxnOffsetCommitResponsePartition {
                    partition_index: partition.partition_index,
                    error_code: code(checked),
                    ..Default::default()
                });
            }
            let name = topic.name.clone();
            topics.push(TxnOffsetCommitResponseTopic { name, partitions, ..Default::default() });
        }
        TxnOffsetCommitResponse { topics, ..Default::default() }
    }

    fn end(&mut self, broker: usize, request: &EndTxnRequest) -> EndTxnResponse {
        let is_second = self.coordinator.level >= 2;
        let checked = self.of_coordinator(broker).and_then(|()| {
            let asked = (request.producer_epoch, request.committed);
            // It is asked for again: its answer got lost.
            if !self.coordinator.is_open && self.coordinator.last_end == Some(asked) {
                return Ok(());
            }
            self.coordinator.check(request.producer_id, request.producer_epoch)?;
            if !self.coordinator.is_open && (request.committed || !is_second) {
                return Err(ErrorCode::INVALID_TXN_STATE);
            }
            if is_second {
                self.coordinator.epoch += 1;
            }
            self.finish(request.committed, self.coordinator.epoch);
            self.coordinator.last_end = Some(asked);
            Ok(())
        });
        EndTxnResponse {
            error_code: code(checked),
            producer_id: self.coordinator.producer_id,
            producer_epoch: self.coordinator.epoch,
            ..Default::default()
        }
    }

    /// Writes the markers, and has the offsets count or not.
    fn finish(&mut self, is_committed: bool, epoch: i16) {
        let record = if is_committed {
            ControlRecord::Commit { coordinator_epoch: 0 }
        } else {
            ControlRecord::Abort { coordinator_epoch: 0 }
        };
        let marker = record.transaction_marker(1, self.coordinator.producer_id, epoch).unwrap();
        for partition in std::mem::take(&mut self.coordinator.partitions) {
            self.logs[partition].mark(&marker);
        }
        let pending = std::mem::take(&mut self.coordinator.pending);
        if is_committed {
            self.coordinator.committed.extend(pending);
        }
        self.coordinator.is_open = false;
        self.coordinator.has_offsets = false;
    }
}
