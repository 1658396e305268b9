//! Crashes the storage engine for real, and looks from outside at what is left. `README.md` beside this file says
//! how to run it.

mod briefing;
mod child;
mod directory;
mod ledger;
mod model;
mod report;
mod sigkill;
mod values;
mod writer;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::writer::Until;

/// Whatever goes wrong here ends the run.
type Failure = Box<dyn std::error::Error + Send + Sync>;

type Outcome<T, E = Failure> = Result<T, E>;

const USAGE: &str = "usage:
  crash sigkill FOLDER KILLS SEED     kill a writing process, over and over
  crash show FOLDER                   what a reader finds in a data directory
  crash write FOLDER SEED UNTIL       the process that is killed; UNTIL is killed, offline, or a number of operations";

fn run(arguments: &[&str]) -> Outcome<()> {
    match arguments {
        ["sigkill", folder, kills, seed] => sigkill::run(Path::new(folder), kills.parse()?, seed.parse()?),
        ["write", folder, seed, until] => {
            let until = match *until {
                "killed" => Until::Killed,
                "offline" => Until::Offline,
                operations => Until::Operations(operations.parse()?),
            };
            writer::run(PathBuf::from(folder), seed.parse()?, until)
        }
        ["show", folder] => directory::show(Path::new(folder)),
        _ => Err(USAGE.into()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("crash {}: {error}", arguments.join(" "));
            ExitCode::FAILURE
        }
    }
}
