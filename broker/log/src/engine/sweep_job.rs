//! Removing files that nothing knows of: what a process left behind that died between the manifest's word and the
//! deed.
//!
//! What a sweep may remove is decided before it begins, so that nothing which comes to be meanwhile can be taken for
//! an orphan: folders of partitions that are gone, since their numbers are never given again, and segments below
//! the offset up to which a log was in segments then. What lies above that is removed by who gets the name.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::checkpoint_job::{if_there, remove_partition};
use super::error::{EngineError, failed};
use super::read::Sources;
use crate::layout::{parse_partition_name, parse_segment_name};
use crate::local_id::LocalId;

/// A log's segments, as they were when the directory was opened.
#[derive(Clone, Debug)]
pub(super) struct Swept {
    pub(super) partition: LocalId,
    /// Nothing from here on is looked at.
    pub(super) end_offset: i64,
    pub(super) base_offsets: Vec<i64>,
}

/// What is to be looked through.
#[derive(Debug)]
pub(super) enum Extent {
    /// The folders of all partitions: those go that are none of `known`, and were given before `next_local_id`.
    Folders { known: BTreeSet<LocalId>, next_local_id: u64 },
    /// The folders of these partitions.
    Segments(Vec<Swept>),
}

/// A look for orphans.
#[derive(Debug)]
pub struct SweepJob {
    pub(super) sources: Arc<Sources>,
    pub(super) extent: Extent,
}

/// That it was done, or why not.
#[derive(Debug)]
pub struct SweepDone {
    pub(super) result: Result<(), EngineError>,
}

impl SweepJob {
    pub(super) fn run(self) -> SweepDone {
        let Self { sources, extent } = self;
        let result = match &extent {
            Extent::Folders { known, next_local_id } => sweep_folders(&sources, known, *next_local_id),
            Extent::Segments(logs) => logs.iter().try_for_each(|log| sweep_log(&sources, log)),
        };
        SweepDone { result }
    }
}

fn sweep_folders(
    sources: &Sources,
    known: &BTreeSet<LocalId>,
    next_local_id: u64,
) -> Result<(), EngineError> {
    let logs = sources.layout.logs();
    for shard in sources.disk.list(&logs).map_err(failed("list", &logs))? {
        let shard = logs.join(shard.name);
        for entry in sources.disk.list(&shard).map_err(failed("list", &shard))? {
            let Some(partition) = parse_partition_name(&entry.name) else { continue };
            if partition.0 < next_local_id && !known.contains(&partition) {
                remove_partition(sources, partition)?;
            }
        }
    }
    Ok(())
}

fn sweep_log(sources: &Sources, log: &Swept) -> Result<(), EngineError> {
    let folder = sources.layout.partition(log.partition);
    let entries = match sources.disk.list(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(failed("list", &folder))?,
    };
    for entry in entries {
        let Some((base_offset, _)) = parse_segment_name(&entry.name) else { continue };
        if base_offset < log.end_offset && !log.base_offsets.contains(&base_offset) {
            let path = folder.join(&entry.name);
            if_there(sources.disk.remove(&path)).map_err(failed("remove", &path))?;
        }
    }
    Ok(())
}
