//! Kills a writing process at random moments, recovery included, and verifies everything from outside each time.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use strandline_log::directory::DirectoryError;
use strandline_log::engine::EngineError;
use strandline_log::random::Random;

use crate::child::{Birth, Report, Writing};
use crate::directory::{expect_no_damage, observe, observe_and_close, open};
use crate::disk::Way;
use crate::ledger::{Crash, Ledger};
use crate::writer::Until;
use crate::{Failure, Outcome};

/// A process lives no longer.
const LIFE_MS_MAX: u64 = 300;

/// Once in so many kills it is looked whether a second process is kept out.
const LOCK_EVERY: u64 = 10;

/// Once in so many kills a process ends by itself, and closes the directory.
const CLOSE_EVERY: u64 = 15;

/// Once in so many kills there is another directory, for a few of them.
const FRESH_EVERY: u64 = 20;
const FRESH_KILLS: u64 = 3;

/// After so many kills something has been compacted.
const KILLS_THAT_COMPACT: u64 = 50;

/// A directory, and the book of it.
struct Killing<'a> {
    folder: &'a Path,
    root: PathBuf,
    ledger: Ledger,
    in_recovery: u64,
}

/// Kills as often as it is told, over one directory and over a few fresh ones in between.
pub(crate) fn run(folder: &Path, kills: u64, seed: u64) -> Outcome<()> {
    println!("sigkill: {kills} kills with seed {seed} in {}", folder.display());
    let mut random = Random::from_seed(seed);
    let main = folder.join("main");
    fs::create_dir_all(&main)?;
    let mut killing = Killing { folder, root: main, ledger: Ledger::new(Crash::Process), in_recovery: 0 };
    for kill in 1..=kills {
        let explain = |error: Failure| format!("seed {seed}, kill {kill}: {error}");
        killing.kill(&mut random, kill % LOCK_EVERY == 0).map_err(explain)?;
        if kill % CLOSE_EVERY == 0 {
            killing.let_close(&mut random).map_err(explain)?;
        }
        if kill % FRESH_EVERY == 0 {
            start_over(folder, &mut random)
                .map_err(|error| explain(format!("on a fresh directory: {error}").into()))?;
        }
    }
    println!("sigkill: {}", killing.ledger.counts);
    if killing.ledger.counts.compacted == 0 && kills >= KILLS_THAT_COMPACT {
        return Err("nothing was compacted".into());
    }
    println!("sigkill: {} of the kills came while the directory was being opened", killing.in_recovery);
    Ok(())
}

/// Kills a few times from the first instant of a directory on.
fn start_over(folder: &Path, random: &mut Random) -> Outcome<()> {
    let root = folder.join("fresh");
    if root.exists() {
        fs::remove_dir_all(&root)?;
    }
    fs::create_dir(&root)?;
    let mut killing = Killing { folder, root, ledger: Ledger::new(Crash::Process), in_recovery: 0 };
    (0..FRESH_KILLS).try_for_each(|_| killing.kill(random, false))
}

impl Killing<'_> {
    fn start(&self, random: &mut Random, until: Until) -> Outcome<Writing> {
        let way = if random.one_in(4) { Way::Buffered } else { Way::Direct };
        let birth =
            Birth { wrapper: &[], root: &self.root, notes: self.folder, seed: random.next_u64(), until, way };
        Writing::start(&birth, &self.ledger.briefing())
    }

    /// One life of a writing process, and what it left.
    fn kill(&mut self, random: &mut Random, tries_lock: bool) -> Outcome<()> {
        let mut writing = self.start(random, Until::Killed)?;
        if tries_lock {
            writing.wait_until_open()?;
            expect_locked(&self.root)?;
        }
        // A third of the lives are so short that most end in recovery.
        let life_ms_max = if random.one_in(3) { LIFE_MS_MAX / 10 } else { LIFE_MS_MAX };
        thread::sleep(Duration::from_micros(random.below(life_ms_max * 1_000)));
        let report = writing.kill()?;
        self.in_recovery += u64::from(!report.was_opened());
        self.verify(random, &report)
    }

    /// One life that comes to its end.
    fn let_close(&mut self, random: &mut Random) -> Outcome<()> {
        let operations = 50 + random.below(500);
        let writing = self.start(random, Until::Operations(operations))?;
        let report = writing.join()?;
        if !report.is_success {
            return Err(format!("a process that was to close the directory failed: {}", report.errors).into());
        }
        self.verify(random, &report)
    }

    fn verify(&mut self, random: &mut Random, report: &Report) -> Outcome<()> {
        report.expect_no_errors()?;
        report.expect_no_refusals()?;
        self.ledger.note(&report.lines)?;
        if random.one_in(4) {
            expect_no_damage(&self.root)?;
        }
        let observed = if random.one_in(4) { observe_and_close(&self.root)? } else { observe(&self.root)? };
        self.ledger.reconcile(observed, Crash::Process)
    }
}

/// A directory that a process has is refused to all others.
fn expect_locked(root: &Path) -> Outcome<()> {
    match open(root, Way::Direct) {
        Ok(_) => Err("a second process was let into the directory".into()),
        Err(EngineError::Directory(DirectoryError::InUse { .. })) => Ok(()),
        Err(error) => Err(format!("a second process was refused, but with: {error}").into()),
    }
}
