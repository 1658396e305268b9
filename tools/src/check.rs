//! `strandline check`: looks over a data directory that no broker uses, changes nothing, and says what is wrong.
//!
//! Exit codes: 0 nothing is lost, 1 something is damaged or could not be looked at, 2 there is no data directory there.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use strandline_log::check::{self, CheckError, Finding, Severity, Summary};
use strandline_log::disk::Disk;
use strandline_log::disk::real::RealDisk;
use strandline_log::layout::Layout;

use crate::cluster::{Failure, Output};
use crate::progress::beside_reading;
use crate::results::counted;

/// `strandline check`.
#[derive(Args)]
pub(crate) struct CheckPlan {
    /// The data directory of a broker that is not running.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Say only what is damaged or doubtful, and not what a crash leaves behind and the next start removes.
    #[arg(long)]
    quiet: bool,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

pub(crate) fn run(plan: &CheckPlan, out: &mut impl Write) -> Result<(), Failure> {
    let refused = Failure::Refused;
    let real = RealDisk::new(&plan.directory)
        .map_err(|error| Failure::Usage(format!("cannot open {}: {error}", plan.directory.display())))?;
    let disk: Arc<dyn Disk> = Arc::new(real);
    let mut printed = Ok(());
    let print = |finding: Finding| {
        let is_told = !plan.quiet || finding.problem.severity() != Severity::Leftover;
        if is_told && printed.is_ok() {
            printed = print_finding(&finding, plan.output, out);
        }
    };
    let layout = Layout::new(plan.directory.clone());
    let checked = beside_reading(|| bytes_below(&layout.logs()), || check::check(&disk, &layout, print));
    printed?;
    let summary = checked.map_err(|error| match error {
        CheckError::NoDirectory { .. } => Failure::Usage(error.to_string()),
        error => refused(error.to_string()),
    })?;
    print_summary(&summary, plan.output, out)?;
    match summary.damages {
        0 => Ok(()),
        damages => {
            let places = counted(damages, "place", "places");
            Err(refused(format!("{} is damaged in {places}", plan.directory.display())))
        }
    }
}

/// How much there is to be read: what is in segments. What cannot be looked at is not read either.
fn bytes_below(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes_of = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_below(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.map(bytes_of).sum()
}

const fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Damage => "damage",
        Severity::Doubt => "doubt",
        Severity::Leftover => "leftover",
    }
}

fn print_finding(finding: &Finding, output: Output, out: &mut impl Write) -> io::Result<()> {
    let severity = name(finding.problem.severity());
    match output {
        Output::Table => writeln!(out, "{severity}: {finding}"),
        Output::Json => {
            let path = finding.path.to_string_lossy();
            let problem = finding.problem.to_string();
            let finding = json!({ "severity": severity, "path": path, "position": finding.position, "problem": problem });
            writeln!(out, "{}", json!({ "finding": finding }))
        }
    }
}

fn print_summary(summary: &Summary, output: Output, out: &mut impl Write) -> io::Result<()> {
    let Summary { was_locked, was_closed, partitions, segments, batches, bytes, entries, .. } = summary;
    let Summary { damages, doubts, leftovers, .. } = summary;
    if output == Output::Json {
        let summary = json!({
            "in_use": !was_locked, "closed": was_closed, "partitions": partitions, "segments": segments,
            "batches": batches, "bytes": bytes, "journal_entries": entries, "damages": damages, "doubts": doubts,
            "leftovers": leftovers,
        });
        return writeln!(out, "{}", json!({ "summary": summary }));
    }
    if !was_locked {
        writeln!(out, "A broker is using the directory: what was found may be what it was just changing.")?;
    }
    let ended = if *was_closed { "closed" } else { "left by a process or machine that died" };
    writeln!(
        out,
        "{} with {}: {}, {}; {} of the journal to replay. The directory was {ended}.",
        counted(partitions, "partition", "partitions"),
        counted(segments, "segment", "segments"),
        counted(batches, "batch", "batches"),
        counted(bytes, "byte", "bytes"),
        counted(entries, "entry", "entries")
    )?;
    let damages = counted(damages, "damage", "damages");
    let doubts = counted(doubts, "doubt", "doubts");
    writeln!(out, "{damages}, {doubts}, {}.", counted(leftovers, "leftover", "leftovers"))
}

#[cfg(test)]
mod tests {
    use strandline_log::clock::RealClock;
    use strandline_log::engine::{Options, Writer};
    use strandline_log::random::Random;

    use super::*;

    fn check(directory: PathBuf, output: Output) -> (Result<(), Failure>, String) {
        let mut out = Vec::new();
        let result = run(&CheckPlan { directory, quiet: false, output }, &mut out);
        (result, String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_directory_is_looked_over_and_what_is_none_is_refused() {
        let folder = std::env::temp_dir().join(format!("strandline-check-{}", std::process::id()));
        let root = folder.join("data");
        std::fs::create_dir_all(&root).unwrap();
        let disk = Arc::new(RealDisk::new(&root).unwrap());
        let (clock, random) = (Arc::new(RealClock::new()), Random::from_seed(1));
        Writer::recover(disk, root.clone(), Options::default(), clock, random).unwrap().close().unwrap();
        let (result, said) = check(root.clone(), Output::Table);
        assert!(result.is_ok(), "{said}");
        assert!(said.contains("0 partitions") && said.contains("was closed"), "{said}");
        let (result, said) = check(root.clone(), Output::Json);
        assert!(result.is_ok() && said.contains("\"damages\":0"), "{said}");
        for entry in std::fs::read_dir(root.join("manifest")).unwrap() {
            std::fs::write(entry.unwrap().path(), b"rot").unwrap();
        }
        let (result, said) = check(root, Output::Table);
        assert!(matches!(result, Err(Failure::Refused(_))), "{said}");
        let (result, _) = check(folder.clone(), Output::Table);
        assert!(matches!(result, Err(Failure::Usage(what)) if what.contains("no data directory")));
        let (result, _) = check(folder.join("nowhere"), Output::Table);
        assert!(matches!(result, Err(Failure::Usage(what)) if what.contains("nowhere")));
        std::fs::remove_dir_all(folder).unwrap();
    }
}
