//! The order of each sender's records: their numbers rise with their offsets.

use std::collections::BTreeMap;

use super::Sender;

/// Of each sender, which record is where.
#[derive(Debug, Default)]
pub(super) struct Orders(BTreeMap<Sender, BTreeMap<i64, u64>>);

impl Orders {
    /// A record of a sender is at an offset.
    pub(super) fn put(&mut self, sender: Sender, offset: i64, number: u64) -> Result<(), String> {
        let records = self.0.entry(sender).or_default();
        records.insert(offset, number);
        let before = records.range(..offset).next_back().filter(|(_, before)| **before > number);
        let after = records.range(offset + 1..).next().filter(|(_, after)| **after < number);
        match before.or(after) {
            None => Ok(()),
            Some((elsewhere, other)) => Err(format!(
                "{sender:?} sent {number} and {other}, which are in the other order at {offset} and {elsewhere}"
            )),
        }
    }
}
