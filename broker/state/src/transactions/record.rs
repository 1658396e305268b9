//! The records of `__transaction_state`: each is the whole state of one transactional id, or takes it back.

use strandline_protocol::transaction_log::{
    PartitionsSchema, TransactionLogKey, TransactionLogRecordKey, TransactionLogRecordValue,
    TransactionLogValue,
};
use strandline_protocol::wire::DecodeResult;
use strandline_protocol::{Bytes, DecodeErrorKind, EncodeError, Text};

use super::partitions::Partitions;
use super::state::{Status, TransactionState};
use crate::coordinator::Record;

/// The version that Kafka 4 writes values in.
const VALUE_VERSION: i16 = 1;

/// The state of an id that has expired. Kafka knows it, and writes nothing instead.
const DEAD: i8 = 6;

/// Where a transactional id stands from now on; none where nobody remembers it any more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TransactionRecord {
    /// Which one.
    pub transactional_id: Text,
    /// Where it stands.
    pub state: Option<TransactionState>,
}

impl Record for TransactionRecord {
    fn from_bytes(key: Bytes, value: Option<Bytes>) -> DecodeResult<Option<Self>> {
        let key = match TransactionLogRecordKey::from_bytes(key) {
            Ok(key) => key,
            Err(error) if matches!(error.kind, DecodeErrorKind::RecordTypeUnknown(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let TransactionLogRecordKey::Transaction(TransactionLogKey { transactional_id }) = &key;
        // The whole read of a log would stay in memory with it.
        let transactional_id = transactional_id.detached();
        let Some(value) = value else { return Ok(Some(Self { transactional_id, state: None })) };
        let value = match key.value_from_bytes(value) {
            Ok(TransactionLogRecordValue::Transaction(value)) => value,
            Err(error) if matches!(error.kind, DecodeErrorKind::VersionUnsupported(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        if value.transaction_status == DEAD {
            return Ok(Some(Self { transactional_id, state: None }));
        }
        let state = Status::from_code(value.transaction_status).map(|status| state(status, value));
        Ok(state.map(|state| Self { transactional_id, state: Some(state) }))
    }

    fn to_bytes(&self) -> Result<(Bytes, Option<Bytes>), Box<EncodeError>> {
        let key = TransactionLogKey { transactional_id: self.transactional_id.clone() };
        let key = TransactionLogRecordKey::Transaction(key).to_bytes()?;
        let value = self
            .state
            .as_ref()
            .map(|state| TransactionLogRecordValue::Transaction(value(state)).to_bytes(VALUE_VERSION));
        Ok((key, value.transpose()?))
    }
}

fn state(status: Status, value: TransactionLogValue) -> TransactionState {
    let partitions = value.transaction_partitions.iter().flatten().flat_map(|of_topic| {
        let topic = of_topic.topic.detached();
        of_topic.partition_ids.iter().map(move |index| (topic.clone(), *index))
    });
    let partitions = if status == Status::Empty { Partitions::new() } else { partitions.collect() };
    TransactionState {
        producer_id: value.producer_id,
        previous_producer_id: value.previous_producer_id,
        next_producer_id: value.next_producer_id,
        producer_epoch: value.producer_epoch,
        timeout_ms: value.transaction_timeout_ms,
        status,
        partitions,
        updated_ms: value.transaction_last_update_timestamp_ms,
        started_ms: value.transaction_start_timestamp_ms,
        version: value.client_transaction_version,
    }
}

fn value(state: &TransactionState) -> TransactionLogValue {
    let partitions = state.partitions.topics().map(|(topic, indexes)| PartitionsSchema {
        topic: topic.clone(),
        partition_ids: indexes.iter().copied().collect(),
        ..Default::default()
    });
    TransactionLogValue {
        producer_id: state.producer_id,
        previous_producer_id: state.previous_producer_id,
        next_producer_id: state.next_producer_id,
        producer_epoch: state.producer_epoch,
        transaction_timeout_ms: state.timeout_ms,
        transaction_status: state.status.code(),
        transaction_partitions: (state.status != Status::Empty).then(|| partitions.collect()),
        transaction_last_update_timestamp_ms: state.updated_ms,
        transaction_start_timestamp_ms: state.started_ms,
        client_transaction_version: state.version,
        ..Default::default()
    }
}
