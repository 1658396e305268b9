//! What every disk does, the real one and the simulated one alike.

use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::real::RealDisk;
use super::simulated::{Options, SimulatedDisk};
use super::{Access, BLOCK_BYTES, Disk, Entry, read_exact_at};
use crate::layout::Layout;
use crate::random::Random;
use crate::reserve::Reserve;

/// A folder of the machine that goes with the test.
pub(super) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        // Beside the test's own program: the system's folder for such things may be a file system in memory.
        let program = std::env::current_exe().unwrap();
        let name = format!("disk-test-{}-{number}", std::process::id());
        let path = program.parent().unwrap().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Runs a test on an empty folder of each disk.
fn on_each(test: impl Fn(&dyn Disk, &Path)) {
    test(&SimulatedDisk::new(Options::default()), Path::new("/"));
    let folder = TemporaryFolder::new();
    test(&RealDisk::new(&folder.0).unwrap(), &folder.0);
}

fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}

#[test]
fn bytes_are_read_as_written() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        let parts = [&b"one"[..], b"", b"two", &[7; 5_000]];
        file.write_at(&parts.map(IoSlice::new), 4_094).unwrap();
        assert_eq!(file.length().unwrap(), 4_094 + 5_006);
        let mut bytes = vec![9; 5_010];
        assert_eq!(file.read_at(&mut bytes, 4_092).unwrap(), 5_008);
        assert_eq!(bytes[..8], *b"\0\0onetwo");
        assert_eq!(bytes[8..5_008], [7; 5_000]);
        assert_eq!(bytes[5_008..], [9, 9]);
        assert_eq!(kind(read_exact_at(&*file, &mut bytes, 4_092)), Some(ErrorKind::UnexpectedEof));
        file.sync().unwrap();
        file.start_writeback(0, 4_096).unwrap();
        let other = disk.open(&root.join("file"), Access::Read).unwrap();
        read_exact_at(&*other, &mut bytes[..3], 4_097).unwrap();
        assert_eq!(bytes[..3], *b"two");
        assert!(other.write_at(&[IoSlice::new(b"no")], 0).is_err());
    });
}

#[test]
fn more_parts_than_the_kernel_takes_at_once_are_all_written() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        let numbers: Vec<[u8; 2]> = (0..3_000u16).map(u16::to_le_bytes).collect();
        let parts: Vec<_> = numbers.iter().map(|number| IoSlice::new(number)).collect();
        file.write_at(&parts, 1).unwrap();
        let mut bytes = vec![0; 6_000];
        read_exact_at(&*file, &mut bytes, 1).unwrap();
        assert_eq!(bytes, numbers.concat());
    });
}

#[test]
fn what_is_longer_than_the_page_cache_takes_at_once_is_written_whole_wherever_it_begins() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        let bytes: Vec<u8> = (0..200_000u32).flat_map(u32::to_le_bytes).collect();
        let (first, rest) = bytes.split_at(70_001);
        let (second, third) = rest.split_at(1);
        file.write_at(&[first, &[], second, third].map(IoSlice::new), 65_535).unwrap();
        let mut read = vec![0; bytes.len()];
        read_exact_at(&*file, &mut read, 65_535).unwrap();
        assert!(read == bytes, "what is read is not what was written");
        assert_eq!(file.length().unwrap(), 65_535 + 800_000);
    });
}

/// As a log is written: each piece where the one before has ended, some of them past the cache, and read meanwhile.
#[test]
fn what_goes_past_the_cache_and_what_goes_through_it_are_one_file() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        let reader = disk.open(&root.join("file"), Access::Read).unwrap();
        let mut random = Random::from_seed(7);
        let mut expected: Vec<u8> = Vec::new();
        let mut placed = memmap2::MmapMut::map_anon(400 << 20).unwrap();
        for piece in 0..40u8 {
            let lengths = [1, 4_096, 100, 70_000, 1 << 20, 3 << 20].map(|most| random.below(most + 1));
            let start = expected.len();
            for length in &lengths[..1 + usize::from(piece % 6)] {
                let mut bytes = vec![0; usize::try_from(*length).unwrap()];
                random.fill(&mut bytes);
                expected.extend(bytes);
            }
            let mut rest = &expected[start..];
            let mut parts = Vec::new();
            while !rest.is_empty() {
                let (part, later) = rest.split_at(rest.len().min(1 + random.index(200_000)));
                parts.extend([IoSlice::new(part), IoSlice::new(b"")]);
                rest = later;
            }
            // As it lies in the file, or anywhere else.
            placed[start..expected.len()].copy_from_slice(&expected[start..]);
            let placed = [IoSlice::new(&placed[start..expected.len()])];
            match piece % 4 {
                0 => file.write_at(&parts, start as u64).unwrap(),
                1 => file.write_past_cache_at(&placed, start as u64).unwrap(),
                _ => file.write_past_cache_at(&parts, start as u64).unwrap(),
            }
            let from = start.saturating_sub(10_000);
            let mut read = vec![0; expected.len() - from];
            read_exact_at(&*reader, &mut read, from as u64).unwrap();
            assert!(read == expected[from..], "piece {piece} is not what was written");
        }
        file.sync().unwrap();
        assert_eq!(file.length().unwrap(), expected.len() as u64);
        let mut read = vec![0; expected.len()];
        read_exact_at(&*reader, &mut read, 0).unwrap();
        assert!(read == expected, "a later piece has changed an earlier one");
        assert!(reader.write_past_cache_at(&[IoSlice::new(&[7; 8_192])], 0).is_err());
    });
}

#[test]
fn what_is_read_ahead_is_in_memory_and_the_same_as_before() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        let bytes: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
        file.write_past_cache_at(&[IoSlice::new(&bytes)], 0).unwrap();
        for (offset, length) in
            [(0, 0), (5, 100), (70_001, 1 << 20), (3_000_000, 9_000_000), (5_000_000, 1 << 20)]
        {
            file.read_ahead(offset, length).unwrap();
            let Some(descriptor) = file.descriptor().filter(|_| (offset, length) == (70_001, 1 << 20)) else {
                continue;
            };
            let mut read = vec![0; 1 << 20];
            let flags = rustix::io::ReadWriteFlags::NOWAIT;
            let mut buffers = [std::io::IoSliceMut::new(&mut read)];
            match rustix::io::preadv2(descriptor, &mut buffers, offset, flags) {
                // Not every file system can say.
                Err(rustix::io::Errno::OPNOTSUPP) => {}
                result => assert_eq!(result, Ok(1 << 20), "it is there without waiting"),
            }
        }
        // The hint, which nobody waits for.
        file.start_read(1 << 20, 1 << 20).unwrap();
        let mut read = vec![0; bytes.len()];
        read_exact_at(&*file, &mut read, 0).unwrap();
        assert!(read == bytes);
    });
}

#[test]
fn a_file_is_cut_and_grows_with_zeros() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        file.write_at(&[IoSlice::new(&[1; 9_000])], 0).unwrap();
        file.set_length(5_000).unwrap();
        file.set_length(9_000).unwrap();
        file.allocate(8_000, 4_000).unwrap();
        assert_eq!(file.length().unwrap(), 12_000);
        let mut bytes = vec![9; 12_000];
        read_exact_at(&*file, &mut bytes, 0).unwrap();
        assert!(bytes[..5_000].iter().all(|byte| *byte == 1));
        assert!(bytes[5_000..].iter().all(|byte| *byte == 0));
        assert_eq!(kind(file.allocate(0, 0)), Some(ErrorKind::InvalidInput));
    });
}

#[test]
fn a_reserve_may_be_of_nothing() {
    on_each(|disk, root| {
        let layout = Layout::new(root.to_owned());
        for bytes in [0, 3 * BLOCK_BYTES as u64, 0] {
            let mut reserve = Reserve::open(disk, &layout, bytes).unwrap();
            assert!(reserve.is_whole() && reserve.restore().unwrap());
            assert_eq!(disk.open(&layout.reserve(), Access::Read).unwrap().length().unwrap(), bytes);
            assert_eq!(reserve.release(u64::MAX).unwrap(), bytes);
        }
    });
}

#[test]
fn names_come_move_and_go() {
    on_each(|disk, root| {
        let at = |name: &str| root.join(name);
        disk.create_directory(&at("b")).unwrap();
        let file = disk.create(&at("a"), Access::Write).unwrap();
        file.write_at(&[IoSlice::new(b"kept")], 0).unwrap();
        assert_eq!(kind(disk.create(&at("a"), Access::Write)), Some(ErrorKind::AlreadyExists));
        assert_eq!(kind(disk.create_directory(&at("b"))), Some(ErrorKind::AlreadyExists));
        assert_eq!(kind(disk.open(&at("c"), Access::Read)), Some(ErrorKind::NotFound));
        let entry = |name: &str, is_directory| Entry { name: name.to_owned(), is_directory };
        assert_eq!(disk.list(root).unwrap(), [entry("a", false), entry("b", true)]);

        disk.create(&at("b/c"), Access::Write).unwrap();
        disk.rename(&at("a"), &at("b/c")).unwrap();
        assert_eq!(disk.list(root).unwrap(), [entry("b", true)]);
        assert_eq!(disk.length(&at("b/c")).unwrap(), 4);
        assert_eq!(kind(disk.length(&at("a"))), Some(ErrorKind::NotFound));
        let mut bytes = [0; 4];
        read_exact_at(&*disk.open(&at("b/c"), Access::Read).unwrap(), &mut bytes, 0).unwrap();
        assert_eq!(bytes, *b"kept");
        assert_eq!(kind(disk.remove_directory(&at("b"))), Some(ErrorKind::DirectoryNotEmpty));

        disk.remove(&at("b/c")).unwrap();
        read_exact_at(&*file, &mut bytes, 0).unwrap();
        disk.remove_directory(&at("b")).unwrap();
        assert_eq!(disk.list(root).unwrap(), []);
        disk.sync_directory(root).unwrap();
        disk.sync_file_system().unwrap();
        assert!(disk.free_bytes().unwrap() > 0);
    });
}

#[test]
fn a_lock_has_one_owner() {
    on_each(|disk, root| {
        let lock = disk.lock(&root.join("lock")).unwrap();
        assert_eq!(kind(disk.lock(&root.join("lock"))), Some(ErrorKind::WouldBlock));
        drop(lock);
        disk.lock(&root.join("lock")).unwrap();
    });
}

#[test]
fn past_the_page_cache_only_whole_aligned_blocks_are_written_and_read() {
    on_each(|disk, root| {
        let file = disk.create(&root.join("file"), Access::Write).unwrap();
        file.allocate(0, 4 * BLOCK_BYTES as u64).unwrap();
        let direct = disk.open(&root.join("file"), Access::DirectSynced).unwrap();
        let memory = vec![5; 3 * BLOCK_BYTES];
        let start = memory.as_ptr().align_offset(BLOCK_BYTES);
        let block = &memory[start..start + BLOCK_BYTES];
        direct.write_at(&[IoSlice::new(block)], BLOCK_BYTES as u64).unwrap();
        let mut bytes = vec![0; BLOCK_BYTES];
        read_exact_at(&*file, &mut bytes, BLOCK_BYTES as u64).unwrap();
        assert_eq!(bytes, block);
        for (part, offset) in [(block, 512 + 1), (&block[..100], 0), (&memory[start + 1..][..BLOCK_BYTES], 0)]
        {
            let error = kind(direct.write_at(&[IoSlice::new(part)], offset));
            assert_eq!(error, Some(ErrorKind::InvalidInput), "{offset}");
        }
        let mut memory = vec![0; 3 * BLOCK_BYTES];
        let start = memory.as_ptr().align_offset(BLOCK_BYTES);
        read_exact_at(&*direct, &mut memory[start..start + BLOCK_BYTES], BLOCK_BYTES as u64).unwrap();
        assert_eq!(memory[start..start + BLOCK_BYTES], bytes);
        let error = kind(direct.read_at(&mut memory[start..start + BLOCK_BYTES], 1));
        assert_eq!(error, Some(ErrorKind::InvalidInput));
    });
}
