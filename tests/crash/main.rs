//! Crashes the storage engine for real, and looks from outside at what is left. `README.md` beside this file says
//! how to run it.
#![expect(clippy::print_stdout, reason = "it says what it did")]

mod briefing;
mod child;
mod directory;
mod disk;
mod failed_sync;
mod full;
mod image;
mod ledger;
mod model;
mod power;
mod report;
mod show;
mod sigkill;
mod values;
mod writer;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// Whatever goes wrong here ends the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

type Outcome<T, E = Failure> = Result<T, E>;

const USAGE: &str = "usage:
  crash sigkill FOLDER KILLS SEED     kill a writing process, over and over
  crash power FOLDER CUTS SEED        cut the power of a file system that a process writes to; needs root
  crash full FOLDER ROUNDS SEED       fill the disk of a writing process; needs root
  crash sync FOLDER ROUNDS SEED       let its syncs fail; needs root and strace
  crash show FOLDER                   what a data directory holds, and what a reader finds
  crash write FOLDER SEED UNTIL WAY   the process that is killed; UNTIL is killed, cut, filled, offline or a number
                                      of operations, WAY is direct or buffered";

fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["sigkill", folder, kills, seed] => sigkill::run(Path::new(folder), kills.parse()?, seed.parse()?),
        ["power", folder, cuts, seed] => power::run(Path::new(folder), cuts.parse()?, seed.parse()?),
        ["full", folder, rounds, seed] => full::run(Path::new(folder), rounds.parse()?, seed.parse()?),
        ["sync", folder, rounds, seed] => failed_sync::run(Path::new(folder), rounds.parse()?, seed.parse()?),
        ["write", folder, seed, until, way] => {
            writer::run(Path::new(folder), seed.parse()?, until.parse()?, way.parse()?)
        }
        ["show", folder] => show::show(Path::new(folder)),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // In one piece: it may be killed in the middle of it.
            let text = format!("crash {}: {error}\n", arguments.join(" "));
            let _ = std::io::stderr().write_all(text.as_bytes());
            ExitCode::FAILURE
        }
    }
}
