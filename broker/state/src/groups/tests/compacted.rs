//! A log as compaction leaves it, by Kafka's rules: below the first open transaction the last record of each key stays, and
//! nothing of what was aborted.

use std::collections::BTreeMap;

use super::driver::Entry;
use crate::coordinator::Origin;

/// What goes besides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Compaction {
    /// Nothing.
    Keeping,
    /// Tombstones, as after their time.
    WithoutTombstones,
    /// A mistake: of each key the first record stays, and not the last.
    KeepingTheOldest,
}

/// What is left of a log, with the offset of each entry.
pub(super) fn compacted(log: &[Entry], how: Compaction) -> Vec<(i64, Entry)> {
    let open = |at: &usize| {
        matches!(log[*at], Entry::Record(Origin::Transaction { .. }, ..)) && end(log, *at).is_none()
    };
    let stable = (0..log.len()).find(open).unwrap_or(log.len());
    let mut kept_of_key = BTreeMap::new();
    for (at, entry) in log[..stable].iter().enumerate() {
        let Entry::Record(_, key, _) = entry else { continue };
        if counts(log, at, stable) == Some(true) {
            let kept = kept_of_key.entry(key.clone()).or_insert(at);
            *kept = if how == Compaction::KeepingTheOldest { *kept } else { at };
        }
    }
    let is_kept = |at: usize, entry: &Entry| match entry {
        Entry::Record(_, key, value) if at < stable => match counts(log, at, stable) {
            Some(false) => false,
            Some(true) if value.is_none() && how == Compaction::WithoutTombstones => false,
            Some(true) => kept_of_key.get(key) == Some(&at),
            None => true,
        },
        _ => true,
    };
    let kept = log.iter().enumerate().filter(|(at, entry)| is_kept(*at, entry));
    kept.map(|(at, entry)| (i64::try_from(at).unwrap(), entry.clone())).collect()
}

/// Whether a record counts, as far as is known below the first open transaction.
fn counts(log: &[Entry], at: usize, stable: usize) -> Option<bool> {
    match &log[at] {
        Entry::Record(Origin::Transaction { .. }, ..) => {
            end(log, at).filter(|(end, _)| *end < stable).map(|(_, is_commit)| is_commit)
        }
        _ => Some(true),
    }
}

/// Where the transaction of a record ends, and how.
fn end(log: &[Entry], at: usize) -> Option<(usize, bool)> {
    let Entry::Record(Origin::Transaction { producer_id, .. }, ..) = &log[at] else { return None };
    let mut later = log.iter().enumerate().skip(at);
    later.find_map(|(place, entry)| match entry {
        Entry::End(end) if end.producer_id == *producer_id => Some((place, end.is_commit)),
        _ => None,
    })
}
