//! Readers: by offset, by time, of committed records alone, and slow ones.

use std::collections::BTreeSet;

use bytes::Bytes;
use strandline_protocol::batch::batches;

use super::super::super::{ReadError, ReadOut, Slice, UpTo};
use super::batch::records;
use super::compacted::check_found;
use super::model::Log;
use super::{Simulation, Violation};

/// What somebody reads slowly.
pub(super) struct HeldRead {
    number: u64,
    slices: Vec<(Slice, Bytes)>,
    /// How many times the log had been cut when it was found.
    end_offset: i64,
}

impl Simulation {
    /// A partition that is there, and the offset that somebody asks for.
    fn reader(&mut self) -> Option<(u64, i64)> {
        let known = self.model.known();
        if known.is_empty() {
            return None;
        }
        let number = known[self.random.index(known.len())];
        let log = &self.model.partitions[&number].durable;
        let (start, end) = (log.start, log.end);
        let offset =
            start + i64::try_from(self.random.below(u64::try_from(end - start + 1).unwrap())).unwrap();
        let outside = [0, 0, 0, 0, 0, 0, 0, 0, 0, -1, 1][self.random.index(11)];
        Some((number, offset + outside * (end - start + 1)))
    }

    pub(super) fn up_to(&mut self) -> UpTo {
        [UpTo::End, UpTo::HighWatermark, UpTo::LastStable][self.random.index(3)]
    }

    pub(super) fn read(&mut self) -> Result<(), Violation> {
        let Some((number, offset)) = self.reader() else { return Ok(()) };
        let (bytes_max, up_to) = (1 + self.random.below(5_000), self.up_to());
        let partition = &self.model.partitions[&number];
        let Some(handle) = &partition.handle else { return Ok(()) };
        let log = &partition.durable;
        let is_outside = offset < log.start || offset > log.end;
        let read = match handle.read(offset, bytes_max, up_to) {
            Err(ReadError::OffsetOutOfRange { .. }) if is_outside => return Ok(()),
            Err(_) if self.has_fault => return Ok(()),
            result => result.map_err(|error| format!("{number} at {offset}: {error}"))?,
        };
        if is_outside {
            return Err(format!("{number} was read at {offset}"));
        }
        let limit = match up_to {
            UpTo::End => log.end,
            UpTo::HighWatermark => partition.high_watermark(),
            UpTo::LastStable => handle.offsets().last_stable,
        };
        let slices = match bytes_of(&read) {
            Err(_) if self.has_fault => return Ok(()),
            slices => slices.map_err(|error| format!("{number} at {offset}: {error}"))?,
        };
        let places = check_read(log, &slices, offset, limit)
            .map_err(|what| format!("{number} at {offset}: {what}"))?;
        let end_offset = log.end;
        places.into_iter().for_each(|place| self.reach(place));
        if self.random.one_in(4) && !slices.is_empty() {
            self.reads.push(HeldRead { number, slices, end_offset });
            if self.reads.len() > 4 {
                self.reads.remove(0);
            }
        }
        Ok(())
    }

    /// Somebody who was slow gets the bytes that he was promised, or at worst an error if they were cut off.
    pub(super) fn read_held(&mut self) -> Result<(), Violation> {
        if self.reads.is_empty() {
            return Ok(());
        }
        let place = self.random.index(self.reads.len());
        let HeldRead { number, slices, end_offset } = self.reads.swap_remove(place);
        let is_cut = self.model.partitions.get(&number).is_none_or(|one| one.durable.end < end_offset);
        for (slice, expected) in slices {
            match slice.read() {
                Ok(bytes) if bytes == expected => self.reach("slow read"),
                Err(_) if self.has_fault || is_cut => self.reach("slow read that failed"),
                // Somebody may have appended again meanwhile.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    self.reach("slow read that failed");
                }
                Ok(_) => return Err(format!("bytes of {number} changed under a reader")),
                Err(error) => return Err(format!("a reader of {number} lost them: {error}")),
            }
        }
        Ok(())
    }

    pub(super) fn find_timestamp(&mut self) -> Result<(), Violation> {
        let Some((number, _)) = self.reader() else { return Ok(()) };
        let up_to = self.up_to();
        let partition = &self.model.partitions[&number];
        let Some(handle) = &partition.handle else { return Ok(()) };
        let log = &partition.durable;
        let limit = match up_to {
            UpTo::End => log.end,
            UpTo::HighWatermark => partition.high_watermark(),
            UpTo::LastStable => handle.offsets().last_stable,
        };
        let sent: Vec<_> = log.from(log.start).iter().flat_map(|batch| batch.records()).collect();
        let Some(near) = sent.get(self.random.index(sent.len())) else { return Ok(()) };
        let timestamp = near.timestamp + 1 - i64::try_from(self.random.below(3)).unwrap();
        let found = match handle.find_timestamp(timestamp, up_to) {
            Err(_) if self.has_fault => return Ok(()),
            found => found.map_err(|error| format!("{number} at time {timestamp}: {error}"))?,
        };
        let found = found.map(|found| (found.timestamp, found.offset));
        let mut matching = sent.iter().filter(|one| one.timestamp >= timestamp && one.offset >= log.start);
        let is_right = if log.compacted {
            found.is_none_or(|found| matching.any(|one| (one.timestamp, one.offset) == found))
        } else {
            let first = matching.next().map(|one| (one.timestamp, one.offset));
            found == first.filter(|(_, offset)| *offset < limit)
        };
        self.reach("found by time");
        if is_right { Ok(()) } else { Err(format!("{number} at time {timestamp}: {found:?}")) }
    }

    /// As a consumer of committed records does: what is aborted is skipped by the list that came with it.
    pub(super) fn read_committed(&mut self) -> Result<(), Violation> {
        let Some((number, _)) = self.reader() else { return Ok(()) };
        self.check_committed(number)
    }

    pub(super) fn check_committed(&mut self, number: u64) -> Result<(), Violation> {
        let partition = &self.model.partitions[&number];
        let Some(handle) = &partition.handle else { return Ok(()) };
        let log = &partition.durable;
        let offsets = handle.offsets();
        let read = (|| {
            let aborted = handle.aborted(offsets.start, offsets.last_stable)?;
            Ok::<_, ReadError>((aborted, super::dump::read_all(handle, 1 << 20)?))
        })();
        let (mut aborted, found) = match read {
            Err(_) if self.has_fault => return Ok(()),
            read => read.map_err(|error| format!("{number}: {error}"))?,
        };
        let count = aborted.len();
        aborted.sort_by_key(|one| (one.first_offset, one.producer_id));
        aborted.dedup_by_key(|one| (one.first_offset, one.producer_id));
        if aborted.len() < count {
            return Err(format!("{number}: a transaction was aborted twice: {aborted:?}"));
        }
        let mut aborted = aborted.into_iter().peekable();
        let mut skipped = BTreeSet::new();
        for bytes in found {
            let batch =
                strandline_protocol::batch::BatchView::parse(&bytes).map_err(|error| error.to_string())?;
            let header = batch.header();
            if header.last_offset() >= offsets.last_stable {
                break;
            }
            while let Some(next) = aborted.next_if(|one| one.first_offset <= header.last_offset()) {
                skipped.insert(next.producer_id);
            }
            if header.attributes.is_control() {
                skipped.remove(&header.producer_id);
                continue;
            }
            let place = log.batches.binary_search_by_key(&header.base_offset, |batch| batch.base_offset);
            let sent =
                &log.batches[place.map_err(|_| format!("{number}: {} was not sent", header.base_offset))?];
            let is_skipped = header.attributes.is_transactional() && skipped.contains(&header.producer_id);
            let is_aborted = log.producers.is_aborted(sent).unwrap_or(false);
            if is_skipped != is_aborted && !(records(&batch)?.is_empty()) {
                return Err(format!(
                    "{number}: at {}, skipped: {is_skipped}, aborted: {is_aborted}",
                    header.base_offset
                ));
            }
        }
        if count > 0 {
            self.reach("aborted records");
        }
        Ok(())
    }
}

fn bytes_of(read: &ReadOut) -> std::io::Result<Vec<(Slice, Bytes)>> {
    read.slices.iter().map(|slice| Ok((slice.clone(), slice.read()?))).collect()
}

/// Holds what was read against the log, and says where it came from.
fn check_read(
    log: &Log,
    slices: &[(Slice, Bytes)],
    offset: i64,
    limit: i64,
) -> Result<Vec<&'static str>, Violation> {
    let mut expected = log.from(offset).iter();
    let mut count = 0;
    for (slice, bytes) in slices {
        for batch in batches(bytes) {
            // The last one may be cut where it comes from a file.
            let Ok(batch) = batch else { break };
            if batch.header().last_offset() >= limit || batch.header().last_offset() < offset {
                return Err(format!("{:?}, limit {limit}", batch.header()));
            }
            count += 1;
            if log.compacted {
                check_found(log, &batch)?;
            } else {
                expected.next().ok_or("there is more than there should be")?.check_same(batch.bytes())?;
            }
        }
        if matches!(slice, Slice::Memory(_) | Slice::Journal { .. }) && batches(bytes).any(|one| one.is_err())
        {
            return Err("a slice of memory is cut".to_owned());
        }
    }
    let first = log.from(offset).first().filter(|first| first.last_offset < limit);
    if count == 0 && first.is_some() && !log.compacted {
        return Err("nothing was read".to_owned());
    }
    let places = slices.iter().map(|(slice, _)| match slice {
        Slice::Memory(_) => "read from memory",
        Slice::Segment(_) | Slice::Loaded(_) => "read from a segment",
        Slice::Journal { .. } => "read from the journal",
    });
    Ok(places.collect())
}
