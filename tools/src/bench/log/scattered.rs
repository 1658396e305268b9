//! Many files that are appended to in turn without an engine: what is left of a disk once each write is to another
//! file, and something else writes to a journal at the same time.

use std::io::IoSlice;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use strandline_log::disk::real::RealDisk;
use strandline_log::disk::{Access, Disk};

use super::Outcome;
use super::partitions::{BATCH_BYTES, SUSTAINED_BYTES};
use super::raw::Raw;
use super::turns::float;

const JOURNAL_BYTES: usize = 1 << 20;
const FILES_PER_FOLDER: usize = 64;

/// A sync of the file system each time that so much was written, as an engine's checkpoint would.
const BYTES_PER_SYNC: usize = 64 << 20;

/// How far the journal may be behind.
const GROUPS_OUTSTANDING: usize = 2;

/// Gives the megabytes a second of what the files got, over as many bytes as an engine is given.
pub(super) fn scatter(root: &Path, files: usize) -> Outcome<[f64; 1]> {
    let disk = Arc::new(RealDisk::new(root)?);
    let mut journal = Raw::new(&disk, root, JOURNAL_BYTES)?;
    let (groups, to_write) = mpsc::sync_channel::<()>(GROUPS_OUTSTANDING);
    let journal = thread::spawn(move || -> Result<(), String> {
        to_write
            .iter()
            .try_for_each(|()| journal.write_direct_synced(JOURNAL_BYTES).map_err(|error| error.to_string()))
    });
    let pass = |pass: usize| -> Outcome {
        for file in 0..files {
            append(&disk, root, file, pass)?;
            let written = (pass * files + file + 1) * BATCH_BYTES;
            if written.is_multiple_of(JOURNAL_BYTES) {
                groups.send(())?;
            }
            if written.is_multiple_of(BYTES_PER_SYNC) {
                disk.sync_file_system()?;
            }
        }
        Ok(())
    };
    // Files are made once; an engine that runs for long appends to those that are there.
    pass(0)?;
    let passes = usize::try_from(SUSTAINED_BYTES)? / (files * BATCH_BYTES);
    let start = Instant::now();
    (1..=passes).try_for_each(pass)?;
    disk.sync_file_system()?;
    let rate = float((passes * files * BATCH_BYTES) as u64) / 1e6 / start.elapsed().as_secs_f64();
    drop(groups);
    journal.join().map_err(|_| "the journal's thread panicked")??;
    Ok([rate])
}

fn append(disk: &RealDisk, root: &Path, file: usize, pass: usize) -> Outcome {
    let folder = root.join((file / FILES_PER_FOLDER).to_string());
    if pass == 0 && file.is_multiple_of(FILES_PER_FOLDER) {
        disk.create_directory(&folder)?;
    }
    let path = folder.join(file.to_string());
    let opened = if pass == 0 { disk.create(&path, Access::Write) } else { disk.open(&path, Access::Write) };
    let (file, offset) = (opened?, (pass * BATCH_BYTES) as u64);
    file.write_at(&[IoSlice::new(&[b'x'; BATCH_BYTES])], offset)?;
    Ok(file.start_writeback(offset, BATCH_BYTES as u64)?)
}
