use std::io::{ErrorKind, IoSlice};
use std::path::Path;
use std::sync::Arc;

use super::{Operation, Options, SimulatedDisk};
use crate::disk::{Access, BLOCK_BYTES, Disk, File, read_exact_at};
use crate::random::Random;

const SEEDS: u64 = 200;
const BLOCK: u64 = BLOCK_BYTES as u64;

fn disk(seed: u64) -> SimulatedDisk {
    SimulatedDisk::new(Options { seed, ..Options::default() })
}

fn path(name: &str) -> &Path {
    Path::new(name)
}

/// A file with a durable name and so many durable blocks of `byte`.
fn durable_file(disk: &SimulatedDisk, name: &str, blocks: usize, byte: u8) -> Arc<dyn File> {
    let file = disk.create(path(name), Access::Write).unwrap();
    write(&*file, &vec![byte; blocks * BLOCK_BYTES], 0);
    file.sync().unwrap();
    disk.sync_directory(path("/")).unwrap();
    file
}

fn write(file: &dyn File, bytes: &[u8], offset: u64) {
    file.write_at(&[IoSlice::new(bytes)], offset).unwrap();
}

fn contents(disk: &SimulatedDisk, name: &str) -> Vec<u8> {
    let file = disk.open(path(name), Access::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.length().unwrap()).unwrap()];
    read_exact_at(&*file, &mut bytes, 0).unwrap();
    bytes
}

fn names(disk: &SimulatedDisk) -> String {
    disk.list(path("/")).unwrap().into_iter().map(|entry| entry.name).collect()
}

/// Everything that was seen over many seeds.
fn seen<T: Ord>(run: impl Fn(u64) -> T) -> Vec<T> {
    let mut seen: Vec<T> = (0..SEEDS).map(run).collect();
    seen.sort();
    seen.dedup();
    seen
}

#[test]
fn a_crash_keeps_what_was_synced_and_any_part_of_the_rest() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 3, 1);
        write(&*file, &[2; BLOCK_BYTES], 0);
        write(&*file, &[3; BLOCK_BYTES], 2 * BLOCK);
        disk.crash();
        assert!(file.length().is_err(), "a file of a dead process");
        let bytes = contents(&disk, "a");
        assert_eq!(bytes.len(), 3 * BLOCK_BYTES);
        assert!(bytes[BLOCK_BYTES..2 * BLOCK_BYTES].iter().all(|byte| *byte == 1));
        let block = |index: usize| {
            let block = &bytes[index * BLOCK_BYTES..][..BLOCK_BYTES];
            for sector in block.chunks(512) {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "torn inside of a sector");
            }
            if block.iter().all(|byte| *byte == block[0]) { block[0] } else { 0 }
        };
        (block(0), block(2))
    });
    let all = [1, 2, 0].into_iter().flat_map(|first| [1, 3, 0].map(|second| (first, second)));
    let mut all: Vec<_> = all.collect();
    all.sort_unstable();
    assert_eq!(outcomes, all, "old, new and torn, each block on its own");
}

#[test]
fn an_earlier_version_of_a_block_may_be_the_one_that_survives() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 1, 1);
        write(&*file, &[2; BLOCK_BYTES], 0);
        write(&*file, &[3; BLOCK_BYTES], 0);
        disk.crash();
        contents(&disk, "a")[0]
    });
    assert_eq!(outcomes, [1, 2, 3]);
}

#[test]
fn a_synced_file_is_whole_after_a_crash_and_a_kill_loses_nothing() {
    for seed in 0..SEEDS {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 2, 1);
        write(&*file, &[2; 5_000], 1_000);
        disk.kill();
        assert!(file.sync().is_err(), "a file of a dead process");
        assert_eq!(contents(&disk, "a")[1_000..6_000], [2; 5_000]);
        disk.open(path("a"), Access::Write).unwrap().sync().unwrap();
        disk.crash();
        assert_eq!(contents(&disk, "a")[1_000..6_000], [2; 5_000]);
    }
}

#[test]
fn what_a_killed_process_left_readable_can_still_be_lost() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        write(&*durable_file(&disk, "a", 1, 1), &[2; BLOCK_BYTES], 0);
        disk.kill();
        assert_eq!(contents(&disk, "a")[0], 2);
        disk.crash();
        contents(&disk, "a")[0]
    });
    assert_eq!(outcomes, [1, 2]);
}

#[test]
fn after_a_failed_sync_pages_lie_and_no_sync_makes_up_for_it() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 1, 1);
        write(&*file, &[2; BLOCK_BYTES], 0);
        disk.fail(Operation::Sync, 1);
        assert!(file.sync().is_err());
        file.sync().unwrap();
        assert_eq!(contents(&disk, "a")[0], 2);
        disk.crash();
        contents(&disk, "a")[0]
    });
    assert_eq!(outcomes, [1, 2]);
    for seed in 0..SEEDS {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 1, 1);
        write(&*file, &[2; BLOCK_BYTES], 0);
        disk.fail(Operation::Sync, 1);
        assert!(file.sync().is_err());
        // Written again, the page is what will be synced.
        write(&*file, &[2; 10], 0);
        file.sync().unwrap();
        disk.crash();
        assert_eq!(contents(&disk, "a"), [2; BLOCK_BYTES]);
    }
}

#[test]
fn a_write_past_the_page_cache_is_durable_unless_it_was_interrupted() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 4, 1);
        drop(file);
        let file = disk.open(path("a"), Access::DirectSynced).unwrap();
        let memory = vec![2; 3 * BLOCK_BYTES];
        let aligned = &memory[memory.as_ptr().align_offset(BLOCK_BYTES)..][..2 * BLOCK_BYTES];
        write(&*file, aligned, 0);
        disk.halt_in(1);
        assert!(file.write_at(&[IoSlice::new(aligned)], 2 * BLOCK).is_err());
        assert!(disk.is_halted() && file.length().is_err());
        disk.crash();
        let bytes = contents(&disk, "a");
        assert!(bytes[..2 * BLOCK_BYTES].iter().all(|byte| *byte == 2));
        (bytes[2 * BLOCK_BYTES], bytes[3 * BLOCK_BYTES])
    });
    assert_eq!(outcomes, [(1, 1), (1, 2), (2, 1), (2, 2)]);
}

#[test]
fn lengths_are_lost_like_bytes() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = durable_file(&disk, "a", 2, 1);
        file.set_length(BLOCK).unwrap();
        file.set_length(3 * BLOCK).unwrap();
        disk.crash();
        let bytes = contents(&disk, "a");
        (bytes.len() / BLOCK_BYTES, bytes.get(BLOCK_BYTES).copied())
    });
    assert_eq!(outcomes, [(1, None), (2, Some(1)), (3, Some(0))]);
}

#[test]
fn of_the_names_in_a_folder_a_part_from_the_front_survives() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        durable_file(&disk, "a", 1, 1);
        disk.rename(path("a"), path("b")).unwrap();
        disk.create(path("c"), Access::Write).unwrap();
        disk.remove(path("b")).unwrap();
        disk.crash();
        names(&disk)
    });
    assert_eq!(outcomes, ["a", "b", "bc", "c"]);
}

#[test]
fn synced_names_survive_and_those_of_other_folders_need_not() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        disk.create_directory(path("d")).unwrap();
        disk.sync_directory(path("/")).unwrap();
        disk.create(path("d/a"), Access::Write).unwrap();
        disk.create(path("b"), Access::Write).unwrap();
        disk.create(path("c"), Access::Write).unwrap();
        // Into the synced folder, and so the one before it in the other folder is synced too.
        disk.rename(path("b"), path("d/b")).unwrap();
        disk.remove(path("c")).unwrap();
        disk.sync_directory(path("d")).unwrap();
        disk.crash();
        assert!(disk.open(path("d/a"), Access::Read).is_ok() && disk.open(path("d/b"), Access::Read).is_ok());
        names(&disk)
    });
    assert_eq!(outcomes, ["cd", "d"]);
}

#[test]
fn a_file_without_a_durable_name_is_gone() {
    let outcomes = seen(|seed| {
        let disk = disk(seed);
        let file = disk.create(path("a"), Access::Write).unwrap();
        write(&*file, b"x", 0);
        file.sync().unwrap();
        disk.crash();
        names(&disk)
    });
    assert_eq!(outcomes, ["", "a"]);
}

#[test]
fn a_full_disk_refuses_and_has_room_again_when_something_goes() {
    let disk = SimulatedDisk::new(Options { capacity_bytes: 4 * BLOCK, ..Options::default() });
    let file = disk.create(path("a"), Access::Write).unwrap();
    file.allocate(0, 3 * BLOCK).unwrap();
    assert_eq!(file.allocate(0, 5 * BLOCK).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.length().unwrap(), 3 * BLOCK, "nothing of it was allocated");
    let other = disk.create(path("b"), Access::Write).unwrap();
    let error = other.write_at(&[IoSlice::new(&[1; 5_000])], 0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    write(&*file, &[1; 3 * BLOCK_BYTES], 0);
    disk.remove(path("a")).unwrap();
    assert_eq!(disk.free_bytes().unwrap(), BLOCK, "it is still open");
    drop(file);
    assert_eq!(disk.free_bytes().unwrap(), 4 * BLOCK);
    write(&*other, &[1; 5_000], 0);
}

#[test]
fn room_is_what_open_and_named_files_leave() {
    for seed in 0..SEEDS {
        let disk = SimulatedDisk::new(Options { seed, capacity_bytes: 64 * BLOCK, ..Options::default() });
        let mut random = Random::from_seed(seed);
        let mut open: Vec<Arc<dyn File>> = Vec::new();
        for _ in 0..60 {
            let name = format!("file{}", random.below(4));
            let other = format!("file{}", random.below(4));
            match random.below(8) {
                0 => open.extend(disk.create(path(&name), Access::Write)),
                1 => open.extend(disk.open(path(&name), Access::Write)),
                2 => drop(disk.remove(path(&name))),
                3 => drop(disk.rename(path(&name), path(&other))),
                4 => drop(open.drain(..random.index(open.len() + 1))),
                5 if random.one_in(3) => disk.crash(),
                6 if random.one_in(3) => disk.kill(),
                _ => {
                    let Some(file) = open.last() else { continue };
                    let _ = file.write_at(&[IoSlice::new(&[1; 5_000])], random.below(100_000));
                    let _ = file.allocate(random.below(100_000), 5_000);
                    let _ = file.set_length(random.below(100_000));
                }
            }
            let state = disk.state();
            let named = state.names.reachable();
            let takes_room = |node: &u64| named.contains(node) || state.open.contains_key(node);
            let files = state.files.iter().filter(|(node, _)| takes_room(node));
            let used: u64 = files.map(|(_, content)| content.allocated_blocks()).sum();
            assert_eq!(state.free_blocks(), 64_u64.saturating_sub(used), "seed {seed}");
        }
    }
}

#[test]
fn each_planned_fault_happens_once_and_at_its_time() {
    let disk = disk(1);
    let file = durable_file(&disk, "a", 1, 1);
    disk.fail(Operation::Read, 2);
    disk.fail(Operation::Allocate, 1);
    let mut byte = [0];
    assert!(file.read_at(&mut byte, 0).is_ok());
    assert!(file.read_at(&mut byte, 0).is_err());
    assert!(file.read_at(&mut byte, 0).is_ok());
    assert!(file.allocate(0, 1).is_err());
    assert!(file.allocate(0, 1).is_ok());
    disk.flip_bit(path("a"), 3, 1).unwrap();
    disk.crash();
    assert_eq!(contents(&disk, "a")[..4], [1, 1, 1, 3]);
}

#[test]
fn a_dead_process_holds_no_lock() {
    let disk = disk(1);
    let lock = disk.lock(path("lock")).unwrap();
    disk.kill();
    let _held = disk.lock(path("lock")).unwrap();
    drop(lock);
    assert_eq!(disk.lock(path("lock")).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_seed_replays_exactly() {
    let run = |seed: u64, bytes: &[u8]| {
        let disk = disk(seed);
        let mut random = Random::from_seed(seed);
        for _ in 0..20 {
            let name = format!("file{}", random.below(3));
            let file =
                disk.create(path(&name), Access::Write).or_else(|_| disk.open(path(&name), Access::Write));
            if let Ok(file) = file {
                let _ = file.write_at(&[IoSlice::new(bytes)], random.below(9_000));
                let _ = file.sync();
            }
            disk.fail(Operation::Sync, 2);
            if random.one_in(4) {
                disk.crash();
            }
        }
        let state = names(&disk).chars().collect::<String>();
        (disk.operations(), disk.trace(), state)
    };
    assert_eq!(run(5, b"abc"), run(5, b"abc"));
    assert_ne!(run(5, b"abc"), run(6, b"abc"));
    assert_ne!(run(5, b"abc").1, run(5, b"abd").1);
}
