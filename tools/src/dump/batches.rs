//! The batches of a partition one after the other, wherever they lie.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use strandline_log::config::Durability;
use strandline_log::disk::{Access, File};
use strandline_log::journal::Entry;
use strandline_log::layout::FileKind;
use strandline_log::local_id::LocalId;
use strandline_log::segment::{Order, PIECE_BYTES, Scanner, SegmentFacts, Walk, scan_valid_end};
use strandline_protocol::batch::BatchView;

use super::directory::{Opened, Partition};
use super::refused;
use crate::cluster::Failure;

/// A batch, and where it lies.
pub(super) struct Placed<'a> {
    pub(super) batch: BatchView<'a>,
    /// The file's name, or the journal.
    pub(super) file: &'a str,
    pub(super) position: u64,
}

/// A file and its path.
type Opening = (PathBuf, Arc<dyn File>);

/// What is done with a batch.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&Placed<'_>) -> Result<(), Failure>;

impl Opened {
    /// Calls `visit` with each batch of a partition that has an offset from `from` on and before `until`.
    pub(super) fn batches(
        &self,
        id: LocalId,
        (from, until): (i64, Option<i64>),
        visit: Visit<'_>,
    ) -> Result<(), Failure> {
        let Some(partition) = self.partitions.get(&id) else { return Ok(()) };
        let until = until.unwrap_or(i64::MAX);
        let from = from.max(partition.begin);
        for (index, (base_offset, facts)) in partition.segments.iter().enumerate() {
            let is_last = index + 1 == partition.segments.len();
            // What an asynchronous log has written since the manifest was is in its last segment.
            let may_have_more = is_last && is_async(partition);
            if *base_offset < until && (facts.end_offset > from || may_have_more) {
                let until = until.min(partition.segments_end());
                self.batches_of_segment(id, partition, *base_offset, (from, until), &mut *visit)?;
            }
        }
        self.batches_of_journal(id, partition, (from, until), visit)
    }

    fn batches_of_segment(
        &self,
        id: LocalId,
        partition: &Partition,
        base_offset: i64,
        (from, until): (i64, i64),
        visit: Visit<'_>,
    ) -> Result<(), Failure> {
        let facts = partition.segments.iter().find(|(base, _)| *base == base_offset).map(|(_, facts)| *facts);
        let Some(mut facts) = facts else { return Ok(()) };
        let Some((path, file)) = self.file(id, partition, base_offset, FileKind::Log)? else {
            return if facts.length == 0 {
                Ok(())
            } else {
                Err(refused(format_args!("segment {base_offset} of {id} is missing")))
            };
        };
        if is_async(partition) && !facts.is_sealed {
            facts = scan_valid_end(&file, &path, &facts).map_err(refused)?;
        }
        let mut scanner = Scanner::new(Arc::clone(&file), path.clone(), facts.length, PIECE_BYTES);
        let order = Order { next_offset: base_offset, end_offset: facts.end_offset };
        let mut walk = Walk::new(Scanner::new(file, path.clone(), facts.length, PIECE_BYTES), 0, order);
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        while let Some((position, header)) = walk.next().map_err(refused)? {
            if header.base_offset >= until {
                break;
            }
            if header.last_offset() < from {
                continue;
            }
            scanner.check(position, &header).map_err(refused)?;
            let batch = scanner.batch(position, &header).map_err(refused)?;
            visit(&Placed { batch, file: &name, position })?;
        }
        Ok(())
    }

    fn batches_of_journal(
        &self,
        id: LocalId,
        partition: &Partition,
        (from, until): (i64, i64),
        visit: Visit<'_>,
    ) -> Result<(), Failure> {
        if partition.journal_bytes == 0 {
            return Ok(());
        }
        let mut result = Ok(());
        self.walk(|replayed| {
            let Entry::Append { partition: of, base_offset, batch } = replayed.entry else { return };
            if result.is_err() || LocalId(of) != id || !partition.has(replayed.sequence, base_offset) {
                return;
            }
            let Ok(batch) = BatchView::parse(batch) else {
                result =
                    Err(refused(format_args!("the journal has no batch at offset {base_offset} of {id}")));
                return;
            };
            let header = batch.header();
            if header.last_offset() >= from && header.base_offset < until {
                let file = format!("journal {}", replayed.position.file);
                result = visit(&Placed { batch, file: &file, position: replayed.position.offset });
            }
        })?;
        result
    }

    /// Opens a file of a segment under the name that it has; none if it is not there.
    pub(super) fn file(
        &self,
        id: LocalId,
        partition: &Partition,
        base_offset: i64,
        kind: FileKind,
    ) -> Result<Option<Opening>, Failure> {
        let facts = partition.segments.iter().find(|(base, _)| *base == base_offset).map(|(_, facts)| facts);
        let cleaned = waits_for_name(partition, facts)
            .map(|generation| self.layout.cleaned(id, base_offset, kind, generation));
        for path in [cleaned, Some(self.layout.segment(id, base_offset, kind))].into_iter().flatten() {
            match self.disk.open(&path, Access::Read) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(refused(format_args!("cannot open {}: {error}", path.display()))),
                Ok(file) => return Ok(Some((path, file))),
            }
        }
        Ok(None)
    }
}

/// The generation of a compacted segment that may not have its name yet.
fn waits_for_name(partition: &Partition, facts: Option<&SegmentFacts>) -> Option<u32> {
    let is_swapping = partition.row.as_ref().is_some_and(|row| row.is_swapping);
    facts.map(|facts| facts.generation).filter(|generation| is_swapping && *generation > 0)
}

fn is_async(partition: &Partition) -> bool {
    partition.row.as_ref().is_some_and(|row| row.config.durability == Durability::Async)
}
