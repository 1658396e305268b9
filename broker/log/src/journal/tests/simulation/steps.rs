//! What is done to the journal: groups, checkpoints, and trouble.

use std::io::ErrorKind;

use strandline_protocol::batch::{BatchBuilder, BatchHeader, HEADER_BYTES, NewRecord};

use super::super::super::layout::{FRAME_HEADER_BYTES, FrameHeader};
use super::super::super::{Class, Committed, Entry, Error, Seal, StageError, Staged};
use super::super::{BLOCK, bytes};
use super::{Entries, Group, Simulation, Violation};
use crate::disk::simulated::Operation;

/// A header that a batch gets when it is placed.
fn header() -> BatchHeader {
    let mut builder = BatchBuilder::new().base_offset(77);
    builder.append(&NewRecord::at(9)).unwrap();
    BatchHeader::parse(&builder.build().unwrap()).unwrap()
}

impl Simulation {
    pub(super) fn commit(&mut self) -> Result<(), Violation> {
        let sequence = self.journal()?.next_sequence();
        let Some((entries, last)) = self.stage(sequence)? else { return Ok(()) };
        let mut group = Group { found: (sequence, entries), place: None };
        if self.subject.acknowledges_before_commit {
            self.acknowledged.push(group.clone());
        }
        match self.write_group() {
            Ok(None) => {
                self.reach("death before a write");
                self.restart()
            }
            Ok(Some(committed)) if committed.sequence != sequence => {
                Err(format!("frame {} instead of {sequence}", committed.sequence))
            }
            Ok(Some(committed)) => {
                let is_large = u64::from(last.offset + last.length) > self.options.file_bytes;
                self.reach(if is_large { "file of its own" } else { "commit" });
                group.place = Some((committed, last));
                if !self.subject.acknowledges_before_commit {
                    self.acknowledged.push(group);
                }
                self.is_sealed = false;
                Ok(())
            }
            Err(error) => {
                full_disk_is_told(&error)?;
                if !self.subject.acknowledges_before_commit {
                    self.uncertain = Some(group);
                }
                self.after_failure()
            }
        }
    }

    /// Stages a few entries, and says where the last one lies; none if there was room for none.
    fn stage(&mut self, sequence: u64) -> Result<Option<(Entries, Staged)>, Violation> {
        let (mut entries, mut last) = (Vec::new(), None);
        for _ in 0..1 + self.random.below(5) {
            let mut body = self.body(sequence);
            let partition = self.random.below(9);
            let (position, is_placed) = (self.random.below(10_000), self.random.one_in(2));
            let header = header();
            if let Some(place) = body.first_chunk_mut().filter(|_| is_placed) {
                *place = header.encode();
            }
            let entry = match self.random.below(10) {
                0 => Entry::Truncate { partition, end_offset: 5 },
                1 => Entry::Metadata(&body),
                2 => Entry::DeletePartition { partition },
                _ => Entry::Append { partition, base_offset: header.base_offset, batch: &body },
            };
            let class = if self.random.one_in(4) { Class::Control } else { Class::Append };
            let journal = self.journal()?;
            let staged = match entry {
                Entry::Append { batch, .. } if is_placed && batch.len() >= HEADER_BYTES => {
                    journal.stage_append(partition, &header, batch, || position, class)
                }
                _ => journal.stage(&entry, class),
            };
            match staged {
                Ok(staged) => {
                    entries.push(bytes(&entry));
                    last = Some(staged);
                    continue;
                }
                Err(StageError::GroupFull) => self.reach("full group"),
                Err(StageError::JournalFull) => {
                    self.reach("full");
                    self.checkpoint()?;
                }
                Err(StageError::DiskFull) => {
                    self.reach("full disk");
                    self.disk.set_capacity(1 << 40);
                }
                Err(StageError::Failed(error)) => {
                    full_disk_is_told(&error)?;
                    self.after_failure()?;
                    return Ok(None);
                }
                Err(error @ (StageError::TooLarge { .. } | StageError::NoBatch { .. })) => {
                    return Err(error.to_string());
                }
            }
            break;
        }
        // A checkpoint that failed was followed by a recovery, which has nothing staged.
        let has_staged = self.journal()?.has_staged();
        Ok(last.filter(|_| has_staged).map(|last| (entries, last)))
    }

    /// Writes the group that is staged; none if the process dies before it does.
    fn write_group(&mut self) -> Result<Option<Committed>, Error> {
        let (dies, recycles) = (self.random.one_in(40), self.random.one_in(10));
        let checkpoint = self.checkpoint;
        let Some(journal) = self.journal.as_mut() else { return Ok(None) };
        let Some(write) = journal.begin_commit()? else { return Ok(None) };
        if recycles {
            journal.recycle(checkpoint)?;
        }
        if dies { Ok(None) } else { journal.end_commit(write.run()).map(|(committed, _)| Some(committed)) }
    }

    /// Mostly small bytes, some large ones, and some of somebody who would like to be taken for a frame.
    fn body(&mut self, sequence: u64) -> Vec<u8> {
        let length = match self.random.below(20) {
            0 => self.random.index(100_000),
            1..=5 => self.random.index(12_000),
            _ => self.random.index(300),
        };
        let mut body = vec![0; length];
        body.fill(self.random.below(256).to_le_bytes()[0]);
        let start = BLOCK - FRAME_HEADER_BYTES - 21;
        if self.random.one_in(3) {
            // Where the body stands if it is the first of its frame, blocks begin at these places.
            for block in body.get_mut(start..).unwrap_or_default().chunks_mut(BLOCK) {
                let header =
                    FrameHeader { sequence: sequence + 1, payload_bytes: 0, entries: 0, payload_checksum: 0 };
                if let Some(place) = block.first_chunk_mut() {
                    *place = header.encode(0);
                }
            }
        }
        body
    }

    /// Something failed: nothing may go on but a recovery.
    fn after_failure(&mut self) -> Result<(), Violation> {
        let operations = self.disk.operations();
        let journal = self.journal()?;
        if journal.commit().is_ok() || journal.stage(&Entry::Seal(Seal::Closed), Class::Control).is_ok() {
            return Err("a journal went on after a failure".to_owned());
        }
        if self.disk.operations() != operations {
            return Err("something was tried again after a failure".to_owned());
        }
        self.restart()
    }

    pub(super) fn checkpoint(&mut self) -> Result<(), Violation> {
        let last = self.acknowledged.last().map_or(0, |group| group.found.0);
        let reached = self.checkpoint + self.random.below(last.saturating_sub(self.checkpoint) + 1);
        // What was applied was acknowledged, so this is the number of a group that is there.
        let reached = if self.random.one_in(2) { last.max(self.checkpoint) } else { reached };
        let recycled = if self.subject.recycles_before_checkpoint {
            last
        } else {
            self.checkpoint = reached;
            reached
        };
        match self.journal()?.recycle(recycled) {
            Ok(()) => Ok(()),
            Err(_) => self.after_failure(),
        }
    }

    pub(super) fn read_back(&mut self) -> Result<(), Violation> {
        let last = self.acknowledged.last().filter(|group| group.found.0 > self.checkpoint);
        let Some((group, (committed, staged))) = last.and_then(|group| Some((group, group.place?))) else {
            return Ok(());
        };
        let position = committed.position(&staged);
        let entry = group.found.1.last().map_or(&[][..], Vec::as_slice);
        let body = entry.get(entry.len() - staged.length as usize..).unwrap_or_default().to_vec();
        match self.journal()?.reader().read(&position) {
            Ok(read) if read != body => Err(format!("{position:?} does not hold what was committed")),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(format!("{position:?} is gone")),
            // A disk that fails to read has harmed nothing; one that has halted fails the next commit.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Begins to make a spare file, or ends it.
    pub(super) fn make_spare(&mut self) -> Result<(), Violation> {
        let Some(job) = self.spare.take() else {
            self.spare = self.journal()?.begin_spare();
            return Ok(());
        };
        match self.journal()?.end_spare(job.run()) {
            Ok(true) => self.reach("spare made elsewhere"),
            Ok(false) => self.reach("no room for a spare elsewhere"),
            Err(error) => {
                full_disk_is_told(&error)?;
                return self.after_failure();
            }
        }
        Ok(())
    }

    pub(super) fn plan_fault(&mut self) {
        const OPERATIONS: [Operation; 9] = [
            Operation::Write,
            Operation::Write,
            Operation::Sync,
            Operation::Sync,
            Operation::Read,
            Operation::Allocate,
            Operation::Rename,
            Operation::SyncDirectory,
            Operation::Open,
        ];
        let nth = 1 + self.random.below(6);
        if self.random.one_in(2) {
            self.disk.halt_in(nth * 3);
        } else {
            self.disk.fail(OPERATIONS[self.random.index(OPERATIONS.len())], nth);
        }
    }

    pub(super) fn fill_up(&mut self) {
        let capacity = if self.random.one_in(2) { 0 } else { 1 << 40 };
        self.disk.set_capacity(capacity);
    }

    pub(super) fn close(&mut self) -> Result<(), Violation> {
        // Without a crash behind it, a seal that was written is there.
        self.is_sealed |= self.journal.take().is_some_and(|journal| journal.close().is_ok());
        self.restart()
    }
}

/// A full disk refuses before anything is written, and is never taken for a disk that fails.
fn full_disk_is_told(error: &Error) -> Result<(), Violation> {
    match error {
        Error::Io { source, .. } if source.kind() == ErrorKind::StorageFull => {
            Err(format!("something was admitted and then had no room: {error}"))
        }
        _ => Ok(()),
    }
}
