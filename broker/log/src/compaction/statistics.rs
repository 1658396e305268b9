//! What a round of compaction counts.

/// What was found and what was done.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Statistics {
    /// Bytes of the batches that were read to find the keys' last offsets.
    pub mapped_bytes: u64,
    /// Keys that were found.
    pub keys: u64,
    /// Batches that were looked at.
    pub batches_read: u64,
    /// Their bytes.
    pub bytes_read: u64,
    /// Batches that stay, in whatever form.
    pub batches_kept: u64,
    /// Their bytes.
    pub bytes_kept: u64,
    /// Batches that stay as they were, byte for byte.
    pub batches_whole: u64,
    /// Records that a later one with the same key has taken the place of.
    pub records_superseded: u64,
    /// Tombstones that are no longer needed.
    pub tombstones_dropped: u64,
    /// Records without a key, which have no place in a compacted log.
    pub records_without_key: u64,
    /// Records of transactions that were aborted.
    pub records_aborted: u64,
    /// Transaction markers that are no longer needed.
    pub markers_dropped: u64,
    /// Batches that could not be written again with less in them, and stay as they were.
    pub batches_unwritable: u64,
}

impl Statistics {
    /// How many batches did not stay as they were.
    pub(super) const fn changed(&self) -> u64 {
        self.batches_read - self.batches_whole
    }
}
