//! What is known of one partition.

use std::collections::BTreeMap;

use super::Known;
use super::order::Orders;

/// What is known of a partition.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) records: BTreeMap<i64, u64>,
    /// What was there before a power cut that may have taken it. A log loses its end and nothing else: where one of
    /// these is found, those before it are there, and where one is not, those behind it are gone.
    uncertain: BTreeMap<i64, u64>,
    pub(super) orders: Orders,
    pub(super) high_watermark: i64,
    pub(super) log_start: i64,
    /// So far at most somebody asked for the beginning to go.
    pub(super) start_asked: i64,
    /// The process whose power was cut last: what it answered says nothing any more.
    cut_process: u64,
}

impl Log {
    /// The power was cut, and nobody had promised that this log would stand it.
    pub(super) fn power_cut(&mut self, process: u64) {
        // What is still in doubt since an earlier cut is of another past: what came after it proves nothing of it.
        if !self.records.is_empty() {
            self.uncertain = std::mem::take(&mut self.records);
        }
        self.orders = Orders::default();
        self.high_watermark = self.log_start;
        self.cut_process = process;
    }

    /// Whether its end may have been lost at any time.
    pub(super) fn was_cut(&self) -> bool {
        self.cut_process > 0
    }

    /// Whether what a process says of it is of a time before its end may have been lost.
    pub(super) fn is_stale(&self, process: u64) -> bool {
        process <= self.cut_process
    }

    /// A record is at an offset: gives those that are known to be there by that.
    pub(super) fn settle(&mut self, offset: i64, number: u64) -> BTreeMap<i64, u64> {
        let Some(before) = self.uncertain.get(&offset) else { return BTreeMap::new() };
        if *before == number {
            let later = self.uncertain.split_off(&(offset + 1));
            return std::mem::replace(&mut self.uncertain, later);
        }
        self.uncertain.split_off(&offset);
        BTreeMap::new()
    }

    pub(super) fn known(&self, process: u64) -> Known {
        Known { high_watermark: self.high_watermark, log_start: self.log_start, process }
    }

    /// What a process says of it, when so much was known as it was asked.
    pub(super) fn told(
        &mut self,
        known: Known,
        high_watermark: Option<i64>,
        log_start: Option<i64>,
    ) -> Result<(), String> {
        if let Some(told) = high_watermark {
            if told < known.high_watermark && !self.is_stale(known.process) {
                return Err(format!("high watermark {told} after {}", known.high_watermark));
            }
            self.high_watermark = self.high_watermark.max(told);
        }
        if let Some(told) = log_start {
            if told < known.log_start {
                return Err(format!("log start {told} after {}", known.log_start));
            }
            if told > self.start_asked {
                return Err(format!("log start {told}, and only {} was asked", self.start_asked));
            }
            self.log_start = self.log_start.max(told);
        }
        Ok(())
    }
}
