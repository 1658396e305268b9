//! Removing the files of what the manifest does not name any more, a piece at a time.
//!
//! Nothing of it need be durable: what a crash leaves is an orphan, and a sweep finds it after the next start. Names
//! are never given again here: a partition's folder has a number of its own, and a segment that its log begins behind
//! lies before all that is still to come. So it may take as long as it likes.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use super::error::{EngineError, failed};
use super::read::Sources;
use crate::disk::if_there;
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::segment::Segment;

/// A file counts as at least so many bytes: to remove one takes its time, however short it is.
const FILE_BYTES_MIN: u64 = 256 << 10;

/// What is to go.
#[derive(Debug)]
pub(super) enum Doomed {
    /// A segment that its log begins behind.
    Segment(Arc<Segment>),
    /// A partition's folder with all that is in it; and those of its segments whose files may be open.
    Partition(LocalId, Vec<Arc<Segment>>),
}

/// What has gone.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Removed {
    pub(super) files: usize,
    pub(super) bytes: u64,
    /// What that counts as where it is held against a rate.
    pub(super) cost_bytes: u64,
}

impl Removed {
    /// Notes a file of so many bytes.
    pub(super) fn note(&mut self, bytes: u64) {
        self.files += 1;
        self.bytes += bytes;
        self.cost_bytes += bytes.max(FILE_BYTES_MIN);
    }
}

/// Some of what is to go.
#[derive(Debug)]
pub struct RemovalJob {
    pub(super) sources: Arc<Sources>,
    pub(super) doomed: VecDeque<Doomed>,
    /// It ends as soon as it has removed what counts as so much.
    pub(super) cost_bytes_max: u64,
}

/// How far it came.
#[derive(Debug)]
pub struct RemovalDone {
    /// What is left to be done, the first one first.
    pub(super) left: VecDeque<Doomed>,
    pub(super) removed: Removed,
    /// Whether it was held against a rate.
    pub(super) is_throttled: bool,
    pub(super) result: Result<(), EngineError>,
}

impl RemovalJob {
    pub(super) fn run(self) -> RemovalDone {
        let Self { sources, mut doomed, cost_bytes_max } = self;
        let mut removed = Removed::default();
        let mut result = Ok(());
        while result.is_ok() && removed.cost_bytes < cost_bytes_max {
            let Some(next) = doomed.pop_front() else { break };
            match remove(&sources, &next, cost_bytes_max, &mut removed) {
                Ok(true) => {}
                Ok(false) => doomed.push_front(next),
                Err(error) => result = Err(error),
            }
        }
        RemovalDone { left: doomed, removed, is_throttled: cost_bytes_max < u64::MAX, result }
    }
}

/// Removes one of them, or as much of it as may go now; says whether nothing is left.
fn remove(
    sources: &Sources,
    doomed: &Doomed,
    cost_bytes_max: u64,
    removed: &mut Removed,
) -> Result<bool, EngineError> {
    match doomed {
        Doomed::Segment(segment) => {
            segment.remove(&sources.files)?;
            removed.note(segment.length());
            (1..FileKind::ALL.len()).for_each(|_| removed.note(0));
            Ok(true)
        }
        Doomed::Partition(partition, segments) => {
            // The disk has the room again when nobody has the files open any more.
            segments.iter().for_each(|segment| sources.files.forget(segment));
            remove_partition(sources, *partition, cost_bytes_max, removed)
        }
    }
}

/// Removes a partition's folder with all that is in it, if there is one, or as much of it as may go now; says whether
/// nothing is left. Somebody else may be about to as well.
pub(super) fn remove_partition(
    sources: &Sources,
    partition: LocalId,
    cost_bytes_max: u64,
    removed: &mut Removed,
) -> Result<bool, EngineError> {
    let folder = sources.layout.partition(partition);
    let Some(entries) = if_there(sources.disk.list(&folder)).map_err(failed("list", &folder))? else {
        return Ok(true);
    };
    for entry in entries {
        if removed.cost_bytes >= cost_bytes_max {
            return Ok(false);
        }
        remove_file(sources, &folder.join(entry.name), removed)?;
    }
    if_there(sources.disk.remove_directory(&folder)).map_err(failed("remove", &folder))?;
    Ok(true)
}

/// Removes a file, if it is there, and notes it.
pub(super) fn remove_file(sources: &Sources, path: &Path, removed: &mut Removed) -> Result<(), EngineError> {
    let length = sources.disk.length(path);
    if_there(sources.disk.remove(path)).map_err(failed("remove", path))?;
    removed.note(length.unwrap_or(0));
    Ok(())
}
