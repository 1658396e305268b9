//! Records that nobody can mistake for others: a value follows from its number, down to the last byte.

use bytes::Bytes;
use strandline_log::random::Random;
use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord};

use crate::Outcome;
use crate::model::Batch;

/// Time has no part in what is tested here.
const TIMESTAMP: i64 = 1_700_000_000_000;

/// The leader epoch of everything.
pub(crate) const LEADER_EPOCH: i32 = 3;

const RECORDS_BYTES_MAX: usize = 16 << 20;

/// The value with this number.
fn value(number: u64) -> Vec<u8> {
    let mut random = Random::from_seed(number);
    // Most are small, and some are larger than a block.
    let length = match random.below(100) {
        0 => 12_000,
        1..6 => 2_000,
        _ => 20 + random.index(500),
    };
    let mut value = vec![0; length];
    random.fill(&mut value);
    [number.to_be_bytes().as_slice(), &value].concat()
}

/// The batch as a producer sends it.
pub(crate) fn encode(batch: &Batch, producer_id: i64) -> Outcome<Bytes> {
    let mut builder = BatchBuilder::new().producer(producer_id, 0, batch.sequence);
    for number in batch.numbers() {
        let value = value(number);
        let key = number.to_be_bytes();
        builder.append(&NewRecord { key: Some(&key), value: Some(&value), ..NewRecord::at(TIMESTAMP) })?;
    }
    Ok(builder.build()?)
}

/// What a batch of a log is, if every byte of it is as it was sent.
pub(crate) fn decode(view: &BatchView<'_>, producer_id: i64) -> Outcome<Batch> {
    view.check_crc()?;
    let header = view.header();
    let base_offset = header.base_offset;
    if (header.producer_id, header.partition_leader_epoch) != (producer_id, LEADER_EPOCH) {
        return Err(format!("the batch at {base_offset} is another partition's: {header:?}").into());
    }
    let mut numbers = Vec::new();
    for (record, offset) in view.records(RECORDS_BYTES_MAX)?.iter().zip(base_offset..) {
        let record = record?;
        let found = record.value.unwrap_or_default();
        let number = found.first_chunk().map(|number| u64::from_be_bytes(*number));
        match number.filter(|number| *found == value(*number) && record.offset == offset) {
            Some(number) => numbers.push(number),
            None => return Err(format!("offset {offset} holds what nobody sent: {found:?}").into()),
        }
    }
    let first_number = numbers.first().copied().unwrap_or_default();
    let batch =
        Batch { base_offset, count: header.record_count, sequence: header.base_sequence, first_number };
    if !batch.numbers().eq(numbers.iter().copied()) || header.last_offset() != batch.last_offset() {
        return Err(format!("the batch at {base_offset} holds {numbers:?}").into());
    }
    Ok(batch)
}
