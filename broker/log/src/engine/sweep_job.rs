//! Looking for files that nothing knows of: what a process left behind that died between the manifest's word and the
//! deed. Those of partitions that are gone are only named here, and go like those of any other.
//!
//! What a sweep may remove is decided before it begins, so that nothing which comes to be meanwhile can be taken for
//! an orphan: folders of partitions that are gone, since their numbers are never given again, and segments below
//! the offset up to which a log was in segments then. What lies above that is removed by who gets the name.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::{EngineError, failed};
use super::read::Sources;
use super::removal_job::{Removed, remove_file};
use crate::disk::if_there;
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

/// What was found, or why nothing was.
#[derive(Debug)]
pub struct SweepDone {
    /// The partitions that are gone.
    pub(super) orphans: Vec<LocalId>,
    /// What has gone of others.
    pub(super) removed: Removed,
    pub(super) result: Result<(), EngineError>,
}

impl SweepJob {
    pub(super) fn run(self) -> SweepDone {
        let Self { sources, extent } = self;
        let mut done = SweepDone { orphans: Vec::new(), removed: Removed::default(), result: Ok(()) };
        done.result = match &extent {
            Extent::Folders { known, next_local_id } => {
                find_orphans(&sources, known, *next_local_id).map(|orphans| done.orphans = orphans)
            }
            Extent::Segments(logs) => {
                logs.iter().try_for_each(|log| sweep_log(&sources, log, &mut done.removed))
            }
        };
        done
    }
}

fn find_orphans(
    sources: &Sources,
    known: &BTreeSet<LocalId>,
    next_local_id: u64,
) -> Result<Vec<LocalId>, EngineError> {
    let mut orphans = Vec::new();
    let logs = sources.layout.logs();
    for shard in sources.disk.list(&logs).map_err(failed("list", &logs))? {
        let shard = logs.join(shard.name);
        for entry in sources.disk.list(&shard).map_err(failed("list", &shard))? {
            let Some(partition) = parse_partition_name(&entry.name) else { continue };
            if partition.0 < next_local_id && !known.contains(&partition) {
                orphans.push(partition);
            }
        }
    }
    Ok(orphans)
}

fn sweep_log(sources: &Sources, log: &Swept, removed: &mut Removed) -> Result<(), EngineError> {
    let folder = sources.layout.partition(log.partition);
    let Some(entries) = if_there(sources.disk.list(&folder)).map_err(failed("list", &folder))? else {
        return Ok(());
    };
    for entry in entries {
        let Some((base_offset, _)) = parse_segment_name(&entry.name) else { continue };
        if base_offset < log.end_offset && !log.base_offsets.contains(&base_offset) {
            remove_file(sources, &folder.join(&entry.name), removed)?;
        }
    }
    Ok(())
}
