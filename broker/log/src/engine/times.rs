//! Finding records by their timestamps.

use std::io;
use std::sync::Arc;

use strandline_protocol::batch::{BatchView, NO_TIMESTAMP};

use super::error::ReadError;
use super::partition::{Partition, UpTo};
use super::read::ATTEMPTS_MAX;
use crate::segment::{FoundTimestamp, Segment, SegmentError, max_timestamp_in_batch};
use crate::tail::TailEntry;

/// A batch is decompressed into at most this to find a record in it.
const DECOMPRESSED_BYTES_MAX: usize = 128 << 20;

impl Partition {
    /// The first record whose timestamp is at least this: its timestamp and offset; none if there is none.
    pub fn find_timestamp(&self, timestamp: i64, up_to: UpTo) -> Result<Option<FoundTimestamp>, ReadError> {
        for _ in 0..ATTEMPTS_MAX {
            let (segments, entries, start, limit) = {
                let view = self.view();
                if view.is_deleted {
                    return Err(ReadError::UnknownPartition);
                }
                let has = |segment: &&Arc<Segment>| segment.max_timestamp() >= timestamp;
                let segments: Vec<_> = view.segments.iter().filter(has).cloned().collect();
                let has = |entry: &&TailEntry| entry.max_timestamp >= timestamp;
                let entries: Vec<_> = view.tail.iter().filter(has).copied().collect();
                (segments, entries, view.start, view.offsets().limit(up_to))
            };
            let is_found = |found: &FoundTimestamp| found.offset >= start;
            let found = match self.find_in_segments(&segments, timestamp, start) {
                Err(SegmentError::Gone { .. }) => continue,
                found => found?,
            };
            let found = match found.filter(is_found) {
                Some(found) => Some(Some(found)),
                None => self.find_in_entries(&entries, timestamp, start)?,
            };
            if let Some(found) = found {
                return Ok(found.filter(|found| found.offset < limit));
            }
        }
        Err(ReadError::Journal(io::ErrorKind::NotFound.into()))
    }

    fn find_in_segments(
        &self,
        segments: &[Arc<Segment>],
        timestamp: i64,
        start: i64,
    ) -> Result<Option<FoundTimestamp>, SegmentError> {
        for segment in segments {
            if let Some(found) =
                segment.find_timestamp(&self.sources.files, timestamp, start, DECOMPRESSED_BYTES_MAX)?
            {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// None if a batch was not where it was said to be any more.
    fn find_in_entries(
        &self,
        entries: &[TailEntry],
        timestamp: i64,
        start: i64,
    ) -> Result<Option<Option<FoundTimestamp>>, ReadError> {
        for entry in entries {
            let Some(bytes) = self.bytes_of(entry)? else { return Ok(None) };
            let found = BatchView::parse_only(&bytes)
                .and_then(|batch| FoundTimestamp::in_batch(&batch, timestamp, start, DECOMPRESSED_BYTES_MAX));
            let found = found.map_err(|error| ReadError::Journal(io::Error::other(error)))?;
            if found.is_some() {
                return Ok(Some(found));
            }
        }
        Ok(Some(None))
    }

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
