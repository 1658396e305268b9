//! Working out again what the producers of a log had done at some offset, from what is in the log.

use std::io;
use std::sync::Arc;

use strandline_protocol::batch::BatchView;

use super::error::EngineError;
use super::log::Log;
use super::read::Sources;
use crate::manifest::Manifest;
use crate::producers::{Marker, Producers};
use crate::segment::Segment;
use crate::tail::TailEntry;

/// The producers' state at an offset: that of the last snapshot that is not above it, and what the batches from
/// there on changed.
pub(super) fn producers_at(
    log: &Log,
    end_offset: i64,
    sources: &Sources,
    manifest: &Manifest,
) -> Result<Producers, EngineError> {
    let id = log.partition.id();
    // One that the manifest has and the log has not is of what was cut off before.
    let known = log.snapshots.iter().rev().copied().find(|offset| *offset <= end_offset);
    let snapshot = match known {
        Some(offset) => manifest.snapshot_at_or_below(id, offset)?.filter(|(found, _)| *found == offset),
        None => None,
    };
    let (mut producers, from) = match snapshot {
        Some((offset, bytes)) => {
            let inconsistent = |error| EngineError::Inconsistent(format!("partition {id}: {error}"));
            (Producers::restore(&bytes).map_err(inconsistent)?, offset)
        }
        None => (Producers::new(), 0),
    };
    let (segments, entries): (Vec<Arc<Segment>>, Vec<TailEntry>) = {
        let view = log.partition.view();
        let segments = view.segments.iter().filter(|segment| segment.end_offset() > from).cloned();
        (segments.collect(), view.tail.iter_from(from).copied().collect())
    };
    for segment in segments {
        replay_segment(&mut producers, &segment, from, end_offset, sources)?;
    }
    for entry in entries.into_iter().take_while(|entry| entry.end_offset() <= end_offset) {
        let bytes = tail_bytes(&entry, sources).map_err(|source| EngineError::Io {
            doing: "read",
            path: sources.layout.journal(),
            source,
        })?;
        let batch = BatchView::parse_only(&bytes);
        let batch = batch.map_err(|error| EngineError::Inconsistent(format!("partition {id}: {error}")))?;
        replay_batch(&mut producers, &batch)?;
    }
    Ok(producers)
}

fn replay_segment(
    producers: &mut Producers,
    segment: &Segment,
    from: i64,
    end_offset: i64,
    sources: &Sources,
) -> Result<(), EngineError> {
    let files = &sources.files;
    let Some(found) = segment.find(files, from.max(segment.base_offset()))? else { return Ok(()) };
    let mut batches = segment.batches(files, found.position)?;
    while let Some((_, batch)) = batches.next()? {
        if batch.header().last_offset() >= end_offset {
            break;
        }
        replay_batch(producers, &batch)?;
    }
    Ok(())
}

/// Lets a batch that is in the log have the effect that it had.
pub(super) fn replay_batch(producers: &mut Producers, batch: &BatchView<'_>) -> Result<(), EngineError> {
    let marker = Marker::read(batch).map_err(|error| EngineError::Inconsistent(error.to_string()))?;
    producers.replay(batch.header(), marker);
    Ok(())
}

fn tail_bytes(entry: &TailEntry, sources: &Sources) -> io::Result<Vec<u8>> {
    let TailEntry { frame, offset_in_frame, length, .. } = *entry;
    if let Some(slice) = sources.frames.slice(frame, offset_in_frame, length) {
        return Ok(slice.as_ref().to_vec());
    }
    let position = sources.frames.place(frame, offset_in_frame, length).ok_or(io::ErrorKind::NotFound)?;
    sources.journal.read(&position)
}
