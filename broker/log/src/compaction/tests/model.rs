//! What compaction has to leave, worked out the slow way: over all records at once, with plain maps.

use std::collections::{BTreeMap, BTreeSet};

use strandline_protocol::batch::{BatchView, ControlRecord};

use super::super::Settings;
use crate::segment::AbortedTransaction;

/// A record, as a consumer sees it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Seen {
    pub(super) offset: i64,
    pub(super) timestamp: i64,
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Option<Vec<u8>>,
    pub(super) headers: usize,
}

/// A batch, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    pub(super) base_offset: i64,
    pub(super) last_offset: i64,
    pub(super) producer_id: i64,
    pub(super) is_transactional: bool,
    /// For a marker, whether it commits.
    pub(super) commits: Option<bool>,
    pub(super) is_control: bool,
    pub(super) records: Vec<Seen>,
    /// Everything in the header that compaction leaves alone.
    pub(super) unchanging: (i16, i32, i32, u8),
    pub(super) bytes: Vec<u8>,
}

impl Batch {
    pub(super) fn new(view: &BatchView<'_>) -> Self {
        let header = view.header();
        let section = view.records(1 << 20).unwrap();
        let records = section.iter().map(Result::unwrap);
        let marker = records.clone().next().filter(|_| header.attributes.is_control());
        let marker = marker.map(|record| ControlRecord::read(record.key, record.value).unwrap());
        Self {
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
            producer_id: header.producer_id,
            is_transactional: header.attributes.is_transactional(),
            commits: marker.map(|marker| matches!(marker, ControlRecord::Commit { .. })),
            is_control: header.attributes.is_control(),
            records: records
                .map(|record| Seen {
                    offset: record.offset,
                    timestamp: record.timestamp,
                    key: record.key.map(<[u8]>::to_vec),
                    value: record.value.map(<[u8]>::to_vec),
                    headers: record.headers.map(Result::unwrap).count(),
                })
                .collect(),
            unchanging: (
                header.producer_epoch,
                header.base_sequence,
                header.partition_leader_epoch,
                // An emptied batch has no codec any more.
                if header.record_count == 0 { 0 } else { header.attributes.compression_id() },
            ),
            bytes: view.bytes().to_vec(),
        }
    }
}

/// What is remembered from one round to the next, as the log's headers do it: from when on the tombstones of a
/// batch, or a marker, may go.
#[derive(Debug, Default)]
pub(super) struct Model {
    horizons: BTreeMap<i64, i64>,
}

impl Model {
    /// What a round leaves of batches that it went through, having known all keys below `mapped_to`.
    pub(super) fn clean(
        &mut self,
        before: &[Batch],
        settings: &Settings,
        aborted: &[AbortedTransaction],
        mapped_to: i64,
    ) -> Vec<Batch> {
        let is_aborted = |batch: &Batch| {
            let range =
                |one: &&AbortedTransaction| (one.first_offset..=one.last_offset).contains(&batch.base_offset);
            batch.is_transactional
                && aborted.iter().filter(range).any(|one| one.producer_id == batch.producer_id)
        };
        let committed = before.iter().filter(|batch| !batch.is_control && !is_aborted(batch));
        let mut last = BTreeMap::new();
        for record in committed.flat_map(|batch| &batch.records).filter(|record| record.offset < mapped_to) {
            last.insert(record.key.clone(), record.offset);
        }
        let mut with_batches = BTreeSet::new();
        let mut after = Vec::new();
        for batch in before {
            let mut batch = batch.clone();
            if batch.is_control {
                let is_alone = !with_batches.remove(&batch.producer_id);
                if is_alone && self.is_spent(batch.base_offset, settings) {
                    batch.records.clear();
                }
            } else {
                with_batches.extend(batch.is_transactional.then_some(batch.producer_id));
                if is_aborted(&batch) {
                    batch.records.clear();
                }
                batch.records.retain(|record| {
                    let is_last = record.key.is_some() && last.get(&record.key) == Some(&record.offset);
                    record.offset >= mapped_to || is_last
                });
                let tombstones = batch.records.iter().any(|record| record.value.is_none());
                if tombstones && batch.last_offset < mapped_to && self.is_spent(batch.base_offset, settings) {
                    batch.records.retain(|record| record.value.is_some());
                }
            }
            if !batch.records.is_empty() || is_needed(&batch, settings) {
                after.push(batch);
            }
        }
        after
    }

    /// Whether the time is over that begins when this is first asked.
    fn is_spent(&mut self, base_offset: i64, settings: &Settings) -> bool {
        let horizon = settings.now_ms + settings.delete_retention_ms;
        let horizon = self.horizons.entry(base_offset).or_insert(horizon);
        settings.now_ms >= *horizon
    }
}

fn is_needed(batch: &Batch, settings: &Settings) -> bool {
    let last = settings.last_records.get(&batch.producer_id);
    let is_last = match last.map(|last| last.data_offset) {
        Some(Some(offset)) => offset == batch.last_offset,
        Some(None) => batch.is_control,
        None => false,
    };
    is_last && batch.producer_id >= 0 || batch.last_offset + 1 == settings.end_offset
}
