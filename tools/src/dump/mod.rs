//! `strandline log`: what lies in a data directory, in words. It changes nothing.
//!
//! It works on a directory that a broker is using, too: then what is just changing may be missed, and what cannot be
//! made sense of may make sense a moment later.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cluster::{Failure, Output};

mod batches;
mod directory;
mod files;
mod journal;
mod manifest;
mod names;
mod partitions;
mod print;

use directory::Partition;

/// What `strandline log` can do.
#[derive(Subcommand)]
pub(crate) enum LogCommand {
    /// Lists the partitions of a data directory, and where each begins and ends.
    List(OfDirectory),
    /// Prints the batches of partitions, in segments and in the journal, or what is in single files of segments.
    Dump(Dump),
    /// Prints what the journal says that is not in the manifest yet.
    Journal(OfDirectory),
    /// Prints what the manifest says of partitions, their segments and their producers.
    Manifest(OfDirectory),
}

/// What needs nothing but a data directory.
#[derive(Args)]
pub(crate) struct OfDirectory {
    /// The data directory.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    chosen: Chosen,
    /// How it is printed: JSON is a line for each.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Which partitions.
#[derive(Args, Clone)]
pub(crate) struct Chosen {
    /// Of this topic only, by its name or its id; may be given more than once.
    #[arg(long, value_name = "NAME")]
    topic: Vec<String>,
    /// Of these partitions of each topic only; may be given more than once.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    partition: Vec<i32>,
}

/// `strandline log dump`.
#[derive(Args)]
pub(crate) struct Dump {
    /// The data directory, or files of segments: .log, .index, .timeindex and .txnindex, ours or Kafka's.
    #[arg(required = true, value_name = "DIR|FILE")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    how: How,
}

/// What is printed of batches, and how.
#[derive(Args, Clone)]
pub(crate) struct How {
    /// Print the records of each batch, too; those of the cluster's own topics in words.
    #[arg(long)]
    deep: bool,
    /// Leave out what lies before this offset.
    #[arg(long, value_name = "OFFSET", default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
    from: i64,
    /// Leave out what lies at this offset or behind it.
    #[arg(long, value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    until: Option<i64>,
    /// Print the entries of the segments' indexes, too.
    #[arg(long)]
    indexes: bool,
    /// How it is printed: JSON is a line for each.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

impl How {
    /// How many offsets of a partition are asked for, of those before `offset`.
    fn offsets_before(&self, partition: &Partition, offset: i64) -> u64 {
        let end = partition.end.min(self.until.unwrap_or(i64::MAX)).min(offset);
        u64::try_from(end.saturating_sub(partition.begin.max(self.from))).unwrap_or(0)
    }

    /// Whether anything of a batch is asked for.
    fn shows(&self, base_offset: i64, last_offset: i64) -> bool {
        last_offset >= self.from && self.until.is_none_or(|until| base_offset < until)
    }
}

pub(crate) fn run(command: &LogCommand, out: &mut impl Write) -> Result<(), Failure> {
    match command {
        LogCommand::List(plan) => partitions::list(plan, out),
        LogCommand::Dump(dump) => match dump.paths.as_slice() {
            [directory] if directory.is_dir() => partitions::dump(directory, &dump.chosen, &dump.how, out),
            paths => paths.iter().try_for_each(|path| files::dump(path, &dump.how, out)),
        },
        LogCommand::Journal(plan) => journal::print(plan, out),
        LogCommand::Manifest(plan) => manifest::print(plan, out),
    }
}

/// What cannot be done, in the words of whoever could not do it.
fn refused(error: impl std::fmt::Display) -> Failure {
    Failure::Refused(error.to_string())
}

/// A path that is not what it was given for.
fn wrong(what: impl std::fmt::Display) -> Failure {
    Failure::Usage(what.to_string())
}

#[cfg(test)]
mod tests;
