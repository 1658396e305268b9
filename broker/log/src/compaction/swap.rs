//! How new segments take the names of the old ones.
//!
//! Owns the renaming, and what becomes of it after a crash. The manifest decides which generation of a segment is
//! the right one: until it names the new one, the new files are orphans, and from then on the old ones are.
//!
//! | it dies | what the next process finds |
//! | --- | --- |
//! | before the manifest names the new segment | the old files, and orphans named `*.cleaned` |
//! | after that, before all names are durable | new files, some of them with their names: [`finish_swap`] gives them the rest |
//! | after that, before all old files are gone | segments that the manifest does not name: orphans |

use std::path::Path;

use super::error::{CompactionError, failed};
use crate::disk::{Access, Disk, if_there};
use crate::layout::{FileKind, Layout, parse_cleaned_name};
use crate::local_id::LocalId;

/// Gives the files of a segment's generation their names, if they do not have them yet. The manifest must name that
/// generation, durably. May be done again at any time.
///
/// # Errors
/// The disk's. It has to be done again, and the segment must not be read before.
pub fn finish_swap(
    disk: &dyn Disk,
    layout: &Layout,
    partition: LocalId,
    base_offset: i64,
    generation: u32,
) -> Result<(), CompactionError> {
    let cleaned = |kind| layout.cleaned(partition, base_offset, kind, generation);
    let folder = layout.partition(partition);
    let sync = || disk.sync_directory(&folder).map_err(failed("sync", &folder));
    let path = cleaned(FileKind::Log);
    if if_there(disk.open(&path, Access::Read)).map_err(failed("open", &path))?.is_none() {
        // It has its name, and whoever gave it may have died before that was durable.
        return sync();
    }
    let rename = |kind| {
        let path = cleaned(kind);
        // Where it is not there it has its name already.
        let renamed = if_there(disk.rename(&path, &layout.segment(partition, base_offset, kind)));
        renamed.map(drop).map_err(failed("rename", &path))
    };
    for kind in FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Log) {
        rename(kind)?;
    }
    // The batches last, and durably so: while their new file is there, the others may not have their names.
    sync()?;
    rename(FileKind::Log)?;
    sync()
}

/// Removes what rounds of compaction left behind in a partition's folder that did not come to their end: new files
/// of a generation that is not the `current` one of its segment. Not while a round of this partition is under way: its
/// files are not named yet.
///
/// # Errors
/// The disk's.
pub fn remove_orphans(
    disk: &dyn Disk,
    layout: &Layout,
    partition: LocalId,
    current: impl Fn(i64) -> Option<u32>,
) -> Result<(), CompactionError> {
    let folder = layout.partition(partition);
    for entry in disk.list(&folder).map_err(failed("list", &folder))? {
        let Some((base_offset, _, generation)) = parse_cleaned_name(&entry.name) else { continue };
        if current(base_offset) != Some(generation) {
            remove_if_there(disk, &folder.join(&entry.name))?;
        }
    }
    Ok(())
}

/// Removes a file that need not be there.
pub(super) fn remove_if_there(disk: &dyn Disk, path: &Path) -> Result<(), CompactionError> {
    if_there(disk.remove(path)).map(drop).map_err(failed("remove", path))
}
