//! How a machine is replayed from its log: a piece at a time, so that memory is bounded by the piece and the state.

use strandline_log::engine::{Partition, ReadError, UpTo};
use strandline_protocol::Bytes;
use strandline_protocol::batch::{BatchError, BatchView, ControlRecord, batches};
use strandline_state::coordinator::{Machine, Origin, Record, TransactionEnd};

/// So many bytes are read at once.
const READ_BYTES: u64 = 1 << 20;

/// What a batch may be when it is decompressed. Nothing of ours is compressed, but Kafka's tools may write here too.
const DECOMPRESSED_BYTES_MAX: usize = 64 << 20;

/// Why a log cannot be followed.
#[derive(Debug, thiserror::Error)]
pub(super) enum LoadError {
    #[error("the log cannot be read: {0}")]
    Read(#[from] ReadError),
    #[error("the log holds what it should not: {0}")]
    Batch(#[from] BatchError),
}

/// Has the machine take in everything that is in the log, and says which offset comes next.
pub(super) fn load<M: Machine>(log: &Partition, machine: &mut M) -> Result<i64, LoadError> {
    let mut next_offset = log.offsets().start;
    loop {
        let begin = next_offset;
        for slice in log.read(begin, READ_BYTES, UpTo::End)?.slices {
            let bytes = slice.read().map_err(ReadError::Journal)?;
            replay(&bytes, machine, &mut next_offset)?;
        }
        if next_offset == begin {
            return Ok(log.offsets().end.max(next_offset));
        }
    }
}

fn replay<M: Machine>(bytes: &[u8], machine: &mut M, next_offset: &mut i64) -> Result<(), LoadError> {
    for batch in batches(bytes) {
        // The last one may be cut where it comes from a file: it comes again, whole.
        let Ok(batch) = batch else { break };
        if batch.header().last_offset() < *next_offset {
            continue;
        }
        batch.check_crc()?;
        if batch.header().attributes.is_control() {
            end_transaction(&batch, machine)?;
        } else {
            evolve(&batch, machine, *next_offset)?;
        }
        *next_offset = batch.header().last_offset() + 1;
    }
    Ok(())
}

fn evolve<M: Machine>(batch: &BatchView<'_>, machine: &mut M, from: i64) -> Result<(), LoadError> {
    let header = batch.header();
    let origin = if header.attributes.is_transactional() {
        Origin::Transaction { producer_id: header.producer_id, producer_epoch: header.producer_epoch }
    } else {
        Origin::Plain
    };
    for record in &batch.records(DECOMPRESSED_BYTES_MAX)? {
        let record = record?;
        let Some(key) = record.key.filter(|_| record.offset >= from) else { continue };
        let value = record.value.map(Bytes::copy_from_slice);
        match M::Record::from_bytes(Bytes::copy_from_slice(key), value) {
            Ok(Some(known)) => machine.evolve(record.offset, origin, known),
            Ok(None) => tracing::warn!(offset = record.offset, "a record of a newer kind is passed over"),
            // Nothing of ours: a client that may write here has written it.
            Err(error) => {
                tracing::error!(offset = record.offset, %error, "a record that is none is passed over");
            }
        }
    }
    Ok(())
}

fn end_transaction<M: Machine>(batch: &BatchView<'_>, machine: &mut M) -> Result<(), LoadError> {
    let header = batch.header();
    for record in &batch.records(DECOMPRESSED_BYTES_MAX)? {
        let record = record?;
        let is_commit = match ControlRecord::read(record.key, record.value) {
            Ok(ControlRecord::Commit { .. }) => true,
            Ok(ControlRecord::Abort { .. }) => false,
            _ => continue,
        };
        let (producer_id, producer_epoch) = (header.producer_id, header.producer_epoch);
        machine.end_transaction(record.offset, TransactionEnd { producer_id, producer_epoch, is_commit });
    }
    Ok(())
}
