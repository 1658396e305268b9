//! A data directory that is looked at: its partitions as the manifest and the journal together have them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use strandline_broker::storage::TopicPartition;
use strandline_log::directory::read_format;
use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Disk, Lock};
use strandline_log::engine::decode_description;
use strandline_log::journal::{Entry, Inspection, Journal, Replayed};
use strandline_log::layout::Layout;
use strandline_log::local_id::LocalId;
use strandline_log::manifest::{Manifest, ManifestInspection, PartitionRow};
use strandline_log::segment::SegmentFacts;
use strandline_protocol::batch::BatchHeader;

use super::{refused, wrong};
use crate::cluster::Failure;

/// A partition's end that was cut off: by which frame of the journal, and where.
#[derive(Clone, Copy, Debug)]
struct Cut {
    sequence: u64,
    end_offset: i64,
}

/// A partition.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// Which partition of which topic it is; none if the broker did not write that.
    pub(super) place: Option<TopicPartition>,
    /// What the manifest says of it; none if it is younger.
    pub(super) row: Option<PartitionRow>,
    pub(super) segments: Vec<(i64, SegmentFacts)>,
    /// The first offset that is there.
    pub(super) begin: i64,
    /// The offset behind the last.
    pub(super) end: i64,
    /// Bytes of batches that only the journal has.
    pub(super) journal_bytes: u64,
    cuts: Vec<Cut>,
}

impl Partition {
    /// Whether a batch of the journal is there still, and not in a segment already.
    pub(super) fn has(&self, sequence: u64, base_offset: i64) -> bool {
        let is_new = self.row.as_ref().is_none_or(|row| sequence > row.includes_sequence);
        is_new && !self.cuts.iter().any(|cut| cut.sequence > sequence && base_offset >= cut.end_offset)
    }

    /// Where its segments end that count: a cut may not have reached the files yet.
    pub(super) fn segments_end(&self) -> i64 {
        self.cuts.iter().map(|cut| cut.end_offset).min().unwrap_or(i64::MAX)
    }

    fn follow(&mut self, replayed: &Replayed<'_>) {
        let is_known = self.row.as_ref().is_some_and(|row| replayed.sequence <= row.includes_sequence);
        if is_known {
            return;
        }
        match replayed.entry {
            Entry::Append { base_offset, batch, .. } => {
                let last = BatchHeader::parse(batch).map_or(base_offset, |header| header.last_offset());
                self.end = last.saturating_add(1);
                self.journal_bytes += batch.len() as u64;
            }
            Entry::Truncate { end_offset, .. } => {
                self.end = self.end.min(end_offset);
                self.cuts.push(Cut { sequence: replayed.sequence, end_offset });
            }
            Entry::SetLogStart { start_offset, .. } => {
                self.begin = self.begin.max(start_offset);
                self.end = self.end.max(start_offset);
            }
            _ => {}
        }
    }
}

/// A directory, read as far as it is needed to know where everything is.
pub(super) struct Opened {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) layout: Layout,
    pub(super) manifest: ManifestInspection,
    pub(super) partitions: BTreeMap<LocalId, Partition>,
    // Keeps a broker from starting on it meanwhile, where none is using it.
    _lock: Option<Box<dyn Lock>>,
}

impl Opened {
    pub(super) fn open(directory: &Path) -> Result<Self, Failure> {
        let real = RealDisk::new(directory)
            .map_err(|error| wrong(format_args!("cannot open {}: {error}", directory.display())))?;
        let disk: Arc<dyn Disk> = Arc::new(real);
        let layout = Layout::new(directory.to_owned());
        match read_format(&*disk, &layout) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(wrong(format_args!("{} is no data directory", directory.display()))),
            Err(error) => return Err(refused(error)),
        }
        let lock = disk.lock(&layout.lock()).ok();
        if lock.is_none() {
            writeln!(
                io::stderr(),
                "strandline: a broker is using the directory: what is just changing may be missed"
            )?;
        }
        let manifest = Manifest::inspect(Arc::clone(&disk), &layout.manifest()).map_err(refused)?;
        let mut partitions = BTreeMap::new();
        let load = |id, row: PartitionRow, segments: Vec<(i64, SegmentFacts)>| {
            let partition = Partition {
                place: TopicPartition::from_description(&row.description),
                begin: row.log_start,
                end: row.flushed_to.max(row.log_start),
                row: Some(row),
                segments,
                ..Partition::default()
            };
            partitions.insert(id, partition);
        };
        manifest.load(load).map_err(refused)?;
        let mut opened = Self { disk, layout, manifest, partitions: BTreeMap::new(), _lock: lock };
        opened.walk(|replayed| follow(&mut partitions, replayed))?;
        opened.partitions = partitions;
        Ok(opened)
    }

    /// Calls `visit` with each entry of the journal that a start would replay.
    pub(super) fn walk(&self, mut visit: impl FnMut(&Replayed<'_>)) -> Result<Inspection, Failure> {
        let (disk, path) = (Arc::clone(&self.disk), self.layout.journal());
        let checkpoint = Some(self.manifest.meta().checkpoint);
        Journal::inspect(disk, path, checkpoint, |replayed| visit(&replayed)).map_err(refused)
    }
}

/// The partition that an entry is about, if it is about one.
pub(super) const fn partition_of(entry: &Entry<'_>) -> Option<LocalId> {
    match entry {
        Entry::Append { partition, .. }
        | Entry::Truncate { partition, .. }
        | Entry::SetLogStart { partition, .. }
        | Entry::CreatePartition { partition, .. }
        | Entry::Configure { partition, .. }
        | Entry::DeletePartition { partition } => Some(LocalId(*partition)),
        Entry::Metadata(_) | Entry::RaftEntry(_) | Entry::RaftVote(_) | Entry::Seal(_) => None,
    }
}

fn follow(partitions: &mut BTreeMap<LocalId, Partition>, replayed: &Replayed<'_>) {
    let Some(id) = partition_of(&replayed.entry) else { return };
    match replayed.entry {
        Entry::CreatePartition { description, .. } => {
            let description = decode_description(description).map(|(_, description)| description);
            let place = description.and_then(|bytes| TopicPartition::from_description(&bytes));
            partitions.entry(id).or_insert_with(|| Partition { place, ..Partition::default() });
        }
        Entry::DeletePartition { .. } => _ = partitions.remove(&id),
        // What belongs to a partition that is gone comes to nothing.
        _ => {
            if let Some(partition) = partitions.get_mut(&id) {
                partition.follow(replayed);
            }
        }
    }
}
