//! Lets a sync of a writing process fail, as a dying disk does: nothing of it is acknowledged, the directory goes
//! offline and says so, nothing is tried again, reading goes on; and after the power was cut on top of that, all
//! that was acknowledged is there.
//!
//! The kernel is made to answer with an error by `strace`, which knows each system call of the process.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use strandline_log::random::Random;

use crate::child::{Birth, Report, Writing};
use crate::directory::{expect_no_damage, observe};
use crate::disk::Way;
use crate::image::Image;
use crate::ledger::{Crash, Ledger};
use crate::report::{Line, Reason};
use crate::writer::Until;
use crate::{Failure, Outcome};

const MEGABYTES: u64 = 128;

/// What fails, how the journal is written then, and the most calls of a thread that go well before.
const FAILURES: [(&str, Way, u64); 5] = [
    // The journal's write, which is its own sync; and those into segments.
    ("pwritev", Way::Direct, 60),
    // The journal's sync, those of segments, and the manifest's.
    ("fdatasync", Way::Buffered, 40),
    ("fdatasync", Way::Direct, 10),
    // Names.
    ("fsync", Way::Direct, 6),
    // Many files at once.
    ("syncfs", Way::Direct, 3),
];

/// The calls that make something durable.
const SYNCS: [&str; 3] = ["fdatasync", "fsync", "syncfs"];

/// Lets as many syncs fail as it is told.
pub(crate) fn run(folder: &Path, rounds: u64, seed: u64) -> Outcome<()> {
    println!("sync: {rounds} failures with seed {seed} in {}", folder.display());
    fs::create_dir_all(folder)?;
    let mut random = Random::from_seed(seed);
    let mut image = Image::new(folder, MEGABYTES, "data=ordered")?;
    let root = image.root().join("data");
    fs::create_dir(&root)?;
    fs::File::open(image.root())?.sync_all()?;
    let mut ledger = Ledger::new(Crash::Machine);
    let mut while_open = 0;
    for (round, failure) in (1..=rounds).zip(FAILURES.iter().cycle()) {
        let explain = |error: Failure| format!("seed {seed}, round {round}, {failure:?}: {error}");
        let report = let_fail(&root, folder, failure, &mut random, &ledger).map_err(explain)?;
        while_open += u64::from(report.was_opened());
        ledger.note(&report.lines).map_err(explain)?;
        image.cut_and_mount("data=ordered")?;
        expect_no_damage(&root).map_err(explain)?;
        let observed = observe(&root).map_err(explain)?;
        ledger.reconcile(observed, Crash::Machine).map_err(explain)?;
    }
    println!("sync: {}", ledger.counts);
    println!("sync: {while_open} of the failures came when the directory was open");
    image.unmount()
}

/// One life of a process that meets a failure.
fn let_fail(
    root: &Path,
    notes: &Path,
    failure: &(&str, Way, u64),
    random: &mut Random,
    ledger: &Ledger,
) -> Outcome<Report> {
    let (call, way, most) = *failure;
    let calls = notes.join("calls");
    let log = calls.to_string_lossy();
    let trace = format!("trace={},{call}", SYNCS.join(","));
    let inject = format!("inject={call}:error=EIO:when={}", 1 + random.below(most));
    let wrapper =
        ["strace", "--seccomp-bpf", "-f", "-qq", "-y", "-s", "0", "-o", &*log, "-e", &*trace, "-e", &*inject];
    let birth = Birth { wrapper: &wrapper, root, notes, seed: random.next_u64(), until: Until::Offline, way };
    let report = Writing::start(&birth, &ledger.briefing())?.join()?;
    let calls = fs::read_to_string(&calls)
        .map_err(|error| format!("strace says nothing: {error}; {}", report.errors))?;
    expect_no_more_syncs(&calls)?;
    match report.was_opened() {
        // It was refused to open the directory, and why.
        false => report.expect_disk_errors_only()?,
        true => {
            report.expect_no_errors()?;
            expect_offline(&report.lines)?;
        }
    }
    Ok(report)
}

/// After the call that failed, none is begun on the same file. Another thread may have been in one by then.
fn expect_no_more_syncs(calls: &str) -> Outcome<()> {
    let file_in = |line: &str| Some(line.split_once('<')?.1.split_once('>')?.0.to_owned());
    // Where a call ends on a line of its own, the file stands on the one that it began on.
    let mut begun = BTreeMap::new();
    let mut failed: Option<(String, &str)> = None;
    for line in calls.lines() {
        let thread = line.split_whitespace().next().unwrap_or_default();
        let begins = !line.contains(" resumed>");
        let file = if begins { file_in(line) } else { begun.remove(thread) };
        if begins && line.contains("<unfinished ...>") {
            file.iter().for_each(|file| drop(begun.insert(thread, file.clone())));
        }
        let is_injected = line.contains("(INJECTED)");
        match &failed {
            None if is_injected => {
                failed = Some((file.ok_or_else(|| format!("no file is named in {line}"))?, line));
            }
            Some((of, failed)) if begins && !is_injected && file.as_ref() == Some(of) => {
                return Err(format!("after {failed} came {line}").into());
            }
            _ => {}
        }
    }
    if failed.is_some() { Ok(()) } else { Err("no call failed".into()) }
}

/// From the first refusal on there are nothing but refusals for that reason, and what was there can be read.
fn expect_offline(lines: &[Line]) -> Outcome<()> {
    let is_offline = |line: &Line| matches!(line, Line::Refused { reason: Reason::Offline, .. });
    let place = lines.iter().position(is_offline).ok_or("the directory did not go offline")?;
    let after = lines.get(place..).unwrap_or_default();
    if let Some(done) = after.iter().find(|line| matches!(line, Line::Done { .. })) {
        return Err(format!("an offline directory says: {done}").into());
    }
    match after.iter().any(|line| matches!(line, Line::Looked)) {
        true => Ok(()),
        false => Err("nothing can be read of an offline directory".into()),
    }
}
