//! What a partition's leader knows of producers, and how it decides by that: as Kafka's does.

use std::collections::{HashMap, VecDeque};

use strandline_protocol::ErrorCode;
use strandline_protocol::batch::BatchHeader;

/// A batch: first and last number, and offset.
type Remembered = (i32, i32, i64);

/// Of each producer id the epoch, and the last five batches.
#[derive(Default)]
pub(crate) struct Numbers {
    producers: HashMap<i64, (i16, VecDeque<Remembered>)>,
}

impl Numbers {
    /// Whether a batch may be appended at `next_offset`, in which case it counts as appended. One that has been
    /// appended before is at the offset that is returned.
    pub(crate) fn take(&mut self, header: &BatchHeader, next_offset: i64) -> Result<Option<i64>, ErrorCode> {
        if !header.has_producer_id() {
            return Ok(None);
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        let (epoch, known) = self.producers.entry(header.producer_id).or_default();
        let same = known.iter().find(|batch| (batch.0, batch.1) == (first, last));
        if let Some((.., offset)) = same.filter(|_| *epoch == header.producer_epoch) {
            return Ok(Some(*offset));
        }
        if let Some((_, previous, _)) = known.back() {
            if header.producer_epoch < *epoch {
                return Err(ErrorCode::INVALID_PRODUCER_EPOCH);
            }
            let is_new = header.producer_epoch > *epoch;
            let expected = if is_new { 0 } else { previous.wrapping_add(1) & i32::MAX };
            if first != expected {
                return Err(ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
            }
            if is_new {
                known.clear();
            }
        }
        *epoch = header.producer_epoch;
        known.push_back((first, last, next_offset));
        if known.len() > 5 {
            known.pop_front();
        }
        Ok(None)
    }
}
