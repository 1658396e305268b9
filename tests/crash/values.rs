//! Records that nobody can mistake for others: a value follows from its number, down to the last byte.

use bytes::Bytes;
use strandline_log::random::Random;
use strandline_protocol::batch::{BatchBuilder, BatchView, NewRecord};

use crate::Outcome;
use crate::model::{Batch, Kind, Name};

/// Time has no part in what is tested here.
const TIMESTAMP: i64 = 1_700_000_000_000;

/// The leader epoch of everything.
pub(crate) const LEADER_EPOCH: i32 = 3;

/// The first number of a batch without records.
pub(crate) const UNKNOWN_NUMBER: u64 = u64::MAX;

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
pub(crate) fn encode(batch: &Batch, name: Name) -> Outcome<Bytes> {
    let mut builder = BatchBuilder::new().producer(name.producer_id(), 0, batch.sequence);
    for number in batch.numbers() {
        let value = value(number);
        let key = name.kind().key(number).to_be_bytes();
        builder.append(&NewRecord { key: Some(&key), value: Some(&value), ..NewRecord::at(TIMESTAMP) })?;
    }
    Ok(builder.build()?)
}

/// What a batch of a log is, if every byte of it is as it was sent, and the numbers of its records. Compaction may
/// have taken some; of a batch that it took all of nobody knows the first number any more.
pub(crate) fn decode(view: &BatchView<'_>, name: Name) -> Outcome<(Batch, Vec<u64>)> {
    view.check_crc()?;
    let header = view.header();
    let base_offset = header.base_offset;
    if (header.producer_id, header.partition_leader_epoch) != (name.producer_id(), LEADER_EPOCH) {
        return Err(format!("the batch at {base_offset} is another partition's: {header:?}").into());
    }
    let mut numbers = Vec::new();
    let mut first_number = UNKNOWN_NUMBER;
    for record in &view.records(RECORDS_BYTES_MAX)? {
        let record = record?;
        let (offset, found) = (record.offset, record.value.unwrap_or_default());
        let number = found.first_chunk().map(|number| u64::from_be_bytes(*number));
        let is_it = |number: &u64| {
            let key = name.kind().key(*number).to_be_bytes();
            *found == value(*number) && record.key == Some(key.as_slice())
        };
        let Some(number) = number.filter(is_it) else {
            return Err(format!("offset {offset} holds what nobody sent: {found:?}").into());
        };
        let first = number.checked_sub(u64::try_from(offset - base_offset)?);
        if first.is_none_or(|first| first_number != UNKNOWN_NUMBER && first != first_number) {
            return Err(format!("the batch at {base_offset} holds {number} at {offset}").into());
        }
        first_number = first.unwrap_or(UNKNOWN_NUMBER);
        numbers.push(number);
    }
    let count = header.last_offset_delta + 1;
    let batch = Batch { base_offset, count, sequence: header.base_sequence, first_number };
    if name.kind() != Kind::Compacting && !batch.numbers().eq(numbers.iter().copied()) {
        return Err(format!("the batch at {base_offset} holds {numbers:?}").into());
    }
    Ok((batch, numbers))
}
