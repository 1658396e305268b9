//! What a check says of directories that are as they should be.

use std::path::Path;
use std::sync::Arc;

use super::{CheckError, Engine, Problem, Severity, closed_directory, layout, run, segments};
use crate::directory::DirectoryError;
use crate::disk::simulated::{Operation, Options, SimulatedDisk};
use crate::disk::{Access, Disk};
use crate::engine::Command;
use crate::journal::{Journal, Seal};

#[test]
fn of_a_closed_directory_there_is_nothing_to_say() {
    let (disk, partition) = closed_directory();
    let (summary, findings) = run(&disk).unwrap();
    assert_eq!(findings, []);
    assert!(summary.was_locked && summary.was_closed);
    assert_eq!(summary.partitions, 2);
    assert!(summary.segments > 5 && summary.segments >= segments(&disk, partition).len() as u64);
    assert!(summary.batches + summary.entries >= 201, "{summary:?}");
}

#[test]
fn a_directory_that_is_in_use_is_looked_over_all_the_same() {
    let engine = Engine::new(1);
    let (summary, findings) = run(&engine.disk).unwrap();
    assert_eq!(findings, []);
    assert!(!summary.was_locked);
}

#[test]
fn a_crash_leaves_no_damage() {
    let (mut leftovers, mut closed) = (0, 0);
    for seed in 0..60 {
        let mut engine = Engine::new(seed);
        let partitions = [engine.create(), engine.create(), engine.create()];
        for number in 0..u32::try_from(40 + seed * 3).unwrap() {
            let partition = partitions[usize::try_from(number % 3).unwrap()];
            engine.append(partition, number);
            if number == 50 {
                engine.call(Command::Truncate { partition, end_offset: 20 });
            }
            if number == 80 {
                engine.call(Command::SetLogStart { partition, start_offset: 12 });
            }
            if number == 120 {
                engine.call(Command::Delete { partition: partitions[1] });
                break;
            }
        }
        let disk = engine.disk.clone();
        drop(engine);
        let die = if seed % 2 == 0 { SimulatedDisk::crash } else { SimulatedDisk::kill };
        die(&disk);
        let (summary, findings) = run(&disk).unwrap();
        let bad: Vec<_> =
            findings.iter().filter(|finding| finding.problem.severity() > Severity::Leftover).collect();
        assert!(bad.is_empty(), "seed {seed}: {bad:?}");
        (leftovers, closed) = (leftovers + summary.leftovers, closed + u64::from(summary.was_closed));
        let engine = Engine::on(disk.clone());
        drop(engine);
        disk.kill();
        let (summary, findings) = run(&disk).unwrap();
        let looked_at = Arc::new(disk.clone());
        let inspection = Journal::inspect(looked_at, layout().journal(), None, |_| {}).unwrap();
        assert_eq!(inspection.seal, Some(Seal::Died), "a recovery leaves a seal");
        assert!(!summary.was_closed, "nobody has answered for the death before it");
        assert!(!findings.iter().any(|finding| finding.problem == Problem::Torn), "{findings:?}");
    }
    println!("{leftovers} leftovers, {closed} closed");
    assert!(leftovers > 0 && closed == 0);
}

#[test]
fn nothing_is_changed() {
    let (disk, _) = closed_directory();
    let changes = [
        Operation::Allocate,
        Operation::Create,
        Operation::CreateDirectory,
        Operation::Remove,
        Operation::RemoveDirectory,
        Operation::Rename,
        Operation::SetLength,
        Operation::Sync,
        Operation::SyncDirectory,
        Operation::SyncFileSystem,
        Operation::Write,
    ];
    changes.iter().for_each(|operation| disk.fail(*operation, 1));
    assert_eq!(run(&disk).unwrap().1, []);
    // They wait for the first one who changes something.
    let file = disk.open(&layout().format(), Access::Write).unwrap();
    assert!(file.set_length(0).is_err() && file.sync().is_err());
}

#[test]
fn what_is_no_directory_is_told() {
    let disk = SimulatedDisk::new(Options::default());
    assert!(matches!(run(&disk), Err(CheckError::Directory(DirectoryError::Io { .. }))));
    disk.create_directory(Path::new("/data")).unwrap();
    assert!(matches!(run(&disk), Err(CheckError::NoDirectory { .. })));
}

#[test]
fn a_disk_that_does_not_answer_is_an_error_and_no_finding() {
    let (disk, _) = closed_directory();
    for nth in 1..40 {
        disk.fail(Operation::Read, nth);
        let error = run(&disk).unwrap_err();
        disk.forget_faults();
        assert!(error.to_string().starts_with("cannot "), "read {nth}: {error}");
    }
}
