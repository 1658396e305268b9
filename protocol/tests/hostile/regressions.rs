//! Every input that a fuzz target ever failed on, and then some that it should never fail on.

use std::fs;
use std::path::Path;

use crate::properties::check;

#[test]
fn inputs_that_once_failed_do_so_no_more() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let mut replayed = 0;
    for &(target, run) in check::TARGETS {
        for input in fs::read_dir(folder.join(target)).into_iter().flatten() {
            run(&fs::read(input.unwrap().path()).unwrap());
            replayed += 1;
        }
    }
    let mut stored = 0;
    for target in fs::read_dir(folder).unwrap() {
        stored += fs::read_dir(target.unwrap().path()).unwrap().count();
    }
    assert_eq!(replayed, stored, "an input of a target that is not in the list");
    assert!(replayed > 0);
}

#[test]
fn every_target_is_in_the_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    for target in fs::read_dir(folder).unwrap() {
        let path = target.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        assert!(check::TARGETS.iter().any(|&(target, _)| target == name), "{name}");
    }
}
