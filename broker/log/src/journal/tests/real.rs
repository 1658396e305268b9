//! The journal on the machine's own disk, past the page cache and through it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::{Class, Entry, Journal, Options};
use crate::disk::real::RealDisk;
use crate::random::Random;

const OPTIONS: Options = Options {
    file_bytes: 256 << 10,
    bytes_max: 1 << 20,
    entries_max: 1_000,
    group_bytes_max: 64 << 10,
    placed_bytes_min: 1_000,
};

/// An empty folder below `parent`, for one test.
fn folder(parent: &Path, name: &str) -> PathBuf {
    let path = parent.join(format!("{name}-{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    path
}

/// Opens the journal and says which batches it holds.
fn open(folder: &Path) -> (Journal, Vec<Vec<u8>>) {
    let mut found = Vec::new();
    let disk = Arc::new(RealDisk::new(folder).unwrap());
    let random = Random::from_system().unwrap();
    let journal = Journal::recover(disk, folder.join("journal"), OPTIONS, random, 0, |replayed| {
        found.push(replayed.entry.body().to_vec());
    });
    (journal.unwrap(), found)
}

fn groups_come_back(folder: &Path) {
    let mut expected = Vec::new();
    for is_closed in [false, true, false] {
        let (mut journal, found) = open(folder);
        assert_eq!(found, expected);
        for number in 0..10_u8 {
            let batch = vec![number; 20_000];
            let entry = Entry::Append { partition: 1, base_offset: 0, batch: &batch };
            let staged = journal.stage(&entry, Class::Append).unwrap();
            let (committed, _) = journal.commit().unwrap().unwrap();
            assert_eq!(journal.reader().read(&committed.position(&staged)).unwrap(), batch);
            expected.push(batch);
        }
        if is_closed {
            journal.close().unwrap();
        }
    }
    assert_eq!(open(folder).1, expected);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn on_the_disk_of_the_build() {
    let program = std::env::current_exe().unwrap();
    groups_come_back(&folder(program.parent().unwrap(), "journal-test"));
}

#[test]
fn on_a_file_system_in_memory() {
    let memory = Path::new("/dev/shm");
    assert!(memory.is_dir(), "this test wants a file system in memory at {}", memory.display());
    groups_come_back(&folder(memory, "strandline-journal"));
}
