//! When a range of a file is read into memory of this process, and not into the page cache.
//!
//! A page that is read into has to be found: where memory is full the system clears it of something else, and where it has
//! been free for long a host has to bring it first. And what lies in small pages is dear to send. What is sent once costs less
//! by the way past all that. Whoever comes to the same place later reads through the page cache: so many of them are one
//! reader of the disk, and not as many as they are.

use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::file::{READ_BYTES_MIN, RealFile};
use super::kernel::cached_bytes;
use super::loaded::{AROUND_BYTES, RANGE_BYTES_MAX};
use super::read_once;
use crate::disk::LoadJob;

impl RealFile {
    pub(super) fn load_range(&self, offset: u64, length: u64) -> Option<Bytes> {
        let range = loadable(offset, length)?;
        let loads = &self.shared.loads;
        let ahead = loads.take(self.descriptor.as_raw_fd(), range.start).filter(|ahead| ahead.fits(&range));
        let mut loaded = match ahead {
            Some(ahead) => ahead,
            None if self.is_better_loaded(&range) => loads.begin(range.start)?,
            None => return None,
        };
        if !loaded.holds(&range) {
            let direct = self.open_to_load()?;
            // Whoever reads it the other way meets what is wrong with the disk.
            loaded.fill(range.end, |room, at| read_once(&direct, room, at)).ok()?;
        }
        self.loaded_to.fetch_max(range.end, Ordering::Relaxed);
        loaded.into_bytes(&range)
    }

    pub(super) fn load_range_ahead(&self, offset: u64, length: u64, end: u64) -> Option<LoadJob> {
        let range = loadable(offset, length)?;
        let direct = self.open_to_load()?;
        let before = range.start.saturating_sub(AROUND_BYTES as u64);
        let behind = range.end.saturating_add(AROUND_BYTES as u64);
        let around = before..behind.min(end).max(range.end);
        let shared = Arc::clone(&self.shared);
        let loading = shared.loads.begin_ahead(self.descriptor.as_raw_fd(), around);
        Some(Box::new(move || loading.run(&shared.loads, |room, at| read_once(&direct, room, at))))
    }

    /// Whether nobody has been there, and little of it is in the page cache.
    fn is_better_loaded(&self, range: &Range<u64>) -> bool {
        let length = range.end - range.start;
        let is_first = range.start + length / 2 >= self.loaded_to.load(Ordering::Relaxed);
        is_first && cached_bytes(self.descriptor.as_fd(), range).is_some_and(|bytes| bytes < length / 4)
    }
}

fn loadable(offset: u64, length: u64) -> Option<Range<u64>> {
    let is_loadable = (READ_BYTES_MIN..=RANGE_BYTES_MAX as u64).contains(&length);
    is_loadable.then(|| offset.checked_add(length)).flatten().map(|end| offset..end)
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::sync::Arc;

    use rustix::fs::{Advice, fadvise};

    use crate::disk::real::RealDisk;
    use crate::disk::real::kernel::cached_bytes;
    use crate::disk::tests::TemporaryFolder;
    use crate::disk::{Access, Disk, File};

    fn file_in(folder: &TemporaryFolder) -> Arc<dyn File> {
        let disk = RealDisk::new(folder.path()).unwrap();
        disk.create(&folder.path().join("file"), Access::Write).unwrap()
    }

    fn written(from: usize, to: usize) -> Vec<u8> {
        (from..to).map(|at| u8::try_from(at * 31 % 251).unwrap()).collect()
    }

    #[test]
    fn what_was_read_ahead_is_loaded_as_it_lies_in_the_file_now() {
        let folder = TemporaryFolder::new();
        let file = file_in(&folder);
        file.write_at(&[IoSlice::new(&written(0, 2_000_000))], 0).unwrap();
        let ahead = || file.load_ahead(300_001, 500_000, 2_000_000).map(|job| job());
        let Some(()) = ahead() else { return eprintln!("nothing is read past the page cache here") };
        assert_eq!(file.load(300_001, 500_000).unwrap(), written(300_001, 800_001));
        // More of it than was thought, and what is around it.
        ahead();
        let mut probe = vec![0; 16_000];
        assert_eq!(file.read_at(&mut probe, 290_000).unwrap(), 16_000);
        assert_eq!(probe, written(290_000, 306_000));
        assert_eq!(file.load(300_001, 900_000).unwrap(), written(300_001, 1_200_001));
        // So far behind what it begins with that there is no room for it.
        ahead();
        assert!(file.load(400_001, 1_000_000).is_none());
        ahead();
        file.set_length(310_000).unwrap();
        file.write_at(&[IoSlice::new(&vec![1; 500_000])], 310_000).unwrap();
        let mut expected = written(300_001, 310_000);
        expected.resize(500_000, 1);
        // It is in the page cache, so that it is loaded only if somebody has read it ahead.
        assert!(file.load(300_001, 500_000).is_none(), "what was read is not so any more");
        ahead();
        assert!(file.load(300_001, 500_000).unwrap() == expected);
        ahead();
        file.write_past_cache_at(&[IoSlice::new(&[2; 10])], 799_000).unwrap();
        assert!(file.load(300_001, 500_000).is_none(), "nor is this");
    }

    #[test]
    fn what_is_short_or_long_is_sent_from_the_file() {
        let folder = TemporaryFolder::new();
        let file = file_in(&folder);
        file.write_at(&[IoSlice::new(&written(0, 2_000_000))], 0).unwrap();
        for length in [0, 1, 100_000, 1_100_000, u64::MAX] {
            assert!(file.load_ahead(0, length, 2_000_000).is_none(), "{length}");
            assert!(file.load(0, length).is_none(), "{length}");
        }
    }

    #[test]
    fn the_kernel_says_how_much_is_in_the_page_cache() {
        let folder = TemporaryFolder::new();
        let file = file_in(&folder);
        file.write_at(&[IoSlice::new(&written(0, 1 << 20))], 0).unwrap();
        file.sync().unwrap();
        let cached = |range| cached_bytes(file.descriptor().unwrap(), &range);
        // Not before 6.5.
        let Some(all) = cached(0..1 << 20) else { return };
        assert_eq!((all, cached(0..8_192)), (1 << 20, Some(8_192)));
        fadvise(file.descriptor().unwrap(), 0, None, Advice::DontNeed).unwrap();
        if cached(0..1 << 20) == Some(0) {
            file.read_at(&mut [0; 10], 500_000).unwrap();
            assert!(cached(0..1 << 20).is_some_and(|bytes| bytes > 0));
        }
    }
}
