//! Bits that turn around on the disk: nothing wrong is ever served, and nothing that is missing is missing in silence.

use std::path::{Path, PathBuf};

use strandline_protocol::batch::{BatchHeader, BatchView, HEADER_BYTES};

use super::super::super::{Partition as Handle, UpTo, Writer};
use super::batch::Batch;
use super::death::{is_of_disk, layout};
use super::dump::Death;
use super::model::Log;
use super::{Simulation, Violation};
use crate::check::check;
use crate::disk::{Access, Disk};

/// The part of a batch's header that no checksum covers, its length apart.
const UNCOVERED: [std::ops::Range<u64>; 2] = [0..8, 12..16];

impl Simulation {
    /// The end of each run: the directory is closed, a bit is turned around, and it is opened again.
    pub(super) fn rot(&mut self) -> Result<(), Violation> {
        self.disk.forget_faults();
        self.give_room();
        self.clock.advance(60_000);
        if self.has_failed() || self.has_fault || self.disk.is_halted() || !self.close_only()? {
            return Ok(());
        }
        self.die(Death::Kill);
        let Some((path, offset)) = self.place_to_rot() else { return Ok(()) };
        let bit = u8::try_from(self.random.below(8)).unwrap();
        self.disk.flip_bit(&path, offset, bit).map_err(|error| error.to_string())?;
        self.check_rotten(&path)
            .map_err(|what| format!("bit {bit} of byte {offset} of {}: {what}", path.display()))
    }

    fn files(&self, folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in self.disk.list(folder).unwrap_or_default() {
            let path = folder.join(entry.name);
            if entry.is_directory { self.files(&path, found) } else { found.push(path) }
        }
    }

    /// A byte that somebody relies on.
    fn place_to_rot(&mut self) -> Option<(PathBuf, u64)> {
        let mut files = Vec::new();
        self.files(Path::new("/data"), &mut files);
        let is_segment = |path: &&PathBuf| path.extension().is_some_and(|extension| extension == "log");
        if !self.random.one_in(3) && files.iter().any(|path| is_segment(&path)) {
            files.retain(|path| is_segment(&path));
        }
        let path = files.get(self.random.index(files.len()))?.clone();
        let length = self.disk.length_of(&path).ok()?;
        // Of a journal's file, most is empty.
        let length = if path.starts_with(layout().logs()) { length } else { length.min(20_000) };
        let offset = self.random.below(length.max(1));
        let within = if is_segment(&&path) { offset - self.batch_at(&path, offset)? } else { 8 };
        let is_covered = UNCOVERED.iter().all(|uncovered| !uncovered.contains(&within));
        (length > 0 && is_covered).then_some((path, offset))
    }

    /// Where the batch begins that has a byte.
    fn batch_at(&self, path: &Path, offset: u64) -> Option<u64> {
        let file = self.disk.open(path, Access::Read).ok()?;
        let mut position = 0;
        loop {
            let mut header = [0; HEADER_BYTES];
            file.read_at(&mut header, position).ok()?;
            let next = position + BatchHeader::parse(&header).ok()?.total_bytes() as u64;
            if offset < next {
                return Some(position);
            }
            position = next;
        }
    }

    fn check_rotten(&mut self, path: &Path) -> Result<(), Violation> {
        let disk = (self.subject.disk)(&self.disk);
        let mut told = Vec::new();
        let checked = check(&disk, &layout(), |finding| told.push(finding.to_string()));
        let findings = told.len();
        let random = (self.subject.random)(self.random.next_u64());
        let (options, clock) = (self.options.clone(), self.clock.clone());
        let writer = match Writer::recover(disk, PathBuf::from("/data"), options, clock, random) {
            Ok(writer) => writer,
            Err(error) if is_of_disk(&error) => return Err(error.to_string()),
            Err(error) if checked.is_ok() && findings == 0 => {
                return Err(format!("the checker finds nothing, and it does not open: {error}"));
            }
            Err(_) => {
                self.reach("rot that was told at the start");
                return Ok(());
            }
        };
        let mut errors = Vec::new();
        for (handle, description) in writer.partitions() {
            let number = u64::from_le_bytes(description.as_ref().try_into().map_err(|_| "a description")?);
            let partition = self.model.partitions.get(&number).ok_or("a partition came to be")?;
            let log = &partition.durable;
            if handle.offsets().end < log.end && log.is_async() && handle.offsets().end >= partition.synced_to
            {
                continue;
            }
            if log.is_async() && partition.gaps.contains(&handle.offsets().end) {
                continue;
            }
            if handle.offsets().end != log.end || handle.offsets().start != log.start {
                return Err(format!("{number} is {:?}, not to {}", handle.offsets(), log.end));
            }
            errors.extend(read_around(&handle, log).map_err(|what| format!("{number}: {what}"))?);
        }
        if !errors.is_empty() && (findings == 0 || !path.starts_with(layout().logs())) {
            return Err(format!("{errors:?}; the checker found {told:?}"));
        }
        self.reach(if !errors.is_empty() { "rot that was told to readers" } else { "rot that was harmless" });
        Ok(())
    }
}

/// Reads each batch by itself. All that can be read is right; says what cannot.
fn read_around(handle: &Handle, log: &Log) -> Result<Vec<String>, Violation> {
    let mut errors = Vec::new();
    for batch in log.from(log.start) {
        match handle.read(batch.base_offset.max(log.start), 1, UpTo::End) {
            Err(error) => errors.push(error.to_string()),
            Ok(read) => {
                let Some(slice) = read.slices.first() else {
                    // Compaction takes from a log's end only what was empty.
                    if log.compacted {
                        continue;
                    }
                    return Err(format!("nothing is at {}", batch.base_offset));
                };
                let bytes = slice.read().map_err(|error| error.to_string())?;
                check_first(&bytes, batch, log)?;
            }
        }
    }
    Ok(errors)
}

fn check_first(bytes: &[u8], batch: &Batch, log: &Log) -> Result<(), Violation> {
    let view = BatchView::parse_only(bytes)
        .or_else(|_| {
            let end = BatchHeader::parse(bytes)?.total_bytes().min(bytes.len());
            BatchView::parse(&bytes[..end])
        })
        .map_err(|error| error.to_string())?;
    if log.compacted {
        super::compacted::check_found(log, &view).map(drop)
    } else {
        batch.check_same(view.bytes())
    }
}
