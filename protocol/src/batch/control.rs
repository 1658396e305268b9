//! Control records: the notes that brokers write between their users' records.
//!
//! A control record's key says what kind it is; its value is a message of its own. Owns the joining of the two
//! and the batches made of them; the messages themselves are in [`crate::control`].

use bytes::{BufMut, Bytes, BytesMut};

use super::builder::{BatchBuilder, BuildError};
use super::error::BatchErrorKind;
use crate::control::{
    ControlRecordTypeSchema, EndTxnMarker, KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord,
    SnapshotHeaderRecord, VotersRecord,
};
use crate::{DecodeError, EncodeError, Message};

/// What a control record says.
///
/// ```
/// use strandline_protocol::batch::{ControlRecord, SharedBatch};
///
/// let marker = ControlRecord::Commit { coordinator_epoch: 3 };
/// let batch = marker.transaction_marker(1_700_000_000_000, 4_711, 0)?;
/// let batch = SharedBatch::parse(batch)?;
/// assert!(batch.header().attributes.is_control() && batch.header().attributes.is_transactional());
///
/// let records = batch.records(0)?;
/// let record = records.iter().next().unwrap()?;
/// assert_eq!(ControlRecord::read(record.key, record.value)?, marker);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ControlRecord {
    /// The producer's open transaction on this partition ends, and its records do not count.
    Abort {
        /// The epoch of the coordinator that decided it.
        coordinator_epoch: i32,
    },
    /// The producer's open transaction on this partition ends, and its records count.
    Commit {
        /// The epoch of the coordinator that decided it.
        coordinator_epoch: i32,
    },
    /// A new leader of a Raft quorum begins its epoch.
    LeaderChange(LeaderChangeMessage),
    /// The first record of a Raft snapshot.
    SnapshotHeader(SnapshotHeaderRecord),
    /// The last record of a Raft snapshot.
    SnapshotFooter(SnapshotFooterRecord),
    /// Which version of Raft's own records the quorum writes from here on.
    KRaftVersion(KRaftVersionRecord),
    /// The voters of the quorum from here on.
    KRaftVoters(VotersRecord),
    /// A type that this codec does not know. Readers pass over it.
    Unknown {
        /// The number of the type.
        type_id: i16,
        /// The value, as it came.
        value: Option<Bytes>,
    },
}

/// Why a control record cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ControlError {
    /// The key, or the place of the value, is not what control records have.
    #[error(transparent)]
    Malformed(#[from] BatchErrorKind),
    /// The value is not the message that the key announces.
    #[error(transparent)]
    Value(#[from] Box<DecodeError>),
}

const ABORT: i16 = 0;
const COMMIT: i16 = 1;
const LEADER_CHANGE: i16 = 2;
const SNAPSHOT_HEADER: i16 = 3;
const SNAPSHOT_FOOTER: i16 = 4;
const KRAFT_VERSION: i16 = 5;
const KRAFT_VOTERS: i16 = 6;

/// The version of the keys, and of everything in the values, that Kafka writes. Later versions have to be
/// readable as this one: both keys and transaction markers of any version are read so.
const VERSION: i16 = 0;

impl ControlRecord {
    /// Reads the key and value of a record from a control batch.
    pub fn read(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, ControlError> {
        let type_id = type_id(key)?;
        if !(ABORT..=KRAFT_VOTERS).contains(&type_id) {
            return Ok(Self::Unknown { type_id, value: value.map(Bytes::copy_from_slice) });
        }
        let value = value.ok_or(BatchErrorKind::ControlRecord("it has no value"))?;
        Ok(match type_id {
            ABORT => Self::Abort { coordinator_epoch: coordinator_epoch(value)? },
            COMMIT => Self::Commit { coordinator_epoch: coordinator_epoch(value)? },
            LEADER_CHANGE => Self::LeaderChange(message(value)?),
            SNAPSHOT_HEADER => Self::SnapshotHeader(message(value)?),
            SNAPSHOT_FOOTER => Self::SnapshotFooter(message(value)?),
            KRAFT_VERSION => Self::KRaftVersion(message(value)?),
            _ => Self::KRaftVoters(message(value)?),
        })
    }

    /// The number that the record's key has for its type.
    pub const fn type_id(&self) -> i16 {
        match self {
            Self::Abort { .. } => ABORT,
            Self::Commit { .. } => COMMIT,
            Self::LeaderChange(_) => LEADER_CHANGE,
            Self::SnapshotHeader(_) => SNAPSHOT_HEADER,
            Self::SnapshotFooter(_) => SNAPSHOT_FOOTER,
            Self::KRaftVersion(_) => KRAFT_VERSION,
            Self::KRaftVoters(_) => KRAFT_VOTERS,
            Self::Unknown { type_id, .. } => *type_id,
        }
    }

    /// The key of the record.
    pub fn key(&self) -> Result<Bytes, Box<EncodeError>> {
        versioned(&ControlRecordTypeSchema { kind: self.type_id() })
    }

    /// The value of the record.
    pub fn value(&self) -> Result<Option<Bytes>, Box<EncodeError>> {
        match self {
            &Self::Abort { coordinator_epoch } | &Self::Commit { coordinator_epoch } => {
                versioned(&EndTxnMarker { coordinator_epoch })
            }
            Self::LeaderChange(message) => message.to_bytes(VERSION),
            Self::SnapshotHeader(message) => message.to_bytes(VERSION),
            Self::SnapshotFooter(message) => message.to_bytes(VERSION),
            Self::KRaftVersion(message) => message.to_bytes(VERSION),
            Self::KRaftVoters(message) => message.to_bytes(VERSION),
            Self::Unknown { value, .. } => return Ok(value.clone()),
        }
        .map(Some)
    }

    /// The batch with which a transaction ends on a partition: one marker, under the producer's id and epoch.
    pub fn transaction_marker(
        &self,
        timestamp: i64,
        producer_id: i64,
        producer_epoch: i16,
    ) -> Result<Bytes, BuildError> {
        self.batch(timestamp, |builder| {
            builder.transactional(true).producer(producer_id, producer_epoch, super::NO_SEQUENCE)
        })
    }

    /// A batch of this one record, in which nothing else is said: what a Raft leader appends.
    pub fn into_batch(&self, timestamp: i64) -> Result<Bytes, BuildError> {
        self.batch(timestamp, |builder| builder)
    }

    fn batch(
        &self,
        timestamp: i64,
        setup: impl FnOnce(BatchBuilder) -> BatchBuilder,
    ) -> Result<Bytes, BuildError> {
        let mut builder = setup(BatchBuilder::new().control(true));
        builder.append_control(timestamp, self)?;
        builder.build()
    }
}

/// What validation asks of a control record: that readers can tell its type and, for a marker, read it.
pub(crate) fn check_control_record(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<(), BatchErrorKind> {
    match type_id(key)? {
        ABORT | COMMIT => {
            let value = value.ok_or(BatchErrorKind::ControlRecord("it has no value"))?;
            after_version(value)?.first_chunk::<4>().map(drop).ok_or(MARKER_TOO_SHORT)
        }
        _ => Ok(()),
    }
}

const MARKER_TOO_SHORT: BatchErrorKind = BatchErrorKind::ControlRecord("the marker is too short");

fn type_id(key: Option<&[u8]>) -> Result<i16, BatchErrorKind> {
    let key = key.ok_or(BatchErrorKind::ControlRecord("it has no key"))?;
    match after_version(key)?.first_chunk() {
        Some(&type_id) => Ok(i16::from_be_bytes(type_id)),
        None => Err(BatchErrorKind::ControlRecord("the key is too short")),
    }
}

/// What follows the version, which must not be negative: later versions only add to the end.
fn after_version(bytes: &[u8]) -> Result<&[u8], BatchErrorKind> {
    match bytes.split_first_chunk() {
        Some((&version, rest)) if i16::from_be_bytes(version) >= 0 => Ok(rest),
        Some(_) => Err(BatchErrorKind::ControlRecord("its version is negative")),
        None => Err(BatchErrorKind::ControlRecord("it is too short for a version")),
    }
}

fn coordinator_epoch(value: &[u8]) -> Result<i32, BatchErrorKind> {
    match after_version(value)?.first_chunk() {
        Some(&epoch) => Ok(i32::from_be_bytes(epoch)),
        None => Err(MARKER_TOO_SHORT),
    }
}

fn message<M: Message>(value: &[u8]) -> Result<M, Box<DecodeError>> {
    let mut reader = crate::Reader::new(Bytes::copy_from_slice(value));
    M::read(&mut reader, VERSION)
}

/// The version in front of the message, as keys and transaction markers have it.
fn versioned<M: Message>(message: &M) -> Result<Bytes, Box<EncodeError>> {
    let message = message.to_bytes(VERSION)?;
    let mut bytes = BytesMut::with_capacity(size_of::<i16>() + message.len());
    bytes.put_i16(VERSION);
    bytes.put_slice(&message);
    Ok(bytes.freeze())
}
