//! What has to be found when a log is read from its start to its end.

use std::collections::BTreeMap;

use super::{Ledger, Place, Verdict};
use crate::kinds::Kind;

impl Ledger {
    /// All of a partition was read, from its start to its high watermark: what has to be there is.
    pub(crate) fn complete(&self, place: Place, start: i64, found: &BTreeMap<i64, u64>) -> Verdict {
        let log = self.known_log(place).ok_or_else(|| format!("{place} is none that there ever was"))?;
        let is_keyed = self.kind(place.topic) == Kind::Keyed;
        let last = if is_keyed { self.last_of_keys(place, start) } else { BTreeMap::new() };
        for (offset, number) in log.records.range(start..) {
            if found.get(offset) == Some(number) {
                continue;
            }
            let sent = &self.values[usize::try_from(*number).unwrap()];
            let is_replaced =
                sent.content.key.and_then(|key| last.get(&key)).is_some_and(|last| last > offset);
            if is_replaced || is_keyed && self.may_be_deleted(place, *number, found) {
                continue;
            }
            let how = if sent.is_acknowledged { "was acknowledged" } else { "was read" };
            return Err(format!("record {number} {how} in {place} at {offset}, and is not there"));
        }
        let is_missing = |(_, sent): &(usize, &super::Sent)| {
            sent.place == place && sent.is_acknowledged && sent.offset.is_none()
        };
        match self.values.iter().enumerate().find(is_missing).filter(|_| !is_keyed) {
            Some((number, _)) => Err(format!("record {number} of {place} was acknowledged, and is nowhere")),
            None => Ok(()),
        }
    }

    /// Where the last record of each key is.
    fn last_of_keys(&self, place: Place, start: i64) -> BTreeMap<u8, i64> {
        let records = self.known_log(place).into_iter().flat_map(|log| log.records.range(start..));
        let keys = records.filter_map(|(offset, number)| Some((self.key(*number)?, *offset)));
        keys.collect()
    }

    fn key(&self, number: u64) -> Option<u8> {
        self.values.get(usize::try_from(number).ok()?)?.content.key
    }

    /// Whether the last record of its key may be gone: it deletes the key, or one that does may have come behind it
    /// and have gone too. Then nothing is left of that key.
    fn may_be_deleted(&self, place: Place, number: u64, found: &BTreeMap<i64, u64>) -> bool {
        let sent = &self.values[usize::try_from(number).unwrap()];
        let is_of_key = |other: &u64| self.key(*other) == sent.content.key;
        let may_delete = |other: &super::Sent| {
            let may_be_here = other.place == place && other.offset.is_none() && !other.is_refused;
            let may_be_here = may_be_here || other.may_have_come(place, |place| self.name(place.topic));
            other.content.bytes.is_none() && other.content.key == sent.content.key && may_be_here
        };
        let is_deleted = sent.content.bytes.is_none() || self.values.iter().any(may_delete);
        is_deleted && !found.values().any(is_of_key)
    }
}
