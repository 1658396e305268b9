//! Where each row lies, as the journal's frames say it one after the other.

use std::collections::BTreeMap;

use super::chunk::{ChunkError, Key, Meta, Place, ROW_OVERHEAD_BYTES, Record, Table, decode};
use crate::disk::BLOCK_BYTES;
use crate::journal::Position;
use crate::local_id::LocalId;

/// What one record changes.
#[derive(Clone, Copy, Debug)]
enum Change {
    Put(Key, Position),
    Drop(Key),
    DropPartition(LocalId),
    Meta(Meta),
}

/// Changes that happen together.
#[derive(Debug)]
pub(super) struct Transaction {
    /// The frame of its first chunk.
    pub(super) first_sequence: u64,
    is_base: bool,
    changes: Vec<Change>,
    /// What it takes of the journal.
    bytes: u64,
}

/// Puts transactions together from their chunks: what was just written and what is replayed alike.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    open: Option<Transaction>,
    has_begun: bool,
}

impl Transactions {
    /// Takes the chunk of a frame, which lies at `position`. Says which transaction it ends.
    pub(super) fn take(
        &mut self,
        sequence: u64,
        position: Position,
        bytes: &[u8],
    ) -> Result<Option<Transaction>, ChunkError> {
        let mut changes = Vec::new();
        let Place { begins, ends, is_base } = decode(bytes, |record| changes.push(at(position, record)))?;
        if begins {
            // One that is open was given up: its end was never written.
            self.has_begun = true;
            self.open =
                Some(Transaction { first_sequence: sequence, is_base, changes: Vec::new(), bytes: 0 });
        }
        let Some(open) = &mut self.open else {
            // The first file may begin with the rest of a transaction that lies before a base.
            let what = "a transaction goes on that never began";
            return if self.has_begun { Err(ChunkError::Bad(what)) } else { Ok(None) };
        };
        open.changes.append(&mut changes);
        open.bytes += bytes.len().next_multiple_of(BLOCK_BYTES) as u64;
        Ok(self.open.take_if(|_| ends))
    }
}

fn at(position: Position, record: Record) -> Change {
    match record {
        Record::Put { key, offset, length } => {
            Change::Put(key, Position { offset: position.offset + offset as u64, length, ..position })
        }
        Record::Drop(key) => Change::Drop(key),
        Record::DropPartition(partition) => Change::DropPartition(partition),
        Record::Meta(meta) => Change::Meta(meta),
    }
}

/// Where each row lies.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: BTreeMap<Key, Position>,
    pub(super) meta: Meta,
    /// Whether there was a base: without one these are the later rows of something that is lost.
    pub(super) has_base: bool,
    /// Where the last base begins.
    pub(super) base_sequence: u64,
    /// What the rows would take in a new base.
    pub(super) live_bytes: u64,
    /// What the journal holds since the last base began.
    pub(super) log_bytes: u64,
}

impl Index {
    pub(super) fn apply(&mut self, transaction: Transaction) {
        if transaction.is_base {
            *self = Self::from_base(transaction);
            return;
        }
        self.log_bytes += transaction.bytes;
        for change in transaction.changes {
            match change {
                Change::Put(key, position) => {
                    self.live_bytes += row_bytes(position);
                    self.live_bytes -= self.rows.insert(key, position).map_or(0, row_bytes);
                }
                Change::Drop(key) => self.drop_row(key),
                Change::DropPartition(partition) => {
                    let keys: Vec<_> = self.partition(partition).map(|(key, _)| *key).collect();
                    keys.into_iter().for_each(|key| self.drop_row(key));
                }
                Change::Meta(meta) => self.meta = meta,
            }
        }
    }

    /// A base puts each row once. Collected at once they make a map that is fuller, in a fraction of the time.
    fn from_base(base: Transaction) -> Self {
        let mut meta = Meta::default();
        let puts = base.changes.into_iter().filter_map(|change| match change {
            Change::Put(key, position) => Some((key, position)),
            Change::Meta(new) => {
                meta = new;
                None
            }
            Change::Drop(_) | Change::DropPartition(_) => None,
        });
        let rows: BTreeMap<_, _> = puts.collect();
        Self {
            live_bytes: rows.values().copied().map(row_bytes).sum(),
            rows,
            meta,
            has_base: true,
            base_sequence: base.first_sequence,
            log_bytes: base.bytes,
        }
    }

    fn drop_row(&mut self, key: Key) {
        self.live_bytes -= self.rows.remove(&key).map_or(0, row_bytes);
    }

    fn partition(&self, partition: LocalId) -> impl Iterator<Item = (&Key, &Position)> {
        let first = Key { offset: i64::MIN, ..Key::of_partition(partition) };
        let last = Key::of_snapshot(partition, i64::MAX);
        self.rows.range(first..=last)
    }

    /// All rows of some tables.
    pub(super) fn rows(&self, tables: &[Table]) -> Vec<(Key, Position)> {
        let rows = self.rows.iter().filter(|(key, _)| tables.contains(&key.table));
        rows.map(|(key, position)| (*key, *position)).collect()
    }

    /// The last snapshot of a partition that is not above `offset`.
    pub(super) fn snapshot_at_or_below(&self, partition: LocalId, offset: i64) -> Option<(Key, Position)> {
        let first = Key::of_snapshot(partition, i64::MIN);
        let (key, position) = self.rows.range(first..=Key::of_snapshot(partition, offset)).next_back()?;
        Some((*key, *position))
    }
}

fn row_bytes(position: Position) -> u64 {
    u64::from(position.length) + ROW_OVERHEAD_BYTES
}
