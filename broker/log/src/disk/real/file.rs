//! An open file of the machine.

use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rustix::fs::{self, Advice, Mode, OFlags};
use rustix::io::Errno;

use super::ahead::{Reader, Readers};
use super::kernel::free_in_large_pieces;
use super::loaded::AROUND_BYTES;
use super::loads::Loads;
use super::past_cache::{Rest, Staging, split};
use super::retry;
use crate::disk::{Access, BLOCK_BYTES, File, LoadJob};

/// The parts of one gathered write: more of them than the kernel takes at once go in several.
const PARTS_MAX: usize = 1_024;

/// What goes through the page cache is written in pieces up to here. A longer write asks for folios of its length, and
/// where memory is fragmented the kernel moves pages about to make them: two to three times the processor's time.
const CACHED_WRITE_BYTES: usize = 64 << 10;

/// Of a file that has no block which two writes past the page cache share.
const NO_BLOCK: u64 = u64::MAX;

/// While so much memory is free in large pieces, large pages are found at once. Beneath, the kernel begins to make room.
const LARGE_PIECES_BYTES_MIN: u64 = 512 << 20;

/// From this length on what is read ahead is read as by somebody who goes from front to back.
pub(super) const READ_BYTES_MIN: u64 = 128 << 10;

/// What all files use.
#[derive(Debug)]
pub(super) struct Shared {
    staging: Staging,
    /// Where bytes are sent that are wanted in the page cache alone; none on a system without.
    nowhere: Option<OwnedFd>,
    readers: Readers<OwnedFd>,
    pub(super) loads: Loads,
}

impl Shared {
    pub(super) fn new(nowhere: Option<OwnedFd>) -> Self {
        Self { staging: Staging::default(), nowhere, readers: Readers::default(), loads: Loads::default() }
    }
}

/// An open file of the machine.
#[derive(Debug)]
pub(super) struct RealFile {
    pub(super) descriptor: OwnedFd,
    access: Access,
    /// The last block that two writes past the page cache shared: one wrote its beginning through that, and one its end.
    shared_block: AtomicU64,
    /// What begins before this was loaded once.
    pub(super) loaded_to: AtomicU64,
    pub(super) shared: Arc<Shared>,
}

impl Drop for RealFile {
    fn drop(&mut self) {
        self.shared.readers.forget(self.descriptor.as_raw_fd());
        self.shared.loads.forget(self.descriptor.as_raw_fd(), 0);
    }
}

impl RealFile {
    pub(super) fn new(descriptor: OwnedFd, access: Access, shared: Arc<Shared>) -> Self {
        let (shared_block, loaded_to) = (AtomicU64::new(NO_BLOCK), AtomicU64::new(0));
        Self { descriptor, access, shared_block, loaded_to, shared }
    }

    /// The same file once more, opened in another way; none where it cannot be. Its name may be another one's by now, so
    /// it is not asked for by that.
    fn open_again(&self, flags: OFlags) -> Option<OwnedFd> {
        let path = format!("/proc/self/fd/{}", self.descriptor.as_raw_fd());
        retry(|| fs::open(&path, flags | OFlags::CLOEXEC, Mode::empty())).ok()
    }

    /// For writes past the page cache; none where it is not written through that.
    fn open_direct(&self) -> Option<OwnedFd> {
        let is_cached = self.access == Access::Write;
        is_cached.then(|| self.open_again(OFlags::RDWR | OFlags::DIRECT)).flatten()
    }

    /// For reads past the page cache.
    pub(super) fn open_to_load(&self) -> Option<OwnedFd> {
        let is_cached = self.access != Access::DirectSynced;
        is_cached.then(|| self.open_again(OFlags::RDONLY | OFlags::DIRECT)).flatten()
    }

    /// Lets the system read as for somebody who reads from front to back, and copy nothing: in larger pages than if it is
    /// only told, and some of what follows too. False where that cannot be done.
    fn read_to_nowhere(
        &self,
        offset: u64,
        length: u64,
        is_memory_whole: impl FnOnce() -> bool,
    ) -> io::Result<bool> {
        let Shared { nowhere: Some(nowhere), readers, .. } = &*self.shared else { return Ok(false) };
        let file = self.descriptor.as_raw_fd();
        let open = || self.open_again(OFlags::RDONLY);
        let end = offset.saturating_add(length);
        let reader = readers.take(file, &(offset..end)).or_else(|| open().map(Reader::stranger));
        let Some(reader) = reader else { return Ok(false) };
        let mut position = offset;
        while position < end {
            let rest = usize::try_from(end - position).unwrap_or(usize::MAX);
            match retry(|| fs::sendfile(nowhere, &reader.descriptor, Some(&mut position), rest)) {
                Ok(0) => break,
                Ok(_) => {}
                // It is no file that can be sent.
                Err(Errno::INVAL) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        if let Some(reader) = reader.after(position - offset, is_memory_whole, open) {
            readers.keep(file, position, reader);
        }
        Ok(true)
    }

    /// Writes what is left of a block at an end of a write.
    fn write_through(&self, rest: &mut Rest<'_>, memory: &mut [u8], range: Range<u64>) -> io::Result<()> {
        let bytes = usize::try_from(range.end - range.start).ok().and_then(|to| memory.get_mut(..to));
        let copy = bytes.ok_or(io::ErrorKind::InvalidInput)?;
        rest.take_into(copy);
        self.write_at(&[io::IoSlice::new(copy)], range.start)
    }

    /// Lets go of the page of the block that the writes before this one shared, which is on the disk by now or on its way:
    /// what is read ahead would be in small pages from it on. The page of the block that this one begins in is next.
    fn leave_shared_block(&self, begins_in: Range<u64>) {
        if begins_in.is_empty() {
            return;
        }
        let block = begins_in.start - begins_in.start % BLOCK_BYTES as u64;
        let before = self.shared_block.swap(block, Ordering::Relaxed);
        if before != NO_BLOCK && before != block {
            // A hint, as all advice: nothing is lost where it does nothing.
            let _ =
                fs::fadvise(&self.descriptor, before, NonZeroU64::new(BLOCK_BYTES as u64), Advice::DontNeed);
        }
    }

    /// How much of what is to be written there goes in one write. Folios begin at multiples of their length.
    fn write_bytes_max(&self, offset: u64) -> usize {
        if self.access == Access::DirectSynced {
            return usize::MAX;
        }
        let into = offset % CACHED_WRITE_BYTES as u64;
        CACHED_WRITE_BYTES - usize::try_from(into).unwrap_or(0)
    }
}

impl File for RealFile {
    fn length(&self) -> io::Result<u64> {
        let state = fs::fstat(&self.descriptor)?;
        u64::try_from(state.st_size).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let is_short = buffer.len() <= AROUND_BYTES;
        if is_short && self.shared.loads.copy(self.descriptor.as_raw_fd(), offset, buffer) {
            return Ok(buffer.len());
        }
        let mut read = 0;
        while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
            match retry(|| rustix::io::pread(&self.descriptor, &mut *rest, offset + read as u64))? {
                0 => break,
                bytes => read += bytes,
            }
        }
        Ok(read)
    }

    fn write_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        let result = write_parts(&self.descriptor, parts, offset, |offset| self.write_bytes_max(offset));
        self.shared.loads.forget(self.descriptor.as_raw_fd(), offset);
        result
    }

    fn write_past_cache_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut direct = self.open_direct();
        if direct.is_none() {
            return self.write_at(parts, offset);
        }
        let length = parts.iter().map(|part| part.len() as u64).sum();
        let [first, whole, last] = split(offset, length);
        let mut rest = Rest::of(parts);
        self.leave_shared_block(first.clone());
        let result = self.shared.staging.with(|memory| {
            self.write_through(&mut rest, memory, first)?;
            let mut at = whole.start;
            while at < whole.end {
                let gathered = rest.gather(memory, whole.end - at);
                if gathered.is_empty() {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                let is_written = match &direct {
                    Some(descriptor) => write_direct(descriptor, &gathered, at)?,
                    None => false,
                };
                if !is_written {
                    direct = None;
                    self.write_at(&gathered, at)?;
                }
                at += gathered.iter().map(|part| part.len() as u64).sum::<u64>();
            }
            self.write_through(&mut rest, memory, last)
        });
        self.shared.loads.forget(self.descriptor.as_raw_fd(), offset);
        result
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        // Real blocks, not a hole: the place where a full disk shows, before anything is promised.
        Ok(retry(|| fs::fallocate(&self.descriptor, fs::FallocateFlags::empty(), offset, length))?)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let result = retry(|| fs::ftruncate(&self.descriptor, length));
        self.shared.loads.forget(self.descriptor.as_raw_fd(), length);
        Ok(result?)
    }

    fn sync(&self) -> io::Result<()> {
        // Data and what is needed to find it again, the length included; not the times. Never retried, not
        // even when interrupted: after an error the kernel has forgotten which pages failed.
        Ok(fs::fdatasync(&self.descriptor)?)
    }

    fn start_writeback(&self, offset: u64, length: u64) -> io::Result<()> {
        let (Ok(offset), Ok(length)) = (i64::try_from(offset), i64::try_from(length)) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let descriptor = self.descriptor.as_fd().as_raw_fd();
        // SAFETY: a system call on a descriptor that `self` keeps open; it takes no pointer.
        #[expect(unsafe_code, reason = "rustix has no sync_file_range")]
        let result =
            unsafe { libc::sync_file_range(descriptor, offset, length, libc::SYNC_FILE_RANGE_WRITE) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn start_read(&self, offset: u64, length: u64) -> io::Result<()> {
        // No length means all that follows.
        let Some(length) = NonZeroU64::new(length) else { return Ok(()) };
        Ok(fs::fadvise(&self.descriptor, offset, Some(length), Advice::WillNeed)?)
    }

    fn read_ahead(&self, offset: u64, length: u64) -> io::Result<()> {
        let is_read = length >= READ_BYTES_MIN && self.read_to_nowhere(offset, length, is_memory_whole)?;
        if is_read { Ok(()) } else { self.start_read(offset, length) }
    }

    fn load(&self, offset: u64, length: u64) -> Option<Bytes> {
        self.load_range(offset, length)
    }

    fn load_ahead(&self, offset: u64, length: u64, end: u64) -> Option<LoadJob> {
        self.load_range_ahead(offset, length, end)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.descriptor.as_fd())
    }
}

/// Whether large pages are found without moving memory about.
fn is_memory_whole() -> bool {
    // Not known is as good as not whole. Where pages are larger than blocks, there is more than is counted.
    let buddyinfo = std::fs::read_to_string("/proc/buddyinfo").unwrap_or_default();
    free_in_large_pieces(&buddyinfo, BLOCK_BYTES as u64) >= LARGE_PIECES_BYTES_MIN
}

/// The first parts, with so many bytes at the most.
fn first_bytes<'a>(parts: &'a [io::IoSlice<'_>], bytes_max: usize) -> Vec<io::IoSlice<'a>> {
    let mut room = bytes_max;
    let cut = parts.iter().map_while(|part| {
        let taken = part.get(..room).unwrap_or(part);
        let is_room_left = room > 0;
        room -= taken.len();
        is_room_left.then(|| io::IoSlice::new(taken))
    });
    cut.collect()
}

/// Writes the parts, one behind the other, and so many bytes at once at the most as `bytes_max` has for a place.
fn write_parts(
    descriptor: &OwnedFd,
    parts: &[io::IoSlice<'_>],
    mut offset: u64,
    bytes_max: impl Fn(u64) -> usize,
) -> io::Result<()> {
    for batch in parts.chunks(PARTS_MAX) {
        let mut batch = batch.to_vec();
        let mut rest = batch.as_mut_slice();
        // Parts without bytes are stepped over first: a write of nothing would look like a full disk.
        io::IoSlice::advance_slices(&mut rest, 0);
        while !rest.is_empty() {
            let now = first_bytes(rest, bytes_max(offset));
            match retry(|| rustix::io::pwritev(descriptor, &now, offset))? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                bytes => {
                    offset += bytes as u64;
                    io::IoSlice::advance_slices(&mut rest, bytes);
                }
            }
        }
    }
    Ok(())
}

/// Writes past the page cache; false, with nothing or some of it written, where that cannot be done there.
fn write_direct(direct: &OwnedFd, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<bool> {
    match write_parts(direct, parts, offset, |_| usize::MAX) {
        // It wants other borders, or none.
        Err(error) if error.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(false),
        result => result.map(|()| true),
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::os::fd::{AsFd, AsRawFd};
    use std::sync::Arc;

    use rustix::io::{Errno, ReadWriteFlags};

    use super::{RealFile, Shared};
    use crate::disk::tests::TemporaryFolder;
    use crate::disk::{Access, BLOCK_BYTES, File};

    fn file_in(folder: &TemporaryFolder) -> RealFile {
        let descriptor = std::fs::File::create_new(folder.path().join("file")).unwrap();
        let nowhere = std::fs::File::options().write(true).open("/dev/null").unwrap();
        RealFile::new(descriptor.into(), Access::Write, Arc::new(Shared::new(Some(nowhere.into()))))
    }

    /// Whether a block can be read without waiting; none where the file system cannot say.
    fn is_in_memory(file: &RealFile, block: usize) -> Option<bool> {
        let mut bytes = [0; BLOCK_BYTES];
        let buffers = &mut [std::io::IoSliceMut::new(&mut bytes)];
        let offset = (block * BLOCK_BYTES) as u64;
        match rustix::io::preadv2(file.descriptor.as_fd(), buffers, offset, ReadWriteFlags::NOWAIT) {
            Err(Errno::OPNOTSUPP) => None,
            Err(Errno::AGAIN) => Some(false),
            result => Some(result.unwrap() == BLOCK_BYTES),
        }
    }

    #[test]
    fn a_block_that_two_writes_share_leaves_memory_when_both_are_on_the_disk() {
        let folder = TemporaryFolder::new();
        let file = file_in(&folder);
        let piece = vec![7; 20 * BLOCK_BYTES + 100];
        for place in 0..4 {
            file.write_past_cache_at(&[IoSlice::new(&piece)], place * piece.len() as u64).unwrap();
            file.sync().unwrap();
        }
        // Not where nothing is written past the cache.
        if is_in_memory(&file, 10) == Some(false) {
            let shared = [20, 40, 60].map(|block| is_in_memory(&file, block).unwrap());
            assert_eq!(shared, [false, false, true]);
        }
        let mut read = vec![0; 4 * piece.len()];
        assert_eq!(file.read_at(&mut read, 0).unwrap(), read.len());
        assert!(read.iter().all(|byte| *byte == 7));
    }

    #[test]
    fn whoever_reads_ahead_goes_on_and_is_forgotten_with_the_file() {
        let folder = TemporaryFolder::new();
        let file = file_in(&folder);
        file.write_at(&[IoSlice::new(&vec![7; 1 << 20])], 0).unwrap();
        let (number, shared) = (file.descriptor.as_raw_fd(), Arc::clone(&file.shared));
        let read = |offset| assert!(file.read_to_nowhere(offset, 300_000, || true).unwrap());
        read(0);
        let reader = shared.readers.take(number, &(300_000..300_001)).expect("he is known");
        shared.readers.keep(number, 300_000, reader);
        read(300_000);
        assert!(shared.readers.take(number, &(300_000..300_001)).is_none());
        read(900_000);
        // To the end of the file, and no farther.
        let reader = shared.readers.take(number, &(1 << 20..2 << 20)).expect("a stranger is, too");
        shared.readers.keep(number, 1 << 20, reader);
        drop(file);
        assert!(shared.readers.take(number, &(0..2 << 20)).is_none());
    }
}
