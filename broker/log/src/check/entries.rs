//! What the journal says, held against the manifest: does it go on where that ends?

use std::cmp::Ordering;
use std::collections::BTreeMap;

use strandline_protocol::batch::BatchView;

use super::{CheckError, Checker, Partitions, Problem};
use crate::journal::{self, Entry, Replayed};
use crate::local_id::LocalId;

/// A partition as the entries up to now leave it.
#[derive(Clone, Copy, Debug)]
struct End {
    next_offset: i64,
    compacts: bool,
}

/// Follows the entries as a start does.
#[derive(Debug)]
struct Follower<'a> {
    known: &'a mut Partitions,
    next_local_id: u64,
    ends: BTreeMap<LocalId, End>,
}

impl Checker<'_> {
    pub(super) fn check_entries(
        &mut self,
        checkpoint: Option<u64>,
        next_local_id: u64,
        known: &mut Partitions,
    ) -> Result<(), CheckError> {
        let end = |known: &super::Known| End { next_offset: known.flushed_to, compacts: known.compacts };
        let ends = known.iter().map(|(partition, known)| (*partition, end(known))).collect();
        let mut follower = Follower { known, next_local_id, ends };
        self.walk_journal(checkpoint, |checker, replayed| {
            if let Some(problem) = follower.follow(replayed) {
                let position = replayed.position;
                let path = journal::file_path(&checker.layout.journal(), position.file);
                checker.report(&path, position.offset, problem);
            }
        })
    }
}

impl Follower<'_> {
    fn follow(&mut self, replayed: &Replayed<'_>) -> Option<Problem> {
        let sequence = replayed.sequence;
        let id = match replayed.entry {
            Entry::Append { partition, .. }
            | Entry::Truncate { partition, .. }
            | Entry::SetLogStart { partition, .. }
            | Entry::CreatePartition { partition, .. }
            | Entry::Configure { partition, .. }
            | Entry::DeletePartition { partition } => LocalId(partition),
            Entry::Metadata(_) | Entry::RaftEntry(_) | Entry::RaftVote(_) | Entry::Seal(_) => return None,
        };
        let wrong = |what: &str| Problem::Entry { sequence, partition: id, what: what.to_owned() };
        let included = self.known.get(&id).map(|known| known.includes_sequence);
        if included.is_some_and(|included| replayed.sequence <= included) {
            return None;
        }
        if let Entry::CreatePartition { .. } = replayed.entry {
            self.next_local_id = self.next_local_id.max(id.0.saturating_add(1));
            // Its settings follow in an entry that only the layer above can read.
            let before = self.ends.insert(id, End { next_offset: 0, compacts: true });
            return before.map(|_| wrong("it is there already"));
        }
        let Some(end) = self.ends.get_mut(&id) else {
            // Its row is gone, and what is left in the journal comes to nothing.
            let is_strange = id.0 >= self.next_local_id;
            return is_strange.then(|| wrong("it never came to be"));
        };
        match replayed.entry {
            Entry::Append { base_offset, batch, .. } => {
                return match end.append(id, base_offset, batch) {
                    Ok(gap) => gap,
                    Err(what) => Some(wrong(&what)),
                };
            }
            Entry::Truncate { end_offset, .. } => {
                end.next_offset = end.next_offset.min(end_offset);
                if let Some(known) = self.known.get_mut(&id) {
                    known.cut_at = Some(known.cut_at.map_or(end_offset, |cut_at| cut_at.min(end_offset)));
                }
            }
            Entry::SetLogStart { start_offset, .. } => {
                end.next_offset = end.next_offset.max(start_offset);
                if let Some(known) = self.known.get_mut(&id) {
                    known.log_start = known.log_start.max(start_offset);
                }
            }
            Entry::DeletePartition { .. } => {
                self.ends.remove(&id);
                if let Some(known) = self.known.get_mut(&id) {
                    known.is_deleted = true;
                }
            }
            _ => {}
        }
        None
    }
}

impl End {
    /// Puts a batch behind the others, and says whether it belongs there; an error says why it is none.
    fn append(
        &mut self,
        partition: LocalId,
        base_offset: i64,
        batch: &[u8],
    ) -> Result<Option<Problem>, String> {
        let batch = BatchView::parse(batch).map_err(|error| error.to_string())?;
        let header = batch.header();
        if header.base_offset != base_offset {
            return Err(format!("its batch is for {}, the entry for {base_offset}", header.base_offset));
        }
        let expected = self.next_offset;
        self.next_offset = header.last_offset().saturating_add(1);
        Ok(match base_offset.cmp(&expected) {
            Ordering::Less => Some(Problem::Overlap { partition, offset: base_offset }),
            Ordering::Greater if !self.compacts => {
                Some(Problem::Gap { partition, from: expected, to: base_offset })
            }
            _ => None,
        })
    }
}
