//! Whether an offset belongs to the time that it was asked for.

use super::{Known, Ledger, Place, Verdict};
use crate::kinds::Kind;

impl Ledger {
    /// Some time at which there may be a record in a partition: that of the one with this number, or about it.
    pub(crate) fn timestamp(&self, place: Place, choice: usize) -> Option<i64> {
        let records = &self.known_log(place)?.records;
        let number = records.values().nth(choice.checked_rem(records.len())?)?;
        Some(self.values.get(usize::try_from(*number).ok()?)?.content.timestamp)
    }

    /// An answer says which is the first record of at least this time, if any is. So much was known when it was asked.
    pub(crate) fn found_by_time(
        &self,
        place: Place,
        known: Known,
        timestamp: i64,
        found: Option<(i64, i64)>,
    ) -> Verdict {
        let Some(log) = self.known_log(place) else { return Ok(()) };
        let time = |number: u64| self.values[usize::try_from(number).unwrap()].content.timestamp;
        let (offset, seen) = match found {
            Some((offset, seen)) => (offset, Some(seen)),
            // Of what came later nobody has said that it was to be seen.
            None => (known.high_watermark, None),
        };
        if let (Some(seen), Some(number)) = (seen, log.records.get(&offset))
            && (seen != time(*number) || seen < timestamp)
        {
            let has = time(*number);
            return Err(format!("{place}: for {timestamp} {offset} is found with {seen}, which has {has}"));
        }
        // What somebody has asked to go may be gone, and what has a key may have been compacted.
        if self.kind(place.topic) == Kind::Keyed || log.is_stale(known.process) || log.start_asked >= offset {
            return Ok(());
        }
        let earlier =
            log.records.range(log.start_asked..offset).find(|(_, number)| time(**number) >= timestamp);
        match earlier {
            Some((earlier, _)) => {
                Err(format!("{place}: for {timestamp} {found:?} is found, and not what is at {earlier}"))
            }
            None => Ok(()),
        }
    }
}
