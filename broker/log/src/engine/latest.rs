//! The record with the highest timestamp.

use std::io;

use strandline_protocol::batch::{BatchView, NO_TIMESTAMP};

use super::error::ReadError;
use super::partition::{Partition, UpTo};
use super::read::{ATTEMPTS_MAX, DECOMPRESSED_BYTES_MAX};
use crate::segment::{FoundTimestamp, SegmentError, max_timestamp_in_batch};
use crate::tail::TailEntry;

impl Partition {
    /// The first record that has the highest timestamp of all that are there; none if that lies beyond what may be read,
    /// or nothing has a timestamp.
    pub fn find_max_timestamp(&self, up_to: UpTo) -> Result<Option<FoundTimestamp>, ReadError> {
        let Some(mut timestamp) = self.max_timestamp() else { return Ok(None) };
        for _ in 0..ATTEMPTS_MAX {
            if let Some(found) = self.find_timestamp(timestamp, UpTo::End)? {
                return Ok(Some(found).filter(|found| found.offset < self.offsets().limit(up_to)));
            }
            // It was that of a record which is given up, in a segment or batch of which a part is there still.
            match self.max_timestamp_left()? {
                Some(left) => timestamp = left,
                None => return Ok(None),
            }
        }
        Err(ReadError::Journal(io::ErrorKind::NotFound.into()))
    }

    /// The highest timestamp of the records that the log has not given up; none if none has one.
    fn max_timestamp_left(&self) -> Result<Option<i64>, ReadError> {
        for _ in 0..ATTEMPTS_MAX {
            let (segments, entries, start) = {
                let view = self.view();
                if view.is_deleted {
                    return Err(ReadError::UnknownPartition);
                }
                (view.segments.clone(), view.tail.iter().copied().collect::<Vec<_>>(), view.start)
            };
            let files = &self.sources.files;
            let of_segments = segments
                .iter()
                .map(|segment| segment.max_timestamp_from(files, start, DECOMPRESSED_BYTES_MAX))
                .try_fold(None, |max, of_segment| of_segment.map(|of_segment| Ord::max(max, of_segment)));
            let in_segments: Option<i64> = match of_segments {
                Err(SegmentError::Gone { .. }) => continue,
                max => max?,
            };
            if let Some(in_entries) = self.max_timestamp_of(&entries, start)? {
                return Ok(in_segments.max(in_entries).filter(|timestamp| *timestamp != NO_TIMESTAMP));
            }
        }
        Err(ReadError::Journal(io::ErrorKind::NotFound.into()))
    }

    /// Of these batches, from an offset on. None if one was not where it was said to be any more.
    fn max_timestamp_of(&self, entries: &[TailEntry], start: i64) -> Result<Option<Option<i64>>, ReadError> {
        let mut max = None;
        for entry in entries.iter().filter(|entry| entry.last_offset() >= start) {
            if entry.base_offset >= start {
                max = max.max(Some(entry.max_timestamp));
                continue;
            }
            let Some(bytes) = self.bytes_of(entry)? else { return Ok(None) };
            let found = BatchView::parse_only(&bytes)
                .and_then(|batch| max_timestamp_in_batch(&batch, start, DECOMPRESSED_BYTES_MAX));
            max = max.max(found.map_err(|error| ReadError::Journal(io::Error::other(error)))?);
        }
        Ok(Some(max))
    }
}
