//! What is in an answer to a fetch, batch by batch and record by record.

use std::collections::BTreeMap;

use strandline_protocol::Bytes;
use strandline_protocol::batch::batches;

use crate::ledger::Place;
use crate::world::World;

/// What a batch may grow to.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;

/// Takes account of all records from `position` on; gives where to go on.
pub(super) fn read(
    world: &World,
    place: Place,
    position: i64,
    bytes: &Bytes,
    found: &mut BTreeMap<i64, u64>,
) -> Result<i64, String> {
    let mut next = None;
    for batch in batches(bytes) {
        // The last one may be cut.
        let batch = match batch {
            Ok(batch) => batch,
            Err(_) if next.is_some() => break,
            Err(error) => return Err(format!("{place}: no batch at {position}: {error}")),
        };
        let header = *batch.header();
        batch.check_crc().map_err(|error| format!("{place}: batch at {}: {error}", header.base_offset))?;
        let is_next = match next {
            Some(next) => header.base_offset == next,
            None => header.base_offset <= position && position <= header.last_offset(),
        };
        if !is_next {
            let (base, last) = (header.base_offset, header.last_offset());
            return Err(format!(
                "{place}: batch from {base} to {last} where {} is next",
                next.unwrap_or(position)
            ));
        }
        let records = batch.records(DECOMPRESSED_BYTES_MAX).map_err(|error| format!("{place}: {error}"))?;
        let mut offset = header.base_offset;
        for record in &records {
            let record = record.map_err(|error| format!("{place}: {error}"))?;
            if record.offset != offset {
                return Err(format!("{place}: record at {} where {offset} is next", record.offset));
            }
            let value = record.value.unwrap_or_default();
            world.ledger().read(place, offset, value)?;
            if let Some(number) = value.first_chunk() {
                found.insert(offset, u64::from_be_bytes(*number));
            }
            offset += 1;
        }
        if offset != header.last_offset() + 1 {
            return Err(format!("{place}: the batch to {} ends before {offset}", header.last_offset()));
        }
        next = Some(offset);
    }
    Ok(next.unwrap_or(position).max(position))
}
