//! The disk of the machine. The only place of the engine with `fsync`, `rename` and their kin; each says what
//! it is for.

use std::io;
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::fs::{self, Advice, Mode, OFlags};
use rustix::io::Errno;

use super::kernel::reports_all_losses;
use super::past_cache::{Rest, Staging, split};
use super::{Access, Disk, Entry, File, Lock};

/// The parts of one gathered write: more of them than the kernel takes at once go in several.
const PARTS_MAX: usize = 1_024;

/// What goes through the page cache is written in pieces up to here. A longer write asks for folios of its length, and
/// where memory is fragmented the kernel moves pages about to make them: two to three times the processor's time.
const CACHED_WRITE_BYTES: usize = 64 << 10;

/// From this length on what is read ahead is read as by somebody who goes from front to back.
const READ_BYTES_MIN: u64 = 128 << 10;

/// The file system that a folder lies in.
#[derive(Debug)]
pub struct RealDisk {
    // Held from the start: the kernel reports a lost write to those who had the file system open when it
    // was lost, and to nobody who comes later.
    root: OwnedFd,
    reports_all_losses: bool,
    shared: Arc<Shared>,
}

/// What all files use.
#[derive(Debug)]
struct Shared {
    staging: Staging,
    /// Where bytes are sent that are wanted in the page cache alone; none on a system without.
    nowhere: Option<OwnedFd>,
}

impl RealDisk {
    /// The file system that holds `root`, a folder that is there.
    pub fn new(root: &Path) -> io::Result<Self> {
        let root = fs::open(root, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        // Not known is as good as too old: that is slower, and safe.
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let nowhere = fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()).ok();
        let shared = Arc::new(Shared { staging: Staging::default(), nowhere });
        Ok(Self { root, reports_all_losses: reports_all_losses(&release), shared })
    }

    fn open_with(&self, path: &Path, access: Access, extra: OFlags) -> io::Result<Arc<dyn File>> {
        let flags = match access {
            Access::Read => OFlags::RDONLY,
            Access::Write => OFlags::RDWR,
            Access::DirectSynced => OFlags::RDWR | OFlags::DIRECT | OFlags::DSYNC,
        };
        let descriptor =
            retry(|| fs::open(path, flags | extra | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR | Mode::RGRP))?;
        Ok(Arc::new(RealFile { descriptor, access, shared: Arc::clone(&self.shared) }))
    }
}

impl Disk for RealDisk {
    fn create(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.open_with(path, access, OFlags::CREATE | OFlags::EXCL)
    }

    fn open(&self, path: &Path, access: Access) -> io::Result<Arc<dyn File>> {
        self.open_with(path, access, OFlags::empty())
    }

    fn length(&self, path: &Path) -> io::Result<u64> {
        u64::try_from(fs::stat(path)?.st_size).map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        Ok(fs::mkdir(path, Mode::RWXU | Mode::RGRP | Mode::XGRP)?)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        Ok(fs::rmdir(path)?)
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in when_there_are_descriptors(|| std::fs::read_dir(path))? {
            let entry = entry?;
            // A name that is no text is none of ours.
            if let Ok(name) = entry.file_name().into_string() {
                entries.push(Entry { name, is_directory: entry.file_type()?.is_dir() });
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(fs::rename(from, to)?)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Ok(fs::unlink(path)?)
    }

    fn sync_directory(&self, path: &Path) -> io::Result<()> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = when_there_are_descriptors(|| Ok(fs::open(path, flags, Mode::empty())?))?;
        Ok(fs::fsync(directory)?)
    }

    fn sync_file_system(&self) -> io::Result<()> {
        Ok(fs::syncfs(&self.root)?)
    }

    fn reports_all_losses(&self) -> bool {
        self.reports_all_losses
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = fs::fstatvfs(&self.root)?;
        Ok(state.f_bavail.saturating_mul(state.f_frsize))
    }

    fn total_bytes(&self) -> io::Result<Option<u64>> {
        let state = fs::fstatvfs(&self.root)?;
        Ok(Some(state.f_blocks.saturating_mul(state.f_frsize)))
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
        let descriptor = fs::open(path, flags, Mode::RUSR | Mode::WUSR)?;
        // Belongs to the open file: it goes with the process, however that dies.
        fs::flock(&descriptor, fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(RealLock { _descriptor: descriptor }))
    }
}

/// How often, and with how long between, a folder is opened that has to be, while there are no descriptors.
const TRIES_MAX: u32 = 3_000;
const PAUSE: Duration = Duration::from_millis(10);

/// Opens a folder, and waits where the process has as many files open as it may: whoever syncs one or lists it is in the
/// middle of something, and cannot put it off as whoever opens a file does.
fn when_there_are_descriptors<T>(open: impl Fn() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..TRIES_MAX {
        match open() {
            Err(error) if lacks_descriptors(&error) => thread::sleep(PAUSE),
            result => return result,
        }
    }
    open()
}

/// Whether a file was not opened since the process, or the machine, has as many open as it may: nothing happened to the
/// file, and it can be opened when others were closed.
pub fn lacks_descriptors(error: &io::Error) -> bool {
    let without = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|code| without.contains(&code))
}

/// What a system says that lets a process open no more.
pub(crate) fn no_descriptors() -> io::Error {
    Errno::MFILE.into()
}

/// An open file of the machine.
#[derive(Debug)]
struct RealFile {
    descriptor: OwnedFd,
    access: Access,
    shared: Arc<Shared>,
}

impl RealFile {
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

    /// Lets the system read as for somebody who reads from front to back, and copy nothing: in larger pages than if it is
    /// only told, and some of what follows too. False where that cannot be done.
    ///
    /// How far it reads ahead, and in how large pages, it notes with whoever has opened the file. A stranger each time is
    /// read moderately for; for one who goes on for long, pages get so large that memory is moved about to make them.
    fn read_to_nowhere(&self, offset: u64, length: u64) -> io::Result<bool> {
        let (Some(nowhere), Some(stranger)) = (&self.shared.nowhere, self.open_again(OFlags::RDONLY)) else {
            return Ok(false);
        };
        let (mut position, end) = (offset, offset.saturating_add(length));
        while position < end {
            let rest = usize::try_from(end - position).unwrap_or(usize::MAX);
            match retry(|| fs::sendfile(nowhere, &stranger, Some(&mut position), rest)) {
                Ok(0) => break,
                Ok(_) => {}
                // It is no file that can be sent.
                Err(Errno::INVAL) => return Ok(false),
                Err(error) => return Err(error.into()),
            }
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
        let mut offset = offset;
        for batch in parts.chunks(PARTS_MAX) {
            let mut batch = batch.to_vec();
            let mut rest = batch.as_mut_slice();
            // Parts without bytes are stepped over first: a write of nothing would look like a full disk.
            io::IoSlice::advance_slices(&mut rest, 0);
            while !rest.is_empty() {
                let now = first_bytes(rest, self.write_bytes_max(offset));
                match retry(|| rustix::io::pwritev(&self.descriptor, &now, offset))? {
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

    fn write_past_cache_at(&self, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<()> {
        let mut direct = self.open_direct();
        if direct.is_none() {
            return self.write_at(parts, offset);
        }
        let length = parts.iter().map(|part| part.len() as u64).sum();
        let [first, whole, last] = split(offset, length);
        let mut rest = Rest::of(parts);
        self.shared.staging.with(|memory| {
            self.write_through(&mut rest, memory, first)?;
            let mut at = whole.start;
            while at < whole.end {
                let gathered = rest.gather(memory, whole.end - at);
                if gathered.is_empty() {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
                let is_written = match &direct {
                    Some(descriptor) => write_all_at(descriptor, &gathered, at)?,
                    None => false,
                };
                if !is_written {
                    direct = None;
                    self.write_at(&gathered, at)?;
                }
                at += gathered.iter().map(|part| part.len() as u64).sum::<u64>();
            }
            self.write_through(&mut rest, memory, last)
        })
    }

    fn allocate(&self, offset: u64, length: u64) -> io::Result<()> {
        // Real blocks, not a hole: the place where a full disk shows, before anything is promised.
        Ok(retry(|| fs::fallocate(&self.descriptor, fs::FallocateFlags::empty(), offset, length))?)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        Ok(retry(|| fs::ftruncate(&self.descriptor, length))?)
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
        let is_read = length >= READ_BYTES_MIN && self.read_to_nowhere(offset, length)?;
        if is_read { Ok(()) } else { self.start_read(offset, length) }
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.descriptor.as_fd())
    }
}

/// A lock on an open file of the machine.
#[derive(Debug)]
struct RealLock {
    // Closing it gives the lock back.
    _descriptor: OwnedFd,
}

impl Lock for RealLock {}

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

/// Writes past the page cache; false, with nothing or some of it written, where that cannot be done there.
fn write_all_at(direct: &OwnedFd, parts: &[io::IoSlice<'_>], offset: u64) -> io::Result<bool> {
    let mut offset = offset;
    let mut parts = parts.to_vec();
    let mut rest = parts.as_mut_slice();
    while !rest.is_empty() {
        match retry(|| rustix::io::pwritev(direct, rest, offset)) {
            // It wants other borders, or none.
            Err(Errno::INVAL) => return Ok(false),
            Err(error) => return Err(error.into()),
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => {
                offset += bytes as u64;
                io::IoSlice::advance_slices(&mut rest, bytes);
            }
        }
    }
    Ok(true)
}

/// Repeats a call that a signal interrupted before it did anything.
fn retry<T>(mut call: impl FnMut() -> Result<T, Errno>) -> Result<T, Errno> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            result => return result,
        }
    }
}
