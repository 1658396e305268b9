//! What goes into the group that is forming.

use strandline_protocol::batch::{BatchHeader, HEADER_BYTES};

use super::entry::{Entry, PADDING_BYTES_MAX, Padding, Prefix};
use super::error::{Error, StageError};
use super::group::Staged;
use super::layout::FRAME_HEADER_BYTES;
use super::{Class, Journal};
use crate::disk::BLOCK_BYTES;

impl Journal {
    /// Adds an entry to the group that is forming, if there is room for it.
    pub fn stage(&mut self, entry: &Entry<'_>, class: Class) -> Result<Staged, StageError> {
        let (prefix, body) = encode(entry)?;
        self.admit(prefix.bytes().len() + body.len(), class)?;
        Ok(self.group.add(&prefix, &[body]))
    }

    /// Adds a batch that was appended to a partition, with this header in place of its own. A large one lies in its
    /// block, in the frame and in memory, as it will at `segment_position` in the segment's file: so it can be written
    /// there past the page cache from where it is.
    pub fn stage_append(
        &mut self,
        partition: u64,
        header: &BatchHeader,
        batch: &[u8],
        segment_position: impl FnOnce() -> u64,
        class: Class,
    ) -> Result<Staged, StageError> {
        let no_batch = StageError::NoBatch { bytes: batch.len() };
        let records = batch.get(HEADER_BYTES..).ok_or(no_batch)?;
        let base_offset = header.base_offset;
        let (prefix, _) = encode(&Entry::Append { partition, base_offset, batch })?;
        let padding = self.padding(prefix.bytes().len(), batch.len(), segment_position);
        let padding_bytes = padding.as_ref().map_or(0, Padding::length);
        self.admit(padding_bytes + prefix.bytes().len() + batch.len(), class)?;
        Ok(self.group.add_behind(padding.as_ref(), &prefix, &[&header.encode(), records]))
    }

    /// What stands before an entry whose body is to lie in its block as it will at this position elsewhere; none where it
    /// does so already, or is not worth it. It makes no batch too large: what fills a group has none.
    fn padding(
        &self,
        prefix_bytes: usize,
        body_bytes: usize,
        position: impl FnOnce() -> u64,
    ) -> Option<Padding> {
        let bytes_max = FRAME_HEADER_BYTES + PADDING_BYTES_MAX + prefix_bytes + body_bytes;
        if body_bytes < self.options.placed_bytes_min || bytes_max > self.options.group_bytes_max {
            return None;
        }
        let wanted = usize::try_from(position() % BLOCK_BYTES as u64).ok()?;
        let unplaced = (self.group.bytes() + prefix_bytes) % BLOCK_BYTES;
        Padding::of((wanted + BLOCK_BYTES - unplaced) % BLOCK_BYTES)
    }

    /// Gives up what is staged.
    pub fn unstage(&mut self) {
        self.group.clear();
    }

    /// Whether entries are staged.
    pub fn has_staged(&self) -> bool {
        !self.group.is_empty()
    }

    /// Sees to it that there is room for an entry of so many bytes, in this group and on the disk.
    fn admit(&mut self, bytes: usize, class: Class) -> Result<(), StageError> {
        if self.is_poisoned {
            return Err(Error::Poisoned.into());
        }
        if !self.group.is_empty() && self.group.bytes() + bytes > self.options.group_bytes_max {
            return Err(StageError::GroupFull);
        }
        let frame_bytes = self.group.frame_bytes_with(bytes);
        if u32::try_from(frame_bytes).is_err() {
            return Err(StageError::TooLarge { bytes: frame_bytes });
        }
        self.check_bound(frame_bytes, class)?;
        let result = self.make_room(frame_bytes, class);
        self.is_poisoned = matches!(result, Err(StageError::Failed(_)));
        result
    }
}

fn encode<'a>(entry: &Entry<'a>) -> Result<(Prefix, &'a [u8]), StageError> {
    let bytes = entry.body().len() as u64;
    entry.encode().ok_or(StageError::TooLarge { bytes })
}
