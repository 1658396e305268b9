//! Files and folders that nothing names.

use std::path::Path;

use super::rows::Known;
use super::{CheckError, Checker, Partitions, Problem};
use crate::disk::{Entry, if_there};
use crate::layout::{FileKind, parse_cleaned_name, parse_partition_name, parse_segment_name};

impl Checker<'_> {
    pub(super) fn find_orphans(&mut self, known: &Partitions) -> Result<(), CheckError> {
        for shard in self.list(&self.layout.logs())? {
            let folder = self.layout.logs().join(&shard.name);
            if !shard.is_directory {
                self.report(&folder, None, Problem::Orphan);
                continue;
            }
            for entry in self.list(&folder)? {
                let path = folder.join(&entry.name);
                let partition = parse_partition_name(&entry.name);
                let partition = partition.filter(|partition| self.layout.partition(*partition) == path);
                match partition.and_then(|partition| known.get(&partition)) {
                    Some(known) if entry.is_directory => self.find_orphans_in(&path, known)?,
                    _ => self.report(&path, None, Problem::Orphan),
                }
            }
        }
        Ok(())
    }

    fn find_orphans_in(&mut self, folder: &Path, known: &Known) -> Result<(), CheckError> {
        for entry in self.list(folder)? {
            let is_named = parse_segment_name(&entry.name).is_some_and(|(base_offset, kind)| {
                let has_row = known.segments.iter().any(|(row, _)| *row == base_offset);
                // Batches that nothing but their file knows of yet.
                let is_unsaved = known.is_async && base_offset >= known.flushed_to && kind == FileKind::Log;
                has_row || is_unsaved
            });
            let waits_for_name =
                parse_cleaned_name(&entry.name).is_some_and(|(base_offset, _, generation)| {
                    let mut rows = known.segments.iter();
                    let has_row = rows.any(|row| (row.0, row.1.generation) == (base_offset, generation));
                    known.is_swapping && has_row
                });
            if !is_named && !waits_for_name {
                self.report(&folder.join(&entry.name), None, Problem::Orphan);
            }
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> Result<Vec<Entry>, CheckError> {
        let listed = if_there(self.disk.list(folder));
        let listed =
            listed.map_err(|source| CheckError::Io { doing: "list", path: folder.to_owned(), source });
        Ok(listed?.unwrap_or_default())
    }
}
