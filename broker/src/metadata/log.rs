//! Where metadata records are kept: behind a trait, so that a log of several nodes can take the place of this one.
//!
//! On one node it is a partition like any other, made durable by the same journal and compacted by key by the same
//! engine. What is appended together is one batch, and so there or not there as a whole.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use strandline_log::clock::Clock;
use strandline_log::engine::{Command, Done, NewBatch, Partition, ReadError, ReadOut, Refusal, UpTo};
use strandline_log::producers::Sender;
use strandline_protocol::batch::{BatchBuilder, BatchError, BuildError, NewRecord, batches};

use crate::storage::Storage;

/// Something that is so from now on: about what, and what; none for what is no more.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyedRecord {
    /// About what.
    pub key: Bytes,
    /// What.
    pub value: Option<Bytes>,
}

/// Why the log takes or gives nothing.
#[derive(Debug, thiserror::Error)]
pub enum MetadataLogError {
    /// The writer refused it. Whether it is there is known after the next start only, if the disk has failed.
    #[error("the metadata log takes nothing: {0}")]
    Refused(#[from] Refusal),
    /// It is more than a batch can hold.
    #[error("the metadata cannot be written: {0}")]
    Build(#[from] BuildError),
    /// It cannot be read.
    #[error("the metadata log cannot be read: {0}")]
    Read(#[from] ReadError),
    /// What is read is none of ours.
    #[error("the metadata log holds what it should not: {0}")]
    Content(String),
}

impl MetadataLogError {
    /// Whether it is certain that nothing was appended: then the log goes on as if nothing had been asked.
    pub fn left_nothing(&self) -> bool {
        match self {
            Self::Refused(refusal) => !matches!(refusal, Refusal::Offline(_) | Refusal::Closed),
            Self::Build(_) => true,
            Self::Read(_) | Self::Content(_) => false,
        }
    }
}

impl From<BatchError> for MetadataLogError {
    fn from(error: BatchError) -> Self {
        Self::Content(error.to_string())
    }
}

/// What becomes of an append: the offset of its last record.
pub type Appending<'a> = Pin<Box<dyn Future<Output = Result<i64, MetadataLogError>> + Send + 'a>>;

/// The log that the metadata is replayed from.
pub trait MetadataLog: Send + Sync + fmt::Debug {
    /// Appends all of these or none, and is done when they will never be lost.
    fn append(&self, records: Vec<KeyedRecord>) -> Appending<'_>;

    /// Calls `visit` with everything that was appended and not replaced since, in order, each with its offset. Says
    /// which offset comes next: what had the last ones may have been replaced by nothing.
    fn replay(&self, visit: &mut dyn FnMut(i64, KeyedRecord)) -> Result<i64, MetadataLogError>;
}

/// So many bytes are read at once.
const READ_BYTES: u64 = 1 << 20;

/// Nothing of ours is compressed.
const DECOMPRESSED_BYTES_MAX: usize = 0;

/// The log of a cluster of one.
#[derive(Debug)]
pub struct PartitionLog {
    storage: Arc<Storage>,
    partition: Arc<Partition>,
    clock: Arc<dyn Clock>,
}

impl PartitionLog {
    /// Keeps the metadata in this partition.
    pub fn new(storage: Arc<Storage>, partition: Arc<Partition>, clock: Arc<dyn Clock>) -> Self {
        Self { storage, partition, clock }
    }

    async fn append_batch(&self, records: Vec<KeyedRecord>) -> Result<i64, MetadataLogError> {
        let timestamp = self.clock.wall_ms();
        let mut builder = BatchBuilder::new();
        for KeyedRecord { key, value } in &records {
            let record = NewRecord { key: Some(key), value: value.as_deref(), ..NewRecord::at(timestamp) };
            builder.append(&record)?;
        }
        let batch = NewBatch::validated(builder.build()?);
        let batch = batch.map_err(|error| MetadataLogError::Content(error.to_string()))?;
        let partition = self.partition.id();
        let command = Command::Append { partition, leader_epoch: 0, sender: Sender::Node, batch };
        let outcome = self.storage.submit([command]).await.await.pop();
        match outcome.unwrap_or(Err(Refusal::Closed))? {
            Done::Appended { last_offset, .. } => Ok(last_offset),
            other => Err(MetadataLogError::Content(format!("an append is answered by {other:?}"))),
        }
    }

    fn replay_slice(
        bytes: &[u8],
        next_offset: &mut i64,
        visit: &mut dyn FnMut(i64, KeyedRecord),
    ) -> Result<(), MetadataLogError> {
        for batch in batches(bytes) {
            // The last one may be cut where it comes from a file: it comes again, whole.
            let Ok(batch) = batch else { break };
            batch.check_crc()?;
            for record in &batch.records(DECOMPRESSED_BYTES_MAX)? {
                let record = record?;
                if record.offset < *next_offset {
                    continue;
                }
                let key = Bytes::copy_from_slice(record.key.unwrap_or_default());
                let value = record.value.map(Bytes::copy_from_slice);
                visit(record.offset, KeyedRecord { key, value });
            }
            *next_offset = batch.header().last_offset() + 1;
        }
        Ok(())
    }
}

impl MetadataLog for PartitionLog {
    fn append(&self, records: Vec<KeyedRecord>) -> Appending<'_> {
        Box::pin(self.append_batch(records))
    }

    fn replay(&self, visit: &mut dyn FnMut(i64, KeyedRecord)) -> Result<i64, MetadataLogError> {
        let mut next_offset = self.partition.offsets().start;
        loop {
            let ReadOut { slices, .. } = self.partition.read(next_offset, READ_BYTES, UpTo::End)?;
            let begin = next_offset;
            for slice in &slices {
                let bytes = slice.read().map_err(ReadError::Journal)?;
                Self::replay_slice(&bytes, &mut next_offset, visit)?;
            }
            if next_offset == begin {
                return Ok(self.partition.offsets().end);
            }
        }
    }
}
