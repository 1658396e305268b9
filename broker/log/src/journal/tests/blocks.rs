//! Which blocks are written, and when they are written again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Class, Journal};
use super::{BLOCK, FOLDER, OPTIONS, append, new_disk};
use crate::disk::simulated::Operation;
use crate::disk::watched::Watched;
use crate::random::Random;

fn recover(watched: &Watched, checkpoint: u64) -> Journal {
    let (disk, random) = (Arc::new(watched.clone()), Random::from_seed(checkpoint));
    Journal::recover(disk, FOLDER.into(), OPTIONS, random, checkpoint, |_| {}).unwrap()
}

/// Where frames were written, by the name that the file was opened by: each use of a file has another one.
fn written(watched: &Watched) -> Vec<(PathBuf, u64, u64)> {
    let steps = watched.take_steps().into_iter();
    let writes = steps.filter(|step| step.operation == Operation::Write && step.offset > 0);
    let is_filling = |path: &PathBuf| path.to_str().unwrap().contains("filling");
    writes
        .map(|step| (step.path, step.offset, step.offset + step.length))
        .filter(|(path, ..)| !is_filling(path))
        .collect()
}

#[test]
fn a_frame_is_one_write_of_fresh_whole_blocks_until_the_file_is_used_again() {
    let watched = Watched::new(&new_disk(1));
    let mut random = Random::from_seed(7);
    let (mut checkpoint, mut last) = (0, 0);
    let (mut frames, mut uses) = (0, 0);
    for _ in 0..5 {
        let mut journal = recover(&watched, checkpoint);
        let rewritten = written(&watched);
        assert!(rewritten.iter().all(|(_, start, _)| *start >= last), "no frame before the last is touched");
        let mut ends: BTreeMap<PathBuf, u64> = BTreeMap::new();
        ends.extend(rewritten.into_iter().map(|(path, _, end)| (path, end)));
        for _ in 0..60 {
            let batch = vec![1; 1 + random.index(4 * BLOCK)];
            journal.stage(&append(&batch), Class::Append).unwrap();
            let committed = journal.commit().unwrap().unwrap().0;
            let writes = written(&watched);
            let [(path, start, end)] = writes.as_slice() else { panic!("{writes:?}") };
            assert!(start.is_multiple_of(BLOCK as u64) && end.is_multiple_of(BLOCK as u64));
            let before = ends.insert(path.clone(), *end).unwrap_or(0);
            assert!(*start >= before, "{path:?}: {start} was written before");
            assert_eq!(committed.offset, *start);
            (checkpoint, last) = (committed.sequence - 1, *start);
            journal.recycle(checkpoint).unwrap();
            frames += 1;
        }
        uses += ends.len();
    }
    assert!(frames == 300 && uses > 30, "{frames} frames in {uses} uses of files");
}
