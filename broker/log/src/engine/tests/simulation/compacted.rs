//! What compaction may take, and what has to stay.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use strandline_protocol::batch::BatchView;

use super::Violation;
use super::batch::{Batch, Record, records};
use super::model::Log;

/// What compaction was allowed to take of what is left of a log, by what has been cut off since.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    /// For each key, the offset below which its records had successors.
    superseded: BTreeMap<Vec<u8>, i64>,
    /// Where batches begin whose transaction had ended, and how: aborted ones and committed ones.
    aborted: BTreeSet<i64>,
    committed: BTreeSet<i64>,
}

impl Allowed {
    /// What it will be when the log's end is cut off.
    pub(super) fn before_cut(log: &Log, end: i64) -> Self {
        let mut allowed = log.allowed.clone();
        for (key, last) in last_of_keys(log) {
            let below = allowed.superseded.entry(key).or_insert(last);
            *below = last.max(*below);
        }
        // What comes to stand there later has nothing to do with it.
        allowed.superseded.values_mut().for_each(|below| *below = end.min(*below));
        let stable = log.batches.iter().filter(|batch| batch.last_offset < log.bound);
        for batch in stable {
            match log.producers.is_aborted(batch) {
                Some(true) => allowed.aborted.insert(batch.base_offset),
                Some(false) => allowed.committed.insert(batch.base_offset),
                None => false,
            };
        }
        allowed.aborted.retain(|base_offset| *base_offset < end);
        allowed.committed.retain(|base_offset| *base_offset < end);
        allowed
    }
}

/// Holds what is left of a log against what was in it.
///
/// Tombstones and markers stay for the first of the times, and the other is the latest that the wall's clock ever showed.
pub(super) fn check_compacted(log: &Log, found: &[Bytes], times_ms: (i64, i64)) -> Result<(), Violation> {
    let mut left = BTreeSet::new();
    let mut behind = i64::MIN;
    for bytes in found {
        let view = BatchView::parse(bytes).map_err(|error| error.to_string())?;
        let header = view.header();
        if header.base_offset < behind {
            return Err(format!("the batch at {} comes behind {behind}", header.base_offset));
        }
        behind = header.last_offset() + 1;
        left.extend(check_found(log, &view)?);
    }
    let (bound, (delete_retention_ms, latest_ms)) = (log.bound, times_ms);
    let last = last_of_keys(log);
    for batch in log.from(log.start) {
        let is_late = latest_ms >= batch.sent_ms.saturating_add(delete_retention_ms);
        for record in batch.records() {
            let is_there = left.contains(&record.offset);
            if is_there || record.offset < log.start {
                continue;
            }
            if batch.last_offset >= bound {
                return Err(format!("{} is gone, and was never stable ({bound})", record.offset));
            }
            if !may_go(log, batch, record, &last, is_late) {
                return Err(format!(
                    "{} is gone: {:?}",
                    record.offset,
                    (&record.key, record.value.is_none())
                ));
            }
        }
    }
    Ok(())
}

/// The offsets of a batch's records, each of which has to be what was sent.
pub(super) fn check_found(log: &Log, view: &BatchView<'_>) -> Result<Vec<i64>, Violation> {
    let header = view.header();
    view.check_crc().map_err(|error| error.to_string())?;
    let place = log.batches.binary_search_by_key(&header.base_offset, |batch| batch.base_offset);
    let batch = place.map(|place| &log.batches[place]);
    let batch = batch.map_err(|_| format!("nothing was sent to {}", header.base_offset))?;
    if batch.check_same(view.bytes()).is_ok() {
        return Ok(batch.records().iter().map(|record| record.offset).collect());
    }
    if header.last_offset() != batch.last_offset || header.partition_leader_epoch != batch.leader_epoch {
        return Err(format!("{header:?} is not {batch:?}"));
    }
    let sent = batch.records();
    let found = records(view)?;
    match found.iter().find(|record| !sent.contains(record)) {
        Some(record) => Err(format!("{record:?} was not sent")),
        None => Ok(found.iter().map(|record| record.offset).collect()),
    }
}

/// The times of those of a batch's records that compaction cannot have taken.
pub(super) fn times_left<'a>(
    log: &'a Log,
    batch: &'a Batch,
    last: &'a BTreeMap<Vec<u8>, i64>,
    is_late: bool,
) -> impl Iterator<Item = i64> {
    let is_stable = batch.last_offset < log.bound;
    let left =
        batch.records().iter().filter(move |record| !is_stable || !may_go(log, batch, record, last, is_late));
    left.map(|record| record.timestamp)
}

/// The last offset that each key has of those records that count and were stable.
pub(super) fn last_of_keys(log: &Log) -> BTreeMap<Vec<u8>, i64> {
    let mut last = BTreeMap::new();
    let batches = log.batches.iter();
    for batch in batches.filter(|batch| batch.is_data() && batch.last_offset < log.bound) {
        if log.producers.is_aborted(batch) == Some(true) {
            continue;
        }
        let with_keys =
            batch.records().iter().filter_map(|record| Some((record.key.clone()?, record.offset)));
        for (key, offset) in with_keys {
            let known = last.entry(key).or_insert(offset);
            *known = offset.max(*known);
        }
    }
    last
}

fn may_go(log: &Log, batch: &Batch, record: &Record, last: &BTreeMap<Vec<u8>, i64>, is_late: bool) -> bool {
    if !batch.is_data() {
        return is_late;
    }
    if log.allowed.aborted.contains(&batch.base_offset) {
        return true;
    }
    let is_transactional = batch.header.attributes.is_transactional();
    match log.producers.is_aborted(batch) {
        None if is_transactional && !log.allowed.committed.contains(&batch.base_offset) => return false,
        Some(true) => return true,
        _ => {}
    }
    let Some(key) = &record.key else { return true };
    let is_before = |offset: Option<&i64>| offset.is_some_and(|offset| record.offset < *offset);
    let is_superseded = is_before(last.get(key)) || is_before(log.allowed.superseded.get(key));
    is_superseded || (record.value.is_none() && is_late)
}
