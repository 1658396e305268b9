//! What is in an answer to a fetch, batch by batch and record by record.

use std::collections::BTreeMap;

use strandline_protocol::Bytes;
use strandline_protocol::batch::{BatchView, batches};

use super::fetching::Position;
use crate::kinds::Kind;
use crate::ledger::{Bytes as RecordBytes, Place};
use crate::world::World;

/// What a batch may grow to.
const DECOMPRESSED_BYTES_MAX: usize = 1 << 20;

/// Takes account of all records from a position on, as a process gave them; gives where to go on.
pub(super) fn read(
    world: &World,
    (place, process): (Place, u64),
    position: Position,
    bytes: &Bytes,
    found: &mut BTreeMap<i64, u64>,
) -> Result<Position, String> {
    let kind = world.ledger().kind(place.topic);
    let mut next = None;
    for batch in batches(bytes) {
        // The last one may be cut.
        let batch = match batch {
            Ok(batch) => batch,
            Err(_) if next.is_some() => break,
            Err(error) => return Err(format!("{place}: no batch at {}: {error}", position.offset)),
        };
        let header = *batch.header();
        batch.check_crc().map_err(|error| format!("{place}: batch at {}: {error}", header.base_offset))?;
        check_place(world, place, kind, position, next, &batch)?;
        if let Kind::Squeezed(codec) = kind
            && header.attributes.compression() != Ok(codec)
        {
            let found = header.attributes.compression();
            return Err(format!("{place}: {found:?} at {}, and {codec} was set", header.base_offset));
        }
        read_batch(world, (place, process), kind, &batch, found)?;
        let position = Position { offset: header.last_offset() + 1, epoch: header.partition_leader_epoch };
        next = Some(position);
    }
    Ok(next.filter(|next| next.offset > position.offset).unwrap_or(position))
}

/// Whether a batch is the next one: a log has gaps only where it is compacted.
fn check_place(
    world: &World,
    place: Place,
    kind: Kind,
    position: Position,
    next: Option<Position>,
    batch: &BatchView<'_>,
) -> Result<(), String> {
    let (base, last) = (batch.header().base_offset, batch.header().last_offset());
    let has_gaps = kind == Kind::Keyed;
    let (expected, is_next) = match next {
        Some(Position { offset: next, .. }) => (next, base == next || has_gaps && base > next),
        None => (position.offset, position.offset <= last && (base <= position.offset || has_gaps)),
    };
    if !is_next {
        return Err(format!("{place}: batch from {base} to {last} where {expected} is next"));
    }
    if base > expected {
        world.reach("compacted away");
    }
    Ok(())
}

fn read_batch(
    world: &World,
    (place, process): (Place, u64),
    kind: Kind,
    batch: &BatchView<'_>,
    found: &mut BTreeMap<i64, u64>,
) -> Result<(), String> {
    let header = batch.header();
    let records = batch.records(DECOMPRESSED_BYTES_MAX).map_err(|error| format!("{place}: {error}"))?;
    let mut offset = header.base_offset;
    for record in &records {
        let record = record.map_err(|error| format!("{place}: {error}"))?;
        if record.offset != offset && !(kind == Kind::Keyed && record.offset > offset) {
            return Err(format!("{place}: record at {} where {offset} is next", record.offset));
        }
        let bytes = RecordBytes::of(&record);
        world.ledger().read(place, process, record.offset, &bytes)?;
        found.extend(bytes.number().map(|number| (record.offset, number)));
        offset = record.offset + 1;
    }
    if offset > header.last_offset() + 1 || offset <= header.last_offset() && kind != Kind::Keyed {
        return Err(format!("{place}: the batch to {} ends before {offset}", header.last_offset()));
    }
    Ok(())
}
