//! What goes into the group that is forming.

use strandline_protocol::batch::HEADER_BYTES;

use super::entry::{Entry, Prefix};
use super::error::{Error, StageError};
use super::group::Staged;
use super::{Class, Journal};

impl Journal {
    /// Adds an entry to the group that is forming, if there is room for it.
    pub fn stage(&mut self, entry: &Entry<'_>, class: Class) -> Result<Staged, StageError> {
        let (prefix, body) = encode(entry)?;
        self.admit(prefix.bytes().len() + body.len(), class)?;
        Ok(self.group.add(&prefix, &[body]))
    }

    /// Adds a batch that was appended to a partition, with these numbers in place of those in its header.
    ///
    /// Both stand outside of what the batch's own checksum covers, so it stays right.
    pub fn stage_append(
        &mut self,
        partition: u64,
        base_offset: i64,
        leader_epoch: i32,
        batch: &[u8],
        class: Class,
    ) -> Result<Staged, StageError> {
        let no_batch = StageError::NoBatch { bytes: batch.len() };
        let (header, records) = batch.split_first_chunk::<HEADER_BYTES>().ok_or(no_batch)?;
        let (prefix, _) = encode(&Entry::Append { partition, base_offset, batch })?;
        self.admit(prefix.bytes().len() + batch.len(), class)?;
        let header = patched(header, base_offset, leader_epoch);
        Ok(self.group.add(&prefix, &[&header, records]))
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

/// A batch's header: eight bytes of base offset, four of length, four of leader epoch, and the rest.
fn patched(header: &[u8; HEADER_BYTES], base_offset: i64, leader_epoch: i32) -> [u8; HEADER_BYTES] {
    let mut patched = *header;
    patched.iter_mut().zip(base_offset.to_be_bytes()).for_each(|(to, from)| *to = from);
    patched.iter_mut().skip(12).zip(leader_epoch.to_be_bytes()).for_each(|(to, from)| *to = from);
    patched
}
