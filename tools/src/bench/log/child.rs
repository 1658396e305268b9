//! Parts that need a process of their own: to be killed, or to have their memory told from everybody else's.
//!
//! A child says what it found as numbers in a line on its output.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Subcommand;

use super::turns::float;
use super::{Outcome, compaction, partitions, recovery, scattered};

/// What a child does.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Part {
    /// Appends to many partitions, and says how fast that went.
    Spread { root: PathBuf, partitions: usize },
    /// Appends to many files without an engine, and says how fast that went.
    Scatter { root: PathBuf, files: usize },
    /// Fills the journal, says so, and waits to be killed.
    Fill { root: PathBuf, partitions: usize, batch_bytes: usize, bytes_before: u64 },
    /// Opens a directory, and says how long that took.
    Recover { root: PathBuf },
    /// Writes a log and compacts it, and says how fast that went.
    Compact { root: PathBuf, keys: u64, map_mib: usize },
}

impl Part {
    fn arguments(&self) -> Vec<String> {
        match self {
            Self::Spread { root, partitions } => {
                vec!["spread".to_owned(), text(root), partitions.to_string()]
            }
            Self::Scatter { root, files } => vec!["scatter".to_owned(), text(root), files.to_string()],
            Self::Fill { root, partitions, batch_bytes, bytes_before } => {
                let numbers = [partitions.to_string(), batch_bytes.to_string(), bytes_before.to_string()];
                ["fill".to_owned(), text(root)].into_iter().chain(numbers).collect()
            }
            Self::Recover { root } => vec!["recover".to_owned(), text(root)],
            Self::Compact { root, keys, map_mib } => {
                vec!["compact".to_owned(), text(root), keys.to_string(), map_mib.to_string()]
            }
        }
    }

    /// Does it, in this process.
    pub(super) fn run(&self, out: &mut dyn Write) -> Outcome {
        // What is only a part of a measurement does not outlive it.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        let mut say = |numbers: &[f64]| {
            let line: Vec<String> = numbers.iter().map(f64::to_string).collect();
            writeln!(out, "{}", line.join(" "))?;
            out.flush()
        };
        match self {
            Self::Spread { root, partitions } => Ok(say(&partitions::spread(root, *partitions)?)?),
            Self::Scatter { root, files } => Ok(say(&scattered::scatter(root, *files)?)?),
            Self::Recover { root } => Ok(say(&recovery::recover(root)?)?),
            Self::Compact { root, keys, map_mib } => Ok(say(&compaction::compact(root, *keys, *map_mib)?)?),
            Self::Fill { root, partitions, batch_bytes, bytes_before } => {
                let (filled, entries) = recovery::fill(root, *partitions, *batch_bytes, *bytes_before)?;
                say(&[float(entries)])?;
                // It is killed with everything open.
                loop {
                    std::thread::park();
                    std::hint::black_box(&filled);
                }
            }
        }
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A child that has said what it had to say.
pub(super) struct Finished<const N: usize> {
    pub(super) numbers: [f64; N],
    child: Child,
}

impl<const N: usize> Finished<N> {
    /// Ends it with SIGKILL.
    pub(super) fn kill(mut self) -> Outcome {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Lets it end by itself.
    pub(super) fn wait(mut self) -> Outcome<[f64; N]> {
        if self.child.wait()?.success() { Ok(self.numbers) } else { Err("a child process failed".into()) }
    }
}

/// Starts a child, and waits until it says something.
pub(super) fn start<const N: usize>(part: &Part) -> Outcome<Finished<N>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["bench", "log-part"])
        .args(part.arguments())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(child.stdout.take().ok_or("a child without output")?).read_line(&mut line)?;
    let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
    let numbers = numbers?.try_into().map_err(|_| format!("{part:?} said {line:?}"))?;
    Ok(Finished { numbers, child })
}
