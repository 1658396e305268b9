//! Which leader wrote which part of a partition.
//!
//! Owns the list of leader epochs and where each begins, and the answers that replicas and consumers get from it
//! when they ask how far they agree with this log. It never looks at the log: its end is handed in.

/// Where the batches of one leader begin.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EpochEntry {
    /// The leader's epoch.
    pub epoch: i32,
    /// The offset of its first batch.
    pub start_offset: i64,
}

/// Where the batches of a leader end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EpochEnd {
    /// The epoch that was asked for, or the last one before it that is in the log.
    pub epoch: i32,
    /// The first offset behind it.
    pub end_offset: i64,
}

/// The leader epochs of one partition. An empty list takes no memory beside itself.
///
/// From entry to entry both numbers rise: an epoch ends where the next one begins, and one without a batch is
/// not in the list.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct LeaderEpochs(Vec<EpochEntry>);

/// Why an epoch cannot be put into the list, which stays as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EpochError {
    /// Leaders do not come back under an old epoch.
    #[error("leader epoch {epoch} comes after {latest}")]
    GoesBack {
        /// The epoch of the batch.
        epoch: i32,
        /// The latest one in the list.
        latest: i32,
    },
    /// Neither epochs nor offsets are negative.
    #[error("leader epoch {epoch} cannot begin at offset {start_offset}")]
    Negative {
        /// The epoch.
        epoch: i32,
        /// Where it is said to begin.
        start_offset: i64,
    },
    /// A stored list has two entries that contradict each other.
    #[error("leader epoch {epoch} at offset {start_offset} does not rise above the entry in front of it")]
    NotRising {
        /// The epoch of the later entry.
        epoch: i32,
        /// Where it is said to begin.
        start_offset: i64,
    },
}

impl LeaderEpochs {
    /// No epochs.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The list as it was stored.
    pub fn from_entries(entries: impl IntoIterator<Item = EpochEntry>) -> Result<Self, EpochError> {
        let mut list = Vec::new();
        for entry @ EpochEntry { epoch, start_offset } in entries {
            check_not_negative(entry)?;
            let rises = |last: &EpochEntry| last.epoch < epoch && last.start_offset < start_offset;
            if !list.last().is_none_or(rises) {
                return Err(EpochError::NotRising { epoch, start_offset });
            }
            list.push(entry);
        }
        list.shrink_to_fit();
        Ok(Self(list))
    }

    /// The list, for storing it.
    pub fn as_slice(&self) -> &[EpochEntry] {
        &self.0
    }

    /// The latest epoch with a batch in the log.
    pub fn latest(&self) -> Option<EpochEntry> {
        self.0.last().copied()
    }

    /// Notes that a batch of this epoch stands at this offset, and says whether the list changed by that.
    ///
    /// Entries that begin there or later go: their batches cannot be in the log any more.
    pub fn assign(&mut self, epoch: i32, start_offset: i64) -> Result<bool, EpochError> {
        let entry = EpochEntry { epoch, start_offset };
        check_not_negative(entry)?;
        if let Some(latest) = self.latest() {
            if epoch < latest.epoch {
                return Err(EpochError::GoesBack { epoch, latest: latest.epoch });
            }
            if epoch == latest.epoch && start_offset >= latest.start_offset {
                return Ok(false);
            }
        }
        let conflicts = |entry: &EpochEntry| entry.epoch == epoch || entry.start_offset >= start_offset;
        while self.0.pop_if(|last| conflicts(last)).is_some() {}
        // Most of very many partitions have one entry for ever, and a vector would make room for four.
        self.0.reserve_exact(1);
        self.0.push(entry);
        Ok(true)
    }

    /// Where `epoch` ends, in a log that ends at `log_end`; none if this log cannot tell.
    ///
    /// It cannot when the epoch is negative-one, which stands for none, or later than all it has seen. The
    /// latest epoch ends with the log. An epoch that left no batches is answered with the last one before it,
    /// and if there is none, because its batches are deleted or never were, with itself and the log's first
    /// known offset: whoever asks has to begin there.
    pub fn end_offset_for(&self, epoch: i32, log_end: i64) -> Option<EpochEnd> {
        const UNDEFINED: i32 = -1;
        if epoch == UNDEFINED {
            return None;
        }
        if self.latest().is_some_and(|latest| latest.epoch == epoch) {
            return Some(EpochEnd { epoch, end_offset: log_end });
        }
        let (before, after) =
            self.0.split_at_checked(self.0.partition_point(|entry| entry.epoch <= epoch))?;
        let end_offset = after.first()?.start_offset;
        Some(EpochEnd { epoch: before.last().map_or(epoch, |entry| entry.epoch), end_offset })
    }

    /// The epoch whose leader wrote the batch with this offset, if it is known.
    pub fn epoch_for(&self, offset: i64) -> Option<i32> {
        let (before, _) =
            self.0.split_at_checked(self.0.partition_point(|entry| entry.start_offset <= offset))?;
        before.last().map(|entry| entry.epoch)
    }

    /// Forgets the epochs that begin at `end_offset` or later: the log ends there now. A negative offset
    /// changes nothing.
    pub fn truncate_from_end(&mut self, end_offset: i64) {
        if end_offset >= 0 {
            self.0.truncate(self.0.partition_point(|entry| entry.start_offset < end_offset));
        }
    }

    /// Forgets the epochs that end at `start_offset` or earlier: the log begins there now, and with it the
    /// epoch that this offset is in.
    pub fn truncate_from_start(&mut self, start_offset: i64) {
        let reached = self.0.partition_point(|entry| entry.start_offset <= start_offset);
        self.0.drain(..reached.saturating_sub(1));
        if let Some(first) = self.0.first_mut() {
            first.start_offset = first.start_offset.max(start_offset);
        }
    }
}

fn check_not_negative(entry: EpochEntry) -> Result<(), EpochError> {
    let EpochEntry { epoch, start_offset } = entry;
    if epoch < 0 || start_offset < 0 { Err(EpochError::Negative { epoch, start_offset }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
