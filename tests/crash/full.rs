//! Fills the disk of a writing process, and holds it against what it promises then: appends are refused, and for
//! that reason; reading goes on, deleting and checkpoints too; appends do again when there is room; and whatever
//! was acknowledged is there, also where the process is killed and another one begins while the disk is full.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use strandline_log::random::Random;

use crate::child::{Birth, Progress, Writing};
use crate::directory::{expect_no_damage, observe, observe_and_close};
use crate::disk::Way;
use crate::image::Image;
use crate::ledger::{Crash, Ledger};
use crate::writer::Until;
use crate::{Failure, Outcome};

const MEGABYTES: u64 = 64;

/// So much is to happen before the disk is full, and after.
const APPENDS: u64 = 300;

/// So much is to be refused, looked at and changed while it is full.
const REFUSALS: u64 = 50;
const LOOKS: u64 = 50;
const CHANGES: u64 = 5;

/// Fills a disk as often as it is told.
pub(crate) fn run(folder: &Path, rounds: u64, seed: u64) -> Outcome<()> {
    println!("full: {rounds} times with seed {seed} in {}", folder.display());
    fs::create_dir_all(folder)?;
    let mut random = Random::from_seed(seed);
    let mut filling = Filling {
        folder: folder.to_owned(),
        image: Image::new(folder, MEGABYTES, "data=ordered")?,
        ledger: Ledger::new(Crash::Process),
    };
    fs::create_dir(filling.image.root().join("data"))?;
    for round in 1..=rounds {
        let explain = |error: Failure| format!("seed {seed}, round {round}: {error}");
        // While it is full, or after.
        filling.fill(&mut random, round % 2 == 0).map_err(explain)?;
    }
    println!("full: {}", filling.ledger.counts);
    filling.image.unmount()
}

/// A small file system with a directory in it, and the book of that.
struct Filling {
    folder: PathBuf,
    image: Image,
    ledger: Ledger,
}

impl Filling {
    /// One life of a process whose disk becomes full.
    fn fill(&mut self, random: &mut Random, dies_when_full: bool) -> Outcome<()> {
        let root = self.image.root().join("data");
        let way = if random.one_in(3) { Way::Buffered } else { Way::Direct };
        let birth = Birth {
            wrapper: &[],
            root: &root,
            notes: &self.folder,
            seed: random.next_u64(),
            until: Until::Filled,
            way,
        };
        let mut writing = Writing::start(&birth, &self.ledger.briefing())?;
        wait_for(&mut writing, "append", APPENDS, |progress| &progress.appended)?;
        self.image.fill()?;
        wait_for(&mut writing, "find the disk full", REFUSALS, |progress| &progress.full)?;
        wait_for(&mut writing, "read on a full disk", LOOKS, |progress| &progress.looked)?;
        wait_for(&mut writing, "change partitions on a full disk", CHANGES, |progress| &progress.changed)?;
        let before = folders(&root)?;
        // It goes when the manifest does not name it any more, and not before.
        writing.wait_until("delete and checkpoint on a full disk", || {
            folders(&root).is_ok_and(|now| !before.is_subset(&now))
        })?;
        if !dies_when_full {
            self.image.empty()?;
            wait_for(&mut writing, "append when there is room again", APPENDS, |progress| {
                &progress.appended
            })?;
        }
        let report = writing.kill()?;
        report.expect_no_errors()?;
        self.ledger.note(&report.lines)?;
        expect_no_damage(&root)?;
        let observed = if random.one_in(2) { observe_and_close(&root)? } else { observe(&root)? };
        self.ledger.reconcile(observed, Crash::Process)?;
        if dies_when_full { self.image.empty() } else { Ok(()) }
    }
}

/// Waits until something has happened so many times more.
fn wait_for(
    writing: &mut Writing,
    what: &str,
    times: u64,
    counter: impl Fn(&Progress) -> &AtomicU64,
) -> Outcome<()> {
    let progress = writing.progress();
    let target = counter(&progress).load(Ordering::Acquire) + times;
    writing.wait_until(what, || counter(&progress).load(Ordering::Acquire) >= target)
}

/// The partitions that have files.
fn folders(root: &Path) -> io::Result<BTreeSet<OsString>> {
    let mut names = BTreeSet::new();
    for shard in fs::read_dir(root.join("logs"))? {
        for folder in fs::read_dir(shard?.path())? {
            names.insert(folder?.file_name());
        }
    }
    Ok(names)
}
