//! What `async` logs have beyond what the manifest knows of: found by its checksums, and kept.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;

use super::error::{EngineError, failed};
use super::log::{Log, aborted_transaction};
use super::read::Sources;
use crate::disk::{Access, File, if_there, read_exact_at};
use crate::layout::{FileKind, parse_segment_name};
use crate::segment::{PIECE_BYTES, Segment, SegmentFacts, Written, scan_valid_end};

/// How a segment's file ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Extent {
    /// With its last valid batch.
    Whole,
    /// With something else, so that nothing behind it counts.
    Cut,
}

impl Log {
    /// Goes on where the manifest ends, batch for batch and segment for segment, to the first one that is bad or
    /// missing. Says whether there was anything, and tells `note` what has to be synced before the manifest may name
    /// it.
    ///
    /// What does not belong to the log goes, durably: later batches would come to stand before it, and another scan
    /// would take it for what followed them.
    pub(super) fn find_unsaved(
        &mut self,
        sources: &Sources,
        now_ms: i64,
        mut note: impl FnMut(Written),
    ) -> Result<bool, EngineError> {
        let mut is_changed = false;
        let mut extent = Extent::Whole;
        self.let_missing_go(sources)?;
        let last_base = self.partition.view().segments.last().map(|last| last.base_offset());
        if let Some(active) = self.active() {
            let facts = active.facts();
            extent = self.find_in(active.base_offset(), &facts, sources, &mut note)?;
            is_changed |= self.active().is_some_and(|found| found.facts() != facts);
        }
        let mut stale = Vec::new();
        for base_offset in self.bases_behind(last_base, sources)? {
            let before = self.next_offset;
            // A segment begins where the one before it ends: what lies further on has lost something before it. Where
            // offsets are missing at a segment's beginning, the manifest said so before it was written.
            if extent == Extent::Whole && base_offset == before {
                // When it was begun is not known. Rather too late: what is before it must not seem old.
                let empty = SegmentFacts::empty(base_offset, 0, now_ms);
                extent = self.find_in(base_offset, &empty, sources, &mut note)?;
            }
            if self.next_offset > before {
                is_changed = true;
            } else {
                stale.push(base_offset);
            }
        }
        self.remove_stale(&stale, sources)?;
        Ok(is_changed)
    }

    /// Whether its start moved durably past what it has lost.
    pub(super) fn is_overtaken(&self) -> bool {
        self.next_offset < self.partition.offsets().start
    }

    /// Goes on at the start if that lies beyond the end: no offset is given twice.
    pub(super) fn go_on_from_start(&mut self) {
        if self.is_overtaken() {
            let start = self.partition.offsets().start;
            (self.next_offset, self.flushed_to) = (start, start);
            // The manifest has to say so before anything is appended there.
            self.is_ahead = true;
            self.partition.view().end = start;
        }
    }

    /// A segment before the log's start may be gone already, and the manifest not know of it.
    fn let_missing_go(&mut self, sources: &Sources) -> Result<(), EngineError> {
        let start = self.partition.view().start;
        let Some(active) = self.active().filter(|active| active.end_offset() <= start) else { return Ok(()) };
        let path = sources.layout.segment(active.partition(), active.base_offset(), FileKind::Log);
        if if_there(sources.disk.open(&path, Access::Read)).map_err(failed("open", &path))?.is_none() {
            self.partition.view().segments.pop();
            self.note_gone(vec![active]);
        }
        Ok(())
    }

    /// Names of segments behind the last one that is known, by their base offsets.
    fn bases_behind(&self, last_base: Option<i64>, sources: &Sources) -> Result<Vec<i64>, EngineError> {
        let folder = sources.layout.partition(self.partition.id());
        let Some(entries) = if_there(sources.disk.list(&folder)).map_err(failed("list", &folder))? else {
            return Ok(Vec::new());
        };
        let names = entries.iter().filter_map(|entry| parse_segment_name(&entry.name));
        let is_behind = |base_offset: i64| last_base.is_none_or(|last_base| base_offset > last_base);
        let logs = names.filter(|(base_offset, kind)| *kind == FileKind::Log && is_behind(*base_offset));
        let mut bases: Vec<_> = logs.map(|(base_offset, _)| base_offset).collect();
        bases.sort_unstable();
        Ok(bases)
    }

    /// Takes what is valid in a segment's file behind what is known of it, and cuts off what is not.
    fn find_in(
        &mut self,
        base_offset: i64,
        known: &SegmentFacts,
        sources: &Sources,
        note: &mut impl FnMut(Written),
    ) -> Result<Extent, EngineError> {
        let id = self.partition.id();
        let path = sources.layout.segment(id, base_offset, FileKind::Log);
        let opened = if_there(sources.disk.open(&path, Access::Write)).map_err(failed("open", &path))?;
        let Some(file) = opened else { return Ok(Extent::Cut) };
        let facts = scan_valid_end(&file, &path, known)?;
        let length = file.length().map_err(failed("measure", &path))?;
        let extent = if facts.length == length { Extent::Whole } else { Extent::Cut };
        if length > facts.length {
            file.set_length(facts.length).map_err(failed("cut", &path))?;
            file.sync().map_err(failed("sync", &path))?;
        }
        if facts.length == known.length {
            return Ok(extent);
        }
        write_again(&*file, &path, known.length, facts.length)?;
        let (folder, shard) = (sources.layout.partition(id), sources.layout.shard(id));
        note(Written { file, folders: vec![folder, shard, sources.layout.logs()] });
        let segment = Arc::new(Segment::recovered(id, base_offset, &facts));
        let full = {
            let mut view = self.partition.view();
            view.segments.pop_if(|last| last.base_offset() == base_offset);
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
        {
            let mut view = self.partition.view();
            let start = view.start;
            view.epochs.truncate_from_start(start);
            self.producers.log_start_moved(start);
        }
        self.show_transactions();
        // No index has any of this segment: it takes more batches, or did when its process died.
        for aborted in self.producers.aborted().filter(|aborted| aborted.last_offset >= base_offset) {
            segment.add_aborted(aborted_transaction(aborted));
        }
        self.note_changed(segment);
        Ok(extent)
    }

    /// Lets nothing lie where a scan would look that is not the log's: what a process left that died in a flush, and
    /// what was cut off and whose removal is not durable.
    pub(super) fn remove_leftovers(&self, sources: &Sources) -> Result<(), EngineError> {
        if let Some(active) = self.active() {
            active.take_back(&sources.files)?;
        }
        let last_base = self.partition.view().segments.last().map(|last| last.base_offset());
        let stale = self.bases_behind(last_base, sources)?;
        self.remove_stale(&stale, sources)?;
        let folder = sources.layout.partition(self.partition.id());
        if_there(sources.disk.sync_directory(&folder)).map(drop).map_err(failed("sync", &folder))
    }

    fn remove_stale(&self, base_offsets: &[i64], sources: &Sources) -> Result<(), EngineError> {
        if base_offsets.is_empty() {
            return Ok(());
        }
        let id = self.partition.id();
        for base_offset in base_offsets {
            let path = sources.layout.segment(id, *base_offset, FileKind::Log);
            // It may be about to go anyway.
            if_there(sources.disk.remove(&path)).map_err(failed("remove", &path))?;
        }
        let folder = sources.layout.partition(id);
        sources.disk.sync_directory(&folder).map_err(failed("sync", &folder))
    }
}

/// Makes the next sync of a file cover bytes that can be read. A sync that failed may have left them in the page cache
/// alone, and no later one makes up for it.
fn write_again(file: &dyn File, path: &Path, start: u64, end: u64) -> Result<(), EngineError> {
    let mut position = start;
    while position < end {
        let length = (end - position).min(PIECE_BYTES as u64);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(PIECE_BYTES)];
        read_exact_at(file, &mut bytes, position).map_err(failed("read", path))?;
        file.write_at(&[IoSlice::new(&bytes)], position).map_err(failed("write", path))?;
        position += length;
    }
    // The length may have been lost in the same way, and writing what is there already does not change it.
    file.set_length(end).map_err(failed("lengthen", path))
}
