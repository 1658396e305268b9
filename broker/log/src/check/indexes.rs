//! The index files of segments, held against their batches as these go by.

use std::io;

use super::{CheckError, Checker, Problem};
use crate::disk::{Access, read_exact_at};
use crate::layout::FileKind;
use crate::local_id::LocalId;
use crate::segment::{BatchFacts, Files, FilesOptions, OffsetIndex, Segment, SegmentFacts, TimeIndex};

/// The indexes of a segment that takes no more, and how far they have been followed.
#[derive(Debug, Default)]
pub(super) struct Hints {
    base_offset: i64,
    offsets: Option<Vec<u8>>,
    offsets_passed: usize,
    times: Option<Vec<u8>>,
    times_passed: usize,
    /// The first thing that is wrong with each.
    wrong: Vec<(FileKind, String)>,
}

impl Checker<'_> {
    pub(super) fn read_hints(
        &mut self,
        partition: LocalId,
        base_offset: i64,
        facts: &SegmentFacts,
    ) -> Result<Hints, CheckError> {
        let mut hints = Hints { base_offset, ..Hints::default() };
        if !facts.is_sealed {
            // They are written when it takes no more. What lies there before is of no use to anybody.
            return Ok(hints);
        }
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
            match self.read_index(partition, base_offset, kind, facts)? {
                Some(bytes) if kind == FileKind::OffsetIndex => hints.offsets = Some(bytes),
                Some(bytes) => hints.times = Some(bytes),
                None => hints.wrong.push((kind, "it is missing, or longer than it can be".to_owned())),
            }
        }
        if self.read_index(partition, base_offset, FileKind::TransactionIndex, facts)?.is_some() {
            let files = Files::new(
                std::sync::Arc::clone(self.disk),
                self.layout.clone(),
                &FilesOptions { descriptors_max: 4, ..FilesOptions::default() },
            );
            let segment = Segment::recovered(partition, base_offset, facts);
            match segment.aborted(&files, i64::MIN, i64::MAX) {
                Err(error) if error.is_corrupt() => {
                    hints.wrong.push((FileKind::TransactionIndex, error.to_string()));
                }
                aborted => drop(aborted?),
            }
        }
        Ok(hints)
    }

    /// A file of an index; none if there is none, or none that could be believed.
    fn read_index(
        &self,
        partition: LocalId,
        base_offset: i64,
        kind: FileKind,
        facts: &SegmentFacts,
    ) -> Result<Option<Vec<u8>>, CheckError> {
        let path = self.layout.segment(partition, base_offset, kind);
        let failed = |doing, source| CheckError::Io { doing, path: path.clone(), source };
        let file = match self.disk.open(&path, Access::Read) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(|source| failed("open", source))?,
        };
        let length = file.length().map_err(|source| failed("measure", source))?;
        // No entry is as long as a batch, and no batch has two.
        let Some(length) = usize::try_from(length).ok().filter(|_| length <= facts.length) else {
            return Ok(None);
        };
        let mut bytes = vec![0; length];
        read_exact_at(&*file, &mut bytes, 0).map_err(|source| failed("read", source))?;
        Ok(Some(bytes))
    }

    /// Reports what is wrong with the indexes of a segment that has been followed to its end.
    pub(super) fn report_hints(&mut self, partition: LocalId, base_offset: i64, mut hints: Hints) {
        hints.end();
        for (kind, what) in hints.wrong {
            let path = self.layout.segment(partition, base_offset, kind);
            self.report(&path, None, Problem::Index(what));
        }
    }
}

impl Hints {
    fn note(&mut self, kind: FileKind, what: String) {
        if self.wrong.iter().all(|(noted, _)| *noted != kind) {
            self.wrong.push((kind, what));
        }
    }

    /// Takes a batch, in the order in which they lie.
    pub(super) fn pass(&mut self, position: u64, batch: &BatchFacts) {
        while let Some(entry) = self.offset_entry().filter(|entry| entry.position <= position) {
            self.offsets_passed += 1;
            if (entry.position, entry.offset) != (position, batch.last_offset) {
                let what = format!("no batch at byte {} ends with offset {}", entry.position, entry.offset);
                self.note(FileKind::OffsetIndex, what);
            }
        }
        while let Some(entry) = self.time_entry().filter(|entry| entry.offset <= batch.last_offset) {
            self.times_passed += 1;
            if (entry.offset, entry.timestamp) != (batch.last_offset, batch.max_timestamp) {
                let what = format!("no batch with offset {} has timestamp {}", entry.offset, entry.timestamp);
                self.note(FileKind::TimeIndex, what);
            }
        }
    }

    fn offset_entry(&self) -> Option<crate::segment::OffsetEntry> {
        OffsetIndex::new(self.base_offset, self.offsets.as_deref()?).get(self.offsets_passed)
    }

    fn time_entry(&self) -> Option<crate::segment::TimeEntry> {
        TimeIndex::new(self.base_offset, self.times.as_deref()?).get(self.times_passed)
    }

    fn end(&mut self) {
        if let Some(entry) = self.offset_entry() {
            self.note(FileKind::OffsetIndex, format!("byte {} is beyond the segment", entry.position));
        }
        if let Some(entry) = self.time_entry() {
            self.note(FileKind::TimeIndex, format!("offset {} is beyond the segment", entry.offset));
        }
    }
}
