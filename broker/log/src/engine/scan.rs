//! What `async` logs have beyond what the manifest knows of: found by its checksums, and kept.

use std::io;
use std::sync::Arc;

use super::error::{EngineError, failed};
use super::log::Log;
use super::read::Sources;
use crate::disk::Access;
use crate::layout::{FileKind, parse_segment_name};
use crate::segment::{Segment, SegmentFacts, Written, scan_valid_end};

impl Log {
    /// Goes on where the manifest ends, batch for batch and segment for segment, to the first one that is bad or
    /// missing. Says whether there was anything, and tells `note` what has to be synced before the manifest may
    /// know of it.
    pub(super) fn find_unsaved(
        &mut self,
        sources: &Sources,
        mut note: impl FnMut(Written),
    ) -> Result<bool, EngineError> {
        let mut is_changed = false;
        if let Some(active) = self.active() {
            let (base_offset, facts) = (active.base_offset(), active.facts());
            if self.find_in(base_offset, &facts, sources, &mut note)? == Extent::Cut {
                return Ok(true);
            }
            is_changed |= self.active().is_some_and(|found| found.facts() != facts);
        }
        for base_offset in self.bases_behind(sources)? {
            if base_offset < self.next_offset {
                break;
            }
            let empty = SegmentFacts::empty(base_offset, 0, 0);
            let extent = self.find_in(base_offset, &empty, sources, &mut note)?;
            is_changed = true;
            if extent == Extent::Cut {
                break;
            }
        }
        Ok(is_changed)
    }

    /// Names of segments behind the last one that is known, by their base offsets.
    fn bases_behind(&self, sources: &Sources) -> Result<Vec<i64>, EngineError> {
        let folder = sources.layout.partition(self.partition.id());
        let entries = match sources.disk.list(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed("list", &folder))?,
        };
        let names = entries.iter().filter_map(|entry| parse_segment_name(&entry.name));
        let logs =
            names.filter(|(base_offset, kind)| *kind == FileKind::Log && *base_offset >= self.next_offset);
        let mut bases: Vec<_> = logs.map(|(base_offset, _)| base_offset).collect();
        bases.sort_unstable();
        Ok(bases)
    }

    /// Takes what is valid in a segment's file behind what is known of it.
    fn find_in(
        &mut self,
        base_offset: i64,
        known: &SegmentFacts,
        sources: &Sources,
        note: &mut impl FnMut(Written),
    ) -> Result<Extent, EngineError> {
        let id = self.partition.id();
        let path = sources.layout.segment(id, base_offset, FileKind::Log);
        let file = match sources.disk.open(&path, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Extent::Cut),
            file => file.map_err(failed("open", &path))?,
        };
        let facts = scan_valid_end(&file, &path, known)?;
        let length = file.length().map_err(failed("measure", &path))?;
        let extent = if facts.length == length { Extent::Whole } else { Extent::Cut };
        if facts.length == known.length {
            return Ok(extent);
        }
        let segment = Arc::new(Segment::recovered(id, base_offset, &facts));
        let layout = &sources.layout;
        // Its name is not known to be durable, and neither are those of the folders.
        note(Written { file, folders: vec![layout.partition(id), layout.shard(id), layout.logs()] });
        let full = {
            let mut view = self.partition.view();
            if view.segments.last().is_some_and(|last| last.base_offset() == base_offset) {
                view.segments.pop();
            }
            let full = view.segments.last().filter(|last| !last.is_sealed()).cloned();
            view.segments.push(Arc::clone(&segment));
            full
        };
        if let Some(full) = full {
            full.seal();
            self.note_changed(full);
        }
        let mut batches = segment.batches(&sources.files, known.length)?;
        while let Some((_, batch)) = batches.next()? {
            self.add_from_disk(&batch)?;
        }
        self.flushed_to = self.next_offset;
        self.note_changed(segment);
        Ok(extent)
    }
}

/// How a segment's file ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    /// With its last valid batch.
    Whole,
    /// With something else, so that nothing behind it counts.
    Cut,
}
