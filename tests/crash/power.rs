//! Cuts the power of a file system at random moments while a process writes to it, recovery included, and
//! verifies from outside what was acknowledged: all of it in `fsync` logs, and in `async` ones all up to what the
//! log was synced for.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use strandline_log::random::Random;

use crate::child::{Birth, Writing};
use crate::directory::{expect_no_damage, observe, observe_and_close};
use crate::disk::Way;
use crate::image::Image;
use crate::ledger::{Crash, Ledger};
use crate::writer::Until;
use crate::{Failure, Outcome};

/// A process lives no longer.
const LIFE_MS_MAX: u64 = 400;

/// So long it may notice that there is no disk any more.
const AFTERLIFE_MS_MAX: u64 = 20;

/// So often there is a new file system.
const FRESH_EVERY: u64 = 10;

const MEGABYTES: u64 = 128;

/// From so many cuts on, one that took nothing is no cut.
const CUTS_THAT_TAKE_SOMETHING: u64 = 20;

/// Ways to mount it, each of which orders data and names differently.
const OPTIONS: [&str; 4] = ["data=ordered", "data=writeback", "nodelalloc", "commit=1"];

/// A file system with a directory in it, and the book of that.
struct Cutting {
    folder: PathBuf,
    image: Image,
    ledger: Ledger,
    in_recovery: u64,
}

/// Cuts as often as it is told.
pub(crate) fn run(folder: &Path, cuts: u64, seed: u64) -> Outcome<()> {
    println!("power: {cuts} cuts with seed {seed} in {}", folder.display());
    fs::create_dir_all(folder)?;
    let mut random = Random::from_seed(seed);
    let (mut in_recovery, mut async_lost) = (0, 0);
    let mut cut = 0;
    while cut < cuts {
        let mut cutting = Cutting::new(folder, &mut random)?;
        for _ in 0..FRESH_EVERY.min(cuts - cut) {
            cut += 1;
            cutting.cut(&mut random).map_err(|error: Failure| format!("seed {seed}, cut {cut}: {error}"))?;
        }
        println!("power: {}", cutting.ledger.counts);
        in_recovery += cutting.in_recovery;
        async_lost += cutting.ledger.counts.async_lost;
        cutting.image.unmount()?;
    }
    println!("power: {in_recovery} of the cuts came while the directory was being opened");
    if async_lost == 0 && cuts >= CUTS_THAT_TAKE_SOMETHING {
        return Err("nothing was lost that was not synced: the power was not cut".into());
    }
    Ok(())
}

fn options(random: &mut Random) -> &'static str {
    OPTIONS.get(random.index(OPTIONS.len())).copied().unwrap_or_default()
}

impl Cutting {
    fn new(folder: &Path, random: &mut Random) -> Outcome<Self> {
        let image = Image::new(folder, MEGABYTES, options(random))?;
        fs::create_dir(image.root().join("data"))?;
        // Only what the engine does is to be in danger.
        fs::File::open(image.root())?.sync_all()?;
        Ok(Self { folder: folder.to_owned(), image, ledger: Ledger::new(Crash::Machine), in_recovery: 0 })
    }

    /// One life of a machine, and what is left of it.
    fn cut(&mut self, random: &mut Random) -> Outcome<()> {
        let root = self.image.root().join("data");
        let way = if random.one_in(3) { Way::Buffered } else { Way::Direct };
        let birth = Birth {
            wrapper: &[],
            root: &root,
            notes: &self.folder,
            seed: random.next_u64(),
            until: Until::Cut,
            way,
        };
        let mut writing = Writing::start(&birth, &self.ledger.briefing())?;
        let life_ms = if random.one_in(3) {
            // So short that most end in recovery.
            LIFE_MS_MAX / 10
        } else {
            writing.wait_until_open()?;
            if writing.writes_directly()? != (way == Way::Direct) {
                return Err(format!("the journal is not written the way it is to be: {}", way.word()).into());
            }
            LIFE_MS_MAX
        };
        thread::sleep(Duration::from_micros(random.below(life_ms * 1_000)));
        self.image.cut()?;
        thread::sleep(Duration::from_micros(random.below(AFTERLIFE_MS_MAX * 1_000)));
        let report = writing.kill()?;
        report.expect_disk_errors_only()?;
        self.in_recovery += u64::from(!report.was_opened());
        self.ledger.note(&report.lines)?;
        self.image.unmount()?;
        self.image.mount(options(random))?;
        expect_no_damage(&root)?;
        let observed = if random.one_in(4) { observe_and_close(&root)? } else { observe(&root)? };
        self.ledger.reconcile(observed, Crash::Machine)
    }
}
