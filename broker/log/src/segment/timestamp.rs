//! Finding records by their timestamps.

use strandline_protocol::batch::{BatchError, BatchHeader, BatchView};

use super::error::SegmentError;
use super::index::TimeEntry;
use super::reader::{Cursor, Step};
use super::scan::PROBE_BYTES;
use super::verified::Bad;
use super::{Files, Segment};

/// A record with its time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FoundTimestamp {
    /// The record's timestamp.
    pub timestamp: i64,
    /// The record's offset.
    pub offset: i64,
    /// The epoch of the leader that appended it.
    pub leader_epoch: i32,
}

impl FoundTimestamp {
    /// The first record of a batch, from an offset on, whose timestamp is not below another one.
    pub(crate) fn in_batch(
        batch: &BatchView<'_>,
        timestamp: i64,
        from_offset: i64,
        decompressed_bytes_max: usize,
    ) -> Result<Option<Self>, BatchError> {
        let records = batch.records(decompressed_bytes_max)?;
        for record in &records {
            let record = record?;
            if record.timestamp >= timestamp && record.offset >= from_offset {
                let leader_epoch = batch.header().partition_leader_epoch;
                return Ok(Some(Self { timestamp: record.timestamp, offset: record.offset, leader_epoch }));
            }
        }
        Ok(None)
    }
}

/// The highest timestamp of a batch's records from an offset on; none if there are none.
pub(crate) fn max_timestamp_in_batch(
    batch: &BatchView<'_>,
    from_offset: i64,
    decompressed_bytes_max: usize,
) -> Result<Option<i64>, BatchError> {
    let records = batch.records(decompressed_bytes_max)?;
    let mut max = None;
    for record in &records {
        let record = record?;
        if record.offset >= from_offset {
            max = max.max(Some(record.timestamp));
        }
    }
    Ok(max)
}

/// What is searched for.
struct Search<'a> {
    segment: &'a Segment,
    files: &'a Files,
    timestamp: i64,
    from_offset: i64,
    decompressed_bytes_max: usize,
}

impl Segment {
    /// The first record from an offset on whose timestamp is not below another one; none if there is none.
    /// Compressed records may take up to `decompressed_bytes_max`.
    ///
    /// # Errors
    /// The disk's, that the record is or may be in bytes that are bad, or that its batch cannot be read.
    pub fn find_timestamp(
        &self,
        files: &Files,
        timestamp: i64,
        from_offset: i64,
        decompressed_bytes_max: usize,
    ) -> Result<Option<FoundTimestamp>, SegmentError> {
        if self.max_timestamp() < timestamp || self.end_offset() <= from_offset {
            return Ok(None);
        }
        Search { segment: self, files, timestamp, from_offset, decompressed_bytes_max }.run()
    }
}

impl Segment {
    /// The highest timestamp of its records from an offset on; none if there are none. Where it begins before that, its
    /// batches are looked at one by one.
    ///
    /// # Errors
    /// The disk's, and that some of its bytes are bad.
    pub fn max_timestamp_from(
        &self,
        files: &Files,
        from_offset: i64,
        decompressed_bytes_max: usize,
    ) -> Result<Option<i64>, SegmentError> {
        if self.end_offset() <= from_offset {
            return Ok(None);
        }
        if self.base_offset() >= from_offset {
            return Ok(Some(self.max_timestamp()));
        }
        let position = self.start(files, |index| index.at_or_below(from_offset))?;
        let walk = self.walk(files, position, PROBE_BYTES)?;
        let mut cursor = Cursor::new(self, files, walk);
        let mut max = None;
        while let Some(step) = cursor.next()? {
            let (position, header) = match step {
                Step::Bad(bad) => return Err(self.corrupt(files, &bad)),
                Step::Batch(position, header) => (position, header),
            };
            if header.base_offset >= from_offset {
                max = max.max(Some(header.max_timestamp));
            } else if header.last_offset() >= from_offset {
                let path = cursor.walk.scanner.path().to_owned();
                let view = cursor.walk.scanner.batch(position, &header)?;
                let found = max_timestamp_in_batch(&view, from_offset, decompressed_bytes_max);
                max = max.max(found.map_err(|source| SegmentError::Records { path, position, source })?);
            }
        }
        Ok(max)
    }
}

impl Search<'_> {
    fn run(&self) -> Result<Option<FoundTimestamp>, SegmentError> {
        let offset = self.start_offset()?.max(self.from_offset);
        let position = self.segment.start(self.files, |index| index.at_or_below(offset))?;
        let walk = self.segment.walk(self.files, position, PROBE_BYTES)?;
        let mut cursor = Cursor::new(self.segment, self.files, walk);
        let mut passed: Option<Bad> = None;
        while let Some(step) = cursor.next()? {
            let found = match step {
                Step::Bad(bad) => {
                    passed = Some(bad);
                    None
                }
                Step::Batch(position, header) => {
                    // What lies before the first offset was no part of the question.
                    passed = passed.filter(|_| header.base_offset > self.from_offset);
                    self.in_batch(&mut cursor, position, &header)?
                }
            };
            if let Some(found) = found {
                return passed.map_or(Ok(Some(found)), |bad| Err(self.segment.corrupt(self.files, &bad)));
            }
        }
        passed.map_or(Ok(None), |bad| Err(self.segment.corrupt(self.files, &bad)))
    }

    /// The first record of a batch that is searched for.
    fn in_batch(
        &self,
        cursor: &mut Cursor<'_>,
        position: u64,
        header: &BatchHeader,
    ) -> Result<Option<FoundTimestamp>, SegmentError> {
        if header.max_timestamp < self.timestamp || header.last_offset() < self.from_offset {
            return Ok(None);
        }
        let path = cursor.walk.scanner.path().to_owned();
        let failed = |source| SegmentError::Records { path: path.clone(), position, source };
        let view = cursor.walk.scanner.batch(position, header)?;
        FoundTimestamp::in_batch(&view, self.timestamp, self.from_offset, self.decompressed_bytes_max)
            .map_err(failed)
    }

    /// An offset before which nothing has the timestamp.
    fn start_offset(&self) -> Result<i64, SegmentError> {
        let (live, covered) = {
            let state = self.segment.state();
            (state.builder.times().at_or_below(self.timestamp), state.covered)
        };
        if let Some(entry) = live {
            return Ok(entry.offset);
        }
        if covered == 0 {
            return Ok(self.segment.base_offset());
        }
        let index = self.segment.index(self.files)?;
        let Some(entry) = index.times().at_or_below(self.timestamp) else {
            return Ok(self.segment.base_offset());
        };
        if index.is_rebuilt || self.is_there(entry)? {
            return Ok(entry.offset);
        }
        let index = self.segment.rebuild(self.files, &index)?;
        Ok(index.times().at_or_below(self.timestamp).map_or(self.segment.base_offset(), |entry| entry.offset))
    }

    /// Whether a time entry names a batch that has its timestamp.
    fn is_there(&self, entry: TimeEntry) -> Result<bool, SegmentError> {
        let found = match self.segment.find(self.files, entry.offset) {
            Err(error) if error.is_corrupt() => return Ok(false),
            found => found?,
        };
        let expected = (entry.offset, entry.timestamp);
        Ok(found.is_some_and(|found| (found.batch.last_offset, found.batch.max_timestamp) == expected))
    }
}
