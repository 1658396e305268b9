//! Reading entries back from the journal, beside the writer.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::aligned::AlignedBuffer;
use super::files::LiveFile;
use super::pins::Pins;
use crate::disk::{self, BLOCK_BYTES, File};

/// Where the bytes of an entry lie.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The sequence number of the file.
    pub file: u64,
    /// The offset of the first byte in it.
    pub offset: u64,
    /// How many bytes there are.
    pub length: u32,
}

type Files = BTreeMap<u64, Arc<LiveFile>>;

/// Reads what was committed, from any thread. Clones read the same journal.
///
/// It waits for nobody's writing: the lock is over a map, and no call to the disk is made under it.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    files: Arc<Mutex<Files>>,
    pins: Pins,
}

/// A file that is not used again while this is held, even if it is recycled meanwhile. If readers hold too many such
/// files, it is emptied: then it ends before what was to be read.
#[derive(Debug)]
pub struct Pinned {
    live: Arc<LiveFile>,
}

impl Pinned {
    /// The file.
    pub fn file(&self) -> &dyn File {
        &*self.live.file
    }

    /// Reads some bytes that nobody is likely to want again: past the page cache, where they would take the place of
    /// what somebody wants, and would be copied once more.
    pub fn read_once(&self, buffer: &mut ReadBuffer, offset: u64, length: usize) -> io::Result<()> {
        (buffer.lead, buffer.length) = (0, 0);
        // In its block as in the file, either way.
        let lead = usize::try_from(offset % BLOCK_BYTES as u64).map_err(|_| io::ErrorKind::InvalidInput)?;
        let blocks = buffer.room_for((lead + length).next_multiple_of(BLOCK_BYTES));
        if let Some(direct) = &self.live.direct {
            disk::read_exact_at(&**direct, blocks, offset - lead as u64)?;
        } else {
            let place = blocks.get_mut(lead..).and_then(|place| place.get_mut(..length)).unwrap_or_default();
            disk::read_exact_at(self.file(), place, offset)?;
        }
        (buffer.lead, buffer.length) = (lead, length);
        Ok(())
    }
}

/// Memory for [`Pinned::read_once`], used for one read after the other.
#[derive(Debug, Default)]
pub struct ReadBuffer {
    memory: AlignedBuffer,
    lead: usize,
    length: usize,
}

impl ReadBuffer {
    /// What was read last, if that went well.
    pub fn bytes(&self) -> &[u8] {
        self.memory.bytes().get(self.lead..).and_then(|bytes| bytes.get(..self.length)).unwrap_or_default()
    }

    /// One with so much memory.
    #[cfg(test)]
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { memory: AlignedBuffer::with_capacity(bytes), ..Self::default() }
    }

    /// How many bytes of memory it has.
    pub fn capacity(&self) -> usize {
        self.memory.allocated_bytes()
    }

    /// So many bytes of it, whatever they are.
    fn room_for(&mut self, length: usize) -> &mut [u8] {
        if let Some(missing) = length.checked_sub(self.memory.length()) {
            self.memory.pad(missing);
        }
        self.memory.bytes_mut().get_mut(..length).unwrap_or_default()
    }
}

impl Reader {
    fn files(&self) -> MutexGuard<'_, Files> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, file: &Arc<LiveFile>) {
        self.files().insert(file.sequence, Arc::clone(file));
    }

    pub(super) fn remove(&self, file: &LiveFile) {
        self.files().remove(&file.sequence);
    }

    /// Keeps a file from being used again; none if it has been recycled.
    pub fn pin(&self, file: u64) -> Option<Pinned> {
        self.files().get(&file).map(|live| Pinned { live: Arc::clone(live) })
    }

    /// What readers keep from being used again.
    pub fn pins(&self) -> &Pins {
        &self.pins
    }

    /// Reads the bytes of an entry; an error of kind [`io::ErrorKind::NotFound`] if its file has been recycled.
    ///
    /// Their checksum is the caller's to check: a batch has its own.
    pub fn read(&self, position: &Position) -> io::Result<Vec<u8>> {
        let pinned = self.pin(position.file).ok_or(io::ErrorKind::NotFound)?;
        let length = usize::try_from(position.length).map_err(|_| io::ErrorKind::InvalidInput)?;
        let mut bytes = vec![0; length];
        disk::read_exact_at(pinned.file(), &mut bytes, position.offset)?;
        Ok(bytes)
    }
}
